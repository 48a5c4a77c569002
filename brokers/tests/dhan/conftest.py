"""The stand-in server and the samples are modules beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from dhan_stand import stand

__all__ = ["stand"]
