"""Kills processes in the middle of a run (kill -9): which, and at which step, is a function of the seed."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from deploy.local.plain import PlainError
from deploy.local.platform import Platform

LONGEST_WAIT = 0.4
"""Seconds after the beginning of a step within which its kill falls."""
PATIENCE = 1200
"""Twentieths of a second that a killed process may take to come back."""


@dataclass(slots=True)
class Killer:
    """Kills every process of a platform `times` times, spread over `steps` steps of a run.

    The run calls `step` at the beginning of each of its steps, and `done` at its end.
    """

    platform: Platform
    seed: int
    steps: int
    times: int = 1
    killed: list[str] = field(default_factory=list)
    _step: int = 0
    _plan: dict[int, list[tuple[str, float]]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._plan = plan(self.seed, [part.name for part in self.platform.parts] * self.times, self.steps)

    def step(self) -> None:
        """A step begins; whoever is to die in it will."""
        for name, wait in self._plan.get(self._step, ()):
            self._tasks.add(asyncio.create_task(self._kill(name, wait)))
        self._step += 1

    async def done(self) -> None:
        """Every kill has happened and every process is back."""
        await asyncio.gather(*self._tasks)
        await self.platform.ready()

    async def _kill(self, name: str, wait: float) -> None:
        """Kill it, now or as soon as it is back from an earlier kill."""
        await asyncio.sleep(wait)
        for _ in range(PATIENCE):
            try:
                self.platform.kill(name)
            except (PlainError, ProcessLookupError):
                await asyncio.sleep(0.05)
            else:
                self.killed.append(name)
                return
        raise PlainError(f"{name} did not come back after it was killed.")


def plan(seed: int, names: Iterable[str], steps: int) -> dict[int, list[tuple[str, float]]]:
    """Who dies in which step, and how long after its beginning."""
    chance = random.Random(seed)  # noqa: S311  a plan that can be repeated, no secret
    found: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for name in names:
        found[chance.randrange(steps)].append((name, chance.uniform(0, LONGEST_WAIT)))
    return dict(found)
