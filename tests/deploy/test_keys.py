"""The secrets of a home: made once, readable by nobody else, and good for the doors of every service."""

import json
import stat
from pathlib import Path

import pytest

from deploy.local.keys import ALL_SCOPES, AUDIENCE, DEMO_TENANT, ISSUER, Keys, of_running
from deploy.local.plain import PlainError
from libs.common import auth
from libs.common.bootstrap import ROLES
from libs.common.problems import Unauthorized
from libs.common.sealing import Keyring


def verifier(keys: Keys) -> auth.Verifier:
    return auth.verifier(str(keys.jwks), issuer=ISSUER, audience=AUDIENCE)


async def test_a_token_of_make_token_opens_every_door_of_the_demo_tenant(tmp_path: Path) -> None:
    keys = Keys.of(tmp_path)
    principal = await verifier(keys).principal(f"Bearer {keys.token()}")
    assert principal.tenant_id == DEMO_TENANT
    assert principal.scopes == frozenset(ALL_SCOPES)
    assert principal.practice_ids is None


async def test_a_token_may_be_for_fewer_practices_and_scopes(tmp_path: Path) -> None:
    keys = Keys.of(tmp_path)
    token = keys.token(tenant_id="tnt_other", scopes=["claims:read"], practice_ids=["prc_1"])
    principal = await verifier(keys).principal(f"Bearer {token}")
    assert (principal.tenant_id, principal.scopes, principal.practice_ids) == (
        "tnt_other",
        frozenset({"claims:read"}),
        frozenset({"prc_1"}),
    )


async def test_a_token_of_another_home_opens_nothing(tmp_path: Path) -> None:
    ours, theirs = Keys.of(tmp_path / "ours"), Keys.of(tmp_path / "theirs")
    with pytest.raises(Unauthorized):
        await verifier(ours).principal(f"Bearer {theirs.token()}")


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    keys = Keys.of(tmp_path)
    before = {path: path.read_text() for path in keys.place.iterdir()}
    assert before.keys() == {keys.keyring, keys.jwks, keys.signing_key, keys.cursor_key, keys.password_file}
    assert stat.S_IMODE(keys.place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in before} == {0o600}

    Keys.of(tmp_path)

    assert {path: path.read_text() for path in keys.place.iterdir()} == before


def test_every_role_of_the_database_has_a_password_of_its_own(tmp_path: Path) -> None:
    passwords = Keys.of(tmp_path).passwords()
    assert passwords.keys() == set(ROLES)
    assert len(set(passwords.values())) == len(ROLES)


def test_the_public_keys_hold_nothing_private(tmp_path: Path) -> None:
    (key,) = json.loads(Keys.of(tmp_path).jwks.read_text())["keys"]
    assert "d" not in key


def test_what_was_sealed_with_its_key_ring_opens_again(tmp_path: Path) -> None:
    ring = Keyring.load(Keys.of(tmp_path).keyring)
    assert ring.open("tnt_1", ring.seal("tnt_1", b"Jo Rivera", "patient"), "patient") == b"Jo Rivera"


def test_before_the_first_start_a_token_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(PlainError, match="nothing has been started here yet"):
        of_running([tmp_path])
