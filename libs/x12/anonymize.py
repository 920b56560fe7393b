"""A file with its people replaced: names, numbers, birth dates, addresses; amounts and codes stay."""

import hashlib
from collections.abc import Iterator

from libs.x12.rules.segments import luhn_npi
from libs.x12.tokens import Block, InputSource, blocks

_LAST = ("ASH", "BIRCH", "CEDAR", "ELM", "FIR", "HAZEL", "LARCH", "MAPLE", "OAK", "PINE", "ROWAN", "WILLOW")
_FIRST = ("ALEX", "BLAIR", "CASEY", "DREW", "ELLIS", "FINLEY", "HARPER", "JORDAN", "KAI", "LOGAN", "MORGAN", "QUINN")
#: NM101 of people whose privacy it is; organisations and payers keep their names.
_PEOPLE = frozenset({"IL", "QC", "03", "74", "GB", "1", "85", "82", "DN", "DQ", "DK", "77", "P3", "71", "72", "73"})
#: References that name a person or a person's claim.
_NUMBERS = frozenset(
    {
        "SY",
        "EA",
        "1L",
        "1W",
        "IG",
        "6P",
        "F6",
        "EJ",
        "Y4",
        "CE",
        "D9",
        "F8",
        "1K",
        "9A",
        "9C",
        "G1",
        "9F",
        "BB",
        "NT",
        "MRN",
        "HJ",
        "NQ",
        "N6",
    }
)


class Replacer:
    """Replaces the same text by the same other text everywhere, so that what belonged together still does."""

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def _number(self, kind: str, text: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.seed}|{kind}|{text}".encode()).digest()[:8], "big")

    def code(self, text: str) -> str:
        """Digits for digits, letters for letters, the same length."""
        number = self._number("code", text)
        made = []
        for place, character in enumerate(text):
            draw = (number >> (place % 50)) + place * 7 + number % 97
            if character.isdigit():
                made.append(str(draw % 10))
            elif character.isalpha():
                made.append("ABCDEFGHJKLMNPQRSTUVWXYZ"[draw % 24])
            else:
                made.append(character)
        return "".join(made)

    def npi(self, text: str) -> str:
        """A valid NPI in place of another."""
        body = "1" + f"{self._number('npi', text) % 10**8:08d}"
        return next((body + str(digit) for digit in range(10) if luhn_npi(body + str(digit))), text)

    def last(self, text: str) -> str:
        """A last name."""
        return _LAST[self._number("last", text) % len(_LAST)] if text else ""

    def first(self, text: str) -> str:
        """A first name."""
        return _FIRST[self._number("first", text) % len(_FIRST)] if text else ""

    def birth(self, text: str) -> str:
        """A day in the same year; who is over 89 becomes 1930."""
        if len(text) != 8 or not text.isdigit():
            return text
        number = self._number("birth", text)
        year = max(int(text[:4]), 1930)
        return f"{year:04d}{number % 12 + 1:02d}{number // 12 % 28 + 1:02d}"

    def street(self, text: str) -> str:
        """A street address."""
        return f"{self._number('street', text) % 900 + 100} MAIN ST" if text else ""


def _segment(e: list[str], replace: Replacer, component: str) -> list[str]:  # noqa: C901 - one case per segment
    """One segment with its people replaced."""
    name = e[0]
    if name == "NM1" and len(e) > 3:
        e = _name(e, replace)
    elif name == "N3":
        e[1:] = [replace.street(text) if place == 0 else "" for place, text in enumerate(e[1:])][:1]
    elif name == "N4" and len(e) > 3:
        e[1], e[3] = "ANYTOWN", (e[3][:3] + "00" + "0000"[: max(0, len(e[3]) - 5)]) if e[3] else ""
    elif name == "DMG" and len(e) > 2:
        e[2] = replace.birth(e[2])
    elif name == "PER":
        e = _contact(e, replace)
    elif name == "REF" and len(e) > 2 and e[1] in _NUMBERS:
        e[2] = replace.code(e[2])
    elif name in ("CLM", "CLP") and len(e) > 1:
        e[1] = replace.code(e[1])
        if name == "CLP" and len(e) > 7:
            e[7] = replace.code(e[7])
    elif name == "TRN" and len(e) > 2 and e[1] == "2":
        e[2] = replace.code(e[2])
    elif name in ("NTE", "MSG", "K3"):
        e[-1] = "TEXT REMOVED"
    elif name == "PLB" and len(e) > 3:
        for place in range(3, len(e), 2):
            code, mark, number = e[place].partition(component) if component else (e[place], "", "")
            e[place] = code + mark + replace.code(number)
    return e


def _name(e: list[str], replace: Replacer) -> list[str]:
    person = len(e) > 2 and e[2] == "1"
    if person or e[1] in ("IL", "QC", "03", "74"):
        e[3] = replace.last(e[3])
        for place in (4, 5):
            if len(e) > place:
                e[place] = replace.first(e[place])
    if len(e) > 9 and e[9]:
        if e[8] == "XX" and person:
            e[9] = replace.npi(e[9])
        elif e[8] in ("MI", "II", "34", "HN", "MR", "SY", "C"):
            e[9] = replace.code(e[9])
    return e


def _contact(e: list[str], replace: Replacer) -> list[str]:
    if len(e) > 2 and e[2]:
        e[2] = "CONTACT"
    for place in range(3, len(e) - 1, 2):
        if e[place] in ("TE", "FX", "HP", "WP"):
            e[place + 1] = "5555550100"
        elif e[place] == "EM":
            e[place + 1] = "CONTACT@EXAMPLE.COM"
    return e


def anonymize(source: InputSource, *, seed: str = "") -> Iterator[bytes]:
    """The file's bytes with its people replaced, piece by piece; envelope, structure and amounts stay."""
    replace = Replacer(seed)
    for block in blocks(source):
        yield _block(block, replace).encode("latin-1")


def _block(block: Block, replace: Replacer) -> str:
    header = block.header
    end = header.segment + header.line_break
    lines = []
    for text in block.segments:
        if text.startswith(("ISA", "GS", "ST", "SE", "GE", "IEA")):
            lines.append(text)
        else:
            lines.append(header.element.join(_segment(text.split(header.element), replace, header.component)))
    return "".join(line + end for line in lines)
