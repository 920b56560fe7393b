"""Callers of an API under test: an issuer of tokens, and clients that carry one and a new key on each POST."""

import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm

from libs.common.ids import new_id

ISSUER = "https://parity.local"
AUDIENCE = "parity"
_SERVICES = ("credentialing", "eligibility", "claims", "remittance", "reporting")
EVERYTHING = tuple(f"{service}:{verb}" for service in _SERVICES for verb in ("read", "write", "audit"))


@dataclass(slots=True)
class Issuer:
    """An OIDC issuer with one key, whose JWKS lies in a file."""

    jwks: Path
    kid: str = "test-1"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def publish(self) -> "Issuer":
        """The JWKS file holds this issuer's key."""
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwks.write_text(json.dumps({"keys": [{**public, "kid": self.kid, "use": "sig", "alg": "ES256"}]}))
        return self

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token; a change to None leaves a claim out."""
        now = int(time.time())
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "usr_biller", "exp": now + 600, "tenant_id": "tnt_a"}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(
        self,
        *,
        tenant_id: str | None = "tnt_a",
        scopes: Iterable[str] = EVERYTHING,
        practice_ids: Iterable[str] | None = None,
        **changes: Any,
    ) -> str:
        """A token; without `practice_ids` it is good for every practice of the tenant."""
        practices = None if practice_ids is None else list(practice_ids)
        claims = self.claims(tenant_id=tenant_id, scope=" ".join(scopes), practice_ids=practices, **changes)
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.kid})


class _Keyed(httpx.Auth):
    """Each POST without an Idempotency-Key gets a new one."""

    def auth_flow(self, request: httpx.Request) -> Any:
        if request.method == "POST" and "Idempotency-Key" not in request.headers:
            request.headers["Idempotency-Key"] = new_id("key")
        yield request


@asynccontextmanager
async def calling(app: FastAPI, token: str | None = None, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app` that is who the token says."""
    given = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://parity.test", headers=given, auth=_Keyed()) as c:
        yield c
