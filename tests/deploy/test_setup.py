"""`make setup` works from nothing, does nothing the second time, and says in one line what is in the way."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    "bash",
    "sh",
    "make",
    "awk",
    "df",
    "mkdir",
    "rm",
    "date",
    "grep",
    "tail",
    "cp",
    "dirname",
    "test",
    "cat",
    "env",
)

PYTHON = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
  "-c import sys"*) exit {too_old} ;;
  "-V") echo Python 3.12.0 ;;
  "-m venv"*) {venv} ;;
  "-m pip -V") exit {no_pip} ;;
  "-m pip"*) echo "$*" >>"$here/../../asked"; {install} ;;
esac
"""
MAKES_VENV = 'mkdir -p "$3/bin" && cp "$0" "$3/bin/python"'


@dataclass(frozen=True)
class Machine:
    """A checkout on a machine with a few tools and the pythons that the test puts there."""

    checkout: Path
    bin: Path

    def put_python(self, name: str = "python3.12", **mood: str) -> None:
        text = PYTHON.format(**{"too_old": "0", "venv": MAKES_VENV, "no_pip": "0", "install": "exit 0"} | mood)
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=self.checkout,
            env={"PATH": str(self.bin), "HOME": str(self.checkout)},
            capture_output=True,
            text=True,
            check=False,
        )

    def refusal(self) -> str:
        """The one line that `make setup` says when it cannot."""
        done = self.make("setup")
        assert done.returncode != 0
        lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
        assert len(lines) == 1, done.stderr
        assert not (self.checkout / ".venv" / ".ready").exists()
        return lines[0]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    checkout, tools = tmp_path / "checkout", tmp_path / "bin"
    (checkout / "deploy" / "local").mkdir(parents=True)
    tools.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "deploy/local/setup.sh"):
        shutil.copy(ROOT / name, checkout / name)
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tools / tool).symlink_to(found)
    return Machine(checkout, tools)


def test_a_second_make_does_not_install_again(machine: Machine) -> None:
    machine.put_python()
    assert machine.make("setup").returncode == 0
    asked = (machine.checkout / "asked").read_text()
    assert "--constraint constraints.txt" in asked

    second = machine.make("setup")

    assert (second.returncode, second.stderr) == (0, "")
    assert (machine.checkout / "asked").read_text() == asked


def test_new_libraries_are_installed_into_the_same_environment(machine: Machine) -> None:
    machine.put_python()
    machine.make("setup")
    os.utime(machine.checkout / "constraints.txt", (2**31, 2**31))
    assert "Making" not in machine.make("setup").stdout
    assert len((machine.checkout / "asked").read_text().splitlines()) == 2


def test_without_python_3_11_it_says_so(machine: Machine) -> None:
    machine.put_python("python3", too_old="1")
    assert "no Python 3.11 or newer found" in machine.refusal()


def test_an_older_python_in_front_does_not_hide_a_newer_one(machine: Machine) -> None:
    machine.put_python("python3", too_old="1")
    machine.put_python("python3.13")
    assert machine.make("setup").returncode == 0


def test_a_python_without_venv_is_told_what_to_install(machine: Machine) -> None:
    machine.put_python(venv="exit 1")
    assert "apt install python3-venv" in machine.refusal()


def test_a_full_disk_is_named(machine: Machine) -> None:
    machine.put_python(install='echo "ERROR: [Errno 28] No space left on device"; exit 1')
    assert "the disk is full" in machine.refusal()


def test_too_little_space_is_known_before_anything_is_made(machine: Machine) -> None:
    machine.put_python()
    (machine.bin / "df").unlink()
    (machine.bin / "df").write_text("#!/bin/sh\necho header; echo tmpfs 81920 4608 77312 6% /small\n")
    (machine.bin / "df").chmod(0o755)
    assert "75 MB are free" in machine.refusal()
    assert not (machine.checkout / ".venv").exists()


def test_pips_own_reason_is_passed_on(machine: Machine) -> None:
    machine.put_python(install='echo "ERROR: No matching distribution found for asyncpg"; exit 1')
    assert "No matching distribution found for asyncpg" in machine.refusal()


def test_a_half_made_environment_is_made_anew(machine: Machine) -> None:
    machine.put_python()
    (machine.checkout / ".venv" / "bin").mkdir(parents=True)
    (machine.checkout / ".venv" / "bin" / "python").symlink_to(machine.bin / "gone")
    assert machine.make("setup").returncode == 0
    assert (machine.checkout / ".venv" / ".ready").exists()


def test_an_interrupted_installation_is_continued(machine: Machine) -> None:
    machine.put_python(install="exit 1")
    machine.make("setup")
    (machine.checkout / ".venv" / "bin" / "python").unlink()
    machine.put_python()
    assert machine.make("setup").returncode == 0


def test_help_names_every_command_and_needs_nothing(machine: Machine) -> None:
    done = machine.make()
    assert done.returncode == 0
    phony = [line.split()[1] for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:")]
    named = [line.split()[1] for line in done.stdout.splitlines()]
    assert named == phony
    assert not (machine.checkout / ".venv").exists()
