"""The rules of the layout, each held by a few lines (docs/decisions and the design say why)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir() if (p / "__main__.py").exists())
SOURCES = sorted(p for folder in ("services", "libs") for p in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in ("services", "libs", "deploy", "tests")}


def below(folder: str) -> list[Path]:
    return [p for p in SOURCES if p.is_relative_to(ROOT / folder)]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_never_imports_another(service: str) -> None:
    for path in below(f"services/{service}"):
        foreign = {n for n in ours(path) if n.startswith("services.") and not n.startswith(f"services.{service}")}
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


def test_libraries_never_import_services() -> None:
    for path in below("libs"):
        assert not {n for n in ours(path) if n.startswith(("services", "deploy", "tests"))}, path


@pytest.mark.parametrize("library", ["libs/x12", "libs/codes"])
def test_x12_and_codes_stand_on_their_own(library: str) -> None:
    own = library.replace("/", ".")
    for path in below(library):
        assert all(n == "libs" or n.startswith(own) for n in ours(path)), path


def test_a_domain_imports_only_the_standard_library_money_and_codes() -> None:
    for service in SERVICES:
        folder = ROOT / "services" / service
        for path in [folder / "domain.py", *(folder / "domain").glob("*.py")]:
            if not path.exists():
                continue
            allowed = ("libs.common.money", "libs.codes", f"services.{service}.domain")
            foreign = {n for n in ours(path) if not n.startswith(allowed) and n not in ("libs.common", "libs")}
            assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"
            outside = {n.split(".")[0] for n in imports(path)} & {
                "sqlalchemy",
                "pydantic",
                "fastapi",
                "asyncpg",
                "httpx",
            }
            assert not outside, f"{path.relative_to(ROOT)} imports {outside}"


def test_every_module_of_the_kernel_has_two_users_or_is_a_part_of_one_that_has() -> None:
    users: dict[str, set[Path]] = {}
    everything = SOURCES + sorted((ROOT / "deploy").rglob("*.py"))
    for path in everything:
        for name in ours(path):
            users.setdefault(name, set()).add(path)
    for module in (ROOT / "libs" / "common").glob("*.py"):
        if module.stem == "__init__":
            continue
        found = users.get(f"libs.common.{module.stem}", set()) - {module}
        part = any(user.is_relative_to(ROOT / "libs" / "common") for user in found)
        assert len(found) >= 2 or part or module.stem in COMMANDS, f"{module.name} is used by {len(found)} modules"


COMMANDS = {"bootstrap", "replay"}
"""Started from a command line rather than imported."""


def test_every_module_of_a_service_has_its_test() -> None:
    exempt = {"__init__", "__main__", "tables", "store", "events", "settings", "app"}
    missing = []
    for service in SERVICES:
        for module in (ROOT / "services" / service).glob("*.py"):
            test = ROOT / "tests" / service / f"test_{module.stem}.py"
            if module.stem not in exempt and not test.exists():
                missing.append(str(test.relative_to(ROOT)))
    assert not missing, missing


@pytest.mark.parametrize(
    ("pattern", "homes"),
    [
        (
            r"\.commit\(",
            {"libs/common/migrations.py", "libs/common/log", "libs/common/consumer.py", "libs/common/mutants.py"},
        ),
        (r"datetime\.now\(|datetime\.utcnow\(|time\.time\(", {"libs/common/clock.py", "libs/x12"}),
        (r"\bprint\(", {"libs/x12"}),
    ],
)
def test_what_has_one_home_is_found_nowhere_else(pattern: str, homes: set[str]) -> None:
    for path in SOURCES:
        relative = str(path.relative_to(ROOT))
        if not relative.startswith(tuple(homes)):
            assert not re.search(pattern, path.read_text()), f"{relative} has {pattern}"


def test_no_module_is_called_by_what_it_is_not() -> None:
    for path in SOURCES:
        assert path.name not in {"utils.py", "helpers.py", "manager.py", "service.py"}, path


@pytest.mark.parametrize("history", ["libs/common/kernel", *(f"services/{name}/migrations" for name in SERVICES)])
def test_a_history_of_schemas_is_one_line(history: str) -> None:
    """Two revisions that were made side by side are put one after the other before either reaches a database."""
    files = sorted((ROOT / history / "versions").glob("[0-9]*.py"))
    found = [dict(re.findall(r'^(revision|down_revision) = (?:"(\d+)"|None)$', one.read_text(), re.M)) for one in files]
    numbers = [one.name[:4] for one in files]
    assert numbers == [f"{number:04d}" for number in range(1, len(files) + 1)]
    assert [one["revision"] for one in found] == numbers
    assert [one["down_revision"] for one in found] == ["", *numbers[:-1]]
