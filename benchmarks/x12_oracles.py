"""Second opinions on libs/x12: other open libraries read the same files, and every disagreement is settled here.

``python -m benchmarks.x12_oracles`` makes a virtual environment for each under ``.parity/oracles`` (the oracles are
never a dependency), runs them over the samples beside the checkout, and prints where their verdict differs from ours
without a reason in ``NOT_LOOKED_FOR`` or ``REFUSED``. Exit code 1 for an unsettled difference.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path

from libs import x12

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".parity" / "oracles"
CORPUS = ROOT.parent / "shared" / "x12-corpus"
ORACLES = {
    "pyx12": ["pyx12==4.0.0"],
    "oxedi": ["oxedi==0.6.0"],
    "linuxforhealth": ["linuxforhealth-x12==0.57.0", "pydantic<2"],
}
RUN = {
    # The verdict of pyx12, or why it could not read the file.
    "pyx12": """
import io, json, sys, logging
logging.disable(logging.CRITICAL)
import pyx12.params, pyx12.x12n_document
out = {}
for path in sys.argv[1:]:
    try:
        answer = io.StringIO()
        ok = pyx12.x12n_document.x12n_document(pyx12.params.params(), path, answer, None, None)
        out[path] = {"ok": bool(ok)}
    except BaseException as problem:
        out[path] = {"failed": type(problem).__name__}
print(json.dumps(out))
""",
    # Claims and payments of an 835 by oxedi.
    "oxedi": """
import json, sys, oxedi
def value(thing):
    return thing() if callable(thing) else thing
out = {}
for path in sys.argv[1:]:
    try:
        found = oxedi.parse(open(path, "rb").read())
        out[path] = {"claims": int(value(found.count_claims)), "paid": str(value(found.sum_payments))}
    except BaseException as problem:
        out[path] = {"failed": type(problem).__name__ + ": " + str(problem)[:80]}
print(json.dumps(out))
""",
    "linuxforhealth": """
import json, sys
from linuxforhealth.x12.io import X12ModelReader
out = {}
for path in sys.argv[1:]:
    try:
        with X12ModelReader(path) as reader:
            out[path] = {"ok": True, "models": sum(1 for _ in reader.models())}
    except BaseException as problem:
        out[path] = {"failed": type(problem).__name__}
print(json.dumps(out))
""",
}
SUITABLE = {
    "pyx12": ("837P", "837I", "835", "277CA", "999"),
    "oxedi": ("835",),
    "linuxforhealth": ("276", "277", "837P"),
}

#: Findings of ours that an oracle does not look for: it accepts a file that has no others.
NOT_LOOKED_FOR = {
    "pyx12": {
        "NPI": "no check digits", "TAXONOMY": "no form of taxonomy codes", "TAX_ID": "no form of tax ids",
        "ROUTING_NUMBER": "no check digits", "DATE_IN_FUTURE": "no dates against each other",
        "BILLING_ADDRESS": "no post boxes", "POSTAL_CODE": "no form of ZIP codes", "CLAIM_CHARGE": "no balances",
        "PAYMENT_BALANCE": "no balances", "ORIGINAL_REFERENCE": "no frequency against the original's number",
    },
    "linuxforhealth": {
        "NPI": "no check digits", "TAXONOMY": "no form of taxonomy codes", "TAX_ID": "no form of tax ids",
        "BILLING_ADDRESS": "no post boxes", "POSTAL_CODE": "no form of ZIP codes",
        "ORIGINAL_REFERENCE": "no frequency against the original's number",
        "IEA_CONTROL": "no control numbers of the interchange", "DATE_IN_FUTURE": "no dates against each other",
        "ELEMENT_NOT_USED": "elements that the guide does not use (STC03 and STC12 of a 277) are let pass",
    },
}  # fmt: skip
#: (oracle, file) to the reason why it refuses, and we do not.
REFUSED = {
    ("pyx12", "835/synthetic__PLB_two_segments_two_npis.edi"): "pyx12 allows one PLB; the 835 any number",
    ("pyx12", "835/synthetic__x1d_x1c_control_delims.edi"): "pyx12 refuses control characters as delimiters",
    ("pyx12", "837P/stupidedi__pass_drug-administered-in-the-physician-office.edi"): "pyx12 knows no guide X291",
    (
        "pyx12",
        "999/stupidedi__response-to-functional-group-containing-3-837s.edi",
    ): "pyx12 cannot read a byte order mark",
    ("pyx12", "999/synthetic__rejected_R_with_context.edi"): "pyx12 allows no business unit after a situational CTX",
    (
        "linuxforhealth",
        "837P/stupidedi__pass_drug-administered-in-the-physician-office.edi",
    ): "the models know no guide X291",
    (
        "linuxforhealth",
        "837P/imsweb__x12_bad_first_line.txt",
    ): "accepted with no model at all: the short ISA ends its reading, and nothing is said",
}


def python(name: str) -> Path:
    """The oracle's own interpreter, installed if it is not there yet."""
    home = HOME / name
    interpreter = home / "bin" / "python"
    if not interpreter.exists():
        print(f"installing {name} …", flush=True)
        venv.create(home, with_pip=True)
        subprocess.run([str(interpreter), "-m", "pip", "install", "-q", *ORACLES[name]], check=True)
    return interpreter


