"""`make crash`, `make chaos`: processes die in the middle of the flow, and nothing is lost, nothing comes twice."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from deploy.kafka.broker import obstacle
from deploy.local.demo.client import Refused
from deploy.local.plain import PlainError
from libs.common.crashpoints import HITS
from libs.common.mutants import MUTANTS
from tests.promises import points
from tests.promises.load import SESSIONS, Load, broken_promises, figures
from tests.promises.ring import Ring
from tests.promises.storm import Storm, absorbed

pytestmark = pytest.mark.crash

PACE_SECONDS = 0.25
REST_SECONDS = 120.0
MUTANT_REST_SECONDS = 60.0
"""How long the flow may take to come to rest; a broken design may lose what it waits for."""
TAKE_OVER_SECONDS = 15.0
"""How long rows may wait behind a leader that stands still: a standby acts after five seconds without a move."""
CAUGHT_BY = {
    "offset_before_the_work": "events had no effect in",
    "no_inbox": "events had their effect more than once in",
    "published_outside_the_transaction": "out of order",
    "cursor_after_the_last": "claims.outbox holds",
    "resent_without_asking": "arrivals of files",
}
"""What each broken design does wrong, in the words of the check that has to see it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ring" in metafunc.fixturenames:
        metafunc.parametrize("ring", metafunc.config.getoption("log").split(","), indirect=True, scope="module")
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, metafunc.config.getoption("seeds") + 1))


