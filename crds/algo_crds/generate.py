"""Writes the CRD YAML from the models, or checks that the committed files are what the models say.

`python -m algo_crds.generate [--check]`
"""

import sys
from pathlib import Path
from typing import Final

import yaml

from algo_crds.resources.catalog import KINDS
from algo_crds.resources.schema import crd

MANIFESTS: Final = Path(__file__).resolve().parent.parent / "manifests"
_HEADER: Final = "# Generated from the models by `python -m algo_crds.generate`; change those, not this file.\n"


def render() -> dict[str, str]:
    """File name to YAML text of every CRD."""
    return {
        f"{kind.plural}.algo.trading.yaml": _HEADER
        + yaml.safe_dump(crd(kind), sort_keys=False, allow_unicode=True, width=110)
        for kind in KINDS
    }


def differences(folder: Path = MANIFESTS) -> list[str]:
    """Names of files that are missing, differ or should not be there."""
    wanted = render()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main(arguments: list[str]) -> int:
    """Entry point; returns the exit code."""
    if "--check" in arguments:
        stale = differences()
        if stale:
            sys.stderr.write(f"out of date: {', '.join(stale)}; run python -m algo_crds.generate\n")
        return 1 if stale else 0
    MANIFESTS.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (MANIFESTS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
