"""How a test or the demo sets the scene: accounts, members, rosters, authorizations, faults."""

from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from libs.common.http import BULK_BYTES, FieldError, Invalid, Router, Tx
from services.sandbox import enrolment, mailbox
from services.sandbox.accumulators import Member
from services.sandbox.decisions import Authorization, Rostered
from services.sandbox.intake837 import is_npi
from services.sandbox.plans import payers
from services.sandbox.scenarios import DENIALS, FAULTS, Scenario

router = Router(prefix="/v1", tags=["control"], open_to="anyone", idempotent=False)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _known_payer(payer_id: str) -> str:
    if payer_id not in payers():
        raise ValueError(f"one of {', '.join(sorted(payers()))}")
    return payer_id


class AccountBody(_Body):
    submitter_id: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,15}$", description="ISA06 of the submitter's files.")]


class AccountView(BaseModel):
    submitter_id: str
    api_key: str


@router.post("/accounts", status_code=201, summary="Open a submitter's account")
async def open_account(body: AccountBody, tx: Tx) -> AccountView:
    """The account is there; asking again gives the same key."""
    return AccountView(submitter_id=body.submitter_id, api_key=await mailbox.open_account(tx, body.submitter_id))


class MemberBody(_Body):
    """A member as the payer has enrolled them. A plan that carves out enrols them with its administrator too."""

    payer_id: str
    member_id: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,20}$")]
    plan_id: Annotated[str | None, Field(description="The payer's default plan when absent.")] = None
    last_name: str
    first_name: str
    birth_date: date
    gender: Annotated[str, Field(pattern=r"^[FMU]?$")] = ""
    group_number: str = ""
    family_id: Annotated[str, Field(description="Members of one family share the family deductible.")] = ""
    effective_from: date
    effective_to: date | None = None
    used_year: Annotated[int | None, Field(description="The year that the used figures are of.")] = None
    deductible_used_cents: Annotated[int, Field(ge=0)] = 0
    family_deductible_used_cents: Annotated[int, Field(ge=0)] = 0
    oop_used_cents: Annotated[int, Field(ge=0)] = 0
    visits_used: Annotated[int, Field(ge=0)] = 0
    eap_used: Annotated[int, Field(ge=0)] = 0

    _payer = field_validator("payer_id")(_known_payer)

    @model_validator(mode="after")
    def _plan_is_the_payers(self) -> "MemberBody":
        if self.plan_id is not None and self.plan_id not in payers()[self.payer_id].plans:
            raise ValueError(f"plan_id is one of {', '.join(payers()[self.payer_id].plans)}")
        return self

    def members(self, year: int) -> list[Member]:
        """The enrolment, and the one that its carve-out brings with it."""
        payer = payers()[self.payer_id]
        values = self.model_dump()
        values["plan_id"] = self.plan_id or payer.default_plan
        values["used_year"] = self.used_year or year
        carve_out = payer.plans[values["plan_id"]].carve_out
        found = [Member(**values)]
        if carve_out is not None:
            found.append(Member(**{**values, "payer_id": carve_out.payer_id, "plan_id": carve_out.plan_id}))
        return found


class MemberBatch(_Body):
    data: Annotated[list[MemberBody], Field(min_length=1, max_length=10_000)]


class Count(BaseModel):
    count: int


@router.post("/members", status_code=201, body_limit_bytes=BULK_BYTES, summary="Enrol members")
async def enrol(body: MemberBatch | MemberBody, tx: Tx) -> Count:
    """The payers hold these members as given, whatever they held before."""
    batch = body.data if isinstance(body, MemberBatch) else [body]
    found = [member for one in batch for member in one.members(tx.today.year)]
    await enrolment.save_members(tx, found)
    return Count(count=len(batch))


class RosterBody(_Body):
    """A clinician whom the payer has loaded for a billing provider."""

    payer_id: str
    npi: str
    billing_npi: str
    effective_from: date
    effective_to: date | None = None
    taxonomy: str = ""

    _payer = field_validator("payer_id")(_known_payer)

    @field_validator("npi", "billing_npi")
    @classmethod
    def _checked(cls, value: str) -> str:
        if not is_npi(value):
            raise ValueError("an NPI has ten digits, the last of which checks the others")
        return value


