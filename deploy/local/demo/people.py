"""What people do in the month: the front desk, the biller, the credentialing specialist, the bookkeeper.

Each looks at what Parity shows them and acts through its API. The order of their work is that of the sessions, never
that in which something happened to arrive.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from deploy.local.demo.client import Client
from deploy.local.demo.encounters import encounter
from deploy.local.demo.opening import Opened, authorize
from deploy.local.demo.practice import Practice, Session

LOADED_ON = date(2026, 10, 16)
MORE_UNITS_ON = date(2026, 10, 26)
DECIDES_ON = 4  # Friday


@dataclass(slots=True)
class People:
    """Everybody who works at the practice."""

    client: Client
    practice: Practice
    opened: Opened
    banked: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    async def sessions_end(self, day: date) -> None:
        """The EHR sends the sessions of the day; the odd ones in their odd ways."""
        for session in self.practice.on(day):
            await self._send(session)

    async def morning(self, day: date) -> None:
        """Before the first session of a day: what came back is looked at, and what was wrong is sent again."""
        for session in self.practice.sessions:
            if session.service_date != day - timedelta(days=1):
                continue
            if session.oddity in ("up_code", "unsigned"):
                await self._webhook(replace(session, oddity=None), "again")
            elif session.oddity == "second_id":
                await self._webhook(replace(session, external_id=f"{session.external_id}-copy"))
        if day == LOADED_ON:
            await self._clinician_is_loaded(day)
        if day == MORE_UNITS_ON:
            await self._more_units()
        await self._bank(day)
        await self._denials(day)
        await self._rejections()
        if day.weekday() == DECIDES_ON:
            await self._queue()

    async def _send(self, session: Session) -> None:
        match session.oddity:
            case "webhook_twice":
                await self._webhook(session)
                await self._webhook(session)
            case "sent_twice":
                await self._webhook(session)
                await self._webhook(session, "repeat")
            case "malformed":
                await self._webhook(session, "wrong", {"coverages": [_unknown_payer(session)]})
                await self._webhook(session)
            case "unsigned" | "unsigned_left":
                await self._webhook(session, "draft", {"documentation": {"note_id": f"n-{session.external_id}"}})
            case _:
                await self._webhook(session)

    async def _webhook(self, session: Session, suffix: str = "", changes: dict[str, Any] | None = None) -> None:
        body = encounter(self.practice, self.opened["practice_id"], self.opened["location_id"], session)
        message_id = f"msg-{session.external_id}{'-' if suffix else ''}{suffix}"
        await self.client.webhook("claims", self.opened["source"], message_id, body | (changes or {}))

    async def _clinician_is_loaded(self, day: date) -> None:
        """The payer's letter has come: the clinician may bill from the first of the month."""
        for clinician in self.practice.clinicians:
            if clinician.waits_for is None:
                continue
            path = f"/v1/enrollments/{self.opened['enrollments'][clinician.npi, clinician.waits_for]}/steps"
            await self.client.post("credentialing", path, {"step": "approve", "on": day.isoformat()})
            loaded = {"step": "load", "on": day.isoformat(), "effective_from": "2026-10-01"}
            await self.client.post("credentialing", path, loaded | {"payer_loaded_on": day.isoformat()})
            await self.client.post(
                "sandbox",
                "/v1/rosters",
                {
                    "payer_id": clinician.waits_for,
                    "npi": clinician.npi,
                    "billing_npi": self.practice.npi,
                    "effective_from": "2026-10-01",
                    "taxonomy": clinician.taxonomy,
                },
            )
            self.done.append("a clinician was loaded by the payer, and the claims that waited went out")

    async def _more_units(self) -> None:
        """The first patient whose authorization ran out gets another one; the others wait for the payer."""
        patients = [p for p in self.practice.patients if any(s.kind == "long" for s in self._of(p.number))]
        if patients:
            first = patients[0]
            number = f"BB{first.number:04d}B"
            await authorize(self.client, self.opened, first, number=number, codes=["90837"], units=6)
            self.done.append("a used-up authorization was renewed, and the sessions that waited went out")

    def _of(self, number: int) -> list[Session]:
        return [session for session in self.practice.sessions if session.patient.number == number]

    async def _bank(self, day: date) -> None:
        """The bookkeeper enters what has arrived in the bank."""
        found = await self.client.get("sandbox", "/v1/bank", to=day.isoformat())
        for deposit in found["data"]:
            if deposit["trace"] not in self.banked:
                self.banked.add(deposit["trace"])
                await self.client.post(
                    "remittance",
                    "/v1/deposits",
                    {
                        "trace": deposit["trace"],
                        "amount_cents": deposit["amount_cents"],
                        "deposited_on": deposit["date"],
                    },
                )

    async def _denials(self, day: date) -> None:
        """The biller works the open denials: correct, appeal, bill the patient, or give up."""
        for denial in await self._in_order(await self.client.everything("claims", "/v1/denials", status="open")):
            path = f"/v1/denials/{denial['id']}"
            match denial["reason_code"]:
                case "4":
                    await self._add_level(path, denial)
                case "50":
                    await self.client.post("claims", f"{path}/appeals", {"kind": "reconsideration"})
                case "16":
                    await self.client.post("claims", f"{path}/write-off", {"why": "not worth another round"})
                case "26" | "27" if day.weekday() == DECIDES_ON:
                    await self.client.post("claims", f"{path}/bill-patient", {"why": "coverage had ended"})

    async def _add_level(self, path: str, denial: dict[str, Any]) -> None:
        claim = await self.client.get("claims", f"/v1/claims/{denial['claim_id']}")
        line = next(line for line in claim["lines"] if line["id"] == denial["line_id"])
        changes = {"line_id": line["id"], "modifiers": ["HO", *line["modifiers"]]}
        await self.client.post("claims", f"{path}/corrections", {"why": "level modifier added", "lines": [changes]})
        self.done.append("a denied claim was corrected, replaced and paid")

    async def _rejections(self) -> None:
        """A rejected claim whose data is right goes out again as it is."""
        rejected = await self.client.everything("claims", "/v1/claims", status="rejected")
        for row in await self._in_order(rejected, "id"):
            claim = await self.client.get("claims", f"/v1/claims/{row['id']}")
            changes = {"why": "number on file confirmed with the payer", "place_of_service": claim["place_of_service"]}
            await self.client.post("claims", f"/v1/claims/{claim['id']}/corrections", changes)

    async def _queue(self) -> None:
        """Remittances that do not balance: the payer has confirmed the smaller ones, which are posted."""
        waiting = await self.client.everything("remittance", "/v1/remittances", status="needs_decision")
        for era in waiting[:1]:
            decision = {"decision": "post", "reason": "the payer confirmed the amount by phone"}
            await self.client.post("remittance", f"/v1/remittances/{era['id']}/decisions", decision)

    async def _in_order(self, rows: list[dict[str, Any]], name: str = "claim_id") -> list[dict[str, Any]]:
        """By the sessions that they are about."""
        encounters = {}
        for row in rows:
            claim = await self.client.get("claims", f"/v1/claims/{row[name]}")
            encounter_ = await self.client.get("claims", f"/v1/encounters/{claim['encounter_id']}")
            encounters[row["id"]] = encounter_["external_id"]
        return sorted(rows, key=lambda row: encounters[row["id"]])


def _unknown_payer(session: Session) -> dict[str, Any]:
    return {"rank": 1, "payer": {"id": "pay_nowhere"}, "member_id": session.patient.member_id, "relationship": "self"}
