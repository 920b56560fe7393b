"""Claims that were sent, and payers that answer them with real 835s."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from libs import x12
from libs.common.composition import Service
from libs.common.events import ClaimSubmitted, PracticeChanged
from libs.common.events.claims import SubmissionDetail, SubmittedLine, SubmittedLineDetail
from libs.common.events.credentialing import Address, PracticeIdentity
from libs.common.ids import derived_id, new_id
from tests.calls import Api, good, open_api
from tests.conftest import TestDatabase

NPI = "1234567893"
SERVED = date(2026, 10, 5)
CREATED = datetime.combine(date(2026, 10, 20), time())
PAID_ON = date(2026, 10, 20)
BUCKETS = (
    "billed", "credits", "payer_paid", "patient_paid", "contractual", "written_off", "withheld", "patient",
    "denied_open", "in_flight",
)  # fmt: skip
Triplet = tuple[str, str, int]


@dataclass(slots=True)
class Sent:
    """A claim as it was sent."""

    pcn: str
    claim_id: str = field(default_factory=lambda: new_id("clm"))
    patient_id: str = field(default_factory=lambda: new_id("pat"))
    encounter_id: str = field(default_factory=lambda: new_id("enc"))
    charges: tuple[int, ...] = (13500,)
    line_ids: tuple[str, ...] = ()
    attempt: int = 1
    member_id: str = "W123"

    def __post_init__(self) -> None:
        self.line_ids = self.line_ids or tuple(new_id("sln") for _ in self.charges)

    def control(self, n: int) -> str:
        return f"{self.pcn}L{n}"


def line(
    charge: int = 13500,
    paid: int = 9300,
    *adjustments: Triplet,
    control: str = "",
    procedure: str = "90834",
    modifiers: Sequence[str] = ("95",),
    on: date = SERVED,
    remarks: Sequence[str] = (),
) -> x12.ServicePayment:
    """A line as the payer adjudicated it."""
    return x12.ServicePayment(
        procedure=procedure,
        modifiers=tuple(modifiers),
        charge_cents=charge,
        paid_cents=paid,
        units=Decimal(-1 if charge < 0 else 1),
        service_date=on,
        line_control_number=control,
        adjustments=adjusted(*adjustments),
        remark_codes=tuple(remarks),
    )


def adjusted(*adjustments: Triplet) -> tuple[x12.Adjustment, ...]:
    return tuple(x12.Adjustment(group=g, reason=r, amount_cents=cents) for g, r, cents in adjustments)


PAID: tuple[Triplet, ...] = (("CO", "45", 1700), ("PR", "3", 2500))


def answer(pcn: str, *lines: x12.ServicePayment, status: str = "1", icn: str = "ICN1", **more: Any) -> x12.ClaimPayment:
    """A claim as the payer decided it; charge and payment are its lines' unless given."""
    given = {
        "charge_cents": sum(one.charge_cents for one in lines),
        "paid_cents": sum(one.paid_cents for one in lines),
        "patient_responsibility_cents": max(
            sum(a.amount_cents for one in lines for a in one.adjustments if a.group == "PR"), 0
        ),
        "patient": x12.Party(person=True, name="DOE", first_name="PAT", id_qualifier="MI", id="W123"),
    }
    return x12.ClaimPayment(pcn=pcn, status=status, payer_control_number=icn, lines=lines, **{**given, **more})


def taken_back(decided: x12.ClaimPayment, **more: Any) -> x12.ClaimPayment:
    """The reversal that mirrors a decision."""
    lines = tuple(
        line(
            -one.charge_cents,
            -one.paid_cents,
            *((a.group, a.reason, -a.amount_cents) for a in one.adjustments),
            control=one.line_control_number,
            procedure=one.procedure,
            modifiers=one.modifiers,
            on=one.service_date or SERVED,
        )
        for one in decided.lines
    )
    given = {"status": "22", "icn": decided.payer_control_number, "original_reference": decided.payer_control_number}
    return answer(str(more.pop("pcn", decided.pcn)), *lines, **{**given, **more})


