"""Hostile input: only findings, never a crash, a hang, or memory that grows with an element."""

import dataclasses
import os
import random
import tracemalloc
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs import x12
from libs.x12.as_json import plain
from tests.x12.changes import joined, segments
from tests.x12.samples import VALID

SEEDS = int(os.environ.get("X12_FUZZ_SEEDS", "1000"))
FILES = [text.encode() for text in VALID.values()]


def use(data: bytes) -> None:
    """Read, look into every record, check, acknowledge; only the promised exceptions may come."""
    report = x12.check(data, limit=50)
    assert isinstance(report.ok, bool)
    try:
        for record in x12.read(data).records:
            plain(record)
    except x12.Unreadable:
        assert not report.readable
    kinds: tuple[Literal["999", "TA1", "277CA", "271", "277"], ...] = ("999", "TA1", "277CA", "271", "277")
    for kind in kinds:
        try:
            answer = x12.acknowledge(data, as_=kind)
        except (x12.Unwritable, x12.Unreadable):
            continue
        assert x12.check(answer).readable


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    use(data)
    use(FILES[0][:106] + data)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(FILES), st.data())
def test_any_bytes_put_anywhere(file: bytes, data: Any) -> None:
    at = data.draw(st.integers(0, len(file)))
    upto = data.draw(st.integers(at, min(len(file), at + 60)))
    use(file[:at] + data.draw(st.binary(max_size=30)) + file[upto:])


def mutated(seed: int) -> bytes:
    """A real file with a few things done to it that people and programs do."""
    draw = random.Random(seed)
    return changed(draw, draw.choice(FILES))


def changed(draw: random.Random, file: bytes) -> bytes:
    """The file with a few such things done to it."""
    parts = file.decode("latin-1").split("~")
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(parts))
        act = draw.randrange(9)
        if act == 0:
            del parts[at : at + draw.randint(1, 4)]
        elif act == 1:
            parts.insert(at, draw.choice(parts) if parts else "")
        elif act == 2:
            draw.shuffle(parts)
        elif act == 3 and parts[at]:
            e = parts[at].split("*")
            e[draw.randrange(len(e))] = draw.choice(
                ["", "X", "9" * 40, "-1", "1.2.3", "\x00", "é", "::::", "^^", "20261399"]
            )
            parts[at] = "*".join(e)
        elif act == 4:
            parts[at] = parts[at] + "*" * draw.randint(1, 40)
        elif act == 5:
            parts[at] = parts[at][: draw.randrange(len(parts[at]) + 1)]
        elif act == 6:
            parts[at:at] = parts[: draw.randint(1, 20)]
        elif act == 7:
            parts[at] = parts[at].replace("*", draw.choice(["|", "", "**", ":"]))
        else:
            parts[at] = parts[at].lower()
        parts = parts or [""]
    return draw.choice(["~", "~\n", "~\r\n", "~ "]).join(parts).encode("latin-1", "replace")


@pytest.mark.parametrize("chunk", range(20))
def test_random_mutations_of_real_files(chunk: int) -> None:
    for seed in range(chunk * SEEDS // 20, (chunk + 1) * SEEDS // 20):
        use(mutated(seed))


class Endless:
    """A stream of one kind of bytes."""

    def __init__(self, head: bytes, piece: bytes, times: int) -> None:
        self.pieces: Iterator[bytes] = iter([head, *([piece] * times)])

    def read(self, _size: int = -1) -> bytes:
        """The next piece."""
        return next(self.pieces, b"")


def peak_of(stream: Endless) -> tuple[int, int]:
    """Findings and the most memory that a check needed."""
    tracemalloc.start()
    try:
        count = 0
        for _ in x12.findings(stream):  # type: ignore[arg-type]
            count += 1
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_element_of_a_hundred_megabytes() -> None:
    head = FILES[0][:400]
    count, peak = peak_of(Endless(head, b"A" * (1 << 20), 100))
    assert count > 0
    assert peak < 30_000_000


def test_a_million_empty_segments() -> None:
    count, peak = peak_of(Endless(FILES[0][:400], b"~" * 100_000, 10))
    assert 0 < count < 1_100_000
    assert peak < 30_000_000


def test_deep_and_wrong_nesting() -> None:
    head, rest = FILES[0].split(b"HL*1**20*1~")
    levels = b"".join(b"HL*%d*%d*22*1~" % (i, i - 1) for i in range(2, 5000))
    report = x12.check(head + b"HL*1**20*1~" + levels + rest, limit=10)
    assert not report.ok
    assert report.truncated


def test_records_stay_frozen() -> None:
    claim = x12.read(FILES[0]).one(x12.ClaimFile).claims[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        claim.pcn = "X"  # type: ignore[misc]


@pytest.mark.parametrize("name", VALID)
def test_a_file_that_lacks_any_two_kinds_of_segments_is_checked(name: str) -> None:
    parts = segments(VALID[name])
    kinds = sorted({part.partition("*")[0] for part in parts} - {"ISA", "GS", "ST", "SE", "GE", "IEA"})
    for lacking in combinations(kinds, 2):
        x12.check(joined([part for part in parts if part.partition("*")[0] not in lacking]))
