"""The whole stack on this machine: the real template on an AWS emulator, without Docker.

The invariant: whatever the emulator needs that AWS does not lives in this package (`gaps` for what it
leaves undone), never in the template or the product. `Stack` is what other code uses.
"""

from tools.local.console import LocalError
from tools.local.stack import Stack

__all__ = ["LocalError", "Stack"]
