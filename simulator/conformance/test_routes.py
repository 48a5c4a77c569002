"""Every route that an official SDK has a call for is in our list of its broker: nothing documented is left out."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import algo_simulator
import pytest
import yaml

PACKAGE = Path(algo_simulator.__file__).parent
TABLES = {
    "zerodha": "from kiteconnect import KiteConnect as K; found = K._routes.values()",
    "angelone": "from SmartApi import SmartConnect as K; found = K._routes.values()",
    "fyers": "from fyers_apiv3.fyersModel import Config as K; found = [v for k, v in vars(K).items() if k[0] != '_']",
    "dhan": (
        "import dhanhq, pathlib, re; folder = pathlib.Path(dhanhq.__file__).parent; found = [path for one in "
        "folder.glob('*.py') for path in re.findall(r'''['\"](/[A-Za-z][A-Za-z0-9/_{}]*)['\"?]''', one.read_text())]"
    ),
}
"""Where each SDK keeps its paths: a table, or the texts in its calls."""
HOSTS = {
    "zerodha": ("",),
    "angelone": ("",),
    "fyers": ("/api/v3", "/data"),
    "dhan": ("/v2",),
}
"""Under which part of an address a path is served."""
NO_ROUTES = {
    "zerodha": {"/margins/{segment}"},  # in the table; no method calls it
    "fyers": {"/truedata-ws"},  # the name of another package
    "dhan": {"/slicing"},  # put behind `/orders`
}
FEWEST = 30


def _shape(path: str) -> str:
    """The path without the names of its parts; a table may end before the part, and begin without a slash."""
    return re.sub(r"\{[^}]*\}", "{}", "/" + path.strip("/"))


def _listed(broker: str) -> set[str]:
    quality: dict[str, Any] = yaml.safe_load((PACKAGE / broker / "quality.yaml").read_text("utf-8"))
    shapes = {_shape(route.split(" ")[1]) for route in quality["routes"]}
    return shapes | {shape.removesuffix("/{}") for shape in shapes}


@pytest.mark.parametrize("broker", sorted(TABLES))
def test_every_route_of_the_sdk_is_listed(broker: str, sdk_python: Any, tmp_path: Path) -> None:
    code = f"import json\n{TABLES[broker]}\nprint(json.dumps(sorted(set(found))))"
    done = subprocess.run(
        [str(sdk_python(broker)), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    paths = {path for path in json.loads(done.stdout.splitlines()[-1]) if "://" not in path}
    assert len(paths) >= FEWEST, "the SDK's table was found"
    listed = _listed(broker)
    missing = {
        path
        for path in paths - NO_ROUTES.get(broker, set())
        if not any(_shape(host + "/" + path.strip("/")) in listed for host in HOSTS[broker])
    }
    assert not missing
