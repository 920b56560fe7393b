"""What a member has used of a plan's year: a sum over the lines that the payer stands by, so a reversal restores it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One enrolment as the payer holds it; the `*_used` figures were applied before the sandbox knew the member."""

    payer_id: str
    member_id: str
    plan_id: str
    last_name: str
    first_name: str
    birth_date: date
    gender: str = ""
    group_number: str = ""
    family_id: str = ""
    effective_from: date
    effective_to: date | None = None
    used_year: int
    deductible_used_cents: int = 0
    family_deductible_used_cents: int = 0
    oop_used_cents: int = 0
    visits_used: int = 0
    eap_used: int = 0

    def covered_on(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one allowed line has moved; it counts until it is reversed."""

    icn: str
    line: int
    member_id: str
    service_date: date
    code: str
    modifiers: tuple[str, ...]
    rendering_npi: str
    units: int
    deductible_cents: int = 0
    oop_cents: int = 0
    visit: bool = False
    eap: bool = False
    authorization: str = ""

    @property
    def key(self) -> tuple[date, str, tuple[str, ...], str]:
        """By what a payer finds duplicates of one member: date, code, modifiers, clinician."""
        return self.service_date, self.code, tuple(sorted(self.modifiers)), self.rendering_npi


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The year so far."""

    deductible_cents: int = 0
    family_deductible_cents: int = 0
    oop_cents: int = 0
    visits: int = 0
    eap_sessions: int = 0


def used(member: Member, effects: Iterable[Effect], year: int) -> Used:
    """What the member has used of `year`; `effects` are those of the member and of the family."""
    of_year = [effect for effect in effects if effect.service_date.year == year]
    own = [effect for effect in of_year if effect.member_id == member.member_id]
    before = member if member.used_year == year else None
    deductible = sum(effect.deductible_cents for effect in own)
    family = sum(effect.deductible_cents for effect in of_year)
    return Used(
        deductible_cents=deductible + (before.deductible_used_cents if before else 0),
        family_deductible_cents=family + (before.family_deductible_used_cents if before else 0),
        oop_cents=sum(effect.oop_cents for effect in own) + (before.oop_used_cents if before else 0),
        visits=_visits(effect for effect in own if effect.visit) + (before.visits_used if before else 0),
        eap_sessions=_visits(effect for effect in own if effect.eap) + (before.eap_used if before else 0),
    )


def _visits(effects: Iterable[Effect]) -> int:
    """Several lines of one clinician on one day are one visit."""
    return len({(effect.service_date, effect.rendering_npi) for effect in effects})


def units_used(effects: Iterable[Effect], authorization: str) -> int:
    """Units taken from an authorization by lines that still stand."""
    return sum(effect.units for effect in effects if effect.authorization == authorization)
