"""Reports: results in, one string out. Nothing here asks, waits or writes a file."""
