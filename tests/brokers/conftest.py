"""The desk and the cases are modules beside this file; the matrix is written down when all of it has run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
