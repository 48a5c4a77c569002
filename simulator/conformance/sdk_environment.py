"""An environment of its own for each official SDK, kept in the user's cache under a key of its pins."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def sdk_python(broker: str) -> Path:
    """Make, or find, the environment of a broker's folder (`requirements.txt`); its interpreter.

    It holds the unmodified SDK and nothing of ours.
    """
    pins = HERE / broker / "requirements.txt"
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "algo-trading" / "sdk"
    home = cache / f"{broker}-{key}"
    python = home / "bin" / "python"
    if not (home / ".complete").exists():
        uv = shutil.which("uv")
        assert uv is not None, "uv is needed to make the SDK's environment; install it with `pip install uv`"
        shutil.rmtree(home, ignore_errors=True)
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(home)],
            [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(pins)],
        ):
            made = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            assert made.returncode == 0, f"{' '.join(command)} failed:\n{made.stderr}"
        (home / ".complete").touch()
    return python
