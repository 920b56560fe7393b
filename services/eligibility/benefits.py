"""What a payer's answer (271) says about one outpatient session in mental health; pure.

The most specific statement wins: network, procedure, service type, place of service. Where equally specific
statements differ, both are kept and the difference is shown; nothing is picked in the patient's or our favour.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Final

from libs import x12

SERVICE_TYPES: Final = {"A6": 6, "CF": 5, "MH": 4, "A8": 3, "A4": 3, "98": 2, "30": 1}
"""How closely a service type (EB03) describes outpatient psychotherapy; others do not describe it."""
MENTAL_HEALTH: Final = frozenset({"MH", "A4", "A6", "A8", "CF"})
TELEHEALTH: Final = frozenset({"02", "10"})
ACTIVE: Final = frozenset("12345")
INACTIVE: Final = frozenset("678")
REMAINING: Final = "29"
YEAR_TO_DATE: Final = "24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The session that a 271 is read for."""

    service_date: date
    place_of_service: str
    procedures: tuple[str, ...] = ()
    eap: bool = False
    """A session of the employee assistance program, which is a benefit of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """A yearly amount, in cents, and what is left of it."""

    total_cents: int | None = None
    left_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Whether a procedure needs authorization: Y, N, U (the payer does not know), or empty where it says nothing.

    `exact`: said of this procedure itself, not of visits in general.
    """

    procedure: str
    required: str
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Who administers mental health in place of the plan that was asked."""

    name: str
    edi_id: str
    phone: str | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefits:
    """What the patient has for one session; `None` means that the payer does not say.

    Copays and coinsurances are lists: more than one where equally specific statements differ. `deductible_applies`:
    a copay comes only after the deductible; None where the payer leaves that open. `authorization` is by procedure.
    """

    standing: str
    plan_name: str | None = None
    group_number: str | None = None
    begins: date | None = None
    ends: date | None = None
    mental_health_covered: bool = True
    copays_cents: tuple[int, ...] = ()
    coinsurances: tuple[Decimal, ...] = ()
    deductible_applies: bool | None = None
    deductible: Amounts = Amounts()
    family_deductible: Amounts = Amounts()
    out_of_pocket: Amounts = Amounts()
    family_out_of_pocket: Amounts = Amounts()
    visits: int | None = None
    visits_left: int | None = None
    visits_period: str | None = None
    authorization: tuple["Said", ...] = ()
    telehealth: bool | None = None
    administrator: Administrator | None = None
    other_payers: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        return self.standing == "active" and (self.mental_health_covered or self.administrator is not None)


def read(answer: x12.EligibilityAnswer, asked: Asked) -> Benefits:
    """The benefits that an answer without rejections states for the session."""
    rows = _of_the_plan([row for row in answer.benefits if row.in_network != "N"], asked)
    administrator = _administrator(answer.benefits)
    begins, ends = _dates(answer)
    copays = _best(rows, asked, lambda row: row.code == "B" and row.amount_cents is not None)
    coinsurances = _best(rows, asked, lambda row: row.code == "A" and row.percent is not None)
    total_visits, left_visits, visits_period = _visits(rows, asked)
    found = Benefits(
        standing=_standing(answer.benefits, begins, ends, asked),
        plan_name=next((row.plan_name for row in rows if row.code in ACTIVE and row.plan_name), None),
        group_number=_group(answer),
        begins=begins,
        ends=ends,
        mental_health_covered=not any(
            row.code in "EI" and MENTAL_HEALTH & set(row.service_types) and _here(row, asked) for row in rows
        ),
        copays_cents=tuple(sorted({row.amount_cents for row in copays if row.amount_cents is not None})),
        coinsurances=tuple(sorted({row.percent for row in coinsurances if row.percent is not None})),
        deductible_applies=_deductible_applies(rows, asked, copays),
        deductible=_amounts(rows, asked, "C", family=False),
        family_deductible=_amounts(rows, asked, "C", family=True),
        out_of_pocket=_amounts(rows, asked, "G", family=False),
        family_out_of_pocket=_amounts(rows, asked, "G", family=True),
        visits=total_visits,
        visits_left=left_visits,
        visits_period=visits_period,
        authorization=tuple(_authorization(rows, asked, code) for code in asked.procedures),
        telehealth=_telehealth(rows),
        administrator=administrator,
        other_payers=tuple(
            dict.fromkeys(one.name for row in rows if row.code == "R" for one in row.entities if one.name)
        ),
        messages=tuple(dict.fromkeys(text for row in rows if _relevant(row, asked) for text in row.messages)),
    )
    return _warned(found, rows)


def _of_the_plan(rows: list[x12.Benefit], asked: Asked) -> list[x12.Benefit]:
    """The statements about the benefit asked for: one that names another plan (EB05), such as an EAP, is not."""
    plans = {row.plan_name for row in rows if row.code in ACTIVE} | {""}
    if asked.eap:
        others = [row for row in rows if row.plan_name not in plans and _names_eap(row)]
        return [row for row in rows if row.code in ACTIVE] + others if others else rows
    return [row for row in rows if row.plan_name in plans]


def _names_eap(row: x12.Benefit) -> bool:
    return re.search(r"\bEAP\b|ASSIST", row.plan_name.upper()) is not None


def _standing(rows: Iterable[x12.Benefit], begins: date | None, ends: date | None, asked: Asked) -> str:
    """active, inactive, or unknown where the payer says neither; dates of the plan count too."""
    if (begins is not None and asked.service_date < begins) or (ends is not None and ends < asked.service_date):
        return "inactive"
    about = [row for row in rows if not row.service_types or _closeness(row) > 0]
    if any(row.code in INACTIVE and _is_plan(row) for row in about):
        return "inactive"
    if any(row.code in ACTIVE for row in about):
        return "active"
    if any(row.code in INACTIVE for row in about):
        return "inactive"
    return "unknown"


def _is_plan(row: x12.Benefit) -> bool:
    return not row.service_types or "30" in row.service_types


def _dates(answer: x12.EligibilityAnswer) -> tuple[date | None, date | None]:
    """When the plan, or the patient's eligibility, begins and ends (DTP 346/347, 356/357, 291/307 as a range)."""
    begins = [one.start for one in answer.dates if one.qualifier in ("346", "356")]
    ends = [one.start for one in answer.dates if one.qualifier in ("347", "357")]
    for one in answer.dates:
        if one.qualifier in ("291", "307") and one.end is not None:
            begins.append(one.start)
            ends.append(one.end)
    return max(begins, default=None), min(ends, default=None)


