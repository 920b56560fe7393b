"""Who calls: a bearer token of any OIDC issuer, checked against the issuer's published keys.

Only signatures with a public key are taken (RS256, ES256, EdDSA and their larger kin): never `none`, never a shared
secret. Claims used: `iss`, `aud`, `exp`, `nbf`, `sub`, `tenant_id`, `scope` (text or list; `scp` where an issuer
says so), and `practice_ids`, absent for somebody who may see all practices of the tenant.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
import jwt
import orjson

from libs.common.clock import wall
from libs.common.problems import Forbidden, Unauthorized, Unavailable

log = logging.getLogger(__name__)

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS: Final = 30
FRESH_SECONDS: Final = 600
"""Published keys are asked for again after this time."""
STALE_SECONDS: Final = 24 * 3600
"""Keys that were fetched once serve this long while the issuer does not answer."""
PAUSE_SECONDS: Final = 10
"""An unknown key id makes the issuer be asked again, at most this often."""
KNOWN_SECONDS: Final = 60
"""A token that held is not checked again for so long, nor beyond its own end, nor past a change of the keys."""
_MOST_KNOWN: Final = 2048
_LONGEST_TOKEN: Final = 16 * 1024
_ID: Final = re.compile(r"[A-Za-z0-9_.:@|/-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller of one request; `practice_ids` None means every practice of the tenant."""

    subject: str
    tenant_id: str
    scopes: frozenset[str]
    practice_ids: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def within(self, practice_id: str) -> bool:
        """Whether the caller may see this practice."""
        return self.practice_ids is None or practice_id in self.practice_ids


class Keys(Protocol):
    """Where an issuer's public keys come from."""

    async def find(self, kid: str | None) -> jwt.PyJWK | None: ...

    def generation(self) -> object:
        """Another value once the keys are others."""


class FileKeys:
    """A JWKS file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str | None, jwt.PyJWK] = {}

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        try:
            if (stamp := self._now()) != self._stamp:
                self._keys = _signing_keys(self._path.read_bytes())
                self._stamp = stamp
        except (OSError, ValueError) as error:
            log.warning("jwks_unreadable", extra={"error": type(error).__name__})
        return _pick(self._keys, kid)

    def generation(self) -> object:
        try:
            return self._now()
        except OSError:
            return None

    def _now(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino


class UrlKeys:
    """A JWKS address: cached, refreshed when old or when a key id is unknown, kept when the issuer is away."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._url = url
        self._client = client or httpx.AsyncClient(timeout=5, follow_redirects=False)
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        found = _pick(self._keys, kid)
        if found is not None and time.monotonic() - self._fetched < FRESH_SECONDS:
            return found
        await self._refresh(need=found is None)
        if time.monotonic() - self._fetched > STALE_SECONDS:
            raise Unavailable("The issuer of tokens does not answer.", code="issuer_unavailable")
        return _pick(self._keys, kid)

    def generation(self) -> object:
        return self._fetched

    async def _refresh(self, *, need: bool) -> None:
        """Ask the issuer, one at a time and not too often; nobody waits who already has a key."""
        if self._asking.locked() and not need:
            return
        async with self._asking:
            if time.monotonic() - self._asked < PAUSE_SECONDS:
                return
            self._asked = time.monotonic()
            try:
                answer = await self._client.get(self._url)
                answer.raise_for_status()
                self._keys = _signing_keys(answer.content)
                self._fetched = time.monotonic()
            except (httpx.HTTPError, ValueError) as error:
                log.warning("jwks_unavailable", extra={"error": type(error).__name__})


