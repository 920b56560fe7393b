"""`python -m benchmarks [NAME …]`: measure, print the table, keep it in `.parity/bench.json`.

Each benchmark is a module with `measure(stage)`. Ratios are of one run on one machine; absolute figures are shown
beside them and compare with nothing.
"""

import argparse
import importlib
import sys

import uvloop

from benchmarks.figures import Figure, keep, shown
from benchmarks.stage import stage
from tests.conftest import ROOT

NAMES = ("intake", "round_trip", "relay", "delivery", "kpis", "growth", "batch")
KEPT = ROOT / ".parity" / "bench.json"


async def run(names: list[str]) -> list[Figure]:
    found: list[Figure] = []
    for name in names:
        sys.stderr.write(f"{name} …\n")
        async with stage() as place:
            found += await importlib.import_module(f"benchmarks.{name}").measure(place)
        keep(found, KEPT)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all where none is named")
    asked = parser.parse_args().names
    if unknown := sorted(set(asked) - set(NAMES)):
        parser.error(f"there is no {unknown[0]}")
    sys.stdout.write(shown(uvloop.run(run(asked or list(NAMES)))) + "\n")


if __name__ == "__main__":
    main()