def _group(answer: x12.EligibilityAnswer) -> str | None:
    references = answer.subscriber.references if answer.subscriber else ()
    return next((one.value for one in references if one.qualifier in ("6P", "1L") and one.value), None)


def _closeness(row: x12.Benefit) -> int:
    """How closely a row's service types describe the session; 0 where they describe something else."""
    if not row.service_types:
        return 1  # no service type: said of the plan as a whole
    return max((SERVICE_TYPES.get(code, 0) for code in row.service_types), default=0)


def _here(row: x12.Benefit, asked: Asked) -> bool:
    """Whether a row holds at the session's place of service."""
    return not row.places or asked.place_of_service in row.places


def _relevant(row: x12.Benefit, asked: Asked) -> bool:
    return _closeness(row) > 0 and _here(row, asked) and (not row.procedure or row.procedure in asked.procedures)


def _rank(row: x12.Benefit) -> tuple[bool, int, bool, int]:
    network = {"Y": 2, "W": 1, "": 0, "U": 0}.get(row.in_network, 0)
    return bool(row.procedure), _closeness(row), bool(row.places), network


def _best(rows: Iterable[x12.Benefit], asked: Asked, wanted: Callable[[x12.Benefit], bool]) -> list[x12.Benefit]:
    """The most specific of the wanted rows; several where they are equally specific."""
    found = [row for row in rows if wanted(row) and _relevant(row, asked)]
    top = max(map(_rank, found), default=None)
    return [row for row in found if _rank(row) == top]


def _amounts(rows: Iterable[x12.Benefit], asked: Asked, code: str, *, family: bool) -> Amounts:
    """The yearly amount and what is left: EB06 29, or the year's amount less what was used to date (24)."""
    levels = ("FAM",) if family else ("IND", "")

    def at(*periods: str) -> int | None:
        found = _best(
            rows,
            asked,
            lambda row: (
                row.code == code and row.level in levels and row.period in periods and row.amount_cents is not None
            ),
        )
        return max((row.amount_cents for row in found if row.amount_cents is not None), default=None)

    total, left, used = at("23", "22", "25", ""), at(REMAINING), at(YEAR_TO_DATE)
    if left is None and total is not None and used is not None:
        left = max(total - used, 0)
    return Amounts(total_cents=total, left_cents=left)


def _deductible_applies(rows: Iterable[x12.Benefit], asked: Asked, copays: list[x12.Benefit]) -> bool | None:
    """With a copay the deductible is usually waived; applied where the copay's message says so, open where it is
    stated as closely as the copay itself."""
    deductibles = _best(rows, asked, lambda row: row.code == "C" and row.amount_cents is not None)
    if not deductibles:
        return None
    if not copays:
        return True
    if any(_after_deductible(text) for row in copays for text in row.messages):
        return True
    return None if _closeness(deductibles[0]) >= _closeness(copays[0]) > SERVICE_TYPES["30"] else False


