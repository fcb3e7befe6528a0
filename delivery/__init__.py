"""Measures the six ways to the browser, and writes what docs/delivery.md shows: timeouts, times, bytes.

Not installed, as `conformance`: it starts emulator, handler and hops together, which no package may.
"""
