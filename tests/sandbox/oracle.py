"""pyx12, an X12 reader that is not ours, in a virtual environment of its own; tests that need it skip without."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("PARITY_PYX12", ROOT / ".parity" / "oracles" / "pyx12" / "bin" / "x12valid"))
needs_pyx12 = pytest.mark.skipif(not PROGRAM.exists(), reason="pyx12 is not installed: PARITY_PYX12 names its x12valid")

#: pyx12 does not know that an 835 goes without ST03, and fails to write its own 999 then.
_ITS_OWN = re.compile("Failed to create 999 response")


def complaints(body: bytes, folder: Path) -> list[str]:
    """What pyx12 finds wrong with a file."""
    path = folder / "answer.x12"
    path.write_bytes(body)
    done = subprocess.run([PROGRAM, str(path)], capture_output=True, text=True, check=False, timeout=60)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if " ERROR " in line and not _ITS_OWN.search(line)]
