"""The automatic answer, for requests that no scenario is for."""
