"""The practice of the demo, made from a seed: six clinicians, forty patients over four payers, a month of sessions.

Everybody here is invented. The same seed makes the same practice, to the minute.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

ZONE = timezone(timedelta(hours=-5), "CDT")
FIRST_DAY = date(2026, 10, 1)
LAST_DAY = date(2026, 10, 30)
THURSDAY = 3

_FIRST_NAMES = (
    "Ada", "Ben", "Cora", "Dan", "Elsa", "Finn", "Gail", "Hugo", "Ines", "Jack", "Kira", "Liam", "Mona", "Nils",
    "Olga", "Paul", "Rosa", "Sam", "Tess", "Umar", "Vera", "Will", "Xena", "Yara", "Zack", "Alma", "Boris", "Celia",
    "Dario", "Edith", "Felix", "Greta", "Henry", "Irma", "Jonas", "Karin", "Leon", "Maya", "Noel", "Orla",
)  # fmt: skip
_LAST_NAMES = (
    "Abbott", "Brandt", "Castro", "Dalton", "Ellison", "Farrow", "Grant", "Hobbs", "Ibarra", "Jensen", "Keller",
    "Lund", "Mercer", "Nolan", "Osborn", "Pruitt", "Quade", "Reyes", "Sutter", "Tolbert", "Underhill", "Vance",
    "Winslow", "Xavier", "Yates", "Zeller", "Ames", "Boyle", "Crane", "Duffy", "Eaton", "Frost", "Gibbs", "Hale",
    "Irwin", "Judd", "Kemp", "Lowe", "Marsh", "Nash",
)  # fmt: skip


def npi(nine: str) -> str:
    """Nine digits and the check digit of the NPI standard (Luhn over 80840 and the nine)."""
    digits = [int(d) for d in "80840" + nine]
    total = sum(sum(divmod(d * 2, 10)) if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    return f"{nine}{-total % 10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinician:
    npi: str
    first_name: str
    last_name: str
    taxonomy: str
    credential: str
    waits_for: str | None = None
    """The payer that has not loaded them yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    number: int
    first_name: str
    last_name: str
    dob: date
    sex: str
    payer_id: str
    member_id: str
    plan: str | None = None
    known_to_payer: bool = True
    covered_until: date | None = None
    copay_cents: int = 0

    @property
    def external_id(self) -> str:
        return f"MRN-{self.number:04d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One appointment that took place."""

    external_id: str
    patient: Patient
    clinician: Clinician
    kind: str
    start: datetime
    minutes: int
    video: bool
    oddity: str | None = None
    """What is wrong with it, from `oddities.py`; most have nothing."""

    @property
    def service_date(self) -> date:
        return self.start.date()


@dataclass(slots=True, kw_only=True)
class Practice:
    """Everything that the demo knows before the month begins."""

    seed: int
    name: str = "Lakeside Counseling Center"
    npi: str = npi("173649250")
    tin: str = "741820365"
    clinicians: tuple[Clinician, ...] = ()
    patients: tuple[Patient, ...] = ()
    sessions: tuple[Session, ...] = field(default=())

    def on(self, day: date) -> list[Session]:
        """The sessions of a day, in the order in which they began."""
        return [session for session in self.sessions if session.service_date == day]


CLINICIANS = (
    Clinician(npi=npi("104982371"), first_name="Marian", last_name="Osei", taxonomy="2084P0800X", credential="MD"),
    Clinician(
        npi=npi("118273645"), first_name="Peter", last_name="Lindqvist", taxonomy="363LP0808X", credential="PMHNP"
    ),
    Clinician(npi=npi("122918374"), first_name="Hanna", last_name="Brooks", taxonomy="103TC0700X", credential="PhD"),
    Clinician(npi=npi("135647382"), first_name="Luis", last_name="Ortega", taxonomy="1041C0700X", credential="LCSW"),
    Clinician(npi=npi("146372819"), first_name="Joan", last_name="Whitaker", taxonomy="101YP2500X", credential="LPC"),
    Clinician(
        npi=npi("157283946"),
        first_name="Omar",
        last_name="Haddad",
        taxonomy="106H00000X",
        credential="LMFT",
        waits_for="pay_bluebonnet",
    ),
)

PAYERS = (("pay_meridian", 12), ("pay_bluebonnet", 12), ("pay_medicare", 8), ("pay_summit", 8))
_MEMBER_PREFIX = {"pay_meridian": "MRD", "pay_bluebonnet": "BBN", "pay_summit": "SMT"}
_MBI_LETTERS = "ACDEFGHJKM"


def build(seed: int) -> Practice:
    """The practice of this seed."""
    chance = random.Random(seed)  # noqa: S311  invented people, the same again for the same seed
    patients = tuple(_patients(chance))
    sessions = sorted(_sessions(chance, patients), key=lambda s: (s.start, s.external_id))
    return Practice(seed=seed, clinicians=CLINICIANS, patients=patients, sessions=tuple(sessions))


def _member_id(payer_id: str, number: int) -> str:
    """The number in the payer's form; Medicare's (MBI) has letters and digits in places that CMS has fixed."""
    if payer_id != "pay_medicare":
        return f"{_MEMBER_PREFIX[payer_id]}{number}"
    digits = [int(digit) for digit in str(number)]
    second, fifth, eighth, ninth = (_MBI_LETTERS[digit] for digit in digits[:4])
    return f"1{second}G{digits[4]}{fifth}E{digits[5]}{eighth}{ninth}{digits[6]}{digits[7]}"


