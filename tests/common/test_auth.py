"""A token holds only if the issuer signed it, for us, now."""

import base64
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from libs.common import auth
from libs.common.problems import Forbidden, Unauthorized, Unavailable
from tests.callers import AUDIENCE, ISSUER, Issuer


@pytest.fixture
def own_issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path / "jwks.json").publish()


@pytest.fixture
def verifier(own_issuer: Issuer) -> auth.Verifier:
    return auth.verifier(str(own_issuer.jwks), issuer=ISSUER, audience=AUDIENCE)


async def test_a_good_token_says_who_calls(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    token = own_issuer.token(scopes=["claims:read", "claims:write"], practice_ids=["prc_1"])
    caller = await verifier.principal(f"Bearer {token}")
    assert (caller.subject, caller.tenant_id) == ("usr_biller", "tnt_a")
    assert caller.may("claims:read")
    assert not caller.may("remittance:read")
    assert caller.within("prc_1")
    assert not caller.within("prc_2")


async def test_scopes_may_come_as_a_list_and_practices_may_be_all(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    claims = own_issuer.claims(scp=["claims:read"])
    token = jwt.encode(claims, own_issuer.key, algorithm="ES256", headers={"kid": own_issuer.kid})
    caller = await verifier.principal(f"bearer {token}")
    assert caller.may("claims:read")
    assert caller.within("prc_any")


async def test_a_caller_of_no_practice_is_within_none(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    assert not (await verifier.principal("Bearer " + own_issuer.token(practice_ids=[]))).within("prc_1")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-api"},
        {"exp": int(time.time()) - 120},
        {"nbf": int(time.time()) + 86_400},
        {"exp": None},
        {"sub": None},
        {"iss": None},
        {"aud": None},
        {"sub": "Jo Rivera <jo@example.org>"},
        {"practice_ids": "prc_1"},
        {"practice_ids": [1]},
    ],
)
async def test_a_token_that_is_not_for_us_now_is_refused(
    verifier: auth.Verifier, own_issuer: Issuer, changes: dict[str, Any]
) -> None:
    token = jwt.encode(own_issuer.claims(**changes), own_issuer.key, algorithm="ES256", headers={"kid": own_issuer.kid})
    with pytest.raises(Unauthorized) as refused:
        await verifier.principal(f"Bearer {token}")
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_clock_that_is_a_little_off_is_forgiven(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    await verifier.principal("Bearer " + own_issuer.token(exp=int(time.time()) - 5, nbf=int(time.time()) + 5))


@pytest.mark.parametrize("tenant", ["", "tnt a", 7, "x" * 200])
async def test_a_token_without_a_plain_tenant_is_forbidden(
    verifier: auth.Verifier, own_issuer: Issuer, tenant: object
) -> None:
    token = jwt.encode(
        own_issuer.claims(tenant_id=tenant), own_issuer.key, algorithm="ES256", headers={"kid": own_issuer.kid}
    )
    with pytest.raises(Forbidden):
        await verifier.principal(f"Bearer {token}")


@pytest.mark.parametrize(
    "header", [None, "", "Basic dXNlcg==", "Bearer", "Bearer ", "Bearer a.b.c", "Bearer " + "x" * 20_000]
)
async def test_without_a_readable_token_nobody_is_known(verifier: auth.Verifier, header: str | None) -> None:
    with pytest.raises(Unauthorized):
        await verifier.principal(header)


async def test_an_unsigned_token_is_refused(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    token = jwt.encode(own_issuer.claims(), "", algorithm="none", headers={"kid": own_issuer.kid})
    with pytest.raises(Unauthorized):
        await verifier.principal(f"Bearer {token}")


async def test_the_public_key_is_no_shared_secret(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    """HS256 over the published key's bytes: the old confusion of algorithms."""
    public = own_issuer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    head, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": own_issuer.kid}, own_issuer.claims())
    )
    mac = hmac.digest(public, head + b"." + payload, "sha256")
    token = b".".join([head, payload, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()
    with pytest.raises(Unauthorized):
        await verifier.principal(f"Bearer {token}")


async def test_another_key_under_the_same_name_is_refused(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    forger = Issuer(own_issuer.jwks, kid=own_issuer.kid)
    with pytest.raises(Unauthorized):
        await verifier.principal(f"Bearer {forger.token()}")


async def test_a_token_may_not_choose_another_algorithm_than_its_key(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{**public, "kid": "p384"}]}))
    own_issuer = Issuer(jwks, kid="p384")
    with pytest.raises(Unauthorized):
        await auth.verifier(str(jwks), issuer=ISSUER, audience=AUDIENCE).principal(f"Bearer {own_issuer.token()}")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_kind_of_public_key_is_taken(tmp_path: Path, algorithm: str) -> None:
    keys: dict[str, tuple[Any, Any]] = {
        "RS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
        "ES256": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
        "EdDSA": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm),
    }
    key, kind = keys[algorithm]
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{**kind.to_jwk(key.public_key(), as_dict=True), "kid": "one"}]}))
    claims = Issuer(jwks).claims(scope="claims:read")
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "one"})
    verifier = auth.verifier(str(jwks), issuer=ISSUER, audience=AUDIENCE)
    assert (await verifier.principal(f"Bearer {token}")).tenant_id == "tnt_a"


