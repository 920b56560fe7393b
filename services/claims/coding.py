"""Minutes become codes: what a session supports, why, and where the EHR's code says something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from libs.codes.procedures import Procedure, procedure

FAMILY_WITH_PATIENT, FAMILY_WITHOUT_PATIENT = "90847", "90846"
INTERACTIVE_COMPLEXITY, CRISIS_ADD_ON = "90785", "90840"
FIXED = {
    "intake": ("90791", "intake assessment, one a day whatever the minutes"),
    "intake_medical": ("90792", "intake assessment with medical work, one a day whatever the minutes"),
    "group": ("90853", "group session, one for each patient"),
    "multi_family_group": ("90849", "group of several families, one for each family"),
}
KINDS = (
    "individual",
    "crisis",
    "family_with_patient",
    "family_without_patient",
    *FIXED,
    "units",
    "medical_visit",
)
"""What a session may be; `units` is a 15-minute service whose code the EHR names."""


class NotBillable(Exception):
    """The documented session supports no code at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What was documented of one session. `minutes` are therapy (or service) minutes, without the medical visit."""

    kind: str
    minutes: int | None
    on: date
    visit_code: str | None = None
    """The medical visit (E/M) that the therapy stood beside; its level is chosen by the prescriber."""
    service_code: str | None = None
    interactive_complexity: bool = False
    rounding: str = "eight_minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One code with its units, and the reason in words."""

    code: str
    units: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """What the EHR sent and the minutes do not support."""

    kind: str
    """up_code: more than documented; missed_revenue: less; time_missing: a timed code without minutes."""
    sent: str
    sent_units: int
    supported: str | None
    supported_units: int
    words: str


def code(session: Session) -> tuple[Coded, ...]:
    """The codes that the session supports, primaries before add-ons. Raises NotBillable, saying why."""
    lines = _visit(session) + _service(session)
    if session.interactive_complexity:
        lines += _complexity(session, lines)
    return lines


def _visit(session: Session) -> tuple[Coded, ...]:
    if session.visit_code is None:
        return ()
    return (Coded(code=session.visit_code, units=1, reason="medical visit at the level that its prescriber chose"),)


def _service(session: Session) -> tuple[Coded, ...]:
    if session.kind in FIXED:
        chosen, why = FIXED[session.kind]
        return (Coded(code=chosen, units=1, reason=why),)
    if session.kind == "medical_visit":
        if session.visit_code is None:
            raise NotBillable("a medical visit without its code")
        return ()
    if session.minutes is None:
        raise NotBillable("a timed service without documented minutes")
    return _timed(session, session.minutes)


def _timed(session: Session, minutes: int) -> tuple[Coded, ...]:
    with_visit = session.visit_code is not None
    if session.kind in {"individual", "crisis"} and minutes < 16 and with_visit:
        return ()
    if session.kind == "crisis":
        return crisis(minutes, with_visit=with_visit)
    if session.kind == "units":
        return (_units(session, minutes),)
    if session.kind.startswith("family"):
        return (_family(minutes, present=session.kind == "family_with_patient"),)
    assert session.kind == "individual", f"no such session: {session.kind}"
    return (psychotherapy(minutes, with_visit=with_visit),)


def psychotherapy(minutes: int, *, with_visit: bool) -> Coded:
    """One therapy code for the session: 16 to 37, 38 to 52, or 53 minutes and more; never a second one."""
    if minutes < 16:
        raise NotBillable(f"{minutes} minutes are fewer than the 16 that psychotherapy needs")
    index = 0 if minutes <= 37 else 1 if minutes <= 52 else 2
    chosen = (("90832", "90834", "90837"), ("90833", "90836", "90838"))[with_visit][index]
    span = ("16 to 37", "38 to 52", "53 and more")[index]
    beside = " beside the medical visit" if with_visit else ""
    return Coded(code=chosen, units=1, reason=f"{minutes} documented minutes are in {span}{beside}")


