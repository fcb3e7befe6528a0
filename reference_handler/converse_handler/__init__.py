"""A streaming chat handler to copy: ConverseStream in, Server-Sent Events out, every way to fail handled."""

from converse_handler.app import create_app
from converse_handler.settings import Settings

__all__ = ["Settings", "create_app"]
