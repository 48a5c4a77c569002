#!/usr/bin/env bash
# Prints the path of a usable uv, installing the pinned one into the user's cache where the machine has none.
# Needs Python 3.11 or newer; on Debian it installs python3-venv if that is missing.
set -euo pipefail
version=0.13.9
home="${ALGO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/algo-trading}/uv-$version"

if [ -x "$home/bin/uv" ]; then echo "$home/bin/uv"; exit 0; fi
if command -v uv >/dev/null && [ "$(uv --version | cut -d' ' -f2)" = "$version" ]; then command -v uv; exit 0; fi

python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or newer is needed: apt-get install python3" >&2; exit 1
fi
echo "installing uv $version into $home" >&2
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv; } >&2
fi
mkdir -p "$(dirname "$home")"
"$python" -m venv "$home.new.$$" >&2
"$home.new.$$/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$version" >&2
rm -rf "$home" && mv "$home.new.$$" "$home"
if ! command -v uv >/dev/null; then # so that `uv run algo …` works in this terminal too
  for folder in /usr/local/bin "$HOME/.local/bin"; do
    if mkdir -p "$folder" 2>/dev/null && ln -sf "$home/bin/uv" "$folder/uv" 2>/dev/null; then
      echo "uv is $folder/uv" >&2; break
    fi
  done
fi
echo "$home/bin/uv"
