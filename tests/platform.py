"""The scenario driver: a practice of its own on a running platform, driven as its EHR, its people and its payers do.

    claim = await platform.accepted_claim(billed_cents=20_000)
    async with platform.expects("era.received", "payment.posted", "denial.raised"):
        await platform.receive_835("835/partial_payment.x12", claim=claim)

Business time is one for the whole platform: it only goes forward, to the next time at which something happens.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from string import Template
from typing import Any, Self

import httpx

from deploy.local.demo.client import Client
from deploy.local.demo.encounters import encounter
from deploy.local.demo.practice import ZONE, Clinician, Patient, Practice, Session, npi
from deploy.local.demo.quiet import quiet
from deploy.local.platform import Platform
from libs.common.ids import derived_id, new_id, uuid7
from tests import opening

DATA = Path(__file__).resolve().parent / "data"
BEGIN = datetime(2026, 10, 5, 16, tzinfo=UTC)
OFFICE = "16:00"
MORNING = time(9)
_NEVER = datetime.min.replace(tzinfo=UTC)
PATIENCE_SECONDS = 240.0
STATE = (".updated", ".changed", ".checked", ".expiring")
CHARGES_CENTS = {"90834": 15_000, "90837": 19_000, "H0004": 3_500}
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = 1, 2, 3, 4


@dataclass(slots=True, eq=False)
class Scenario:
    """One practice of one tenant, with its clinician, its prices, its account at the clearinghouse."""

    client: Client
    practice: Practice
    practice_id: str = ""
    location_id: str = ""
    enrollments: dict[str, str] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    patience_seconds: float = PATIENCE_SECONDS
    _numbers: int = 0
    _free: datetime = _NEVER
    _last_835: bytes = b""
    _at_desk: set[int] = field(default_factory=set)

    @classmethod
    async def open(cls, platform: Platform, http: httpx.AsyncClient, *, not_loaded_at: str | None = None) -> Self:
        """The practice is open, in the afternoon of a working day; its clinician is loaded everywhere but there."""
        scenario = cls(Client(platform, http, new_id("tnt")), _a_practice(not_loaded_at))
        await scenario._office_hours()
        await opening.clearinghouse(scenario.client, f"FL{uuid7().int % 10**10:010d}")
        await scenario._open_practice()
        await scenario.quiet()
        return scenario

    async def beside(self, *, not_loaded_at: str | None = None) -> Self:
        """Another practice of the same tenant."""
        other = type(self)(self.client, _a_practice(not_loaded_at))
        await other._open_practice()
        return other

    async def _open_practice(self) -> None:
        opened = await opening.organisation(self.client, self.practice)
        self.practice_id, self.location_id, self.enrollments = opened
        for code, cents in CHARGES_CENTS.items():
            await self.charges(code, cents)
        self.source = await self.client.post(
            "claims", "/v1/webhook-sources", {"kind": "ehr", "name": "EHR", "practice_id": self.practice_id}
        )

    # -- what the practice has

    async def charges(self, code: str, cents: int) -> None:
        """The practice charges so much for a unit of the code."""
        price = {"practice_id": self.practice_id, "code": code, "charge_cents": cents, "effective_from": "2026-01-01"}
        await self.client.put("claims", "/v1/charges", price)

    async def patient(self, payer_id: str = "pay_harborbh", *, copay_cents: int = 0, **on_file: Any) -> Patient:
        """A patient whom the payer knows; `on_file` is what else it has on file of them."""
        self._numbers += 1
        member_id = f"M{uuid7().int % 10**9:09d}"
        patient = Patient(
            number=self._numbers,
            first_name="Ada",
            last_name="Mercer",
            dob=date(1985, 4, 12),
            sex="F",
            payer_id=payer_id,
            member_id=member_id,
            copay_cents=copay_cents,
        )
        await opening.enrol(self.client, patient, {"deductible_used_cents": 50_000} | on_file)
        return patient

    async def authorization(self, patient: Patient, *, number: str, units: int, codes: list[str]) -> None:
        """The payer has authorized units, and the front desk, which knows the patient, has entered them."""
        patient_id = derived_id("pat", self.client.tenant_id, self.practice_id, patient.external_id)
        if patient.number not in self._at_desk:
            self._at_desk.add(patient.number)
            await opening.register(self.client, self.practice_id, patient)
        await opening.authorize(self.client, patient, patient_id, number=number, units=units, codes=codes)

    async def payer_will(self, patient: Patient, fault: str, **params: Any) -> None:
        """The payer does something wrong with the patient's next claim."""
        await self.client.post("sandbox", "/v1/scenarios", {"member_id": patient.member_id, "fault": fault, **params})

    async def payer_loads_clinician(self, payer_id: str) -> None:
        """The payer's letter has come: the clinician may bill from the first of the month."""
        today = (await self.today()).isoformat()
        path = f"/v1/enrollments/{self.enrollments[payer_id]}/steps"
        await opening.roster(self.client, self.practice, payer_id)
        await self.client.post("credentialing", path, {"step": "approve", "on": today})
        loaded = {"step": "load", "on": today, "payer_loaded_on": today, "effective_from": "2026-10-01"}
        await self.client.post("credentialing", path, loaded)
        await self.quiet()

    # -- what happens

    async def session(self, patient: Patient, *, kind: str = "individual", minutes: int = 45, **changes: Any) -> str:
        """A session of today has ended, and the EHR has told it; returns the id of its claim."""
        told = await self.tell_session(patient, kind=kind, minutes=minutes, **changes)
        await self.quiet()
        return await self.claim_of(told)

    async def tell_session(
        self,
        patient: Patient,
        /,
        *,
        kind: str = "individual",
        minutes: int = 45,
        at: datetime | None = None,
        external_id: str | None = None,
        **changes: Any,
    ) -> str:
        """The EHR has told a session, of today unless `at` says when; returns the EHR's id of it.

        The clinician's day begins in the morning, and each session where the one before ended.
        """
        self._numbers += 1
        session = Session(
            external_id=external_id or f"s-{self._numbers}",
            patient=patient,
            clinician=self.practice.clinicians[0],
            kind=kind,
            start=at or self._next_on(await self.today(), minutes),
            minutes=minutes,
            video=False,
        )
        body = encounter(self.practice, self.practice_id, self.location_id, session)
        await self.client.webhook("claims", self.source, f"msg-{session.external_id}", body | changes)
        return session.external_id

    def _next_on(self, day: date, minutes: int) -> datetime:
        """When the clinician's next session of that day begins."""
        start = max(self._free, datetime.combine(day, MORNING, tzinfo=ZONE))
        self._free = start + timedelta(minutes=minutes)
        assert start.date() == day, "the clinician's day is full"
        return start

    async def accepted_claim(self, *, billed_cents: int = 15_000) -> str:
        """A claim that its payer has taken in; returns its id."""
        await self.charges("90834", billed_cents)
        claim_id = await self.session(await self.patient())
        await self.claims_go_out()
        claim = await self.claim(claim_id)
        assert (claim["status"], claim["charge_cents"]) == ("accepted", billed_cents)
        return claim_id

    async def receive_835(self, name: str, *, claim: str) -> str:
        """The payer's answer from `tests/data` has been posted to the API; returns the remittance's id."""
        about = await self.claim(claim)
        sent = about["submissions"][-1]
        text = Template((DATA / name).read_text()).substitute(
            pcn=sent["patient_control_number"],
            icn=sent["payer_control_number"] or "HB1",
            date=f"{await self.today():%Y%m%d}",
            served=about["service_date"].replace("-", ""),
            npi=self.practice.npi,
            trace=f"T{uuid7().int % 10**12:012d}",
        )
        self._last_835 = text.replace("\n", "").encode()
        return await self.receive_again()

    async def receive_again(self) -> str:
        """The last 835 has been posted to the API, once more."""
        taken = await self.client.send("remittance", "/v1/remittances", self._last_835, "application/edi-x12")
        await self.quiet()
        return str(taken["remittance_ids"][0])

    # -- time

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.client.get("sandbox", "/v1/clock"))["now"])

    async def today(self) -> date:
        return (await self.now()).date()

    async def until(
        self, clock: str, *, weekday: int | None = None, meanwhile: Callable[[str], Awaitable[None]] | None = None
    ) -> None:
        """It is that time of day, today or later, and everything that was due has been done."""
        await self.quiet()
        now = await self.now()
        at = datetime.combine(now.date(), time.fromisoformat(clock), tzinfo=UTC)
        while at <= now or weekday not in (None, at.weekday()):
            at += timedelta(days=1)
        await self.client.post("sandbox", "/v1/clock/advance", {"to": at.isoformat()})
        if meanwhile is not None:
            await meanwhile(clock)
        await self.quiet()

    async def claims_go_out(self) -> None:
        """What is ready has been sent, and the acknowledgements have been read."""
        await self.until("18:00")
        await self.until("20:00")

    async def payer_pays(self, weekday: int) -> None:
        """What was sent is adjudicated, paid on that weekday, and its 835 is read the morning after."""
        if (await self.now()).hour < 22:
            await self.until("22:00")
        await self.until("23:00", weekday=weekday)
        await self.until("06:00")

    async def quiet(self) -> None:
        await quiet(self.client, patience_seconds=self.patience_seconds)

    async def bank(self) -> None:
        """The bookkeeper has entered what has arrived in the bank."""
        found = await self.client.get("sandbox", "/v1/bank", billing_npi=self.practice.npi)
        for one in found["data"]:
            told = {"trace": one["trace"], "amount_cents": one["amount_cents"], "deposited_on": one["date"]}
            await self.client.post("remittance", "/v1/deposits", told)
        await self.quiet()

    # -- what can be seen

    async def claim_of(self, external_id: str) -> str:
        """The id of the claim of a session."""
        found = await self.client.everything("claims", "/v1/encounters", external_id=external_id)
        assert len(found) == 1, f"one encounter of session {external_id}, not {len(found)}"
        return str(found[0]["claims"][0])

    async def claim(self, claim_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.client.get("claims", f"/v1/claims/{claim_id}")
        return found

    async def file_of(self, claim_id: str) -> str:
        """The 837 with which the claim went out last."""
        batch_id = (await self.claim(claim_id))["submissions"][-1]["batch_id"]
        found: bytes = await self.client.get("claims", f"/v1/batches/{batch_id}/file")
        return found.decode()

    async def status(self, claim_id: str) -> str:
        return str((await self.claim(claim_id))["status"])

    async def denials(self, claim_id: str) -> list[dict[str, Any]]:
        return await self.client.everything("claims", "/v1/denials", claim_id=claim_id)

    async def ledger(self, claim_id: str) -> dict[str, int]:
        """The claim's charge by bucket, those that hold nothing left out."""
        total = (await self.client.get("remittance", f"/v1/ledger/claims/{claim_id}"))["total"]
        return {name.removesuffix("_cents"): cents for name, cents in total.items() if cents}

    async def patient_owes(self, claim_id: str) -> int:
        """What the patient of this claim owes for everything, in cents."""
        patient_id = (await self.claim(claim_id))["patient_id"]
        return int((await self.client.get("remittance", f"/v1/patients/{patient_id}/balance"))["balance_cents"])

    async def totals(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.client.get("remittance", "/v1/ledger/totals")
        return found

    async def tasks(self) -> Counter[str]:
        """How much work waits for people, by reason."""
        return Counter(item["reason"] for item in await self.client.everything("reporting", "/v1/worklist"))

    async def facts(self) -> Counter[str]:
        """How many facts of each kind this practice has told."""
        told = await self._events()
        return Counter({kind: count for kind, count in told.items() if not kind.endswith(STATE)})

    @asynccontextmanager
    async def expects(self, *events: str) -> AsyncIterator[None]:
        """Inside the block exactly these facts are told, each as often as named; of states those that are named."""
        before = await self._events()
        yield
        await self.quiet()
        told = await self._events()
        told.subtract(before)
        wanted = Counter(events)
        missing = {kind: count for kind, count in wanted.items() if told[kind] < count}
        unexpected = {
            kind: count for kind, count in told.items() if count > wanted[kind] and not (kind.endswith(STATE))
        }
        assert not missing, f"not told: {missing}; told: {+told}"
        assert not unexpected, f"told, but not expected: {unexpected}"

    async def _events(self) -> Counter[str]:
        summary = await self.client.get("reporting", "/v1/summary")
        return Counter({kind.removesuffix(".v1"): count for kind, count in summary["events_by_topic"].items()})

    async def _office_hours(self) -> None:
        """It is the afternoon of a Monday to Thursday, so that a day's claims go out on a working day."""
        clock = await self.client.get("sandbox", "/v1/clock")
        if datetime.fromisoformat(clock["now"]) < BEGIN or not clock["frozen"]:
            await self.client.post("sandbox", "/v1/clock/set", {"at": BEGIN.isoformat()})
            return
        await self.until(OFFICE)
        while (await self.now()).weekday() > THURSDAY:
            await self.until(OFFICE)


def _a_practice(not_loaded_at: str | None = None) -> Practice:
    """A practice with one clinician; both have numbers that nobody else has."""
    unique = uuid7().int
    clinician = Clinician(
        npi=npi(f"1{unique % 10**8:08d}"),
        first_name="Luis",
        last_name="Ortega",
        taxonomy="1041C0700X",
        credential="LCSW",
        waits_for=not_loaded_at,
    )
    return Practice(
        seed=0, name="Elm Street Therapy", npi=npi(f"1{unique // 10**8 % 10**8:08d}"), clinicians=(clinician,)
    )
