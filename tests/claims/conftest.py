"""A billing desk: claims with its surroundings played, over a real database and the X12 that really goes out."""

import copy
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from libs import x12
from libs.common.events import (
    DenialRaised,
    EligibilityChecked,
    EnrollmentChanged,
    PaymentPosted,
    PracticeChanged,
    ProviderChanged,
)
from libs.common.events.credentialing import Address, BillableSpan, PracticeIdentity, ProviderIdentity
from libs.common.events.eligibility import CheckedIdentity
from libs.common.events.remittance import Buckets, PostedLine
from libs.common.ids import new_id
from services.claims.app import create_service
from services.claims.views import EXAMPLE
from tests.calls import NOON, Api, open_api
from tests.clearinghouse import FakeClearinghouse
from tests.conftest import TestDatabase

PRACTICE, PROVIDER, NPI, GROUP_NPI = "prc_1", "prv_1", "1234567893", "1999999984"
SERVICE_DATE = date(2026, 10, 5)


def an_encounter(external_id: str = "ehr-1", **changes: Any) -> dict[str, Any]:
    """The example of the API's description, signed and insured; a change is given as `service={"date": …}`."""
    body: dict[str, Any] = copy.deepcopy(EXAMPLE)
    body |= {"external_id": external_id, "practice_id": PRACTICE}
    body["providers"]["rendering"] = {"npi": NPI}
    body["documentation"]["signer_npi"] = NPI
    body["documentation"]["attests"]["telehealth_consent"] = True
    for name, change in changes.items():
        body[name] = body[name] | change if isinstance(change, dict) and name in body else change
    return body


def another_session(external_id: str, **changes: Any) -> dict[str, Any]:
    """The same kind of session of another patient, named after the session; at no hour that anybody wrote down."""
    number = external_id.rpartition("-")[2]
    changes["service"] = {"start": None, "stop": None} | changes.get("service", {})
    return an_encounter(
        external_id, **{"patient": {"external_id": f"MRN-{number}", "first_name": f"P{number}"}} | changes
    )


