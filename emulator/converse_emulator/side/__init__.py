"""The operations besides inference, each with one JSON document of its own."""
