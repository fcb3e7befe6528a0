"""How fast the emulator is, beside its peers and beside what is physically possible: `make bench`.

Everything runs on this machine in one run, in interleaved rounds; ratios are taken within a round.
"""
