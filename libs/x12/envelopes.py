"""Checking what holds transactions together: ISA to IEA, GS to GE, ST to SE."""

import re
from functools import cache

from libs.x12 import grammar
from libs.x12.elements import is_date, is_time
from libs.x12.findings import Severity
from libs.x12.grammar import Spec
from libs.x12.parts import Seg, Tx
from libs.x12.report import Reporter
from libs.x12.route import related
from libs.x12.tokens import Header

_QUALIFIERS = frozenset(["01", "14", "20", "27", "28", "29", "30", "33", "ZZ"])
_VERSION = re.compile(r"00[2-8]0[0-9]")
_WIDTHS = {2: 10, 4: 10, 6: 15, 8: 15}
_NOWHERE: Seg = ([""], None, 0, 0)


class Envelopes:
    """The envelope that the check is in, and its counts."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self.interchanges = 0
        self.isa: Seg | None = None
        self.gs: Seg | None = None
        self.version = ""
        self.day = ""
        self.groups = 0
        self.sets = 0
        self._isa_numbers: set[str] = set()
        self._gs_numbers: set[str] = set()
        self._st_numbers: set[str] = set()

    def oddity(self, code: str, offset: int, detail: str, index: int) -> None:
        """What the tokenizer noticed."""
        name = "ISA" if code == "ISA_LENGTH" else ""
        self.report.structure(code, ([name], None, index + 1, offset), value=detail)

    def take(self, e: list[str], seg: Seg, header: Header) -> None:
        """A segment of the envelope other than ST and SE."""
        if e[0] == "ISA":
            self._close_group(seg)
            self._close_interchange(seg)
            self._isa(header.elements, seg, header)
        elif e[0] == "GS":
            self._close_group(seg)
            self._gs(e, seg)
        elif e[0] == "GE":
            self._ge(e, seg)
        elif e[0] == "IEA":
            self._close_group(seg)
            self._iea(e, seg)
        elif e[0] == "TA1":
            self._ta1(e, seg)

    def end(self, index: int, offset: int) -> None:
        """The file ends."""
        seg: Seg = ([""], None, index, offset)
        self._close_group(seg)
        self._close_interchange(seg)

    def outside(self, e: list[str], seg: Seg) -> None:
        """A segment that belongs to no transaction."""
        if e == [""]:
            self.report.structure("SEGMENT_EMPTY", seg)
        else:
            self.report.structure("TRAILING_DATA", seg)

    # -- the interchange

    def _isa(self, e: list[str], seg: Seg, header: Header) -> None:
        self.isa = (e, None, seg[2], seg[3])
        self.interchanges += 1
        self.groups = 0
        self._gs_numbers = set()
        self.day = "20" + _at(e, 9) if is_date(_at(e, 9)) else ""
        for position in range(1, 17):
            if not _isa_element(e, position):
                self.report.structure("ISA_ELEMENT", seg, element=position, value=_at(e, position))
        number = _at(e, 13)
        if number in self._isa_numbers:
            self.report.structure("ISA_DUPLICATE", seg, element=13, value=number)
        if len(self._isa_numbers) < 100_000:
            self._isa_numbers.add(number)
        if header.old:
            self.report.structure("OLD_VERSION", seg, element=12, value=_at(e, 12))
        elif not header.repetition:
            self.report.structure("REPETITION_SEPARATOR", seg, element=11, value=_at(e, 11))
        marks = [mark for mark in (header.element, header.component, header.repetition, header.segment) if mark]
        if len(set(marks)) < len(marks):
            twice = next(mark for mark in marks if marks.count(mark) > 1)
            self.report.structure("DELIMITER_CLASH", seg, element=16, value=twice)

    def _iea(self, e: list[str], seg: Seg) -> None:
        if self.isa is None:
            self.outside(e, seg)
            return
        if not _number_is(_at(e, 1), self.groups):
            self.report.structure("IEA_COUNT", seg, element=1, value=_at(e, 1), expected=self.groups)
        if _at(e, 2) != _at(self.isa[0], 13):
            self.report.structure("IEA_CONTROL", seg, element=2, value=_at(e, 2), expected=_at(self.isa[0], 13))
        self.isa = None

    def _close_interchange(self, seg: Seg) -> None:
        if self.isa is not None:
            self._miss("IEA_MISSING", "IEA", seg)
            self.isa = None

    def _ta1(self, e: list[str], seg: Seg) -> None:
        if self.gs is not None:
            self.report.structure("SEGMENT_UNEXPECTED", seg)
        for position, good in (
            (1, len(_at(e, 1)) == 9 and _at(e, 1).isdigit()),
            (2, is_date(_at(e, 2))),
            (3, is_time(_at(e, 3))),
            (4, _at(e, 4) in ("A", "E", "R")),
            (5, len(_at(e, 5)) == 3 and _at(e, 5).isdigit() and int(_at(e, 5)) <= 31),
        ):
            if not good:
                code = "ELEMENT_CODE" if position > 3 else "ELEMENT_CHARACTER"
                self.report.element((code, "7", None, None, _at(e, position)), seg, "", position)

    # -- the group

    def _gs(self, e: list[str], seg: Seg) -> None:
        self.gs = seg
        self.groups += 1
        self.sets = 0
        self._st_numbers = set()
        self.version = _at(e, 8)
        for position, good in (
            (1, len(_at(e, 1)) == 2 and _at(e, 1).isalpha()),
            (2, 2 <= len(_at(e, 2)) <= 15),
            (3, 2 <= len(_at(e, 3)) <= 15),
            (4, len(_at(e, 4)) == 8 and is_date(_at(e, 4))),
            (5, is_time(_at(e, 5))),
            (6, 1 <= len(_at(e, 6)) <= 9 and _at(e, 6).isdigit()),
            (7, _at(e, 7) in ("X", "T")),
            (8, 1 <= len(_at(e, 8)) <= 12),
        ):
            if not good:
                self.report.structure("GS_ELEMENT", seg, element=position, value=_at(e, position))
        if self.isa is None:
            self.report.structure("TRAILING_DATA", seg)
        if _at(e, 6) in self._gs_numbers:
            self.report.structure("GS_DUPLICATE", seg, element=6, value=_at(e, 6))
        self._gs_numbers.add(_at(e, 6))

    def _ge(self, e: list[str], seg: Seg) -> None:
        if self.gs is None:
            self.outside(e, seg)
            return
        if not _number_is(_at(e, 1), self.sets):
            self.report.structure("GE_COUNT", seg, element=1, value=_at(e, 1), expected=self.sets)
        if _at(e, 2) != _at(self.gs[0], 6):
            self.report.structure("GE_CONTROL", seg, element=2, value=_at(e, 2), expected=_at(self.gs[0], 6))
        self.gs = None

    def _close_group(self, seg: Seg) -> None:
        if self.gs is not None:
            self._miss("GE_MISSING", "GE", seg)
            self.gs = None

    def _miss(self, code: str, name: str, seg: Seg) -> None:
        self.report.structure(code, ([name], None, seg[2], seg[3]))

    # -- the transaction

    def transaction(self, seg: Seg, tx: Tx, spec: Spec | None) -> None:
        """ST: its numbers, and whether envelope and set agree."""
        e = seg[0]
        self.sets += 1
        if self.gs is None:
            self._miss("GS_MISSING", "GS", seg)
        if not 4 <= len(_at(e, 2)) <= 9 or not _at(e, 2).isalnum():
            self.report.structure("ST_ELEMENT", seg, element=2, value=_at(e, 2))
        elif _at(e, 2) in self._st_numbers:
            self.report.structure("ST_DUPLICATE", seg, element=2, value=_at(e, 2))
        if len(self._st_numbers) < 100_000:
            self._st_numbers.add(_at(e, 2))
        if spec is None:
            self.report.structure("SET_UNKNOWN", seg, element=1, value=_at(e, 1))
            return
        group = _at(self.gs[0], 1) if self.gs else spec.group
        if group != spec.group:
            gs = self.gs or seg
            self.report.structure("GROUP_ID", gs, element=1, value=group, expected=_at(e, 1))
        self._guide(seg, tx, spec)

    def _guide(self, seg: Seg, tx: Tx, spec: Spec) -> None:
        own = _at(seg[0], 3)
        if tx.old:
            return
        if own in spec.guides and self.gs is not None and "X" in self.version and not _known(self.version):
            self.report.structure("VERSION_MISMATCH", self.gs, element=8, value=self.version, expected=own)
            return
        if own and own != self.version and "X" in self.version:
            self.report.structure("VERSION_MISMATCH", seg, element=3, value=own, expected=self.version)
        elif not own and spec.st03:
            self.report.structure("ST_ELEMENT", seg, element=3, value="", severity="error")
        guide = own or self.version
        if guide not in spec.guides:
            gs = self.gs or seg
            place = (seg, 3) if own else (gs, 8)
            tx.old = related(guide)
            severity: Severity = "warning" if tx.old else "error"
            self.report.structure("VERSION_UNKNOWN", place[0], element=place[1], value=guide, severity=severity)

    def trailer(self, e: list[str] | None, seg: Seg, tx: Tx) -> None:
        """SE: its count and number, or its absence."""
        if e is None:
            self._miss("SE_MISSING", "SE", seg)
            return
        count = seg[2] - tx.begin + 1
        if not _number_is(_at(e, 1), count):
            self.report.structure("SE_COUNT", seg, element=1, value=_at(e, 1), expected=count)
        if _at(e, 2) != tx.control:
            self.report.structure("SE_CONTROL", seg, element=2, value=_at(e, 2), expected=tx.control)
        if count <= 2:
            self.report.structure("TRANSACTION_EMPTY", seg)


def _isa_element(e: list[str], position: int) -> bool:
    """An ISA element has its fixed length and one of its values."""
    text = _at(e, position)
    if position in _WIDTHS:
        return len(text) == _WIDTHS[position] and (position in (2, 4) or bool(text.strip()))
    if position in (5, 7):
        return text in _QUALIFIERS
    return {
        1: lambda: text in ("00", "03"),
        3: lambda: text in ("00", "01"),
        9: lambda: len(text) == 6 and is_date(text),
        10: lambda: len(text) == 4 and is_time(text),
        11: lambda: len(text) == 1,
        12: lambda: _VERSION.fullmatch(text) is not None,
        13: lambda: len(text) == 9 and text.isdigit(),
        14: lambda: text in ("0", "1"),
        15: lambda: text in ("P", "T"),
        16: lambda: len(text) == 1,
    }[position]()


def _at(e: list[str], position: int) -> str:
    return e[position] if len(e) > position else ""


@cache
def _known(guide: str) -> bool:
    """Some set has this guide."""
    return any(guide in grammar.spec(name).guides for name in grammar.names())


def _number_is(text: str, number: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12 and int(text) == number
