"""A typed client of the sandbox control plane, and of the API where an SDK would be too much.

`docs/control-plane.md` tells what each operation does, `docs/testing.md` how tests use it.
"""

from treadle.client.connection import Refused, Unreachable
from treadle.client.treadle import Treadle

__all__ = ["Refused", "Treadle", "Unreachable"]
