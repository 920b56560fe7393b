"""Which specification a transaction follows: by ST01 and the guide's family, whatever GS01 says."""

import re

#: Guide family (of any version or addendum) to the set.
FAMILIES = {
    "X222": "837P", "X098": "837P", "X291": "837P", "X298": "837P", "X223": "837I", "X096": "837I", "X292": "837I",
    "X299": "837I", "X221": "835", "X091": "835", "X279": "27X", "X092": "27X", "X212": "27S", "X093": "27S",
    "X214": "277CA", "X167": "277CA", "X070": "277CA", "X217": "278", "X094": "278", "X215": "278I", "X231": "999",
}  # fmt: skip
#: Guides that are close to one of ours, and are checked by it with a lighter hand.
RELATED = frozenset({"X291", "X292", "X298", "X299"})
_FAMILY = re.compile(r"X\d{3}")


def route(st01: str, guide: str, following: list[list[str]]) -> str:
    """The set's name, such as ``837P`` or ``278R``; the bare ST01 for a set that has no specification.

    `following` holds the segments after the ST, as far as they are at hand."""
    match = _FAMILY.search(guide)
    family = FAMILIES.get(match[0], "") if match else ""
    bht = next((segment for segment in following[:3] if segment and segment[0] == "BHT"), [])
    if st01 == "837":
        return family if family.startswith("837") else _claim_kind(following)
    if st01 == "277":
        if family == "277CA" or (not family.startswith("27S") and bht[1:2] == ["0085"]):
            return "277CA"
        return "277"
    if st01 == "278":
        return _review_kind(family, bht)
    return st01


def _claim_kind(following: list[list[str]]) -> str:
    """Without a known guide: by the first service line's segment."""
    for segment in following:
        if segment and segment[0] in ("SV1", "SV2"):
            return "837P" if segment[0] == "SV1" else "837I"
    return "837P"


def _review_kind(family: str, bht: list[str]) -> str:
    """Request or response by BHT02, inquiry by the guide or purpose 28."""
    purpose = bht[2] if len(bht) > 2 else "13"
    inquiry = family == "278I" or purpose == "28"
    answer = purpose in ("11", "06") or (len(bht) > 6 and purpose not in ("01", "13", "28", "36"))
    return {(False, False): "278", (False, True): "278R", (True, False): "278I", (True, True): "278IR"}[inquiry, answer]


def related(guide: str) -> bool:
    """The guide is not ours, but of a family that one of ours resembles."""
    match = _FAMILY.search(guide)
    return match is not None and match[0] in RELATED
