"""The machine of a set with what is tested at each of its steps."""

from functools import lru_cache
from typing import Any

from libs.x12 import accept, elements, grammar, rules
from libs.x12.grammar import Loop
from libs.x12.machine import Machine
from libs.x12.marks import Marks
from libs.x12.units import Unit


class Tests:
    """The element tests of one set for its delimiters, made as they are needed."""

    def __init__(self, name: str, marks: Marks) -> None:
        self.name = name
        self.marks = marks
        self.made: dict[int, accept.Look] = {}
        self.units: dict[int, Unit] = {}

    def attach(self, step: Any) -> None:
        """Give a step of the machine the tests of its segment."""
        key = id(step.node)
        if key not in self.made:
            test = elements.segment_test(step.node, self.marks.component, self.marks.repetition)
            self.made[key] = accept.Look(step.node, test, self.marks[:3])
        step.read = self.made[key]
        if len(step.opens) == 1 and not step.opens[0].kept and not step.quality:
            step.unit = self._unit(step.opens[0], step.state.machine)

    def _unit(self, loop: Loop, machine: Machine) -> Unit | None:
        if id(loop) not in self.units:
            self.units[id(loop)] = Unit(loop, machine, self.marks, rules_of(self.name))
        unit = self.units[id(loop)]
        return unit if unit.settled else None


@lru_cache(maxsize=32)
def machine(name: str, marks: Marks) -> Machine:
    return Machine(grammar.spec(name), Tests(name, marks))


@lru_cache(maxsize=16)
def rules_of(name: str) -> dict[str, list[rules.Rule]]:
    return rules.rules_of(name)
