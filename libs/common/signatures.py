"""Standard Webhooks signatures, both ways: who sent this body, and when.

The headers are `webhook-id`, `webhook-timestamp` (seconds since 1970, wall time) and `webhook-signature`, one or more
of `v1,<base64 HMAC-SHA256 of "id.timestamp.body">` with spaces between, several while a secret rotates.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from libs.common.clock import wall
from libs.common.problems import Malformed, Unauthorized

PREFIX: Final = "whsec_"
TOLERANCE_SECONDS: Final = 300
_LONGEST_ID: Final = 128


def new_secret() -> str:
    """A fresh secret in the form that Standard Webhooks libraries read."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature, `v1,<base64>`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def verify(
    accepted: Iterable[str],
    *,
    webhook_id: str | None,
    timestamp: str | None,
    signatures: str | None,
    body: bytes,
    at: datetime | None = None,
) -> str:
    """The webhook-id, if one of the secrets signed this body within five minutes of wall time.

    Raises Malformed (400) for missing or unreadable headers, Unauthorized (401) for the rest.
    """
    if not webhook_id or not timestamp or not signatures:
        raise Malformed("webhook-id, webhook-timestamp and webhook-signature are needed.", code="signature_missing")
    if len(webhook_id) > _LONGEST_ID or not (webhook_id.isascii() and webhook_id.isprintable()):
        raise Malformed("webhook-id is at most 128 printable characters.", code="signature_missing")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13):
        raise Malformed("webhook-timestamp is seconds since 1970.", code="signature_missing")
    if abs((at or wall()).timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unauthorized("webhook-timestamp is more than five minutes off.")
    given = [one.encode() for one in signatures.split(" ") if one.startswith("v1,")]
    right = [sign(secret, webhook_id, int(timestamp), body).encode() for secret in accepted]
    if not any([hmac.compare_digest(one, other) for one in given for other in right]):
        raise Unauthorized("No signature of this body by a secret of this source.")
    return webhook_id
