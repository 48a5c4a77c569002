"""The stand-in server is a module beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from angelone_stand import stand

__all__ = ["stand"]
