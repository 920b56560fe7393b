"""How fast libs/x12 is, as ratios to splitting the same file into segments and elements and nothing else.

``python -m benchmarks.x12`` prints the table; ``--claims N`` sets the size, ``--memory`` measures peak memory of
checking and reading files of 10,000 and 100,000 claims, each in a process of its own. Times are processor times with
the garbage collector paused for both sides. The files are those of `x12_files`: every claim has its own patient,
numbers, days and amounts, and four of ten segments have a text that is nowhere else in the file. Each run reads a file
that was not read before, so that nothing is remembered of it; splitting is measured beside each run, and the best of
both counts. Where ``.parity/oracles`` holds a virtual environment of a peer (`make oracles`, or `python -m
benchmarks.x12_oracles`), it does the same to the same files, measured in the same way in a process of its own: oxedi,
which is written in Rust, reads the 835 and sums its payments; pyx12, which is Python, checks both.

"Of it the least" is what pure Python cannot go below: splitting, and making the same frozen records again from values
that lie ready (a slot filled, a class changed, nothing else). It was measured at 2.5 to 3.4, so that 3 for every field
would leave nothing for telling segments apart, converting money and days, and cutting claims out of their file: below
about 5 only a native accelerator goes.
"""

import argparse
import dataclasses
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.x12_files import claim_file, remittance
from libs import x12
from libs.x12.as_json import plain

ORACLES = Path(__file__).resolve().parents[1] / ".parity" / "oracles"


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one run."""
    gc.collect()
    gc.disable()
    begin = time.process_time()
    work()
    spent = time.process_time() - begin
    gc.enable()
    return spent


def ratio(work: Callable[[bytes], object], files: list[bytes]) -> float:
    """How much longer the work takes than splitting: the best of one run over each file."""
    base = best = float("inf")
    for data in files:
        base = min(base, seconds(lambda d=data: split(d)))  # type: ignore[misc]
        best = min(best, seconds(lambda d=data: work(d)))  # type: ignore[misc]
        base = min(base, seconds(lambda d=data: split(d)))  # type: ignore[misc]
    return best / base


def split(data: bytes) -> None:
    """The yardstick: segments and elements, nothing else."""
    for segment in data.decode("latin-1").split("~"):
        segment.split("*")


def read(data: bytes) -> None:
    """Every claim as a record; its fields are filled in when asked for."""
    for transaction in x12.read(data):
        for _ in transaction:
            pass


def read_all(data: bytes) -> None:
    """Every claim, and every field of it."""
    for transaction in x12.read(data):
        for item in transaction:
            item.pcn  # noqa: B018 - fills in the record


def floor(files: list[bytes]) -> float:
    """Splitting, and nothing more than making the same records again from values that lie ready: no segment is told
    from another, no text converted, no claim cut out of its file."""
    base = best = float("inf")
    for data in files:
        parts = [part for transaction in x12.read(data) for item in transaction for part in _parts(item)]
        base = min(base, seconds(lambda d=data: split(d)))  # type: ignore[misc]
        best = min(best, seconds(lambda p=parts: [make(values) for make, values in p]))  # type: ignore[misc]
    return (base + best) / base


def _parts(record: Any) -> Iterator[tuple[Callable[[Any], object], tuple[Any, ...]]]:
    """What makes each record within one, and of what."""
    values = tuple(getattr(record, field.name) for field in dataclasses.fields(record))
    kind: type = type(record)
    yield _maker(kind), values
    for value in values:
        for inner in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(inner) and not isinstance(inner, x12.Delimiters):
                yield from _parts(inner)


@cache
def _maker(record: type) -> Callable[[Any], object]:
    """The fastest way in pure Python to a frozen record of so many slots: fill its draft, then change its class."""
    places = ", ".join(f"x.{field.name}" for field in dataclasses.fields(record))
    space: dict[str, Any] = {"new": object.__new__, "Draft": record.__bases__[0], "Record": record}
    exec(f"def make(v):\n    x = new(Draft)\n    {places}, = v\n    x.__class__ = Record\n    return x", space)
    made: Callable[[Any], object] = space["make"]
    return made


def check(data: bytes) -> None:
    """Fully validated."""
    for _ in x12.findings(data):
        pass


def bare(record: x12.ClaimFile) -> bytes:
    """The same claims written with f-strings and nothing else."""
    out = []
    for number, c in enumerate(record.claims):
        s, p = c.subscriber, c.subscriber.party
        a = p.address
        assert a
        assert p.birth_date
        out.append(
            f"HL*{number + 2}*1*22*0~SBR*{s.sequence}*{s.relationship}*{s.group_number}******{s.filing_code}~"
            f"NM1*IL*1*{p.name}*{p.first_name}*{p.middle_name}***{p.id_qualifier}*{p.id}~"
            f"N3*{a.line1}{'*' + a.line2 if a.line2 else ''}~"
            f"N4*{a.city}*{a.state}*{a.postal_code}~DMG*D8*{p.birth_date:%Y%m%d}*{p.gender}~"
            f"NM1*PR*2*{c.payer.name}*****{c.payer.id_qualifier}*{c.payer.id}~"
            f"CLM*{c.pcn}*{c.charge_cents / 100:g}***{c.pos}:B:{c.frequency}*Y*A*Y*Y~"
            f"REF*G1*{c.authorization}~HI*ABK:{c.diagnoses[0]}~"
        )
        for place, line in enumerate(c.lines, 1):
            out.append(
                f"LX*{place}~SV1*HC:{':'.join((line.procedure, *line.modifiers))}*{line.charge_cents / 100:g}*UN*"
                f"{line.units}***{':'.join(map(str, line.pointers))}~DTP*472*D8*{line.service_date:%Y%m%d}~"
                f"REF*6R*{line.line_control_number}~"
            )
    return "".join(out).encode()


MAKE = {"835": remittance, "837P": claim_file}


def table(claims: int) -> None:
    """Print the ratios."""
    for name, make in MAKE.items():
        files = ["".join(part + "~" for part in make(claims, seed)).encode() for seed in range(1, 6)]
        warm = "".join(part + "~" for part in make(100, 0)).encode()
        print(f"{name}: {claims} claims, {len(files[0]) / 1e6:.1f} MB, {files[0].count(b'~')} segments")
        for label, work, limit in (("read", read, 3), ("read, every field", read_all, 3), ("checked", check, 10)):
            work(warm)
            print(f"  {label:<20}{ratio(work, files):6.1f}   (wanted: {limit} or less)")
            if work is read_all:
                print(
                    f"  {'  of it the least':<20}{floor(files):6.1f}   (splitting, and the records from ready values)"
                )
        for peer, code in PEERS[name].items():
            print(f"  {peer:<20}{_peer(peer.split(',')[0], code, files[0])}")
    record = x12.read(b"".join(part.encode() + b"~" for part in claim_file(min(claims, 2000)))).one(x12.ClaimFile)
    changed = [_fresh(claim) for claim in record.claims if claim.patient is None and not claim.other_payers]
    file = x12.ClaimFile(
        envelope=record.envelope,
        submitter=record.submitter,
        receiver=record.receiver,
        reference="B1",
        claims=tuple(changed),
    )
    bare_time = min(seconds(lambda: bare(file)) for _ in range(5))
    ours = min(seconds(lambda: x12.write(file)) for _ in range(5))
    print(f"837P: written at {bare_time / ours:.2f} of bare f-strings (wanted: 0.3 or more)")


def _fresh(claim: x12.Claim) -> x12.Claim:
    """The claim as a builder would have made it, with what `bare` writes of it."""
    return dataclasses.replace(
        claim,
        authorization=claim.authorization or "A1",
        original_reference="",
        references=(),
        diagnoses=claim.diagnoses[:1],
        patient_paid_cents=None,
        rendering=None,
        referring=(),
        extra=(),
    )


#: What each peer does to the file that is called `path`, or to its bytes `d`.
PEERS = {
    "835": {
        "oxedi, read": "import oxedi; work = lambda: oxedi.parse(d)",
        "pyx12, checked": "import pyx12.params, pyx12.x12n_document as n; work = lambda: n.x12n_document("
        "pyx12.params.params(), path, io.StringIO(), None, None)",
    },
    "837P": {
        "pyx12, checked": "import pyx12.params, pyx12.x12n_document as n; work = lambda: n.x12n_document("
        "pyx12.params.params(), path, io.StringIO(), None, None)",
    },
}
_MEASURE = """
import gc, io, logging, sys, time
logging.disable(logging.CRITICAL)
path = sys.argv[1]
d = open(path, "rb").read()
{code}
gc.disable()
def spent(run):
    begin = time.process_time(); run(); return time.process_time() - begin
