"""A process dies where a test has said so, and nowhere else; outside local mode nobody may say so."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libs.common.crashpoints import POINTS
from libs.common.settings import RefusedSetting, ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from libs.common.crashpoints import arm, crashpoint
crashpoint("relay.read")
arm(Path(sys.argv[1]))
for _ in range(3):
    crashpoint("relay.read")
    crashpoint("relay.moved")
    sys.stdout.write("passed\\n")
    sys.stdout.flush()
"""


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_dies_at_the_pass_that_its_note_names_and_the_next_one_lives(tmp_path: Path) -> None:
    (tmp_path / "relay.moved.1").write_text("2")

    died = run(tmp_path)
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "passed\n")
    assert [note.name for note in tmp_path.iterdir()] == ["relay.moved.1.hit"]

    lived = run(tmp_path)
    assert (lived.returncode, lived.stdout) == (0, "passed\n" * 3)


def test_every_point_of_the_table_is_in_the_code_once_and_every_point_of_the_code_is_in_the_table() -> None:
    sources = [path for folder in ("libs", "services") for path in (ROOT / folder).rglob("*.py")]
    found = [name for path in sources for name in re.findall(r'crashpoint\("([^"]+)"\)', path.read_text())]
    assert sorted(found) == sorted(POINTS)


@pytest.mark.parametrize("name", ["PARITY_CRASH", "PARITY_MUTANT"])
def test_nothing_fails_on_purpose_outside_local_mode(name: str) -> None:
    with pytest.raises(RefusedSetting, match=name):
        ServiceSettings.from_environment(
            "claims",
            {"CLAIMS_DATABASE_API": "postgresql://nobody@nowhere/parity", "PARITY_MODE": "production", name: "x"},
        )
