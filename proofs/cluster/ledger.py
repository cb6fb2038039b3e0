"""The ledger of one cart: records acknowledged writes, and compares every read with them.

A line's state is its number of copies, 0 for no line. A write that was acknowledged leaves one state that is allowed,
a write whose answer never came leaves two or more: before and after. A read does not narrow that down: what it saw may
be taken back by a failover as long as nobody acknowledged it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """A book whose line is not what it must be. `lost`: it is what it was before an acknowledged write."""

    book: int
    found: int
    allowed: frozenset[int]
    lost: bool

    def __str__(self) -> str:
        kind = "an acknowledged write is lost" if self.lost else "nobody ever wrote that"
        return f"book {self.book} has {self.found} copies, allowed are {sorted(self.allowed)}: {kind}"


@dataclass
class Ledger:
    books: Iterable[int]
    acknowledged: int = 0
    unknown: int = 0
    taken_back: int = 0  # reads that saw a write of unknown fate, and then did not any more
    _allowed: dict[int, set[int]] = field(init=False)
    _was: dict[int, set[int]] = field(init=False)  # states that an acknowledged write has ended
    _seen: dict[int, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._allowed = {book: {0} for book in self.books}
        self._was = {book: set() for book in self.books}

    def allowed(self, book: int) -> frozenset[int]:
        return frozenset(self._allowed[book])

    def write_acknowledged(self, book: int, copies: int) -> None:
        self.acknowledged += 1
        self._was[book] |= self._allowed[book]
        self._allowed[book] = {copies}
        self._seen.pop(book, None)

    def write_unknown(self, book: int, copies: int) -> None:
        """No answer, or a 503: it may have been done."""
        self.unknown += 1
        self._allowed[book].add(copies)

    def read(self, copies: Mapping[int, int]) -> list[Fault]:
        """`copies` by book, of a whole cart; books that are not in it have none."""
        faults = []
        for book, allowed in self._allowed.items():
            found = copies.get(book, 0)
            if found not in allowed:
                faults.append(Fault(book, found, frozenset(allowed), lost=found in self._was[book]))
                self._was[book] |= allowed
                self._allowed[book] = {found}  # told once
            elif self._seen.get(book, found) != found:
                self.taken_back += 1
            self._seen[book] = found
        return faults