def an_835(
    *claims: x12.ClaimPayment,
    trace: str = "EFT1",
    plb: Sequence[tuple[str, str, int]] = (),
    amount: int | None = None,
    on: date = PAID_ON,
    payer: str = "HRBBH",
    usage: str = "P",
    **payment: Any,
) -> bytes:
    """A remittance of Harbor Behavioral that balances, unless `amount` says otherwise."""
    balanced = sum(claim.paid_cents for claim in claims) - sum(cents for _, _, cents in plb)
    total = balanced if amount is None else amount
    return x12.write_835(
        x12.Remittance(
            envelope=x12.Envelope(sender_id="CLRNGHSE", receiver_id="PARITY01", created=CREATED, usage=usage),
            payment=x12.Payment(
                **{
                    "amount_cents": total,
                    "paid_on": on,
                    "trace_number": trace,
                    "payer_identifier": "1741111111",
                    "method": "ACH" if total else "NON",
                    "handling": "I" if total else "H",
                    **payment,
                }
            ),
            payer=x12.Party(
                name="HARBOR BEHAVIORAL",
                id_qualifier="XV",
                id=payer,
                address=x12.Address(line1="1 PIER", city="AUSTIN", state="TX", postal_code="787010001"),
                contacts=(x12.Contact(function="BL", name="EDI", phone="5125550100"),),
            ),
            payee=x12.Party(
                name="BRIGHT MINDS",
                id_qualifier="XX",
                id=NPI,
                references=(x12.Reference(qualifier="TJ", value="741234567"),),
            ),
            produced=on,
            claims=claims,
            provider_adjustments=tuple(
                x12.ProviderAdjustment(
                    provider_id=NPI,
                    fiscal_year_end=date(2026, 12, 31),
                    code=code,
                    reference=reference,
                    amount_cents=cents,
                )
                for code, reference, cents in plb
            ),
        )
    )


@dataclass(slots=True, eq=False)
class Books:
    """The books of one practice: what was sent, what payers answer, where the money is."""

    api: Api
    practice_id: str = field(default_factory=lambda: new_id("prc"))

    async def know_practice(self) -> None:
        street = Address(line1="100 Main St", city="Austin", state="TX", zip="787010001")
        identity = PracticeIdentity(
            name="Bright Minds", npi=NPI, tin="741234567", taxonomy="261QM0801X", address=street
        )
        event = PracticeChanged(practice_id=self.practice_id, status="active", sealed=identity)
        await self.api.deliver(event)

    async def send(
        self,
        sent: Sent,
        *,
        frequency: str = "1",
        rank: int = 1,
        payer: str = "pay_harborbh",
        next_payer: bool = False,
    ) -> Sent:
        """The claim goes to the payer (`sent.attempt` says for which time)."""
        lines = list(zip(sent.line_ids, sent.charges, strict=True))
        event = ClaimSubmitted(
            claim_id=sent.claim_id,
            submission_id=derived_id("sub", sent.claim_id, sent.pcn),
            encounter_id=sent.encounter_id,
            practice_id=self.practice_id,
            patient_id=sent.patient_id,
            provider_id="prv_1",
            payer_id=payer,
            rank=rank,
            attempt=sent.attempt,
            frequency=frequency,
            patient_control_number=sent.pcn,
            next_payer=next_payer,
            charge_cents=sum(sent.charges),
            submitted_on=date(2026, 10, 6),
            lines=[
                SubmittedLine(
                    line_id=line_id,
                    line_control=sent.control(n),
                    code_family="psychotherapy",
                    charge_cents=charge,
                    units=1,
                )
                for n, (line_id, charge) in enumerate(lines, start=1)
            ],
            sealed=SubmissionDetail(
                lines=[
                    SubmittedLineDetail(line_id=line_id, procedure="90834", modifiers=["95"], service_date=SERVED)
                    for line_id, _ in lines
                ],
                member_id=sent.member_id,
            ),
        )
        await self.api.deliver(event)
        return sent

    async def receive(self, raw: bytes, *, post: bool = True) -> list[str]:
        """The 835 comes by API, and what it makes due is done; the ids of its remittances."""
        taken = good(await self.upload(raw))
        if post:
            await self.api.run_due()
        return list(taken["remittance_ids"])

    async def upload(self, raw: bytes, *, token: str | None = None) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {token or self.api.token()}",
            "Idempotency-Key": new_id("key"),
            "Content-Type": "application/edi-x12",
        }
        return await self.api.http.post("/v1/remittances", content=raw, headers=headers)

    async def remittance(self, era_id: str) -> dict[str, Any]:
        return await self.api.get(f"/v1/remittances/{era_id}")

    async def stands(self, sent: Sent) -> dict[str, int]:
        """The claim's buckets that hold anything, without the charge."""
        total = (await self.api.get(f"/v1/ledger/claims/{sent.claim_id}"))["total"]
        return {name: total[f"{name}_cents"] for name in BUCKETS if total[f"{name}_cents"] and name != "billed"}

    async def totals(self) -> dict[str, Any]:
        """The figures, after making sure that every identity holds."""
        found = await self.api.get("/v1/ledger/totals")
        for name in ("ledger_imbalance_cents", "identity_difference_cents", "era_identity_difference_cents"):
            assert found[name] == 0, name
        return found

    async def waiting(self) -> list[dict[str, Any]]:
        """What waits in the queue of unposted answers."""
        return list((await self.api.get("/v1/unposted"))["data"])

    async def reasons(self) -> list[str]:
        """The reasons of open tasks."""
        return sorted(task["reason"] for task in await self.api.tasks())


@asynccontextmanager
async def open_books(
    service: Service, database: TestDatabase, home: Path, outside: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Books]:
    async with open_api(service, database, home, outside=outside) as api:
        books = Books(api)
        await books.know_practice()
        yield books
