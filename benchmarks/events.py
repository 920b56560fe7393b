"""Events as claims tells them, each of another claim."""

from libs.common.events import ClaimUpdated, write
from libs.common.ids import new_id, uuid7

TOPIC = ClaimUpdated.topic

Row = tuple[str, str, str, str, bytes]


def told(number: int) -> ClaimUpdated:
    """A claim that has become ready."""
    return ClaimUpdated(
        claim_id=new_id("clm"),
        encounter_id=new_id("enc"),
        practice_id="prc_bench",
        patient_id=new_id("pat"),
        provider_id=None,
        payer_id="pay_medicare",
        status="ready",
        owner="payer",
        code_family="psychotherapy",
        charge_cents=17_500 + number % 100,
        clean=True,
        attempts=0,
    )


def rows(count: int) -> list[Row]:
    """As they stand in the outbox: event id, topic, key, tenant, value."""
    return [_row(told(number)) for number in range(count)]


def _row(event: ClaimUpdated) -> Row:
    attributes = {
        "id": str(uuid7()),
        "type": event.full_type(),
        "source": "/services/claims",
        "subject": event.subject(),
        "sequence": "2",
        "time": "2026-10-05T12:00:00+00:00",
        "tenantid": "tnt_bench",
    }
    return attributes["id"], TOPIC, event.subject(), "tnt_bench", write(attributes, event, None)
