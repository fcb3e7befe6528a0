"""The dialects that the suite can read."""
