"""Real clients, each in an environment of its own, unmodified, against the emulator.

    python -m conformance.runner [--quick] [CLIENT …]

`clients.toml` says which clients in which versions, `conditions` what they meet, `expected.toml` what each of
them makes of it. `docs/clients.md` is the same as a table.
"""
