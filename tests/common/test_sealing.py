"""What is sealed opens for its tenant, in its context, with its key, and for nobody else."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common import sealing
from libs.common.sealing import CannotOpen, Keyring, UnusableKeyring, create, rotate


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    create(tmp_path / "keyring.json")
    return tmp_path / "keyring.json"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    path = tmp_path_factory.mktemp("ring") / "keyring.json"
    create(path)
    return Keyring.load(path)


@given(st.binary(max_size=2000), st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens_again(ring: Keyring, plain: bytes, tenant: str, context: str) -> None:
    assert ring.open(tenant, ring.seal(tenant, plain, context), context) == plain


def test_the_text_shows_nothing_and_is_never_the_same_twice(ring: Keyring) -> None:
    first, second = (ring.seal("tnt_a", b"Jo Rivera", "patient") for _ in range(2))
    assert first != second
    assert first.startswith("k1.")
    assert "Rivera" not in first


@pytest.mark.parametrize(("tenant", "context"), [("tnt_b", "patient"), ("tnt_a", "coverage"), ("tnt_", "apatient")])
def test_it_opens_for_no_other_tenant_and_in_no_other_context(ring: Keyring, tenant: str, context: str) -> None:
    sealed = ring.seal("tnt_a", b"Jo Rivera", "patient")
    with pytest.raises(CannotOpen):
        ring.open(tenant, sealed, context)


@pytest.mark.parametrize(
    "text", ["", "k1", "k1.", "k1.a.b", "k1.é.b", "nope.AAAAAAAAAAAAAAAA.AAAA", "k1.AAAAAAAAAAAAAAAA."]
)
def test_what_was_never_sealed_does_not_open(ring: Keyring, text: str) -> None:
    with pytest.raises(CannotOpen):
        ring.open("tnt_a", text, "patient")


def test_one_changed_character_is_noticed(ring: Keyring) -> None:
    sealed = ring.seal("tnt_a", b"Jo Rivera", "patient")
    at = len(sealed) - 5
    changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    with pytest.raises(CannotOpen):
        ring.open("tnt_a", changed, "patient")


def test_after_a_rotation_old_texts_still_open_and_new_ones_use_the_new_key(ring_file: Path) -> None:
    ring = Keyring.load(ring_file)
    old = ring.seal("tnt_a", b"Jo", "patient")
    rotate(ring_file, "k2")

    assert ring.reload()
    new = ring.seal("tnt_a", b"Jo", "patient")
    assert (old.partition(".")[0], new.partition(".")[0]) == ("k1", "k2")
    assert ring.open("tnt_a", old, "patient") == ring.open("tnt_a", new, "patient") == b"Jo"
    assert not ring.reload()


def test_a_process_that_was_not_told_of_a_rotation_opens_new_texts_all_the_same(ring_file: Path) -> None:
    early = Keyring.load(ring_file)
    rotate(ring_file, "k2")
    assert early.open("tnt_a", Keyring.load(ring_file).seal("tnt_a", b"Jo", "patient"), "patient") == b"Jo"


def test_a_process_that_seals_takes_up_a_new_active_key_by_itself(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Keyring.load(ring_file)
    rotate(ring_file, "k2")
    assert ring.seal("tnt_a", b"Jo", "patient").startswith("k1.")
    monkeypatch.setattr(sealing, "LOOK_SECONDS", -1)
    assert ring.seal("tnt_a", b"Jo", "patient").startswith("k2.")
    ring_file.write_text("{half a fi")
    assert ring.seal("tnt_a", b"Jo", "patient").startswith("k2.")


def test_a_broken_file_leaves_the_ring_as_it_was(ring_file: Path) -> None:
    ring = Keyring.load(ring_file)
    sealed = ring.seal("tnt_a", b"Jo", "patient")
    ring_file.write_text("{half a fi")
    with pytest.raises(UnusableKeyring):
        ring.reload()
    assert ring.open("tnt_a", sealed, "patient") == b"Jo"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"active": "k1", "keys": {}}',
        '{"active": "k1", "keys": {"k1": "c2hvcnQ="}}',
        '{"active": "a.b", "keys": {"a.b": "%s"}}' % ("A" * 43 + "="),
    ],
)
def test_a_ring_that_cannot_be_trusted_is_not_loaded(tmp_path: Path, content: str) -> None:
    (tmp_path / "keyring.json").write_text(content)
    with pytest.raises(UnusableKeyring):
        Keyring.load(tmp_path / "keyring.json")


def test_a_missing_ring_says_so_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnusableKeyring, match="cannot be read"):
        Keyring.load(tmp_path / "nothing.json")


def test_a_new_ring_is_for_its_owner_only_and_never_replaces_one(ring_file: Path) -> None:
    before = ring_file.read_text()
    create(ring_file)
    assert ring_file.read_text() == before
    assert stat.S_IMODE(ring_file.stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="already"):
        rotate(ring_file, "k1")
    assert json.loads(ring_file.read_text())["active"] == "k1"
