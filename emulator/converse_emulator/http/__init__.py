"""HTTP as the service speaks it: bodies that come in, responses and errors that go out."""