def crisis(minutes: int, *, with_visit: bool = False) -> tuple[Coded, ...]:
    """The first crisis hour from 30 minutes on, and further half hours from 75; below 30 it is psychotherapy."""
    if minutes < 30:
        plain = psychotherapy(minutes, with_visit=with_visit)
        return (Coded(code=plain.code, units=1, reason=f"crisis under 30 minutes counts as therapy: {plain.reason}"),)
    first = Coded(code="90839", units=1, reason=f"{minutes} documented crisis minutes, first hour (30 to 74)")
    further = 0 if minutes < 75 else (minutes - 75) // 30 + 1
    if not further:
        return (first,)
    return (first, Coded(code="90840", units=further, reason=f"{minutes} minutes reach {further} further half hours"))


def _family(minutes: int, *, present: bool) -> Coded:
    if minutes < 26:
        raise NotBillable(f"{minutes} minutes are fewer than the 26 that family therapy needs")
    chosen = FAMILY_WITH_PATIENT if present else FAMILY_WITHOUT_PATIENT
    return Coded(code=chosen, units=1, reason=f"{minutes} minutes of family therapy, patient {_present(present)}")


def _present(present: bool) -> str:
    return "present" if present else "absent"


def quarter_hours(minutes: int, rounding: str) -> int:
    """Units of 15 minutes: by the 8-minute rule, or full quarters only where the payer rounds down."""
    if rounding == "full_unit":
        return minutes // 15
    assert rounding == "eight_minute", f"no such rounding: {rounding}"
    return (minutes + 7) // 15


def _units(session: Session, minutes: int) -> Coded:
    known = procedure(session.service_code or "", session.on)
    if known is None or known.regime != "per15":
        raise NotBillable("a 15-minute service without a code of that kind")
    units = quarter_hours(minutes, session.rounding)
    if units == 0:
        raise NotBillable(f"{minutes} minutes make no unit of 15 minutes")
    rule = "8-minute rule" if session.rounding == "eight_minute" else "full quarters only"
    return Coded(code=known.code, units=units, reason=f"{minutes} minutes make {units} units ({rule})")


def _complexity(session: Session, lines: Sequence[Coded]) -> tuple[Coded, ...]:
    add_on = procedure(INTERACTIVE_COMPLEXITY, session.on)
    assert add_on is not None
    if not any(line.code in add_on.primaries for line in lines):
        return ()
    return (Coded(code=add_on.code, units=1, reason="interactive complexity documented beside its primary"),)


def check(sent: str, units: int, minutes: int | None, on: date, rounding: str = "eight_minute") -> Mismatch | None:
    """Where the code that the EHR sent is not what its minutes support; None when they agree or time does not count."""
    known = procedure(sent, on)
    if known is None or not known.timed or (known.regime in {"first", "additional"} and sent != CRISIS_ADD_ON):
        return None
    if minutes is None:
        kind, supported, most, words = "time_missing", None, 0, "a timed code needs its documented minutes"
    else:
        supported, most = _supported(known, minutes, rounding)
        if (supported, most) == (sent, units):
            return None
        kind = "missed_revenue" if _more(supported, most, known, units, on) else "up_code"
        words = f"{minutes} documented minutes support {f'{supported} x {most}' if supported else 'no such code'}"
    return Mismatch(kind=kind, sent=sent, sent_units=units, supported=supported, supported_units=most, words=words)


def _supported(known: Procedure, minutes: int, rounding: str) -> tuple[str | None, int]:
    """The code of the same kind, and its units, that the minutes support."""
    try:
        if known.regime == "per15":
            units = quarter_hours(minutes, rounding)
            return (known.code, units) if units else (None, 0)
        if known.code in {"90839", CRISIS_ADD_ON}:
            found = next((line for line in crisis(minutes) if line.code == known.code), crisis(minutes)[0])
            return (found.code, found.units)
        if known.family in {"psychotherapy", "psychotherapy_em"}:
            return (psychotherapy(minutes, with_visit=known.family == "psychotherapy_em").code, 1)
    except NotBillable:
        return (None, 0)
    return (known.code, 1) if known.takes(minutes) else (None, 0)


def _more(supported: str | None, most: int, known: Procedure, units: int, on: date) -> bool:
    """Whether the minutes support more than was sent."""
    if supported is None:
        return False
    if supported == known.code:
        return most > units
    better = procedure(supported, on)
    assert better is not None
    return (better.from_minutes or 0) > (known.from_minutes or 0)