class Verifier:
    """Turns the `Authorization` header into a Principal, or refuses."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str, now: Callable[[], datetime] = wall) -> None:
        self._keys = keys
        self._now = now
        self._issuer = issuer
        self._audience = audience
        self._known: dict[bytes, tuple[float, object, Principal]] = {}

    async def principal(self, authorization: str | None) -> Principal:
        """The caller proven by this header. Raises Unauthorized (401), Forbidden (403: a token without a tenant)."""
        if not authorization:
            raise Unauthorized("Send a bearer token.", error=None)
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthorized("Send a bearer token.", error="invalid_request")
        return await self._proven(token.strip())

    async def _proven(self, token: str) -> Principal:
        """Whom the token proves; checked once, then known for a while."""
        digest, generation = hashlib.sha256(token.encode()).digest(), self._keys.generation()
        until, proven_by, known = self._known.get(digest, (0.0, None, None))
        if known is not None and proven_by == generation and self._now().timestamp() < until:
            return known
        claims = await self._claims(token)
        principal = principal_of(claims)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[digest] = (
            min(float(claims["exp"]), self._now().timestamp() + KNOWN_SECONDS),
            generation,
            principal,
        )
        return principal

    async def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > _LONGEST_TOKEN:
            raise Unauthorized("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise Unauthorized("The token cannot be read.") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not isinstance(kid, str | None):
            raise Unauthorized("The token is not signed in a way that is taken here.")
        key = await self._keys.find(kid)
        if key is None or not _fits(key, algorithm):
            raise Unauthorized("The token is not signed with a key of the issuer.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_iat": False},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired.") from None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise Unauthorized("The token does not hold.") from None
        return claims


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """The principal that checked claims describe."""
    tenant, practices = claims.get("tenant_id"), claims.get("practice_ids")
    if not _is_id(tenant):
        raise Forbidden("The token names no tenant.", code="tenant_missing")
    if not _is_id(claims.get("sub")):
        raise Unauthorized("The token names no subject.")
    if practices is not None and not (isinstance(practices, list) and all(map(_is_id, practices))):
        raise Unauthorized("The token's practice_ids are not a list of ids.")
    return Principal(
        subject=claims["sub"],
        tenant_id=claims["tenant_id"],
        scopes=_scopes(claims.get("scope", claims.get("scp", ""))),
        practice_ids=None if practices is None else frozenset(practices),
    )


def verifier(jwks: str, *, issuer: str, audience: str) -> Verifier:
    """A verifier for the keys at an address (`https://…`) or in a file."""
    keys: Keys = UrlKeys(jwks) if jwks.startswith(("https://", "http://")) else FileKeys(Path(jwks))
    return Verifier(keys, issuer=issuer, audience=audience)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _scopes(value: object) -> frozenset[str]:
    parts: Iterable[object] = value.split() if isinstance(value, str) else value if isinstance(value, list) else ()
    return frozenset(part for part in parts if isinstance(part, str))


def _signing_keys(raw: bytes) -> dict[str | None, jwt.PyJWK]:
    """The keys of a JWKS that can check a signature; others, and kinds that we do not know, are left out."""
    document = orjson.loads(raw)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS")  # noqa: TRY004  the document is wrong, not the program
    found: dict[str | None, jwt.PyJWK] = {}
    for entry in listed:
        if (
            not isinstance(entry, dict)
            or entry.get("use", "sig") != "sig"
            or entry.get("kty") not in ("RSA", "EC", "OKP")
        ):
            continue
        try:
            found[entry.get("kid")] = jwt.PyJWK(entry)
        except jwt.PyJWKError:
            log.warning("jwks_key_unusable", extra={"reason": "kind or parameters"})
    return found


def _pick(keys: Mapping[str | None, jwt.PyJWK], kid: str | None) -> jwt.PyJWK | None:
    if kid is None and len(keys) == 1:
        return next(iter(keys.values()))
    return keys.get(kid)


def _fits(key: jwt.PyJWK, algorithm: str) -> bool:
    """A key signs with its own kind of algorithm only, and with the one it names."""
    family = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}[algorithm[:2]]
    return key.key_type == family and (key.algorithm_name == algorithm or family == "RSA")
