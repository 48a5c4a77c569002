"""Refuses tracked text that looks like a credential, a private key or a path of somebody's machine."""

import re
import subprocess
import sys
from pathlib import Path

PATTERNS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}"),
    "AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "literal secret": re.compile(
        r"(?i)\b(?:password|secret|api_key|access_token|master_key)\s*[:=]\s*['\"][A-Za-z0-9+/=_-]{32,}['\"]"
    ),
    "machine path": re.compile(r"(?<![\w./])/(?:home|Users)/\w+/"),
}
BINARY = {".gz", ".png", ".ico", ".tar", ".woff2"}
SKIP = {"uv.lock", "go.sum", "package-lock.json", "check_secrets.py"}


def findings(path: Path) -> list[str]:
    """What in the file must not be there, a line each."""
    if path.suffix in BINARY or path.name in SKIP or not path.is_file():
        return []
    text = path.read_text(errors="replace")
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {name}"
        for name, pattern in PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def main(arguments: list[str]) -> int:
    """Print the findings of the given or all tracked files; 1 if there are any."""
    names = (
        arguments or subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.splitlines()
    )
    found = [line for name in names for line in findings(Path(name))]
    print("\n".join(found) or f"secrets: none in {len(names)} files")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
