"""What hops that speak HTTP/1.1 share: a server and a client over one kind of connection, chunk by chunk."""