def split():
    for segment in d.decode("latin-1").split("~"):
        segment.split("*")
base = min(spent(split) for _ in range(9))
print(min(spent(work) for _ in range({times})) / base)
"""


def _peer(name: str, code: str, data: bytes) -> str:
    """A peer's ratio for one file."""
    python = ORACLES / name / "bin" / "python"
    if not python.exists():
        return "     –   not installed (make oracles)"
    with tempfile.NamedTemporaryFile(suffix=".x12") as file:
        file.write(data)
        file.flush()
        measure = _MEASURE.format(code=code, times=1 if name == "pyx12" else 3)
        done = subprocess.run([str(python), "-c", measure, file.name], capture_output=True, text=True, check=False)
    text = done.stdout.strip().splitlines()
    return f"{float(text[-1]):6.1f}" if done.returncode == 0 and text else "     –   could not be run"


def memory(claims: int) -> None:
    """Peak memory of checking and reading a file of so many claims, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name, make in MAKE.items():
            path = Path(folder) / name
            with path.open("w") as stream:
                stream.writelines(part + "~" for part in make(claims))
            for mode in ("check", "read"):
                command = [sys.executable, "-m", "benchmarks.x12", "--peak", mode, str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(f"{name}: {claims} claims, {mode}: {json.loads(done.stdout):.0f} MB (wanted: 60 or less)")


def peak(mode: str, path: str) -> None:
    """Do it, and print this process's peak memory in MB."""
    if mode == "check":
        for _ in x12.findings(path):
            pass
    else:
        for transaction in x12.read(path):
            for item in transaction:
                plain(item)
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=4000)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--peak", nargs=2, metavar=("MODE", "FILE"))
    options = parser.parse_args()
    if options.peak:
        peak(*options.peak)
    elif options.memory:
        for size in (10_000, 100_000):
            memory(size)
    else:
        table(options.claims)
