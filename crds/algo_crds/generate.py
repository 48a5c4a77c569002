"""Writes the CRD YAML from the models, or checks that the committed files are what the models say.

`python -m algo_crds.generate [--check]`
"""

import sys
from pathlib import Path
from typing import Final

import yaml

from algo_crds.resources.catalog import KINDS
from algo_crds.resources.rules import Schema
from algo_crds.resources.schema import crd

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
MANIFESTS: Final = _ROOT / "crds" / "manifests"
CHART: Final = _ROOT / "charts" / "algo-trading-crds" / "templates"
"""The chart's copy: Helm upgrades what is a template, and keeps it when the release goes."""
_HEADER: Final = "# Generated from the models by `python -m algo_crds.generate`; change those, not this file.\n"


def render() -> dict[str, str]:
    """File name to YAML text of every CRD."""
    return {f"{kind.plural}.algo.trading.yaml": _text(crd(kind)) for kind in KINDS}


def render_chart() -> dict[str, str]:
    """As `render`, with the note by which Helm never deletes a CRD: with it all its resources would go."""
    rendered = {}
    for kind in KINDS:
        manifest = crd(kind)
        manifest["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
        rendered[f"{kind.plural}.algo.trading.yaml"] = _text(manifest)
    return rendered


def differences(folder: Path = MANIFESTS, wanted: dict[str, str] | None = None) -> list[str]:
    """Names of files that are missing, differ or should not be there."""
    wanted = render() if wanted is None else wanted
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main(arguments: list[str]) -> int:
    """Entry point; returns the exit code."""
    targets = {MANIFESTS: render(), CHART: render_chart()}
    if "--check" in arguments:
        stale = [str(folder / name) for folder, wanted in targets.items() for name in differences(folder, wanted)]
        if stale:
            sys.stderr.write(f"out of date: {', '.join(stale)}; run python -m algo_crds.generate\n")
        return 1 if stale else 0
    for folder, wanted in targets.items():
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            (folder / name).write_text(text, encoding="utf-8")
    return 0


def _text(manifest: Schema) -> str:
    return _HEADER + yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
