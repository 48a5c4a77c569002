"""The SDK's side of a comparison: reads the frames from a file, decodes them when told to, and says how long it took.

Runs in the environment of the official SDK, beside the driver that imports it. Lines of standard input: `check` (the
token and price that the SDK read, frame by frame, as JSON), `round` (all frames once; nanoseconds).
"""

import json
import os
import struct
import sys
import time
from collections.abc import Callable

report = os.fdopen(os.dup(1), "w", buffering=1)
"""The SDKs print on standard output."""
sys.stdout = sys.stderr


def frames() -> list[bytes]:
    """The frames of the file that the first argument names, each after its length."""
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def serve(decode: Callable[[bytes], object], prices: Callable[[bytes], list[tuple[int, int]]]) -> None:
    """Answer until standard input ends. `decode` is the SDK's own function; `prices` gives (token, 1/10 000 rupee)."""
    held = frames()
    print("ready", file=report)
    for line in sys.stdin:
        if line.strip() == "check":
            print(json.dumps([prices(frame) for frame in held]), file=report)
            continue
        begun = time.thread_time_ns()
        for frame in held:
            decode(frame)
        print(time.thread_time_ns() - begun, file=report)
