"""A file of any size as blocks of segments: delimiters from each ISA, nothing assumed about line breaks."""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

#: Bytes of a file, its path, or a binary stream.
InputSource = bytes | Path | str | os.PathLike[str] | BinaryIO

CHUNK = 1 << 17
#: No honest segment is longer; the rest of one that is gets skipped, so that memory stays flat.
LONGEST = 1 << 16
BLANK = " \t\r\n"


@dataclass(slots=True)
class Header:
    """What an ISA says, and what is odd about it."""

    elements: list[str]
    element: str
    component: str
    repetition: str
    segment: str
    line_break: str
    length: int
    """Characters up to and with the terminator; 106 when as the standard has it."""

    @property
    def old(self) -> bool:
        """An interchange of before 5010."""
        return len(self.elements) > 12 and self.elements[12] < "00500"


@dataclass(slots=True)
class Block:
    """Consecutive segments of one interchange, without their terminators."""

    header: Header
    segments: list[str]
    text: str
    start: int
    """Byte offset of `text` in the file."""
    step: int
    """Length of a terminator with its line break; 0 where the offsets are given."""
    given: list[int] | None = None
    first: bool = False
    """It begins with the interchange's ISA."""
    oddities: list[tuple[str, int, str]] = field(default_factory=list)
    """What the tokenizer met: code, offset, detail."""
    _cursor: tuple[int, int] = (0, -1)

    def at(self, index: int) -> int:
        """Byte offset of a segment, or of the end; asked for from the front to the back."""
        if self.given is not None:
            return self.given[index]
        known, offset = self._cursor
        if offset < 0 or index < known:
            known, offset = 0, self.start
        offset += sum(map(len, self.segments[known:index])) + self.step * (index - known)
        self._cursor = index, offset
        return offset

    @property
    def whole(self) -> str:
        """What ends each segment, its line break included, where the offsets are not given."""
        return self.header.segment + self.header.line_break

    def find(self, pattern: re.Pattern[str], index: int, place: int) -> tuple[int, int]:
        """The first segment after this one before which the pattern matches a terminator: index and place in the text;
        those of the end if there is none. For a block whose offsets are not given."""
        found = pattern.search(self.text, place)
        if found is None:
            return len(self.segments), len(self.text)
        stop = found.start() + self.step
        index += self.text.count(self.header.segment, place, stop)
        self._cursor = index, self.start + stop
        return index, stop


class Unreadable(ValueError):
    """No ISA anywhere: not an X12 file."""


class _Buffer:
    """Decoded text that is refilled from the stream; one character is one byte."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.text = ""
        self.base = 0
        self.ended = False

    def fill(self, size: int) -> None:
        """Have at least `size` characters, or all there are."""
        while len(self.text) < size and not self.ended:
            more = self.stream.read(CHUNK)
            if more:
                self.text += more.decode("latin-1")
            else:
                self.ended = True

    def drop(self, count: int) -> None:
        """Forget the first characters."""
        self.text = self.text[count:]
        self.base += count


def blocks(source: InputSource) -> Iterator[Block]:
    """The blocks of every interchange; `Unreadable` when there is none."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield from _blocks(_Buffer(io.BytesIO(source)))
    elif isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as stream:
            yield from _blocks(_Buffer(stream))
    else:
        yield from _blocks(_Buffer(source))


def _blocks(buffer: _Buffer) -> Iterator[Block]:
    oddities = _find_first(buffer)
    header: Header | None = None
    while True:
        buffer.fill(CHUNK if header else 512)
        if not buffer.text:
            return
        fresh = _isa_at(buffer.text)
        if fresh is not None:
            header = fresh
            buffer.fill(CHUNK)
            if header.length != 106:
                oddities.append(("ISA_LENGTH", buffer.base, str(header.length)))
        if header is None:
            raise Unreadable("the ISA is cut off")
        end, complete = _cut(buffer, header, fresh is not None)
        if not complete:
            oddities.append(("SEGMENT_TOO_LONG", buffer.base, ""))
            yield _oversize(buffer, header, fresh is not None, oddities)
        else:
            yield _split(header, buffer.text[:end], buffer.base, fresh is not None, oddities)
            buffer.drop(end)
        oddities = []


def _find_first(buffer: _Buffer) -> list[tuple[str, int, str]]:
    """Drop what precedes the first ISA."""
    buffer.fill(CHUNK)
    found: list[tuple[str, int, str]] = []
    if buffer.text.startswith("\xef\xbb\xbf"):
        found.append(("BYTE_ORDER_MARK", 0, ""))
        buffer.drop(3)
    match = re.search(r"ISA[^A-Za-z0-9 \t\r\n]", buffer.text)
    if not match:
        raise Unreadable("no ISA at the beginning of the file")
    if match.start():
        if buffer.text[: match.start()].strip(BLANK):
            found.append(("JUNK_BEFORE_ISA", buffer.base, buffer.text[:20]))
        buffer.drop(match.start())
    return found


