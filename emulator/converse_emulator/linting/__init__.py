"""Judging others: a captured body or a live endpoint, by the rules of the wire."""