class RosterBatch(_Body):
    data: Annotated[list[RosterBody], Field(min_length=1, max_length=10_000)]


@router.post("/rosters", status_code=201, body_limit_bytes=BULK_BYTES, summary="Load clinicians at payers")
async def load_rosters(body: RosterBatch | RosterBody, tx: Tx) -> Count:
    """The payers have these clinicians on file from and to these dates."""
    batch = body.data if isinstance(body, RosterBatch) else [body]
    for payer_id in sorted({one.payer_id for one in batch}):
        rows = [Rostered(**one.model_dump(exclude={"payer_id"})) for one in batch if one.payer_id == payer_id]
        await enrolment.save_rosters(tx, payer_id, rows)
    return Count(count=len(batch))


class AuthorizationBody(_Body):
    """What a payer has authorized; `codes` empty means any code."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    payer_id: str
    member_id: str
    number: Annotated[str, Field(pattern=r"^[A-Z0-9-]{2,30}$")]
    codes: list[str] = []
    units: Annotated[int, Field(ge=1)]
    valid_from: Annotated[date, Field(alias="from")]
    valid_to: Annotated[date, Field(alias="to")]
    eap: bool = False

    _payer = field_validator("payer_id")(_known_payer)


@router.post("/payer-authorizations", status_code=201, summary="Authorize units")
async def authorize(body: AuthorizationBody, tx: Tx) -> AuthorizationBody:
    """The payer has this authorization on file."""
    one = Authorization(
        number=body.number,
        codes=tuple(body.codes),
        units=body.units,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        eap=body.eap,
    )
    await enrolment.save_authorization(tx, body.payer_id, body.member_id, one)
    return body


class ScenarioBody(_Body):
    """A fault for one member, on one date of service or on any; further members are the fault's own parameters."""

    model_config = ConfigDict(extra="allow")
    member_id: str
    fault: str
    service_date: date | None = None
    payer_id: str | None = None
    attempt: Annotated[int, Field(ge=0, description="Which claim of that date it strikes; 0: each.")] = 1


@router.post("/scenarios", status_code=201, summary="Ask for a fault")
async def set_scenario(body: ScenarioBody, tx: Tx) -> ScenarioBody:
    """The fault will strike claims that come in from now on. `GET /v1/scenarios` lists the faults."""
    if body.fault not in FAULTS and body.fault not in DENIALS:
        raise Invalid([FieldError("/fault", "unknown_fault", "GET /v1/scenarios lists the faults")])
    if body.payer_id is not None and body.payer_id not in payers():
        raise Invalid([FieldError("/payer_id", "unknown_payer", "no such payer")])
    params: dict[str, Any] = dict(body.model_extra or {})
    params |= params.pop("params", {})
    await enrolment.save_scenario(
        tx,
        Scenario(
            member_id=body.member_id,
            fault=body.fault,
            service_date=body.service_date,
            payer_id=body.payer_id,
            attempt=body.attempt,
            params=params,
        ),
    )
    return body


@router.get("/scenarios", summary="What faults there are")
async def list_faults() -> dict[str, str]:
    """Each fault with what it does and its parameters."""
    return FAULTS | {name: f"Denied for {reason.group}{reason.reason}." for name, reason in DENIALS.items()}


class FaultsBody(_Body):
    """Faults of the clearinghouse: by rate and seed over what files say, and payers off the line."""

    timeout_after_accept_rate: Annotated[float, Field(ge=0, le=1)] = 0
    seconds: Annotated[float, Field(ge=0, le=600, description="How late; 0: the connection is cut.")] = 0
    seed: str = "1"
    payers_down: list[str] = []


@router.post("/faults", summary="Set the clearinghouse's faults")
async def set_faults(body: FaultsBody, tx: Tx) -> FaultsBody:
    """These faults hold from now on, and no others."""
    await tx.execute(
        sa.text(
            "update fault set timeout_after_accept_rate = :timeout_after_accept_rate, seconds = :seconds, "
            "seed = :seed, payers_down = :payers_down"
        ),
        body.model_dump(),
    )
    return body
