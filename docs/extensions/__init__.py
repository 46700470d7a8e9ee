"""What the site needs beyond Sphinx: formulas without a script, and output that is never typed in."""
