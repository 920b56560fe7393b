"""Promise: what nobody can have meant, or nobody may say, is refused by every API, and costs it nothing."""

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.types import ASGIApp

from libs.common.ids import uuid7
from tests.calls import Api
from tests.contracts.generate import SERVICES

pytestmark = pytest.mark.thorough

EACH = {
    "credentialing": "/v1/practices",
    "eligibility": "/v1/patients",
    "claims": "/v1/encounters",
    "remittance": "/v1/deposits",
    "reporting": "/v1/webhook-endpoints",
}
"""A POST of each service that takes JSON."""


# -- tokens; `tests/common/test_auth.py` tries the verifier by itself


def _tokens(api: Api) -> dict[str, str]:
    now = int(time.time())
    good = jwt.decode(api.token(), options={"verify_signature": False})
    header = jwt.get_unverified_header(api.token())
    jwks = orjson.loads(api.keys.jwks.read_bytes())["keys"][0]
    public = jwt.PyJWK(jwks).key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    stranger = ec.generate_private_key(ec.SECP256R1())

    def forged(header: dict[str, Any], claims: dict[str, Any], key: bytes = b"") -> str:
        text = ".".join(_b64(orjson.dumps(part)) for part in (header, claims))
        return f"{text}.{_b64(hmac.digest(key, text.encode(), hashlib.sha256)) if key else ''}"

    def by_issuer(claims: dict[str, Any]) -> str:
        return jwt.encode(claims, api.keys.signing_key.read_text(), algorithm="ES256", headers={"kid": header["kid"]})

    def by_stranger(**more: Any) -> str:
        return jwt.encode(good, stranger, algorithm="ES256", headers={"kid": header["kid"], **more})

    cut = api.token().rpartition(".")[0]
    return {
        "expired": api.token(seconds=-3600),
        "of another issuer": by_issuer(good | {"iss": "https://issuer.example"}),
        "for another audience": by_issuer(good | {"aud": "billing"}),
        "for several audiences, none of them this": by_issuer(good | {"aud": ["billing", "reports"]}),
        "for an audience whose name begins like this": by_issuer(good | {"aud": f"{good['aud']}-test"}),
        "for nobody in particular": by_issuer(good | {"aud": None}),
        "for an empty list of audiences": by_issuer(good | {"aud": []}),
        "without an audience": by_issuer({name: value for name, value in good.items() if name != "aud"}),
        "unsigned": forged({"alg": "none", "typ": "JWT"}, good),
        "unsigned, in other letters": forged({"alg": "NoNe", "kid": header["kid"]}, good),
        "signature cut off": f"{cut}.",
        "HS256 with the public key": forged({"alg": "HS256", "kid": header["kid"]}, good, pem),
        "HS256 with the key's own JSON": forged({"alg": "HS256", "kid": header["kid"]}, good, orjson.dumps(jwks)),
        "another key under the same kid": by_stranger(),
        "a key of its own in the header": by_stranger(
            jwk=json.loads(jwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))
        ),
        "a key address in the header": by_stranger(jku="http://127.0.0.1:1/jwks.json"),
        "kid that is a path": by_stranger(kid="../../../../dev/null"),
        "kid that is SQL": by_stranger(kid="x' union select 'secret"),
        "claims changed": f"{cut.partition('.')[0]}.{_b64(orjson.dumps(good | {'tenant_id': 'tnt_other'}))}."
        + api.token().rpartition(".")[2],
        "not before tomorrow, by a stranger": jwt.encode(good | {"nbf": now + 86400}, stranger, algorithm="ES256"),
    }


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_token_that_does_not_hold_opens_no_service(service: str, apis: dict[str, Api]) -> None:
    api = apis[service]
    assert (await api.call("GET", "/v1/tasks")).status_code == 200
    for name, token in _tokens(api).items():
        answer = await api.call("GET", "/v1/tasks", token=token)
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"].startswith("Bearer"), name
    assert (await api.call("GET", "/v1/tasks", token=_for_two_audiences(api))).status_code == 200


def _for_two_audiences(api: Api) -> str:
    """A token that is meant for this platform and for another one: its issuer may say so (RFC 7519, 4.1.3)."""
    good = jwt.decode(api.token(), options={"verify_signature": False})
    kid = jwt.get_unverified_header(api.token())["kid"]
    several = good | {"aud": ["billing", good["aud"]]}
    return jwt.encode(several, api.keys.signing_key.read_text(), algorithm="ES256", headers={"kid": kid})


# -- signatures; `tests/common/test_webhooks.py` tries what becomes of a message


