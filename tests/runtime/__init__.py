"""The real Lambda runtime client in a box of the suite's own.

api.py       a Runtime API server on loopback: what the runtime client talks to
box.py       a function, its layer and its runtime in a temporary folder, run as Lambda would
managed.py   stand-in for the start script of AWS's managed runtimes
ways.py      the ways to attach
fixtures.py  the layer, and a box that stops when its test ends, as a pytest plug-in
events.py    events as AWS delivers them
emulator.py  the same box under AWS's own Runtime Interface Emulator, where the machine has it
"""

from runtime.api import Answer, RuntimeApi
from runtime.box import PYTHON, ROOT, TIMEOUT_S, Box, can_seal, security_events, unpacked
from runtime.emulator import Emulated, binary

__all__ = ["PYTHON", "ROOT", "TIMEOUT_S", "Answer", "Box", "Emulated", "RuntimeApi", "binary", "can_seal", "security_events", "unpacked"]
