"""No service starts without its secrets, wherever they come from; why it does not is said in one line, without them."""

import importlib
import os
from pathlib import Path

import pytest

from libs.common.runtime import main, refusing_plainly
from libs.common.sealing import Keyring
from libs.common.settings import PORTS, MissingSetting, RefusedSetting, Role, ServiceSettings

SERVICES = sorted(PORTS.keys() - {"sandbox"})
ROLES: tuple[Role, ...] = ("owner", "api", "worker")
URL = "postgresql://someone:s3cret@db.example/parity"

pytestmark = pytest.mark.parametrize("service", SERVICES)


def told(service: str, **changes: str) -> dict[str, str]:
    """What a process of `service` is told in production; an empty change takes a setting away."""
    given = {
        "PARITY_KEYRING": "/run/secrets/keyring.json",
        "PARITY_CURSOR_KEY": "/run/secrets/cursor.key",
        "PARITY_JWKS": "https://issuer.example/jwks.json",
        "PARITY_ISSUER": "https://issuer.example/",
        "PARITY_AUDIENCE": "parity",
        **{f"{service.upper()}_DATABASE_{role.upper()}": URL for role in ROLES},
        **changes,
    }
    return {name: value for name, value in given.items() if value}


def login(service: str, role: Role) -> str:
    return f"{service.upper()}_DATABASE_{role.upper()}"


def file_with(place: Path, content: str) -> str:
    (place / "secret").write_text(content)
    return str(place / "secret")


@pytest.mark.parametrize("name", ["KEYRING", "CURSOR_KEY", "JWKS", "ISSUER", "AUDIENCE"])
def test_what_is_missing_is_named_and_nothing_takes_its_place(service: str, name: str) -> None:
    assert ServiceSettings.from_environment(service, told(service)).mode == "production"
    with pytest.raises(MissingSetting, match=rf"^PARITY_{name} is not set"):
        ServiceSettings.from_environment(service, told(service, **{f"PARITY_{name}": ""}))


@pytest.mark.parametrize("role", ROLES)
def test_a_process_has_the_login_of_its_role_or_none(service: str, role: Role) -> None:
    settings = ServiceSettings.from_environment(service, told(service, **{login(service, role): ""}))
    with pytest.raises(MissingSetting, match=rf"^{login(service, role)} is not set"):
        settings.database(role)
    nobody = {login(service, each): "" for each in ROLES}
    with pytest.raises(MissingSetting, match=f"{service.upper()}_DATABASE_API"):
        ServiceSettings.from_environment(service, told(service, **nobody))


@pytest.mark.parametrize("role", ROLES)
def test_a_login_may_come_from_a_file(service: str, role: Role, tmp_path: Path) -> None:
    name = login(service, role)
    from_file = told(service, **{name: "", f"{name}_FILE": file_with(tmp_path, f"{URL}\n")})
    assert ServiceSettings.from_environment(service, from_file).database(role) == URL


def test_a_login_given_both_ways_is_refused(service: str, tmp_path: Path) -> None:
    name = login(service, "worker")
    with pytest.raises(RefusedSetting) as refused:
        ServiceSettings.from_environment(service, told(service, **{f"{name}_FILE": file_with(tmp_path, URL)}))
    assert str(refused.value) == f"{name} and {name}_FILE are both set: give one of them"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "names a file that cannot be read: FileNotFoundError"),
        (b"s3cret \xff", "names a file that cannot be read: UnicodeDecodeError"),
        (b" \n", "names a file that is empty"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(service: str, tmp_path: Path, content: bytes | None, why: str) -> None:
    name = login(service, "api")
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    given = told(service, **{name: "", f"{name}_FILE": str(tmp_path / "secret")})
    with pytest.raises(RefusedSetting) as refused:
        ServiceSettings.from_environment(service, given)
    assert str(refused.value) == f"{name}_FILE {why}"


def test_the_process_ends_with_two_and_one_line_without_the_secret(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = importlib.import_module(f"services.{service}.app").create_service()
    name = login(service, "worker")
    for changes, line in (
        ({"PARITY_CURSOR_KEY": ""}, "PARITY_CURSOR_KEY is not set: see docs/operate.md"),
        ({name: "s3cret alone"}, f"{name} is not a postgresql:// address"),
        ({name: "", f"{name}_FILE": str(tmp_path)}, f"{name}_FILE names a file that cannot be read: IsADirectoryError"),
    ):
        monkeypatch.setattr(os, "environ", told(service, **changes))
        with pytest.raises(SystemExit) as ended:
            main(app, ["worker"])
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", f"{line}\n")


def test_a_key_ring_that_is_not_there_is_named_by_its_setting(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ServiceSettings.from_environment(service, told(service, PARITY_KEYRING=str(tmp_path / "none.json")))
    with pytest.raises(SystemExit) as ended, refusing_plainly():
        Keyring.load(settings.keyring)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "PARITY_KEYRING: the key ring cannot be read: FileNotFoundError\n"
