"""What the gateway's tests share: stand-ins and processes, as modules beside this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