@dataclass(slots=True)
class Desk:
    """What a biller, the EHR, the payer and the other services do around claims."""

    api: Api
    clearinghouse: FakeClearinghouse

    async def know_practice(self) -> None:
        """Credentialing has told of the practice and its clinician."""
        address = Address(line1="7 Oak Ave", city="Austin", state="TX", zip="787010007")
        identity = PracticeIdentity(
            name="Bright Minds",
            npi=GROUP_NPI,
            tin="741234567",
            taxonomy="261QM0801X",
            address=address,
            contact_name="Billing Desk",
            phone="5125550100",
        )
        await self.api.deliver(PracticeChanged(practice_id=PRACTICE, status="active", sealed=identity))
        person = ProviderIdentity(npi=NPI, first_name="Ada", last_name="Reyes", taxonomy="1041C0700X")
        await self.api.deliver(
            ProviderChanged(
                provider_id=PROVIDER, practice_ids=[PRACTICE], status="active", level="master", sealed=person
            )
        )

    async def enroll(self, payer_id: str = "pay_harborbh", since: date = date(2026, 1, 1)) -> None:
        await self.api.deliver(
            EnrollmentChanged(
                enrollment_id=f"enr_{payer_id[4:]}",
                provider_id=PROVIDER,
                practice_id=PRACTICE,
                payer_id=payer_id,
                status="effective",
                billable=[BillableSpan(effective_from=since)],
            )
        )

    async def set_account(self) -> None:
        account = self.clearinghouse.account
        body = {name: getattr(account, name) for name in ("submitter_id", "receiver_id", "url", "api_key")}
        answer = await self.api.call("PUT", "/v1/clearinghouse-account", body)
        assert answer.is_success, answer.text

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """The EHR posts an encounter; what the API answered."""
        return await self.api.post("/v1/encounters", body)

    async def check(self, encounter_id: str, **changes: Any) -> None:
        """Eligibility tells the payer's answer for the encounter."""
        row = await self.api.get(f"/v1/encounters/{encounter_id}")
        given: dict[str, Any] = {
            "encounter_id": encounter_id,
            "check_id": new_id("elg"),
            "patient_id": row["patient_id"],
            "practice_id": PRACTICE,
            "coverage_id": "cov_1",
            "payer_id": "pay_harborbh",
            "bill_payer_id": "pay_harborbh",
            "outcome": "active",
            "authorization": "not_required",
            "sealed": CheckedIdentity(member_id="HB123", group_number="G9"),
        }
        await self.api.deliver(EligibilityChecked(**given | changes))
        await self.api.run_due()

    async def claim(self, encounter: dict[str, Any]) -> dict[str, Any]:
        return await self.api.get(f"/v1/claims/{encounter['claims'][0]}")

    async def at(self, hour: int, day: int = 5, month: int = 10) -> None:
        """Business time is that hour, and everything that is then due has been done."""
        await self.api.set_clock(datetime(2026, month, day, hour, tzinfo=UTC))
        await self.api.run_due()

    def sent_file(self, index: int = -1) -> x12.ClaimFile:
        """An 837 as the clearinghouse has it."""
        return x12.read(self.clearinghouse.files[index].x12).one(x12.ClaimFile)

    def acknowledge(
        self, *pcns: str, category: str = "A2", code: str = "20", icn: str = "ICN1", usage: str = "P"
    ) -> None:
        """The payer's 277CA waits in the mailbox."""
        action = "WQ" if category in {"A0", "A1", "A2"} else "U"
        moment = datetime(2026, 10, 5, 19, tzinfo=UTC).replace(tzinfo=None)
        record = x12.ClaimAcknowledgement(
            envelope=x12.Envelope(
                sender_id="HRBBH", receiver_id="PARITY01", control_number=7, created=moment, usage=usage
            ),
            source=x12.Party(name="HARBOR BEHAVIORAL", id_qualifier="PI", id="HRBBH", code="PR"),
            receiver=x12.Party(name="BRIGHT MINDS", id_qualifier="46", id="PARITY01"),
            reference="CA1",
            created=moment,
            trace="CA0001",
            received=SERVICE_DATE,
            processed=SERVICE_DATE,
            batch=x12.Tally(
                trace="B000000001",
                statuses=(x12.Status(category="A1", code="20", entity="PR", effective=SERVICE_DATE, action="WQ"),),
            ),
            claims=tuple(
                x12.AcknowledgedClaim(
                    pcn=pcn,
                    statuses=(
                        x12.Status(category=category, code=code, entity="IL", effective=SERVICE_DATE, action=action),
                    ),
                    patient=x12.Party(person=True, name="RIVERA", first_name="JO", id_qualifier="MI", id="HB123"),
                    provider=x12.Party(name="BRIGHT MINDS", id_qualifier="XX", id=GROUP_NPI),
                    payer_control_number=icn,
                    service_date=SERVICE_DATE,
                )
                for pcn in pcns
            ),
        )
        self.clearinghouse.deliver("277CA", x12.write_277ca(record))

    async def submitted(self, external_id: str = "ehr-1", **changes: Any) -> dict[str, Any]:
        """An encounter whose claim has gone out at 18:00 of its day."""
        encounter = await self.send(an_encounter(external_id, **changes))
        await self.check(encounter["id"])
        await self.at(18)
        return encounter

    async def post(
        self,
        encounter: dict[str, Any],
        outcome: str,
        day: int = 12,
        more: dict[str, Any] | None = None,
        **amounts: int,
    ) -> None:
        """Remittance posted the payer's decision on the claim; `more` is what else it told."""
        claim = await self.claim(encounter)
        zero = dict.fromkeys(Buckets.model_fields, 0)
        moved = {f"{name}_cents": amounts.get(name, 0) for name in ("paid", "contractual", "patient", "denied")}
        given: dict[str, Any] = {
            "claim_id": claim["id"],
            "posting_id": new_id("pst"),
            "era_id": new_id("era"),
            "practice_id": PRACTICE,
            "payer_id": claim["payer_id"],
            "submission_id": claim["submissions"][-1]["id"],
            "entry": "reversal" if outcome == "reversed" else "payment",
            "outcome": outcome,
            "claim_status": "1",
            "payer_control_number": "ICN835",
            "paid_on": date(2026, 10, day),
            "lines": [PostedLine(line_id=claim["lines"][0]["id"], withheld_cents=0, **moved)],
            "buckets": Buckets(**zero | {"billed_cents": claim["charge_cents"]}),
        }
        await self.api.deliver(PaymentPosted(**given | moved | (more or {})))

    async def deny(self, encounter: dict[str, Any], reason: str, group: str = "CO", **changes: Any) -> dict[str, Any]:
        """Remittance posted a denial of the claim's first line and raised it; the case that it opened."""
        claim = await self.claim(encounter)
        given: dict[str, Any] = {
            "claim_id": claim["id"],
            "denial_id": new_id("dnl"),
            "line_id": claim["lines"][0]["id"],
            "era_id": new_id("era"),
            "practice_id": PRACTICE,
            "payer_id": claim["payer_id"],
            "group_code": group,
            "reason_code": reason,
            "denied_cents": claim["charge_cents"],
            "code_family": claim["code_family"],
            "payer_control_number": "ICN835",
            "raised_on": date(2026, 10, 12),
        } | changes
        await self.post(encounter, "denied", denied=claim["charge_cents"])
        await self.api.deliver(DenialRaised(**given))
        return await self.api.get(f"/v1/denials/{given['denial_id']}")


@dataclass(slots=True)
class Line:
    """The wire to whichever clearinghouse the present test plays."""

    clearinghouse: FakeClearinghouse

    def carry(self, request: httpx.Request) -> httpx.Response:
        return self.clearinghouse._handle(request)


@pytest.fixture(scope="module")
async def wired(
    module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Api, Line]]:
    """The service, once for a module, since building it costs more than any test does."""
    line = Line(FakeClearinghouse())
    outside = httpx.MockTransport(line.carry)
    async with open_api(create_service(), module_database, tmp_path_factory.mktemp("keys"), outside=outside) as api:
        yield api, line


@pytest.fixture
async def desk(wired: tuple[Api, Line]) -> Desk:
    """A desk of a tenant of its own, with a practice, a clinician whom Harbor has loaded, and a clearinghouse."""
    shared, line = wired
    api = replace(shared, tenant=new_id("tnt"), sequences={})
    fake = line.clearinghouse = FakeClearinghouse()
    fake.account = replace(fake.account, submitter_id=f"P{api.tenant[-12:].upper()}")
    found = Desk(api, fake)
    await api.set_clock(NOON)
    await found.set_account()
    await found.know_practice()
    await found.enroll()
    return found
