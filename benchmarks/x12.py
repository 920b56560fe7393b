"""How fast libs/x12 is, as ratios to splitting the same file into segments and elements and nothing else.

``python -m benchmarks.x12`` prints the table; ``--claims N`` sets the size, ``--memory`` measures peak memory of
checking and reading files of 10,000 and 100,000 claims, each in a process of its own. Times are processor times,
best of several runs, with the garbage collector paused for both sides. If ``.parity/oracles/oxedi`` holds a virtual
environment (`make oracles`), oxedi reads the same 835 for comparison.
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
from pathlib import Path

from libs import x12
from libs.x12.as_json import plain
from tests.x12.changes import segments
from tests.x12.samples import CLAIMS, REMITTANCE

ORACLES = Path(__file__).resolve().parents[1] / ".parity" / "oracles"


def remittance(claims: int) -> Iterator[str]:
    """An 835 of so many claims, every one with its own numbers and names."""
    parts = segments(REMITTANCE)
    begin = next(i for i, part in enumerate(parts) if part.startswith("CLP*PCN200"))
    end = next(i for i, part in enumerate(parts) if part.startswith("CLP*PCN300"))
    first = next(i for i, part in enumerate(parts) if part.startswith("CLP"))
    paid = f"{claims * 15950 // 100}.{claims * 15950 % 100:02d}".rstrip("0").rstrip(".")
    for part in parts[:first]:
        yield part.replace("BPR*I*134.5", f"BPR*I*{paid}")
    for number in range(claims):
        for part in parts[begin:end]:
            yield _own(part, number)
    yield f"SE*{first - 2 + claims * (end - begin) + 1}*0001"
    yield from parts[-2:]


def claim_file(claims: int) -> Iterator[str]:
    """An 837P of so many claims, every one with a subscriber of its own."""
    parts = segments(CLAIMS)
    begin, end = parts.index("HL*2*1*22*0"), parts.index("HL*3*1*22*1")
    yield from parts[:begin]
    for number in range(claims):
        for part in parts[begin:end]:
            yield _own(part, number).replace("HL*2*1", f"HL*{number + 2}*1")
    yield f"SE*{begin - 2 + claims * (end - begin) + 1}*0001"
    yield from parts[-2:]


def _own(part: str, number: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    name = "".join(letters[number // 26**place % 26] for place in range(4))
    for old, new in (
        ("PCN200", f"P{number:07d}"), ("ICN200", f"I{number:07d}"), ("200L", f"{number}L"), ("T100", f"T{number:07d}"),
        ("W00000000", f"W{number:08d}"), ("ROE", f"ROE{name}"), ("DOE", f"DOE{name}"),
    ):  # fmt: skip
        part = part.replace(old, new)
    return part


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """Processor time of the best of several runs."""
    best = float("inf")
    for _ in range(times):
        gc.collect()
        gc.disable()
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
        gc.enable()
    return best


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
            f"NM1*IL*1*{p.name}*{p.first_name}****{p.id_qualifier}*{p.id}~N3*{a.line1}~"
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


def table(claims: int) -> None:
    """Print the ratios."""
    for name, make in (("835", remittance), ("837P", claim_file)):
        data = "".join(part + "~" for part in make(claims)).encode()
        assert x12.check(data).ok, x12.check(data).findings[:3]
        base = seconds(lambda d=data: split(d))  # type: ignore[misc]
        print(f"{name}: {claims} claims, {len(data) / 1e6:.1f} MB, splitting {base * 1000:.0f} ms")
        for label, work, limit in (("read", read, 3), ("read, every field", read_all, 3), ("checked", check, 10)):
            print(f"  {label:<20}{seconds(lambda w=work, d=data: w(d)) / base:5.1f}   (wanted: {limit} or less)")  # type: ignore[misc]
        if name == "835":
            _peer(data, base)
    record = x12.read(b"".join(part.encode() + b"~" for part in claim_file(min(claims, 2000)))).one(x12.ClaimFile)
    changed = [_fresh(claim) for claim in record.claims]
    file = x12.ClaimFile(
        envelope=record.envelope,
        submitter=record.submitter,
        receiver=record.receiver,
        reference="B1",
        claims=tuple(changed),
    )
    ratio = seconds(lambda: bare(file)) / seconds(lambda: x12.write(file))
    print(f"837P: written at {ratio:.2f} of bare f-strings (wanted: 0.3 or more)")


def _fresh(claim: x12.Claim) -> x12.Claim:
    """The claim as a builder would have made it: without the text that it was read from."""
    return dataclasses.replace(claim, extra=())


def _peer(data: bytes, base: float) -> None:
    python = ORACLES / "oxedi" / "bin" / "python"
    if not python.exists():
        print("  oxedi               not installed (make oracles)")
        return
    with tempfile.NamedTemporaryFile(suffix=".835") as file:
        file.write(data)
        file.flush()
        code = (
            "import oxedi,sys,time;d=open(sys.argv[1],'rb').read();b=time.process_time();oxedi.parse(d);"
            "print(time.process_time()-b)"
        )
        done = subprocess.run([str(python), "-c", code, file.name], capture_output=True, text=True, check=False)
    text = done.stdout.strip().splitlines()
    print(
        f"  {'oxedi':<20}{float(text[-1]) / base:5.1f}" if done.returncode == 0 and text else "  oxedi could not be run"
    )


def memory(claims: int) -> None:
    """Peak memory of checking and reading a file of so many claims, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("835", remittance), ("837P", claim_file)):
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
