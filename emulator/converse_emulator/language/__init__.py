"""The scenario language: its nouns, its grammar, and how files are read."""
