"""What `docs/quickstart.md` tells a stranger to type leads from a session to money."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from deploy.local.platform import Platform
from libs.common.ids import new_id

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "quickstart.md"
DOCUMENTED = {"eligibility": 8101, "claims": 8102, "remittance": 8103, "credentialing": 8104, "sandbox": 8109}


def typed(platform: Platform) -> str:
    """Every line of the page that is to be typed, at the addresses of this platform."""
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    for service, port in DOCUMENTED.items():
        script = re.sub(rf"\b{port}\b", platform.urls[service].rpartition(":")[2], script)
    return script


async def test_the_quickstart_ends_with_a_paid_claim_and_books_that_balance(running: Platform) -> None:
    environment = os.environ | {"TOKEN": running.token(tenant_id=new_id("tnt"))}
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-e",
        "-c",
        typed(running),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await shell.communicate()
    assert shell.returncode == 0, said.decode()
    assert re.search(r"^.*day \d+: paid$", said.decode(), re.MULTILINE), said.decode()
    assert '"ledger_imbalance_cents":0' in said.decode()
