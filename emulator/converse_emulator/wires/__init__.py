"""The wires of real connections: what an act is on HTTP/1.1, and what it is on HTTP/2."""
