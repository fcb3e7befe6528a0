"""Addresses to listen on."""

import ipaddress
import socket


def listen(host: str, port: int, scheme: str = "http") -> tuple[socket.socket, str]:
    """A listening socket and its `SCHEME://HOST:PORT`; port 0 is any free one. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    shown = f"[{host}]" if ":" in host else host
    return listening, f"{scheme}://{shown}:{listening.getsockname()[1]}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
