"""Holds the size limits: 400 lines a file, 60 lines a function; checks the files named, or all tracked ones."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE = 400
MAX_FUNCTION = 60
EXEMPT = ("/migrations/versions/",)


def violations(path: Path, text: str) -> Iterator[str]:
    """One line of text for each limit that the file breaks."""
    lines = text.count("\n")
    if lines > MAX_FILE:
        yield f"{path}: {lines} lines; split it by reason to change (limit {MAX_FILE})"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines (limit {MAX_FUNCTION})"


def tracked() -> list[Path]:
    """The Python files that git knows or would add."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [Path(name) for name in names if Path(name).exists()]


def main(arguments: list[str]) -> int:
    """Print the violations; 1 if there are any."""
    paths = [Path(argument) for argument in arguments] or tracked()
    found = [
        violation
        for path in paths
        if not any(part in f"/{path}" for part in EXEMPT)
        for violation in violations(path, path.read_text())
    ]
    print("\n".join(found) or f"sizes: {len(paths)} files within the limits")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