async def test_a_new_key_in_the_file_is_taken_up(verifier: auth.Verifier, own_issuer: Issuer) -> None:
    await verifier.principal(f"Bearer {own_issuer.token()}")
    successor = Issuer(own_issuer.jwks, kid="test-22").publish()
    await verifier.principal(f"Bearer {successor.token()}")
    with pytest.raises(Unauthorized):
        await verifier.principal(f"Bearer {own_issuer.token()}")


class Published:
    """An issuer's JWKS address, which can be counted and switched off."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.asked = 0
        self.up = True

    def verifier(self) -> auth.Verifier:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        keys = auth.UrlKeys("https://issuer.example/jwks.json", client)
        return auth.Verifier(keys, issuer=ISSUER, audience=AUDIENCE)

    def _answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(200, content=self.issuer.jwks.read_bytes()) if self.up else httpx.Response(500)


async def test_the_issuer_is_asked_once_for_many_tokens(own_issuer: Issuer) -> None:
    published = Published(own_issuer)
    verifier = published.verifier()
    for _ in range(5):
        await verifier.principal(f"Bearer {own_issuer.token()}")
    assert published.asked == 1


async def test_unknown_key_ids_do_not_make_us_ask_again_and_again(own_issuer: Issuer) -> None:
    published = Published(own_issuer)
    verifier = published.verifier()
    await verifier.principal(f"Bearer {own_issuer.token()}")
    for n in range(5):
        with pytest.raises(Unauthorized):
            await verifier.principal(f"Bearer {Issuer(own_issuer.jwks, kid=f'made-up-{n}').token()}")
    assert published.asked == 1


async def test_an_unknown_key_id_is_asked_for_once_the_pause_is_over(
    own_issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "PAUSE_SECONDS", 0)
    published = Published(own_issuer)
    verifier = published.verifier()
    await verifier.principal(f"Bearer {own_issuer.token()}")
    successor = Issuer(own_issuer.jwks, kid="test-2").publish()
    await verifier.principal(f"Bearer {successor.token()}")
    assert published.asked == 2


async def test_while_the_issuer_is_away_its_known_keys_serve(
    own_issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(auth, "FRESH_SECONDS", 0)
    published = Published(own_issuer)
    verifier = published.verifier()
    await verifier.principal(f"Bearer {own_issuer.token()}")
    published.up = False
    await verifier.principal(f"Bearer {own_issuer.token()}")
    assert published.asked == 2


async def test_an_issuer_that_never_answered_makes_us_unavailable_not_wrong(own_issuer: Issuer) -> None:
    published = Published(own_issuer)
    published.up = False
    with pytest.raises(Unavailable):
        await published.verifier().principal(f"Bearer {own_issuer.token()}")


class Counted(auth.FileKeys):
    """A JWKS file that counts how often a key is looked for."""

    looked = 0

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        self.looked += 1
        return await super().find(kid)


async def test_a_token_that_held_is_known_for_a_minute_and_never_beyond_its_end(own_issuer: Issuer) -> None:
    keys, clock = Counted(own_issuer.jwks), time.time()
    verifier = auth.Verifier(keys, issuer=ISSUER, audience=AUDIENCE, now=lambda: datetime.fromtimestamp(clock, UTC))
    long, short = (own_issuer.token(exp=int(clock) + seconds) for seconds in (600, 5))
    for later, looked in ((0, 2), (4, 2), (6, 3), (59, 4), (61, 6)):
        clock = time.time() + later
        for token in (long, short):
            await verifier.principal(f"Bearer {token}")
        assert keys.looked == looked, later