@pytest.mark.parametrize("service", ["claims", "remittance"])
async def test_a_webhook_with_a_signature_that_does_not_hold_is_not_kept(service: str, apis: dict[str, Api]) -> None:
    api = apis[service]
    kind = next(iter(api.service.inbound))
    source = await api.post("/v1/webhook-sources", {"kind": kind, "name": "a source"})
    key, body, now = (
        base64.b64decode(source["secret"].removeprefix("whsec_")),
        b'{"external_id": "1"}',
        int(time.time()),
    )

    async def send(id_: str, at: int, *, signed: bytes = body, key: bytes = key, version: str = "v1") -> httpx.Response:
        signature = base64.b64encode(hmac.digest(key, f"{id_}.{at}.".encode() + signed, hashlib.sha256)).decode()
        headers = {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": f"{version},{signature}"}
        return await api.http.post(
            f"/v1/inbound/{source['id']}", content=body, headers=headers | {"Content-Type": "application/json"}
        )

    for name, answer in {
        "another secret": await send("msg-1", now, key=b"another secret"),
        "another body": await send("msg-1", now, signed=body + b" "),
        "old": await send("msg-1", now - 3600),
        "of the future": await send("msg-1", now + 3600),
        "another version": await send("msg-1", now, version="v9"),
    }.items():
        assert answer.status_code in (400, 401), (name, answer.status_code)
    assert (await send("msg-2", now)).status_code == 202
    again = await send("msg-2", now)
    kept = (await api.get(f"/v1/inbound-messages?source_id={source['id']}"))["data"]
    assert (again.status_code, len(kept)) == (202, 1), "a replay is taken, and changes nothing"


# -- bodies; `tests/common/test_bodies.py` tries the reader by itself

_DEEP = b"[" * 100_000 + b"]" * 100_000
_WRONG: tuple[tuple[str, bytes, dict[str, str], frozenset[int]], ...] = (
    ("deep JSON", _DEEP, {}, frozenset({400, 413})),
    ("deep objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, {}, frozenset({400, 413})),
    ("broken UTF-8", b'{"name": "\xff\xfe\xc3\x28"}', {}, frozenset({400})),
    ("half a surrogate", b'{"name": "\\ud800"}', {}, frozenset({400, 422})),
    ("UTF-16", '{"name": "x"}'.encode("utf-16"), {}, frozenset({400})),
    ("a number without end", b'{"amount_cents": ' + b"9" * 5000 + b"}", {}, frozenset({400, 422})),
    ("not a number", b'{"amount_cents": NaN}', {}, frozenset({400})),
    ("a gzip bomb", gzip.compress(bytes(50_000_000)), {"Content-Encoding": "gzip"}, frozenset({415})),
    ("two encodings", gzip.compress(b"{}"), {"Content-Encoding": "gzip, gzip"}, frozenset({415})),
    ("nothing at all", b"", {}, frozenset({400, 422})),
    ("only NUL", bytes(1000), {}, frozenset({400})),
    ("a million names", b"{" + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}", {}, frozenset({413, 422})),
)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_body_that_nobody_can_mean_is_refused(service: str, apis: dict[str, Api]) -> None:
    api = apis[service]
    for name, body, more, wanted in _WRONG:
        headers = {"Authorization": f"Bearer {api.token()}", "Idempotency-Key": uuid7().hex} | more
        answer = await api.http.post(
            EACH[service], content=body, headers=headers | {"Content-Type": "application/json"}
        )
        assert answer.status_code in wanted, (name, answer.status_code, answer.text[:200])
        assert answer.headers["content-type"] == "application/problem+json", name


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("service", SERVICES)
async def test_of_a_hundred_megabytes_no_more_is_read_than_is_taken(
    service: str, announced: bool, apis: dict[str, Api]
) -> None:
    api, chunk, size = apis[service], bytes(1_000_000), 100_000_000
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        while read < size:
            read += len(chunk)
            yield chunk

    headers = {"Authorization": f"Bearer {api.token()}", "Idempotency-Key": uuid7().hex}
    headers |= {"Content-Type": "application/json"} | ({"Content-Length": str(size)} if announced else {})
    answer = await _streamed(api, EACH[service], headers, body())
    assert answer.status_code == 413
    assert read <= (0 if announced else 40_000_000)


async def _streamed(api: Api, path: str, headers: dict[str, str], chunks: AsyncIterator[bytes]) -> httpx.Response:
    """A request whose body is asked for piece by piece; httpx's own transport would read all of it first."""
    app: ASGIApp = api.http._transport.app  # type: ignore[attr-defined]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
    }
    scope |= {"raw_path": path.encode(), "query_string": b"", "headers": raw, "scheme": "http", "root_path": ""}
    await app(scope | {"server": ("service.test", 80), "client": ("127.0.0.1", 1)}, receive, send)
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=b"".join(m["body"] for m in sent[1:]))


async def test_no_path_or_query_of_an_api_takes_an_identity(apis: dict[str, Api]) -> None:
    """Addresses are written down by every proxy on the way, so they hold ids, codes and dates of work only."""
    identities = {"name", "first_name", "last_name", "dob", "birth_date", "member_id", "ssn", "phone", "diagnosis"}
    for service, api in apis.items():
        for path, item in (await api.http.get("/openapi.json")).json()["paths"].items():
            for operation in item.values():
                names = {p["name"] for p in operation.get("parameters", ()) if p["in"] in ("path", "query")}
                assert not names & identities, (service, path)
