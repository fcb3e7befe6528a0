"""From a request to the reply it gets."""
