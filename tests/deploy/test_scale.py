"""Three workers of each service give the figures of one."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local import scale

UNTIL = date(2026, 10, 5)


@pytest.mark.slow
def test_three_workers_of_each_service_give_the_figures_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARITY_DATABASE", raising=False)
    console = Console(quiet=True)
    one = asyncio.run(scale.run(tmp_path / "scale", "embedded", 1, UNTIL, console))
    three = asyncio.run(scale.run(tmp_path / "scale", "embedded", 3, UNTIL, console))
    assert one["encounters"] > 10
    assert three == one
