"""The command line: its shapes and exit codes are stable, since other programs build on them."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from libs.x12 import as_json
from libs.x12.acknowledge import acknowledge
from libs.x12.anonymize import anonymize
from libs.x12.checking import Checker
from libs.x12.findings import Finding, Partner
from libs.x12.grammar import names
from libs.x12.reading import Reading, Transaction
from libs.x12.records import Remittance
from libs.x12.show import describe, show
from libs.x12.tokens import Unreadable
from libs.x12.unwritable import Unwritable

OK, ERRORS, UNREADABLE = 0, 1, 2
SEVERITIES = ("error", "warning", "info", "ignore")


class BadPartner(ValueError):
    """A partner file that cannot be used."""


def main(arguments: list[str] | None = None, out: TextIO | None = None) -> int:
    """Run one command; 0 no error, 1 errors found, 2 not readable at all."""
    options = _parser().parse_args(arguments)
    stream = out or sys.stdout
    command: Callable[[argparse.Namespace, TextIO], int] = options.run
    try:
        return command(options, stream)
    except BadPartner as problem:
        sys.stderr.write(f"{problem}\n")
        return UNREADABLE
    except (Unreadable, OSError) as problem:
        name = getattr(problem, "filename", None) or getattr(options, "file", "")
        sys.stderr.write(f"{name}: {getattr(problem, 'strerror', None) or problem}\n")
        return UNREADABLE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m libs.x12", description="HIPAA 005010 transactions: check, read, acknowledge, show."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="report everything that is wrong with files")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--partner", type=Path, help="a trading partner's severities (JSON)")
    check.add_argument("--json", action="store_true", help="one JSON object per file and line")
    check.add_argument(
        "--limit", type=int, default=10_000, help="list at most so many findings per file (default 10000)"
    )
    check.set_defaults(run=_check)
    read = commands.add_parser("read", help="print the typed records of a file")
    read.add_argument("file")
    read.add_argument("--json", action="store_true", help="as JSON (the only form)")
    read.set_defaults(run=_read)
    ack = commands.add_parser("ack", help="print the acknowledgement that a file calls for")
    ack.add_argument("file")
    ack.add_argument("--as", dest="kind", choices=["999", "TA1", "277CA", "271", "277"], required=True)
    ack.add_argument("--control", type=int, default=1, help="control number of the answer")
    ack.add_argument("--partner", type=Path, help="a trading partner's severities (JSON)")
    ack.set_defaults(run=_ack)
    shown = commands.add_parser("show", help="print a file indented and explained")
    shown.add_argument("file")
    shown.add_argument("--color", choices=["auto", "always", "never"], default="auto")
    shown.set_defaults(run=_show)
    anonymous = commands.add_parser("anonymize", help="print a file with its people replaced")
    anonymous.add_argument("file")
    anonymous.add_argument("--seed", default="", help="the same seed gives the same replacements")
    anonymous.set_defaults(run=_anonymize)
    spec = commands.add_parser("spec", help="print the specification of a set as documentation")
    spec.add_argument("set", metavar="SET", choices=sorted(names()), help=", ".join(sorted(names())))
    spec.set_defaults(run=_spec)
    return parser


def load_partner(path: Path | None) -> Partner | None:
    """A partner's severities from JSON: ``{"name": …, "severities": {"CODE" or "CODE@SEG02": severity}}``."""
    if path is None:
        return None
    try:
        data = json.loads(path.read_text())
        severities = {str(code): severity for code, severity in data.get("severities", {}).items()}
    except (ValueError, AttributeError) as problem:
        raise BadPartner(f"{path}: no partner file: {problem}") from None
    wrong = sorted(code for code, severity in severities.items() if severity not in SEVERITIES)
    if wrong:
        raise BadPartner(f"{path}: a severity is one of {', '.join(SEVERITIES)}, not so for {', '.join(wrong)}")
    return Partner(name=str(data.get("name", path.stem)), severities=severities)


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding with the promised keys first."""
    keys = ("level", "code", "severity", "loop", "segment", "segment_index", "offset", "element", "value", "message")
    whole = asdict(finding)
    return {key: whole.pop(key) for key in keys} | whole


def _check(options: argparse.Namespace, out: TextIO) -> int:
    partner = load_partner(options.partner)
    worst = OK
    for name in options.files:
        try:
            worst = max(worst, _check_file(name, partner, options, out))
        except OSError as problem:
            worst = UNREADABLE
            sys.stderr.write(f"{name}: {problem.strerror or problem}\n")
            if options.json:
                finding = Finding(level=1, code="UNREADABLE", message=f"the file cannot be opened: {problem.strerror}")
                _dump(
                    {
                        "file": name,
                        "interchanges": 0,
                        "transactions": [],
                        "findings": [finding_json(finding)],
                        "truncated": False,
                    },
                    out,
                )
    return worst


def _check_file(name: str, partner: Partner | None, options: argparse.Namespace, out: TextIO) -> int:
    """Check one file, and print what was found: at once as text, or at the end as JSON."""
    checker = Checker(name, partner)
    kept: list[Finding] = []
    total = errors = 0
    for finding in checker.findings():
        total += 1
        errors += finding.severity == "error"
        if total <= options.limit:
            if options.json:
                kept.append(finding)
            else:
                out.write(_line(name, finding) + "\n")
    readable = checker.envelopes.interchanges > 0
    if options.json:
        result = {
            "file": name,
            "interchanges": checker.envelopes.interchanges,
            "transactions": [
                {"set": t.set, "guide": t.guide, "control": t.control, "claims": t.claims, "ok": t.ok}
                for t in checker.summaries
            ],
            "findings": [finding_json(finding) for finding in kept],
            "truncated": total > options.limit,
        }
        _dump(result, out)
    else:
        sets = len(checker.summaries)
        print(
            f"{name}: {sets} transaction{'s' if sets != 1 else ''}, {errors} errors, {total - errors} other findings",
            file=out,
        )
    return UNREADABLE if not readable else ERRORS if errors else OK


def _line(name: str, finding: Finding) -> str:
    place = finding.segment + (f"{finding.element:02d}" if finding.element else "")
    loop = f" loop {finding.loop}" if finding.loop else ""
    head = f"{name}:{finding.offset}: {finding.severity} {finding.code} at {place or 'file'}{loop}"
    return f"{head}: {finding.message}. {finding.advice}".rstrip()


def _dump(value: Any, out: TextIO) -> None:
    json.dump(value, out, ensure_ascii=False)
    out.write("\n")


def _read(options: argparse.Namespace, out: TextIO) -> int:
    """One object for the file; its claims are written as they are read, so that memory stays flat."""
    transactions = iter(Reading(options.file))
    first = next(transactions, None)
    out.write('{"file": ' + json.dumps(options.file, ensure_ascii=False) + ', "transactions": [')
    separator = ""
    current = first
    while current is not None:
        out.write(separator)
        _transaction(current, out)
        separator = ", "
        current = next(transactions, None)
    out.write("]}\n")
    return OK


def _transaction(transaction: Transaction, out: TextIO) -> None:
    head = {"set": transaction.set, "guide": transaction.guide, "control": transaction.control}
    out.write(json.dumps(head)[:-1])
    if transaction.set == "835":
        _remittance(transaction, out)
        return
    if not transaction.items_name:
        _members(as_json.plain(transaction.record), out)
    else:
        out.write(f', "{transaction.items_name}": ')
        _stream((as_json.plain(item) for item in transaction), out)
        record = as_json.plain(transaction.record)
        record.pop(transaction.items_name, None)
        _members(record, out)
    out.write("}")


def _members(values: dict[str, Any], out: TextIO) -> None:
    for key, value in values.items():
        if key != "set":
            out.write(f", {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")


def _stream(values: Iterator[Any], out: TextIO) -> None:
    out.write("[")
    for place, value in enumerate(values):
        out.write((", " if place else "") + json.dumps(value, ensure_ascii=False))
    out.write("]")


def _remittance(transaction: Transaction, out: TextIO) -> None:
    """An 835: claims first as they come, then what is known at the end."""
    balances = as_json.Balances()

    def claims() -> Iterator[Any]:
        for item in transaction:
            balances.add(item)
            yield as_json.claim(item)

    out.write(', "claims": ')
    _stream(claims(), out)
    record = transaction.record
    assert isinstance(record, Remittance)
    rest = {
        "payer": as_json.party(record.payer),
        "payee": as_json.party(record.payee),
        "payment": as_json.payment(record),
        "produced": as_json.plain(record.produced),
        "provider_adjustments": [as_json.provider_adjustment(item) for item in record.provider_adjustments],
        "balances": balances.result(record),
        "envelope": as_json.plain(record.envelope),
    }
    _members(rest, out)
    out.write("}")


def _ack(options: argparse.Namespace, out: TextIO) -> int:
    try:
        answer = acknowledge(
            Path(options.file).read_bytes(),
            options.kind,
            control_number=options.control,
            created=datetime.now().astimezone().replace(second=0, microsecond=0, tzinfo=None),
            partner=load_partner(options.partner),
        )
    except Unwritable as problem:
        sys.stderr.write(f"{options.file}: {problem}\n")
        return UNREADABLE if "not an X12" in str(problem) else ERRORS
    out.write(answer.decode("latin-1").replace("~", "~\n"))
    return OK


def _show(options: argparse.Namespace, out: TextIO) -> int:
    color = options.color == "always" or (options.color == "auto" and out.isatty())
    for text in show(options.file, color=color):
        out.write(text + "\n")
    return OK


def _anonymize(options: argparse.Namespace, out: TextIO) -> int:
    for piece in anonymize(options.file, seed=options.seed):
        out.write(piece.decode("latin-1"))
    return OK


def _spec(options: argparse.Namespace, out: TextIO) -> int:
    out.write(describe(options.set))
    return OK
