"""Each process is told what it may know and nothing else."""

from pathlib import Path

from deploy.local.environment import Environment, login, without_login
from deploy.local.keys import Keys
from deploy.local.topology import SERVICES, parts
from libs.common.settings import ServiceSettings

ADMIN = "postgresql://postgres:s3cret@db.example:6432/parity?sslmode=require"


def environment(home: Path) -> Environment:
    return Environment.here(home, Keys.of(home), ADMIN, log="embedded", kafka=None, base_port=8100)


def test_a_process_gets_the_login_of_its_own_role_and_never_the_superusers(tmp_path: Path) -> None:
    ours = environment(tmp_path)
    for part in parts(8100):
        told = ours.of(part)
        logins = {name for name in told if "_DATABASE_" in name}
        assert logins == {f"{part.service.upper()}_DATABASE_{part.kind.upper()}"}
        assert "s3cret" not in "".join(told.values())


def test_what_a_process_is_told_makes_its_settings(tmp_path: Path) -> None:
    ours = environment(tmp_path)
    for part in parts(8100):
        settings = ServiceSettings.from_environment(part.service, ours.of(part))
        assert settings.port + (100 if part.kind == "worker" else 0) == part.port
        assert settings.local
    for service in SERVICES:
        migrating = ServiceSettings.from_environment(service, ours.of_migration(service))
        assert migrating.databases.keys() == {"owner"}


def test_workers_of_one_service_listen_on_ports_of_their_own(tmp_path: Path) -> None:
    ours = environment(tmp_path)
    all_parts = parts(8100, workers=3)
    assert len({part.name for part in all_parts}) == len({part.port for part in all_parts}) == 4 * len(SERVICES)
    for part in all_parts:
        if part.kind == "worker":
            assert ServiceSettings.from_environment(part.service, ours.of(part)).port + 100 == part.port


def test_nothing_of_the_callers_environment_leaks_in(tmp_path: Path) -> None:
    told = environment(tmp_path).of(parts(8100)[0])
    assert "PYTHONPATH" not in told
    assert not any("PYTEST" in name for name in told)


def test_a_login_keeps_the_address_and_its_options() -> None:
    assert login(ADMIN, "claims_api", "a/b") == "postgresql://claims_api:a%2Fb@db.example:6432/parity?sslmode=require"
    assert without_login(ADMIN) == "postgresql://db.example:6432/parity?sslmode=require"