def _patients(chance: random.Random) -> Iterator[Patient]:
    number = 0
    firsts, lasts = list(_FIRST_NAMES), list(_LAST_NAMES)
    chance.shuffle(firsts)
    chance.shuffle(lasts)
    for payer_id, count in PAYERS:
        for place in range(count):
            born = (
                date(2026, 1, 1) - timedelta(days=chance.randrange(67 * 365, 85 * 365))
                if payer_id == "pay_medicare"
                else (date(2026, 1, 1) - timedelta(days=chance.randrange(19 * 365, 64 * 365)))
            )
            number += 1
            yield Patient(
                number=number,
                first_name=firsts[number - 1],
                last_name=lasts[number - 1],
                dob=born,
                sex=chance.choice("FM"),
                payer_id=payer_id,
                member_id=_member_id(payer_id, chance.randrange(10**7, 10**8)),
                known_to_payer=not (payer_id == "pay_bluebonnet" and place == 11),
                covered_until=date(2026, 10, 15) if payer_id == "pay_meridian" and place == 11 else None,
                copay_cents={"pay_meridian": 3000, "pay_bluebonnet": 300, "pay_summit": 2500}.get(payer_id, 0),
            )


# What patients of a payer come for, in turn
_PLANS = {
    "pay_meridian": ("individual", "individual", "family"),
    "pay_bluebonnet": ("individual", "skills", "long", "individual"),
    "pay_medicare": ("individual", "medication"),
    "pay_summit": ("eap", "individual"),
}
_AN_HOUR_A_WEEK = ("medication", "eap", "family")
_MINUTES = {
    "individual": (38, 52),
    "long": (55, 60),
    "family": (45, 55),
    "skills": (38, 52),
    "eap": (40, 50),
    "medication": (22, 34),
    "group": (60, 75),
    "intake": (55, 65),
}


def _sessions(chance: random.Random, patients: tuple[Patient, ...]) -> Iterator[Session]:
    counter = 0
    group = list(_group(patients))
    taken: set[tuple[str, datetime]] = {(session.clinician.npi, session.start) for session in group}
    yield from group
    for patient in patients:
        plan = _PLANS[patient.payer_id]
        kind = plan[patient.number % len(plan)]
        weekdays = _weekdays(patient, kind)
        clinician = _clinician(patient, kind)
        video = patient.number % 3 == 0 and kind in ("individual", "eap", "long")
        for day in _days():
            if day.weekday() not in weekdays:
                continue
            first = patient.number % 8 == 1 and day < FIRST_DAY + timedelta(days=7)
            this = "intake" if first and kind in ("individual", "eap") else kind
            counter += 1
            low, high = _MINUTES[this]
            start = _slot(taken, clinician, day, patient.number)
            yield Session(
                external_id=f"ehr-{counter:05d}",
                patient=patient,
                clinician=clinician,
                kind=this,
                start=start,
                minutes=chance.randint(low, high),
                video=video,
            )


def _group(patients: tuple[Patient, ...]) -> Iterator[Session]:
    """A group of six of the Medicaid plan's patients, on Thursdays at four."""
    members = [p for p in patients if p.payer_id == "pay_bluebonnet" and THURSDAY not in _weekdays(p, "individual")]
    for day in _days():
        if day.weekday() == THURSDAY:
            for patient in members[:6]:
                yield Session(
                    external_id=f"ehr-g{day:%m%d}{patient.number:02d}",
                    patient=patient,
                    clinician=CLINICIANS[4],
                    kind="group",
                    start=datetime.combine(day, time(16), tzinfo=ZONE),
                    minutes=60,
                    video=False,
                )


def _weekdays(patient: Patient, kind: str) -> tuple[int, ...]:
    once = patient.number % 5
    if kind in _AN_HOUR_A_WEEK:
        return (once,)
    return tuple(sorted({once, (once + 2) % 5})) if patient.number % 6 != 1 else (once,)


def _clinician(patient: Patient, kind: str) -> Clinician:
    if kind == "medication":
        return CLINICIANS[patient.number % 2]
    if patient.payer_id == "pay_bluebonnet" and patient.number % 6 == 0:
        return CLINICIANS[5]
    if patient.payer_id == "pay_medicare":
        return CLINICIANS[2 + patient.number % 2]
    return CLINICIANS[2 + patient.number % 3]


def _days() -> Iterator[date]:
    day = FIRST_DAY
    while day <= LAST_DAY:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)


def _slot(taken: set[tuple[str, datetime]], clinician: Clinician, day: date, number: int) -> datetime:
    """The first free hour of the clinician on that day, beginning at the patient's usual one."""
    for hour in range(24):
        at = datetime.combine(day, time(8 + (number + hour) % 9), tzinfo=ZONE)
        if (clinician.npi, at) not in taken:
            taken.add((clinician.npi, at))
            return at
    raise AssertionError("a clinician cannot see so many people in a day")


def address(number: int) -> dict[str, Any]:
    """Where somebody lives, more or less."""
    return {"line1": f"{100 + number} Live Oak Ln", "city": "Austin", "state": "TX", "zip": "787040001"}
