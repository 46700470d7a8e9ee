"""What happened: files, rounds, the loop, reports, the command line."""
