"""The levels above items as they are written: what each takes from an item, and which items may share one."""

from collections.abc import Iterable
from typing import Any

from libs.x12 import shapes
from libs.x12.compile_write import WriteCompiler
from libs.x12.grammar import Loop
from libs.x12.open_loops import heads


class Level:
    """What one level of the hierarchy takes from an item."""

    def __init__(self, loop: Loop, compiler: WriteCompiler) -> None:
        self.loop = loop
        item = compiler.base.item
        assert item
        known = shapes.fields(item)
        self.heads = heads(loop, compiler.base)
        self.keys = {name for name in self.heads if known[name].kind == "record" and not known[name].many}
        if loop.leaf:
            self.keys = set()
        self.shared = sorted(self.keys)
        self.blank = shapes.draft(item)
        self.all = list(known)
        self.always = loop.usage == "R" or (not loop.hierarchical and loop.kind == "level")
        self.known = known
        self.telling = [name for name in self.heads if known[name].default in ("", None, ())]
        """Fields without a standing value: one of them filled tells that the level is there."""

    def present(self, item: Any) -> bool:
        """The item has something to say at this level."""
        if self.always:
            return True
        if self.keys:
            return any(getattr(item, name) is not None for name in self.keys)
        return any(getattr(item, name) not in ("", None, ()) for name in self.telling)

    def same(self, one: Any, other: Any) -> bool:
        """Both items may hang under one such level: as in the file that they were read from, else where they agree."""
        from_file = one.source is not None and other.source is not None
        for name in self.shared:
            left, right = getattr(one, name), getattr(other, name)
            if left is not right and (from_file or left != right):
                return False
        return True

    def only(self, item: Any) -> Any:
        """The item reduced to what stands at this level when something deeper follows."""
        draft = self.blank()
        for name in self.keys:
            setattr(draft, name, getattr(item, name))
        if self.keys and "rejections" in self.known:
            draft.rejections = tuple(x for x in item.rejections if x.level == self.loop.id)
        if "extra" in self.known and item.extra:
            draft.extra = item.extra
        return draft


def item_loops(loop: Loop) -> Iterable[Loop]:
    for child in loop.loops():
        if child.kind in ("item", "level"):
            yield child
        yield from item_loops(child)


def first_item_loops(loop: Loop) -> list[Loop]:
    found: list[Loop] = []
    for child in loop.loops():
        if child.kind in ("item", "level"):
            found.append(child)
        elif child.kind == ".":
            found += first_item_loops(child)
    return found


def name_level(path: list[Loop]) -> str:
    """Where a rejection without a level of its own stands: beside the name of the innermost person."""
    named = [loop for loop in path if loop.id in ("2000A", "2000B", "2000C", "2000D")]
    inner = next((child.id for child in named[-1].loops() if child.first.id == "NM1"), named[-1].id) if named else ""
    return inner
