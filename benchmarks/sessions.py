"""Sessions as an EHR posts them, each another patient's, to a practice that is known."""

from collections.abc import Iterable
from typing import Any

import orjson

from benchmarks.client import request
from benchmarks.stage import Stage
from libs.common.ids import new_id
from services.claims.app import create_service
from tests.calls import open_api
from tests.claims.conftest import Desk, another_session
from tests.clearinghouse import FakeClearinghouse


async def know_practice(stage: Stage, tenant: str) -> None:
    """Claims has been told of the tenant's practice, its clinician and its place."""
    async with open_api(create_service(), stage.database, stage.home / "desk") as api:
        api.tenant = tenant
        await Desk(api, FakeClearinghouse()).know_practice()
    await stage.database.close()


def session(number: int) -> dict[str, Any]:
    """The example of the API's description, of a patient of its own."""
    return another_session(f"bench-{number}", patient={"external_id": f"MRN-{number}"})


def post(stage: Stage, tenant: str, path: str, body: Any) -> bytes:
    """A POST with a token of the tenant and a key of its own."""
    return request(
        path,
        orjson.dumps(body),
        authorization=f"Bearer {stage.token(tenant)}",
        idempotency_key=new_id("key"),
    )


def posts(stage: Stage, tenant: str, numbers: Iterable[int]) -> list[bytes]:
    """`POST /v1/encounters` for each number."""
    authorization = f"Bearer {stage.token(tenant)}"
    return [
        request("/v1/encounters", orjson.dumps(session(n)), authorization=authorization, idempotency_key=new_id("key"))
        for n in numbers
    ]