def _isa_at(text: str) -> Header | None:
    """The header when the text begins with an ISA."""
    if not text.startswith("ISA") or len(text) < 20 or text[3].isalnum():
        return None
    element = text[3]
    place = 3
    for _ in range(15):
        place = text.find(element, place + 1, 400)
        if place < 0:
            return _fixed(text)
    elements = text[:place].split(element)
    first, rest = text[place + 1 : place + 2], text[place + 2 : place + 400]
    component, segment, extra = first, rest[:1], 0
    if _missing_component(first, rest):
        component, segment, extra = "", first, -1
    segment = segment or "~"
    elements.append(component)
    length = place + 3 + extra
    after = text[length : length + 2]
    line_break = ""
    if segment not in "\r\n":
        line_break = "\r\n" if after == "\r\n" else after[:1] if after[:1] in ("\n", "\r") else ""
    elif segment == "\r" and after[:1] == "\n":
        segment, line_break = "\r", "\n"
    return Header(elements, element, component, _repetition(elements), segment, line_break, length)


def _missing_component(first: str, rest: str) -> bool:
    """ISA16 is absent and the terminator follows the last separator at once."""
    if re.match(r"[ \t\r\n]*(GS|TA1|IEA)[^A-Za-z0-9]", rest) is None:
        return False
    if rest[:1] not in ("\r", "\n"):
        return True
    line = rest.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    return line.endswith(first) and first != rest[:1] and not first.isalnum()


def _fixed(text: str) -> Header | None:
    """Fewer than sixteen elements: go by the standard's fixed places, if they make sense."""
    if len(text) < 106 or text[105].isalnum():
        return None
    elements = text[:105].split(text[3])
    return Header(elements, text[3], text[104], "", text[105], "", 105)


def _repetition(elements: list[str]) -> str:
    """ISA11 from 5010 on; a letter, digit or blank there separates nothing."""
    mark = elements[11] if len(elements) > 11 else ""
    if len(mark) != 1 or mark.isalnum() or mark == " " or (len(elements) > 12 and elements[12] < "00402"):
        return ""
    return mark


def _cut(buffer: _Buffer, header: Header, fresh: bool) -> tuple[int, bool]:
    """Where the block ends: after its last whole segment, or before the next ISA; and whether there is one."""
    text = buffer.text
    end = len(text)
    if not buffer.ended:
        last = text.rfind(header.segment)
        while last < 0 and not buffer.ended and len(buffer.text) < LONGEST * 4:
            buffer.fill(len(buffer.text) + CHUNK)
            last = buffer.text.rfind(header.segment)
        text = buffer.text
        if last < 0:
            return 0, buffer.ended
        end = last + 1
    place = text.find("ISA", 1, end)
    while place > 0:
        if _begins(text, place, header):
            return place, True
        place = text.find("ISA", place + 1, end)
    return end, True


def _begins(text: str, place: int, header: Header) -> bool:
    """An ISA there opens an interchange: it follows a terminator or a line break, and a separator follows it."""
    if text[place + 3 : place + 4].isalnum() or not text[place + 3 : place + 4].strip(BLANK):
        return False
    before = text[max(0, place - 8) : place].rstrip(" \t")
    return bool(before) and (before[-1] == header.segment or before[-1] in "\r\n\x1a")


def _oversize(buffer: _Buffer, header: Header, first: bool, oddities: list[tuple[str, int, str]]) -> Block:
    """The beginning of a segment that never seems to end; the rest of it is skipped."""
    kept, start = buffer.text[:LONGEST], buffer.base
    while True:
        place = buffer.text.find(header.segment)
        if place >= 0:
            buffer.drop(place + 1)
            break
        buffer.drop(len(buffer.text))
        buffer.fill(CHUNK)
        if not buffer.text:
            break
    return Block(header, [kept], kept, start, 0, [start, buffer.base], first, oddities)


def _split(header: Header, text: str, start: int, first: bool, oddities: list[tuple[str, int, str]]) -> Block:
    """Cut a text of whole segments; what follows the last terminator counts only if it is not blank."""
    end, line_break = header.segment, header.line_break
    whole = end + line_break
    regular = text.endswith(whole) and (not line_break or text.count(whole) == text.count(end))
    if regular and (line_break or _dense(text, end)):
        segments = text.split(whole)
        segments.pop()
        return Block(header, segments, text, start, len(whole), None, first, oddities)
    segments, offsets, place = [], [], 0
    for piece in text.split(end):
        body = piece.lstrip(BLANK)
        offset = start + place + len(piece) - len(body)
        place += len(piece) + 1
        segments.append(body.rstrip("\r\n\t"))
        offsets.append(offset)
    last = segments.pop()
    if last.strip("\x1a\x00 \t\r\n"):
        segments.append(last)
        oddities.append(("NO_LAST_TERMINATOR", offsets[-1], ""))
    elif "\x1a" in last or "\x00" in last:
        oddities.append(("TRAILING_BYTES", offsets[-1], ""))
    offsets[len(segments) :] = [start + len(text)]
    return Block(header, segments, text, start, 0, offsets, first, oddities)


def _dense(text: str, end: str) -> bool:
    """No blanks between segments."""
    blank = ("\n" in text and end != "\n") or ("\r" in text and end != "\r") or ("\t" in text and end != "\t")
    return not blank and f"{end} " not in text
