"""Turning what the checker meets into findings."""

import re
from dataclasses import replace
from typing import Any

from libs.x12 import grammar
from libs.x12.codes import code_list
from libs.x12.elements import Problem
from libs.x12.findings import Finding, Partner, Severity
from libs.x12.grammar import Element, Loop, Node
from libs.x12.messages import TEXTS, WARNINGS
from libs.x12.parts import Place, Seg, Tx
from libs.x12.tokens import Block, Header


class Reporter:
    """Collects findings, as the partner weighs them."""

    def __init__(self, partner: Partner | None) -> None:
        self.partner = partner
        self.out: list[Finding] = []
        self.count = 0
        """Everything that was found, what the partner ignores included."""
        self.tx: Tx | None = None
        self._patterns: dict[tuple[str, str, str, str], re.Pattern[str]] = {}

    @property
    def tx_set(self) -> str:
        """The set of the current transaction."""
        return self.tx.set if self.tx else ""

    def begin(self, tx: Tx) -> None:
        """A transaction begins."""
        self.tx = tx

    def end(self) -> bool:
        """It ends; True when no error was found in it."""
        tx, self.tx = self.tx, None
        return tx is not None and tx.errors == 0

    def emit(self, finding: Finding) -> None:
        """Keep a finding, with the severity that the partner gives it."""
        self.count += 1
        if self.tx is not None and self.tx.old and finding.severity == "error" and finding.level == 2:
            finding = replace(finding, severity="warning")
        if self.partner is not None:
            severity = self.partner.severity(finding)
            if severity == "ignore":
                return
            if severity != finding.severity:
                finding = replace(finding, severity=severity)
        if self.tx is not None and finding.severity == "error":
            self.tx.errors += 1
        self.out.append(finding)

    def add(
        self,
        code: str,
        level: int,
        message: str,
        *,
        seg: Seg | None = None,
        loop: str = "",
        segment: str = "",
        offset: int | None = None,
        element: int | None = None,
        component: int | None = None,
        repetition: int | None = None,
        value: str = "",
        severity: Severity = "error",
        advice: str = "",
        x12: str = "",
        data_element: str = "",
        claim: str = "",
    ) -> None:
        """A finding at a segment."""
        tx = self.tx
        index = seg[2] if seg else 0
        self.emit(
            Finding(
                level=level,
                code=code,
                severity=severity,
                loop=loop,
                segment=segment or (seg[0][0][:3] if seg else ""),
                segment_index=index,
                offset=seg[3] if seg and offset is None else offset or 0,
                position=index - tx.begin + 1 if tx else 0,
                element=element,
                component=component,
                repetition=repetition,
                value=value,
                message=message,
                advice=advice,
                x12=x12,
                data_element=data_element,
                transaction=tx.control if tx else "",
                claim=claim or (tx.claim if tx else ""),
            )
        )

    def structure(self, code: str, seg: Seg, loop: str = "", *, severity: Severity = "error", **words: Any) -> None:
        """A finding whose words are in the table."""
        level, x12, message, advice = TEXTS[code]
        element = words.get("element")
        texts = {"segment": seg[0][0], "loop": loop, "value": "", "text": "", **words}
        self.add(
            code,
            level,
            message.format(**texts),
            seg=seg,
            loop=loop,
            element=element,
            value=str(words.get("value", ""))[:80],
            severity="warning" if code in WARNINGS else severity,
            advice=advice.format(**texts),
            x12=x12,
        )

    def missing(self, node: Node, seg: Seg, loop: str) -> None:
        """A required segment is not there."""
        _, x12, message, advice = TEXTS["SEGMENT_MISSING"]
        codes = node.qualifier[1]
        text = f" {codes[0]}" if len(codes) == 1 else ""
        text += f" ({node.text})" if node.text else ""
        said = message.format(segment=node.id, text=text, loop=loop)
        self.add("SEGMENT_MISSING", 2, said, seg=seg, loop=loop, segment=node.id, advice=advice, x12=x12)

    def missing_loop(self, loop: Loop, seg: Seg) -> None:
        """A required loop is not there."""
        _, x12, message, advice = TEXTS["LOOP_MISSING"]
        text = f" ({loop.text})" if loop.text else ""
        said = message.format(segment=loop.first.id, text=text, loop=loop.id)
        self.add("LOOP_MISSING", 2, said, seg=seg, loop=loop.id, segment=loop.first.id, advice=advice, x12=x12)

    def element(self, problem: Problem, seg: Seg, loop: str, position: int) -> None:
        """An element is not as it must be."""
        code, x12, component, repetition, value = problem
        level, _, message, advice = TEXTS[code]
        node = seg[1]
        used = node.elements[position - 1] if node and position <= len(node.elements) else None
        if used is not None and component and component <= len(used.components):
            used = used.components[component - 1]
        number = used.number if used else ""
        kind = grammar.data_elements().get(number, ("", 0, 0))
        place = f"{seg[0][0]}{position:02d}" + (f"-{component}" if component else "")
        words = {
            "place": place,
            "label": _label(used),
            "value": value[:40],
            "segment": seg[0][0],
            "low": kind[1],
            "high": kind[2],
            "codes": _codes(used),
        }
        if used is not None and used.list_name and code == "ELEMENT_CODE":
            level = 5
        self.add(
            code,
            level,
            message.format(**words),
            seg=seg,
            loop=loop,
            element=position,
            component=component,
            repetition=repetition,
            value=value,
            severity="warning" if code in WARNINGS else "error",
            advice=advice.format(**words),
            x12=x12,
            data_element=number if number.isdigit() else "",
        )

    def ruled(self, rule: Any, place: Place, loop: str) -> None:
        """A rule was broken."""
        used = None
        node = place.seg[1]
        if node and place.element and place.element <= len(node.elements):
            used = node.elements[place.element - 1]
            if place.component and place.component <= len(used.components):
                used = used.components[place.component - 1]
        self.add(
            place.code or rule.code,
            rule.level,
            place.message,
            seg=place.seg,
            loop=loop,
            segment=place.segment,
            element=place.element,
            component=place.component,
            value=place.value[:80],
            severity=rule.severity,
            advice=rule.advice,
            x12=place.x12 or rule.x12,
            data_element=used.number if used and used.number.isdigit() else "",
            claim=place.claim,
        )

    def dirty(self, block: Block) -> bool:
        """The block holds a character that no X12 text may hold."""
        return self._allowed(block.header).search(block.text) is not None

    def _allowed(self, header: Header) -> re.Pattern[str]:
        marks = (header.element, header.component, header.repetition, header.segment)
        if marks not in self._patterns:
            extra = re.escape("".join(marks) + "\r\n")
            self._patterns[marks] = re.compile(f"[^\\x20-\\x7e{extra}]")
        return self._patterns[marks]

    def characters(self, e: list[str], index: int, offset: int, header: Header) -> None:
        """Name the element that holds a character which does not belong in X12."""
        pattern = self._allowed(header)
        for position, text in enumerate(e):
            found = pattern.search(text) or ("\n" in text and re.search("\n", text))
            if found:
                self.add(
                    "ELEMENT_CHARACTER",
                    1,
                    f"{e[0][:3]}{position:02d} holds the character {found[0]!r}, which X12 does not allow",
                    seg=(e, None, index, offset),
                    element=position,
                    value=text[:80],
                    advice="Send only characters of the basic and extended sets.",
                    x12="6",
                )


def _label(element: Element | None) -> str:
    """What an element means, in words."""
    if element is None or not element.field:
        return ""
    name = element.field.lstrip("^").rpartition(".")[2].partition("/")[0]
    return f" ({name.removesuffix('_cents').replace('_', ' ')})"


def _codes(element: Element | None) -> str:
    """The allowed codes, or where to find them."""
    if element is None:
        return "the guide's codes"
    codes = list(element.codes) or (sorted(code_list(element.list_name).codes) if element.list_name else [])
    if not codes:
        return "the guide's codes"
    return ", ".join(codes[:12]) + (", …" if len(codes) > 12 else "")
