"""What a specification consists of: loops, segments at their places, elements."""

from dataclasses import dataclass, field

UNBOUNDED = 10**9


@dataclass(slots=True)
class Element:
    """One element or component as a guide uses it."""

    usage: str
    """``R`` required, ``S`` situational, ``N`` not used."""
    number: str = ""
    codes: tuple[str, ...] = ()
    list_name: str = ""
    """An external or shared code list."""
    repeats: int = 1
    components: "tuple[Element, ...]" = ()
    composite: str = ""
    field: str = ""
    default: str = ""
    explicit: bool = False
    """The field is named by the set's own specification, not by the dictionary."""
    group: tuple[int, int] | None = None
    """Where it stands in a repeated group of elements: (position in the group, size of the group)."""

    @property
    def constant(self) -> str:
        """Its only possible value, if there is but one."""
        return self.codes[0] if len(self.codes) == 1 and not self.list_name else ""


@dataclass(slots=True)
class Node:
    """A segment at its place in a loop."""

    id: str
    usage: str
    repeat: int
    elements: tuple[Element, ...]
    conditions: tuple[tuple[str, tuple[int, ...]], ...]
    target: str = ""
    raw: str = ""
    text: str = ""
    ordinal: int = 0
    loop: "Loop" = None  # type: ignore[assignment]
    mapped: bool = True
    when: str = ""
    """The field that must be there, or after ``!`` must not, for the segment to be written."""

    @property
    def qualifier(self) -> tuple[int, tuple[str, ...]]:
        """The element that tells it from its namesakes, and the values that it may have; 0 if none does."""
        return _qualifier(self)


@dataclass(slots=True)
class Loop:
    """A loop: its segments and loops in the guide's order."""

    id: str
    usage: str
    repeat: int
    text: str = ""
    kind: str = ""
    """``level`` prepares items, ``item`` is one, ``.`` shares its parent's record, ``->`` has its own."""
    target: str = ""
    hierarchical: bool = False
    parent: "Loop | None" = None
    ordinal: int = 0
    depth: int = 0
    children: "list[Node | Loop]" = field(default_factory=list)
    first: Node = None  # type: ignore[assignment]
    """The segment that opens it."""
    leaf: bool = False
    """An item of its own, whatever it holds; other hierarchical items are known by the party that they name."""

    required: "tuple[tuple[int, Node | Loop], ...]" = ()
    """What it must have, each with the key that it is counted by."""
    numbered: bool = False
    """It opens with an HL."""
    kept: bool = False
    """A part of the item, or of the level, that it is in: it is looked at again when that ends."""
    inner: "tuple[Loop, ...]" = ()
    """The loops within it."""

    def nodes(self) -> list[Node]:
        """Its own segments."""
        return [child for child in self.children if isinstance(child, Node)]

    def loops(self) -> "list[Loop]":
        """Its own loops."""
        return [child for child in self.children if isinstance(child, Loop)]


@dataclass(slots=True)
class Spec:
    """A whole transaction set."""

    name: str
    guides: tuple[str, ...]
    text: str
    group: str = ""
    st: str = ""
    record: str = ""
    items: str = ""
    st03: bool = True
    root: Loop = None  # type: ignore[assignment]


#: Segments that are told apart by one element: its position.
QUALIFIED = {
    "HL": 3, "NM1": 1, "N1": 1, "REF": 1, "DTP": 1, "DTM": 1, "AMT": 1, "QTY": 1, "PER": 1, "HI": 1, "LQ": 1,
    "CRC": 1, "III": 1, "NTE": 1, "PWK": 1, "TRN": 1, "TOO": 1,
}  # fmt: skip


def _qualifier(node: Node) -> tuple[int, tuple[str, ...]]:
    position = QUALIFIED.get(node.id, 0)
    if not position or position > len(node.elements):
        return 0, ()
    element = node.elements[position - 1]
    if element.components:
        element = element.components[0]
    return (position, element.codes) if element.codes else (0, ())