def opinions(name: str, files: list[str]) -> dict[str, dict[str, object]]:
    """What an oracle says of each file."""
    done = subprocess.run([str(python(name)), "-c", RUN[name], *files], capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if not lines:
        print(f"{name} did not run: {done.stderr.strip()[-300:]}")
        return {}
    found: dict[str, dict[str, object]] = json.loads(lines[-1])
    return found


def settled(name: str, path: str, report: x12.Report, opinion: dict[str, object]) -> bool:
    """A difference whose reason is known."""
    key = (name, "/".join(Path(path).parts[-2:]))
    if key in REFUSED:
        return True
    codes = {finding.code for finding in report.findings if finding.severity == "error"}
    return bool(opinion.get("ok")) and bool(codes) and codes <= set(NOT_LOOKED_FOR.get(name, {}))


def same_payments(path: str, opinion: dict[str, object]) -> bool:
    """oxedi and we see the same claims and the same payments."""
    records = [record for record in x12.read(path).records if isinstance(record, x12.Remittance)]
    claims = [claim for record in records for claim in record.claims]
    paid = sum(record.payment.amount_cents for record in records)
    said = str(opinion.get("paid", "nothing"))
    try:
        theirs = round(float(said) * 100)
    except ValueError:
        return False
    return opinion.get("claims") == len(claims) and theirs == paid


def main() -> int:
    """Ask every oracle about every suitable file, and print what is not settled."""
    if not CORPUS.exists():
        print("the sample files are not at hand")
        return 0
    unsettled = 0
    for name, folders in SUITABLE.items():
        files = sorted(str(path) for folder in folders for path in (CORPUS / folder).glob("*"))
        agree = known = 0
        for path, opinion in opinions(name, files).items():
            report = x12.check(path)
            same = same_payments(path, opinion) if name == "oxedi" else report.ok == bool(opinion.get("ok"))
            if same:
                agree += 1
            elif settled(name, path, report, opinion):
                known += 1
            else:
                unsettled += 1
                print(f"{name} differs about {'/'.join(Path(path).parts[-2:])}: {opinion}")
        print(f"{name}: {agree} agree, {known} settled")
    print("\nsettled: accepted by an oracle that does not look for it")
    for name, codes in NOT_LOOKED_FOR.items():
        for code, reason in codes.items():
            print(f"  {name:<15} {code:<20} {reason}")
    print("settled: one file")
    for (name, file), reason in REFUSED.items():
        print(f"  {name:<15} {file:<70} {reason}")
    return 1 if unsettled else 0


if __name__ == "__main__":
    sys.exit(main())