@pytest.fixture(scope="module")
async def ring(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ring]:
    reason = obstacle() if request.param == "kafka" else None
    if reason and request.config.getoption("require_kafka"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as env:
        async with Ring.running(request.param, tmp_path_factory.mktemp(request.param), env) as ring:
            yield ring


@dataclass(slots=True)
class Calm:
    """The figures of the week in which nothing is killed: one for all seeds and both logs."""

    _figures: dict[str, Any] = field(default_factory=dict)

    async def figures(self, ring: Ring) -> dict[str, Any]:
        if not self._figures:
            async with ring.week(patience_seconds=REST_SECONDS) as load:
                await load.tell(every_seconds=0)
                await load.walk_the_week()
                assert await broken_promises(load) == []
                self._figures = await figures(load)
        return self._figures


@pytest.fixture(scope="session")
def calm() -> Calm:
    return Calm()


@dataclass(slots=True)
class Trial:
    """A week in which processes die: at random, at every named point, and the log's server, too."""

    ring: Ring
    seed: int
    broken: list[str] = field(default_factory=list)
    sums: Counter[str] = field(default_factory=Counter)

    async def run(self, calm: dict[str, Any], *, patience_seconds: float = REST_SECONDS) -> None:
        """The week has been walked; `broken` says what is not as promised, `sums` what was done to it."""
        began = time.monotonic()
        self.ring.receiver.ids.clear()
        async with self.ring.week(patience_seconds=patience_seconds) as load:
            storm = Storm(self.ring, load, random.Random(self.seed))
            try:
                await self._walk(load, storm)
            except (TimeoutError, PlainError, Refused) as error:
                self.broken.append(f"the week cannot be walked ({str(error)[:200] or 'out of time'})")
            self._count(storm)
            self.broken += await broken_promises(load)
            self.broken += await self._compared(load, calm)
        self.sums["seconds"] = round(time.monotonic() - began)

    async def _walk(self, load: Load, storm: Storm) -> None:
        platform = self.ring.platform
        async with asyncio.TaskGroup() as all_at_once:
            all_at_once.create_task(load.tell(every_seconds=PACE_SECONDS))
            all_at_once.create_task(storm.rage())
        await load.walk_the_week(storm.strike)
        await platform.ready()
        await load.scenario.quiet()
        parked = await points.take_out_poison(load)
        if parked != points.POISONS * 3:
            self.broken.append(f"{parked} poisoned records are parked, not {points.POISONS * 3}")
        if len(self.ring.receiver.ids) != SESSIONS:
            self.broken.append(f"{len(self.ring.receiver.ids)} webhooks, not {SESSIONS}")

    async def _compared(self, load: Load, calm: dict[str, Any]) -> list[str]:
        """What the week has come to is what the calm one has."""
        try:
            found = await figures(load)
        except (PlainError, Refused) as error:
            return [f"the figures cannot be read ({str(error)[:200]})"]
        differ = [name for name, buckets in calm["claims"].items() if found["claims"].get(name) != buckets]
        others = [name for name in calm if name != "claims" and found[name] != calm[name]]
        self.sums["differ"] = len(differ)
        return [f"{len(differ)} claims and {others} differ from the calm week"] if differ or others else []

    def _count(self, storm: Storm) -> None:
        """What was done to it, and that it had teeth."""
        hits = points.hits(self.ring.notes)
        missed = {point: count for point, count in hits.items() if count != HITS}
        self.sums |= Counter(
            kills=len(storm.killed),
            under_load=len(storm.under_load()),
            in_flight=len(storm.in_flight()),
            at_points=sum(hits.values()),
            absorbed=absorbed(self.ring.platform.home),
            cut=storm.cut,
            brokers=storm.brokers,
            takeover_tenths=round(storm.taken_over_after * 10),
        )
        unhurt = {part.name for part in self.ring.platform.parts} - set(storm.under_load())
        teeth = {
            f"nobody killed {unhurt} while sessions came in": unhurt,
            f"only {self.sums['in_flight']} kills with work under way": self.sums["in_flight"] < 10,
            f"not {HITS} deaths at each point: {missed}": missed,
            "no record came again and was absorbed": not self.sums["absorbed"],
            "the log's server was not killed": not storm.brokers,
        }
        self.broken += [words for words, toothless in teeth.items() if toothless]
        if storm.taken_over_after > TAKE_OVER_SECONDS:
            self.broken.append(f"a leader that stood still was replaced only after {storm.taken_over_after:.1f} s")


def told(log: str, sums: Counter[str], seeds: str) -> str:
    """One line of what was done."""
    return (
        f"{log}, {seeds}, {sums['seconds']} s: {sums['kills']} kills, {sums['in_flight']} with work under way, "
        f"{sums['under_load']} while sessions came in; {sums['at_points']} deaths at named points; "
        f"log's server killed {sums['brokers']}; {sums['cut']} connections cut; a leader that stood still replaced "
        f"after {sums['takeover_tenths'] / 10:.1f} s; {sums['absorbed']} records absorbed; "
        f"{sums['differ']} claims differ"
    )


@pytest.fixture(scope="module")
def ledger(ring: Ring, request: pytest.FixtureRequest) -> Iterator[list[Counter[str]]]:
    """The sums of each seed; all together are told at the end."""
    sums: list[Counter[str]] = []
    yield sums
    together: Counter[str] = sum(sums, Counter())
    together["takeover_tenths"] = max((one["takeover_tenths"] for one in sums), default=0)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nALL: {told(ring.log, together, f'{len(sums)} seeds')}")


async def test_whatever_is_killed_nothing_is_lost_and_nothing_comes_twice(
    ring: Ring, calm: Calm, seed: int, ledger: list[Counter[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    trial = Trial(ring, seed)
    await trial.run(await calm.figures(ring))

    ledger.append(trial.sums)
    with capsys.disabled():
        print(f"\n{told(ring.log, trial.sums, f'seed {seed}')}; broken: {'; '.join(trial.broken) or 'nothing'}")
    assert trial.broken == []


@pytest.mark.skipif(not os.environ.get("PARITY_MUTANTS"), reason="make chaos MUTANTS=1")
@pytest.mark.parametrize("mutant", [None, *MUTANTS])
async def test_a_broken_design_is_caught_and_the_true_one_is_not(
    ring: Ring, calm: Calm, monkeypatch: pytest.MonkeyPatch, mutant: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    true = await calm.figures(ring)
    trial = Trial(ring, 1)
    if mutant is None:
        await trial.run(true)
    else:
        monkeypatch.setenv("PARITY_MUTANT", mutant)
        await trial.run(true, patience_seconds=MUTANT_REST_SECONDS)
    caught = [words for words in trial.broken if mutant and CAUGHT_BY[mutant] in words]

    with capsys.disabled():
        verdict = f"caught: {'; '.join(caught)}" if caught else "NOT CAUGHT" if mutant else "the true design"
        print(f"\n{ring.log}, {mutant or 'as it is'}, {trial.sums['seconds']} s, {verdict}")
        print(f"    all that was broken: {'; '.join(trial.broken)[:1500] or 'nothing'}")
    assert bool(caught) == bool(mutant)
    assert mutant or trial.broken == []
