"""What each payer pays for and how: plan data with effective dates, read once from `plans/*.yaml`."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict

from libs.common.money import share

_PLANS = Path(__file__).parent / "plans"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: Who bills, by the beginning of the taxonomy code; the first that fits counts.
_LEVELS = (
    ("2084", "physician"), ("207", "physician"), ("208", "physician"), ("103T", "psychologist"),
    ("103G", "psychologist"), ("363", "nurse"), ("364S", "nurse"), ("106S", "technician"), ("175T", "technician"),
)  # fmt: skip

Order = Literal["copay", "deductible_then_coinsurance", "copay_after_deductible"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dated(_Data):
    effective_from: date
    effective_to: date | None = None

    def on(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


D = TypeVar("D", bound=Dated)


class Reason(_Data):
    """How a denial is written: group, CARC, and the RARC beside it."""

    group: str = "CO"
    reason: str
    remark: str = ""


class Excluded(Reason):
    codes: tuple[str, ...]


class ModifierRule(Reason):
    """At these places, or for these codes, one of these modifiers must be there."""

    places: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    any_of: tuple[str, ...]

    def is_broken(self, code: str, place: str, modifiers: tuple[str, ...]) -> bool:
        concerns = (not self.places or place in self.places) and (not self.codes or code in self.codes)
        return concerns and not set(modifiers) & set(self.any_of)


class UnpaidTaxonomies(Reason):
    taxonomies: tuple[str, ...]


class Rules(Dated):
    """What the payer asks of every claim, whatever the plan."""

    source: str
    timely_filing_days: int
    sequestration_percent: Decimal = Decimal(0)
    modifiers: tuple[ModifierRule, ...] = ()
    authorization_codes: tuple[str, ...] = ()
    levels: dict[str, Decimal]
    modifier_levels: dict[str, str] = {}
    unpaid_levels: UnpaidTaxonomies | None = None
    prescribers_only: tuple[str, ...] = ()
    add_ons: dict[str, tuple[str, ...]] = {}
    fees_cents: dict[str, int]

    def fee_cents(self, code: str, level: str) -> int | None:
        """The fee for one unit by someone of that level, or None where the schedule does not have the code."""
        base = self.fees_cents.get(code)
        if base is None:
            return None
        return share(base, self.levels.get(level, self.levels["masters"]) / 100)

    def level(self, taxonomy: str, modifiers: tuple[str, ...]) -> str:
        """The level at which a line is paid: a level modifier first, else the clinician's taxonomy."""
        for modifier in modifiers:
            if modifier in self.modifier_levels:
                return self.modifier_levels[modifier]
        return next((level for prefix, level in _LEVELS if taxonomy.startswith(prefix)), "masters")


class Share(_Data):
    """What the member bears of a covered service."""

    service: str
    order: Order
    codes: tuple[str, ...] = ()
    copay_cents: int = 0
    coinsurance: Decimal = Decimal(0)

    def covers(self, code: str) -> bool:
        return not self.codes or code in self.codes


class Benefits(Dated):
    """A plan's year."""

    deductible_cents: int = 0
    family_deductible_cents: int | None = None
    oop_max_cents: int | None = None
    visit_limit: int | None = None
    shares: tuple[Share, ...] = ()
    excluded: tuple[Excluded, ...] = ()

    def share_of(self, code: str) -> Share | None:
        return next((part for part in self.shares if part.covers(code)), None)


class CarveOut(Reason):
    """Somebody else administers behavioral health for this plan."""

    payer_id: str
    plan_id: str
    name: str
    edi_id: str
    phone: str


class Eap(_Data):
    """Sessions without a share, by authorization number and modifier, before the plan itself."""

    modifier: str
    sessions: int
    name: str
    codes: tuple[str, ...]


class Plan(_Data):
    name: str
    default: bool = False
    carve_out: CarveOut | None = None
    eap: Eap | None = None
    benefits: tuple[Benefits, ...]

    def benefits_on(self, day: date) -> Benefits:
        return _as_of(self.benefits, day)


class Address(_Data):
    street: str
    city: str
    state: str
    zip: str


class PaymentSchedule(_Data):
    method: Literal["ACH", "CHK"]
    weekdays: tuple[str, ...]
    lag_days: int
    routing: str
    account: str

    def pays_on(self, day: date) -> bool:
        return _WEEKDAYS[day.weekday()] in self.weekdays


class Interest(_Data):
    after_days: int
    yearly_percent: Decimal


class Intake(_Data):
    frequencies: tuple[str, ...]
    billing_taxonomy: bool
    rendering_taxonomy: bool


class Denials(_Data):
    duplicate: Reason
    provider: Reason
    authorization_missing: Reason
    authorization_used: Reason
    not_in_schedule: Reason


class Payer(_Data):
    """A payer: who it is on X12, when it pays, what it refuses, what its plans cover."""

    payer_id: str
    edi_id: str
    name: str
    tax_id: str
    address: Address
    phone: str
    icn_prefix: str
    plan_type: str
    claim_filing: str
    payment: PaymentSchedule
    interest: Interest | None = None
    intake: Intake
    denials: Denials
    rules: tuple[Rules, ...]
    plans: dict[str, Plan]

    def rules_on(self, day: date) -> Rules:
        return _as_of(self.rules, day)

    @property
    def default_plan(self) -> str:
        return next(plan_id for plan_id, plan in self.plans.items() if plan.default)


def _as_of(versions: tuple[D, ...], day: date) -> D:
    """The version in force on the day; before the first one, the first."""
    return next((version for version in versions if version.on(day)), versions[0])


@cache
def payers() -> dict[str, Payer]:
    """All payers by id."""
    found = [Payer.model_validate(yaml.safe_load(path.read_text())) for path in sorted(_PLANS.glob("*.yaml"))]
    return {payer.payer_id: payer for payer in found}


def payer_by_edi(edi_id: str) -> Payer | None:
    """The payer that answers to this electronic id."""
    return next((payer for payer in payers().values() if payer.edi_id == edi_id), None)
