"""Standard Webhooks: a body is its sender's, whole, and of these five minutes."""

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common import signatures
from libs.common.problems import Problem

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_specifications_own_example_holds() -> None:
    """From standard-webhooks' reference: the same secret, id, time and body give this signature."""
    body = b'{"test": 2432232314}'
    signature = signatures.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=500))
def test_what_is_signed_is_taken(body: bytes) -> None:
    secret = signatures.new_secret()
    now = int(time.time())
    signature = signatures.sign(secret, "msg_1", now, body)
    taken = signatures.verify([secret], webhook_id="msg_1", timestamp=str(now), signatures=signature, body=body)
    assert taken == "msg_1"


def check(*, body: bytes = b"{}", changes: Mapping[str, str | None] = MappingProxyType({})) -> str:
    now = 1_800_000_000
    given: dict[str, str | None] = {
        "webhook_id": "msg_1",
        "timestamp": str(now),
        "signatures": signatures.sign(SECRET, "msg_1", now, b"{}"),
        **changes,
    }
    return signatures.verify([SECRET], body=body, at=datetime.fromtimestamp(now, UTC), **given)


def test_the_example_of_these_tests_holds() -> None:
    assert check() == "msg_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_id": None},
        {"timestamp": None},
        {"signatures": None},
        {"timestamp": "yesterday"},
        {"timestamp": "1" * 20},
        {"webhook_id": "x" * 129},
        {"webhook_id": "msg\n1"},
    ],
)
def test_unreadable_headers_are_malformed(changes: dict[str, str | None]) -> None:
    with pytest.raises(Problem) as refused:
        check(changes=changes)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_id": "msg_2"},
        {"timestamp": "1800000001"},
        {"timestamp": "1799999699"},
        {"timestamp": "1800000301"},
        {"signatures": "v1,AAAA"},
        {"signatures": "v1,é"},
        {"signatures": "v2," + "A" * 44},
        {"signatures": "AAAA"},
        {"signatures": " "},
    ],
)
def test_another_id_time_or_signature_does_not_hold(changes: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        check(changes=changes)
    assert refused.value.status == 401


def test_another_body_does_not_hold() -> None:
    with pytest.raises(Problem):
        check(body=b"{ }")


def test_while_a_secret_rotates_either_holds_and_either_may_sign() -> None:
    old, new, other = (signatures.new_secret() for _ in range(3))
    now = int(time.time())
    both = " ".join(signatures.sign(secret, "msg_1", now, b"{}") for secret in (other, old))
    taken = signatures.verify([new, old], webhook_id="msg_1", timestamp=str(now), signatures=both, body=b"{}")
    assert taken == "msg_1"


def test_a_new_secret_is_long_and_in_the_usual_form() -> None:
    secret = signatures.new_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
