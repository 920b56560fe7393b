"""Findings, segments and remittance claims in words that a biller understands; our own wording of the codes."""

from functools import cache
from pathlib import Path

from libs.x12.convert import Remembered
from libs.x12.findings import Finding
from libs.x12.grammar import Node
from libs.x12.records import Adjustment, ClaimPayment

_WORDS = Path(__file__).parent / "codes" / "words.txt"


@cache
def words() -> dict[tuple[str, str], str]:
    """(kind, code) to its meaning, in our own words."""
    found = {}
    for line in _WORDS.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, code, text = line.split(" ", 2)
            found[kind, code] = text
    return found


def word(kind: str, code: str) -> str:
    """The meaning of a code, or the code itself."""
    return words().get((kind, code), code)


def meaning(segment: str, qualifier: str = "") -> str:
    """What a segment says, or what it says with that qualifier, where we have words for it."""
    if not qualifier:
        return words().get(("segment", segment), "")
    return words().get((_KINDS.get((segment, 1), ""), qualifier), "")


def explain_finding(finding: Finding) -> str:
    """A finding as two sentences: what is wrong where, and what to do.

    >>> explain_finding(Finding(level=3, code="CLAIM_BALANCE", loop="2100", segment="CLP", element=4,
    ...     message="Claim P1 does not add up", advice="Correct the amounts."))
    'In loop 2100, at CLP04: Claim P1 does not add up. Correct the amounts.'
    """
    place = finding.segment + (f"{finding.element:02d}" if finding.element else "")
    if finding.component:
        place += f"-{finding.component}"
    where = ", ".join(
        part for part in (f"in loop {finding.loop}" if finding.loop else "", f"at {place}" if place else "") if part
    )
    text = f"{where[:1].upper()}{where[1:]}: {finding.message}." if where else f"{finding.message}."
    return f"{text} {finding.advice}".strip()


_KINDS = {
    ("CLP", 2): "clp02", ("CLM", 5): "pos", ("NM1", 1): "entity", ("N1", 1): "entity", ("HL", 3): "level",
    ("EB", 1): "eb01", ("EB", 2): "eb02", ("EB", 6): "period", ("AAA", 3): "aaa", ("HCR", 1): "hcr01",
    ("SBR", 1): "sbr01",
    ("BPR", 4): "method", ("BPR", 1): "handling", ("REF", 1): "ref", ("DTP", 1): "date", ("DTM", 1): "date",
    ("AMT", 1): "amt", ("IK5", 1): "verdict", ("AK9", 1): "verdict", ("TA1", 4): "verdict", ("SBR", 9): "filing",
}  # fmt: skip


def explain_segment(e: list[str], node: Node | None = None, component: str = ":") -> str:
    """A segment in words: the meanings of its codes, its place's own description.

    >>> explain_segment(["CLP", "P1", "22", "-175", "-97.5"])
    'status: reversal of an earlier payment'
    >>> explain_segment(["CAS", "CO", "45", "52.5", "", "253", "1.82"])
    'contractual: above the contract rate 52.5; contractual: sequestration 1.82'
    """
    if e[0] == "CAS":
        triplets = [(e[i], e[i + 1]) for i in range(2, len(e) - 1, 3)]
        return "; ".join(
            f"{word('group', e[1])}: {word('carc', reason)} {amount}" for reason, amount in triplets if reason
        )
    if e[0] == "STC" and len(e) > 1:
        parts = e[1].split(component) if component else [e[1]]
        return word("category", parts[0]) + (f" (status {parts[1]})" if len(parts) > 1 else "")
    if e[0] == "PLB":
        codes = [e[i].partition(component or ":")[0] for i in range(3, len(e), 2)]
        return "; ".join(word("plb", code) for code in codes)
    if e[0] == "LQ" and len(e) > 2:
        return word("rarc", e[2]) if word("rarc", e[2]) != e[2] else "remark code"
    found = []
    for (segment, position), kind in _KINDS.items():
        if segment == e[0] and len(e) > position and e[position]:
            code = e[position].partition(component or ":")[0]
            meaning = word(kind, code)
            if meaning != code:
                found.append(f"status: {meaning}" if kind == "clp02" else meaning)
    if not found and node is not None and node.text:
        return node.text
    return "; ".join(found)


def explain_adjustment(adjustment: Adjustment) -> str:
    """One adjustment in words.

    >>> explain_adjustment(Adjustment(group="PR", reason="1", amount_cents=2500))
    '25.00 patient: deductible'
    """
    return f"{_MONEY[adjustment.amount_cents]} {word('group', adjustment.group)}: {word('carc', adjustment.reason)}"


_MONEY = Remembered(lambda cents: f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}")


def explain_claim(claim: ClaimPayment) -> str:
    """What a payer did with a claim, as a biller would say it.

    >>> print(explain_claim(ClaimPayment(pcn="P1", status="1", charge_cents=17500, paid_cents=12000,
    ...     adjustments=(Adjustment(group="CO", reason="45", amount_cents=5500),))))
    Claim P1: processed as primary; charged 175.00, paid 120.00, patient owes 0.00.
      55.00 contractual: above the contract rate
    """
    lines = [
        f"Claim {claim.pcn}: {word('clp02', claim.status)}; charged {_MONEY[claim.charge_cents]}, "
        f"paid {_MONEY[claim.paid_cents]}, patient owes {_MONEY[claim.patient_responsibility_cents]}."
    ]
    lines += [f"  {explain_adjustment(adjustment)}" for adjustment in claim.adjustments]
    lines += [f"  remark {code}: {word('rarc', code)}" for code in claim.remark_codes]
    for line in claim.lines:
        name = " ".join((line.procedure, *line.modifiers))
        lines.append(f"  {name}: charged {_MONEY[line.charge_cents]}, paid {_MONEY[line.paid_cents]}")
        lines += [f"    {explain_adjustment(adjustment)}" for adjustment in line.adjustments]
        lines += [f"    remark {code}: {word('rarc', code)}" for code in line.remark_codes]
    return "\n".join(lines)
