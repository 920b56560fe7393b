"""Coverage-guided fuzzing of libs/x12: what reaches new code is kept and changed further.

``python -m tests.x12.fuzz MINUTES [SEED]`` (`make fuzz`). An input that makes the library raise, or that takes longer
than ten seconds, is written to ``.parity/fuzz`` and ends the run with exit code 1.
"""

import random
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from tests.x12.test_hostile import FILES, changed, use

HOME = Path(__file__).resolve().parents[2] / ".parity" / "fuzz"
OURS = str(Path(__file__).resolve().parents[2] / "libs" / "x12")
SLOWEST = 10.0


class Coverage:
    """Which lines of the library follow which."""

    def __init__(self) -> None:
        self.arcs: set[tuple[int, int, int]] = set()

    def reached(self, data: bytes) -> int:
        """Use the data; how many new ways through the library it took."""
        before = len(self.arcs)
        sys.settrace(self._enter)
        try:
            use(data)
        finally:
            sys.settrace(None)
        return len(self.arcs) - before

    def _enter(self, frame: FrameType, event: str, _value: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(OURS):
            return None
        arcs, key, last = self.arcs, id(code), 0

        def line(frame: FrameType, event: str, _value: Any) -> Any:
            nonlocal last
            if event == "line":
                arcs.add((key, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line


def fuzz(minutes: float, seed: int) -> int:
    """Run for so long; 0 when nothing was found."""
    draw, coverage = random.Random(seed), Coverage()
    kept = list(FILES)
    for data in kept:
        coverage.reached(data)
    begin, runs, told = time.monotonic(), 0, time.monotonic()
    while time.monotonic() < begin + minutes * 60:
        source = draw.choice(kept[-200:]) if draw.random() < 0.5 else draw.choice(kept)
        data = changed(draw, source)[:100_000]
        started = time.monotonic()
        try:
            new = coverage.reached(data)
        except Exception:  # noqa: BLE001 - whatever it raises is the finding
            return _failed(data, traceback.format_exc())
        if time.monotonic() - started > SLOWEST:
            return _failed(data, f"took {time.monotonic() - started:.0f} s")
        if new:
            kept.append(data)
        runs += 1
        if time.monotonic() > told + 10:
            told = time.monotonic()
            _say(runs, kept, coverage)
    _say(runs, kept, coverage)
    return 0


def _say(runs: int, kept: list[bytes], coverage: Coverage) -> None:
    sys.stdout.write(f"{runs} inputs, {len(kept)} kept, {len(coverage.arcs)} ways through the library\n")
    sys.stdout.flush()


def _failed(data: bytes, why: str) -> int:
    HOME.mkdir(parents=True, exist_ok=True)
    path = HOME / f"{hash(data) & 0xFFFFFFFF:08x}.edi"
    path.write_bytes(data)
    sys.stdout.write(f"{why}\nthe input is in {path}\n")
    return 1


if __name__ == "__main__":
    sys.exit(fuzz(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
