"""deploy/compose.yaml fits the Compose Specification, and what it names is there.

There is no Docker on the machines that run these tests, so nothing is started; see docs/decisions/0001.
"""

import json
import re
import stat
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.local.containers import prepare
from deploy.local.topology import DOCUMENTED_BASE, ROLES, SERVICES, parts

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
CONTAINERS: dict[str, Any] = COMPOSE["services"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make containers` writes."""
    home = tmp_path_factory.mktemp("containers")
    prepare(home)
    return home


def as_prepared(home: Path, named: str) -> Path:
    """The file that compose.yaml means by a path under .parity/containers."""
    return home / named.removeprefix("../.parity/containers/")


def test_it_fits_the_compose_specification() -> None:
    schema = json.loads(
        (resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text()
    )
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    assert [error.message for error in validator(schema).iter_errors(COMPOSE)] == []


def test_every_service_has_its_api_its_worker_and_its_migration() -> None:
    for part in parts(DOCUMENTED_BASE):
        container = CONTAINERS[part.name]
        assert container["command"] == [f"services.{part.service}", part.kind]
        assert container["ports"] == [f"127.0.0.1:{part.port}:{part.port}"]
        assert f"{part.port}/readyz" in container["healthcheck"]["test"][-1]
        assert f"{part.service}-migrate" in container["depends_on"]
    for service in SERVICES:
        assert CONTAINERS[f"{service}-migrate"]["command"] == [f"services.{service}", "migrate"]
    extra = CONTAINERS.keys() - {part.name for part in parts(DOCUMENTED_BASE)} - {f"{s}-migrate" for s in SERVICES}
    assert extra == {"postgres", "kafka", "bootstrap", "topics"}


def test_nothing_waits_for_a_container_that_does_not_exist() -> None:
    for name, container in CONTAINERS.items():
        for other, how in container.get("depends_on", {}).items():
            target = CONTAINERS[other]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in target, f"{name} waits for the health of {other}"
            else:
                assert target["restart"] == "no", f"{name} waits for the end of {other}"


def test_every_secret_and_environment_is_prepared_and_readable_by_its_owner_only(prepared: Path) -> None:
    files = {as_prepared(prepared, secret["file"]) for secret in COMPOSE["secrets"].values()}
    for container in CONTAINERS.values():
        files |= {as_prepared(prepared, named) for named in container.get("env_file", [])}
        assert set(container.get("secrets", [])) <= COMPOSE["secrets"].keys()
    for file in files:
        assert file.is_file(), file
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_container_knows_the_login_of_its_own_role_and_no_other(prepared: Path) -> None:
    passwords: dict[str, str] = json.loads((prepared / "secrets" / "passwords.json").read_text())
    assert len(set(passwords.values())) == len(SERVICES) * len(ROLES)
    for container in CONTAINERS.values():
        command = container.get("command", [])
        if not str(command[:1]).startswith("['services."):
            continue
        service, what = str(command[0]).removeprefix("services."), command[1]
        role = "owner" if what == "migrate" else what
        text = "".join(as_prepared(prepared, named).read_text() for named in container["env_file"])
        assert {known for known, password in passwords.items() if password in text} == {f"{service}_{role}"}


def test_the_image_is_given_what_its_file_copies_and_never_a_secret() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists() or source == "README.md", source
            assert any(source == one or source.startswith(f"{one}/") for one in let_in), source
    assert not any(one.startswith(".parity") for one in let_in)


def test_preparing_again_changes_no_secret(prepared: Path) -> None:
    before = {path: path.read_text() for path in prepared.rglob("*") if path.is_file()}
    prepare(prepared)
    assert {path: path.read_text() for path in prepared.rglob("*") if path.is_file()} == before
