"""Members, claims and standings as tests want them, and a balance of our own over raw 835 segments."""

from datetime import date
from decimal import Decimal
from typing import Any

from services.sandbox.accumulators import Member
from services.sandbox.claims837 import Claim, Line, Person
from services.sandbox.decisions import Rostered, Standing
from tests.sandbox.files import BILLING_NPI, RENDERING_NPI, segments

MONDAY = date(2026, 10, 5)


def a_member(**changes: Any) -> Member:
    values: dict[str, Any] = {
        "payer_id": "pay_harborbh",
        "member_id": "W1",
        "plan_id": "harbor_choice",
        "last_name": "Doe",
        "first_name": "Pat",
        "birth_date": date(1980, 1, 1),
        "family_id": "W1",
        "effective_from": date(2024, 1, 1),
        "used_year": 2026,
    }
    return Member(**(values | changes))


def a_line(**changes: Any) -> Line:
    values: dict[str, Any] = {
        "number": 1,
        "code": "90834",
        "modifiers": (),
        "charge_cents": 13500,
        "units": 1,
        "pointers": (1,),
        "date": MONDAY,
        "control_number": "L1",
    }
    return Line(**(values | changes))


def a_claim(*lines: Line, **changes: Any) -> Claim:
    kept = lines or (a_line(),)
    doe = Person(last="DOE", first="PAT", id="W1", born=date(1980, 1, 1))
    values: dict[str, Any] = {
        "pcn": "PCN1",
        "charge_cents": sum(line.charge_cents for line in kept),
        "place": "11",
        "frequency": "1",
        "assignment": "A",
        "billing": Person(last="BRIGHT MINDS", id=BILLING_NPI, taxonomy="261QM0801X", organisation=True),
        "billing_tax_id": "741234567",
        "billing_address": ("100 MAIN ST", "AUSTIN", "TX", "787011234"),
        "subscriber": doe,
        "patient": doe,
        "payer": Person(last="HARBOR BEHAVIORAL", id="HRBBH", organisation=True),
        "diagnoses": ("F411",),
        "rendering": Person(last="SMITH", first="ALEX", id=RENDERING_NPI, taxonomy="103TC0700X"),
        "lines": kept,
    }
    return Claim(**(values | changes))


def a_standing(member: Member | None = None, **changes: Any) -> Standing:
    loaded = Rostered(
        npi=RENDERING_NPI, billing_npi=BILLING_NPI, effective_from=date(2024, 1, 1), taxonomy="103TC0700X"
    )
    values: dict[str, Any] = {"member": member or a_member(), "received": MONDAY, "roster": (loaded,)}
    return Standing(**(values | changes))


def imbalances(body: bytes) -> list[str]:
    """Where an 835 does not add up, by the three rules: line, claim, transaction. Reads raw segments only."""
    parts = [segment.split("*") for segment in segments(body)]
    found: list[str] = []
    paid = Decimal(0)
    for claim in _runs(parts, "CLP", ("PLB", "SE")):
        name = f"{claim[0][1]}/{claim[0][2]}"
        charged, left = Decimal(claim[0][3]), Decimal(claim[0][4])
        paid += left
        lines = _runs(claim, "SVC", ())
        if charged - _adjusted(claim) != left or sum(Decimal(line[0][2]) for line in lines) != charged:
            found.append(f"claim {name}")
        found += [f"line of {name}" for line in lines if Decimal(line[0][2]) - _adjusted(line) != Decimal(line[0][3])]
    provider = sum(Decimal(value) for part in parts if part[0] == "PLB" for value in part[4::2])
    stated = next(Decimal(part[2]) for part in parts if part[0] == "BPR")
    if stated != paid - provider:
        found.append(f"transaction: {stated} is stated, {paid - provider} is explained")
    return found


def _runs(parts: list[list[str]], first: str, ends: tuple[str, ...]) -> list[list[list[str]]]:
    """Stretches that begin with a segment `first`, each up to the next one or to one of `ends`."""
    runs: list[list[list[str]]] = []
    inside = False
    for part in parts:
        if part[0] == first:
            runs.append([part])
            inside = True
        elif part[0] in ends:
            inside = False
        elif inside:
            runs[-1].append(part)
    return runs


def _adjusted(parts: list[list[str]]) -> Decimal:
    return sum((Decimal(value) for part in parts if part[0] == "CAS" for value in part[3::3]), Decimal(0))
