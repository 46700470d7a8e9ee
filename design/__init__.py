"""What to make: alloys, spaces, goals, acquisition, melt sheets."""
