"""The ways from a handler to a browser, with stand-ins for what is between them: `with wire(…)`.

path = PATHS["function-url"]
with wire(path, REFERENCE, emulator, Limits()) as wiring, wiring.open() as way:
    way.target     # the far end, to ask and to listen
    way.states()   # what each hop on the way has received and passed on
"""

from converse_contract.delivery.path import PATHS, Path, Tuning
from converse_contract.delivery.program import REFERENCE, Program
from converse_contract.delivery.wiring import Way, Wiring, wire

__all__ = ["PATHS", "REFERENCE", "Path", "Program", "Tuning", "Way", "Wiring", "wire"]
