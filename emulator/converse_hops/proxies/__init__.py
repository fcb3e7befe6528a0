"""Stand-ins for reverse proxies: they pass a request on and a response back, each with clocks of its own."""
