"""What comes in from the EHR's webhook."""

import base64
import hashlib
import hmac
import time

import orjson

from tests.calls import Api
from tests.eligibility.visits import practice_of


async def post(api: Api, source: dict[str, str], body: bytes, webhook_id: str = "msg_1") -> int:
    """A signed message, as Standard Webhooks says."""
    stamp = str(int(time.time()))
    secret = base64.b64decode(source["secret"].removeprefix("whsec_"))
    signed = hmac.digest(secret, f"{webhook_id}.{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        "content-type": "application/json",
    }
    return (await api.http.post(f"/v1/inbound/{source['id']}", content=body, headers=headers)).status_code


async def a_source(api: Api) -> dict[str, str]:
    return await api.post("/v1/webhook-sources", {"kind": "ehr", "name": "Acme EHR"})


def a_message(api: Api, **changes: object) -> bytes:
    patient = {
        "practice_id": practice_of(api),
        "external_id": "MRN-7",
        "first_name": "Kim",
        "last_name": "Lee",
        "dob": "1999-09-09",
        "sex": "U",
        **changes,
    }
    coverages = [{"payer_id": "pay_summit", "member_id": "S77"}]
    return orjson.dumps({"type": "patient.upserted", "patient": patient, "coverages": coverages, "their_field": 1})


async def test_a_patient_comes_by_webhook(api: Api) -> None:
    assert await post(api, await a_source(api), a_message(api)) == 202
    await api.run_due()
    [found] = (await api.get("/v1/patients?external_id=MRN-7"))["data"]
    assert (found["last_name"], found["coverages"][0]["member_id"]) == ("Lee", "S77")


async def test_a_message_that_cannot_be_mapped_is_visible_and_has_a_task(api: Api) -> None:
    await post(api, await a_source(api), a_message(api, dob="yesterday"))
    await api.run_due()
    [failed] = (await api.get("/v1/inbound-messages"))["data"]
    assert (failed["status"], failed["errors"][0]["pointer"]) == ("failed", "/patient/dob")
    assert [task["reason"] for task in await api.tasks()] == ["inbound_message_failed"]