def _after_deductible(text: str) -> bool:
    words = set(re.findall(r"[A-Z]+", text.upper()))
    return "DEDUCTIBLE" in words and bool(words & {"AFTER", "ONCE", "MET"}) and not words & {"WAIVED", "NOT"}


def _visits(rows: Iterable[x12.Benefit], asked: Asked) -> tuple[int | None, int | None, str | None]:
    """The limit of visits, how many are left, and the period of the limit."""
    limits = [row for row in rows if row.code == "F" and _relevant(row, asked)]
    counted = [row for row in limits if row.quantity_qualifier == "VS" and row.quantity is not None]
    top = max(map(_closeness, counted), default=0)
    counted = [row for row in counted if _closeness(row) == top]
    left = [int(row.quantity) for row in counted if row.period == REMAINING and row.quantity is not None]
    total = [row for row in counted if row.period != REMAINING]
    delivered = [one for row in limits for one in row.deliveries if one.quantity_qualifier == "VS" and one.quantity]
    visits = min((int(row.quantity) for row in total if row.quantity is not None), default=None)
    if visits is None and delivered:
        visits = int(min(one.quantity for one in delivered if one.quantity is not None))
    period = next((row.period for row in total if row.period), None)
    return visits, min(left, default=None), period


def _authorization(rows: Iterable[x12.Benefit], asked: Asked, procedure: str) -> Said:
    """What is said of one procedure itself, else by the closest statement about visits.

    A limitation's EB11 speaks of what goes beyond the limit, and a deductible's of nothing in particular.
    """
    exact = {row.authorization_required for row in rows if row.procedure == procedure} - {""}
    if exact:
        return Said(procedure=procedure, required=_strictest(exact), exact=True)
    for codes in (_BASIS, _VISITS):
        found = _best(rows, asked, partial(_speaks_of_authorization, codes))
        if found and _closeness(found[0]) > SERVICE_TYPES["30"]:
            return Said(procedure=procedure, required=_strictest({row.authorization_required for row in found}))
    return Said(procedure=procedure, required="")


_BASIS: Final = frozenset({"CB"})
_VISITS: Final = frozenset({*ACTIVE, "A", "B", "D"})


def _speaks_of_authorization(codes: frozenset[str], row: x12.Benefit) -> bool:
    return row.code in codes and not row.procedure and bool(row.authorization_required)


def _strictest(said: set[str]) -> str:
    return next(one for one in ("Y", "U", "N") if one in said)


def _telehealth(rows: Iterable[x12.Benefit]) -> bool | None:
    """Whether a visit by video is covered, where the payer says so by place of service."""
    about = [row for row in rows if TELEHEALTH & set(row.places) and _closeness(row) > 0]
    if any(row.code in "EI" for row in about):
        return False
    return True if any(row.code in {*ACTIVE, "A", "B"} for row in about) else None


def _administrator(rows: Iterable[x12.Benefit]) -> Administrator | None:
    """The carve-out: contact another entity (EB*U), or a managed-care coordinator (EB*MC), for mental health."""
    for row in rows:
        about_us = not row.service_types or MENTAL_HEALTH & set(row.service_types)
        entity = next((one for one in row.entities if one.name or one.id), None)
        if row.code in ("U", "MC") and about_us and entity is not None:
            phone = next((contact.phone for contact in entity.contacts if contact.phone), None)
            return Administrator(
                name=entity.name, edi_id=entity.id, phone=phone, evidence=f"EB*{row.code}/2120 {entity.code}".strip()
            )
    return None


def _warned(found: Benefits, rows: list[x12.Benefit]) -> Benefits:
    """The same, with what a person should know about the answer itself."""
    warnings = []
    if not any(MENTAL_HEALTH & set(row.service_types) for row in rows):
        warnings.append("The payer says nothing about mental health; plan-wide statements were used.")
    if len(found.copays_cents) > 1:
        warnings.append("Two copays are stated equally specifically.")
    if len(found.coinsurances) > 1:
        warnings.append("Two coinsurances are stated equally specifically.")
    if found.deductible.total_cents is not None and found.deductible.left_cents is None:
        warnings.append("What is left of the deductible is not stated.")
    if found.standing == "unknown":
        warnings.append("The payer states neither active nor inactive coverage.")
    if not found.mental_health_covered and found.administrator is None:
        warnings.append("Mental health is stated as not covered.")
    values = {name: getattr(found, name) for name in Benefits.__dataclass_fields__}
    return Benefits(**{**values, "warnings": tuple(warnings)})
