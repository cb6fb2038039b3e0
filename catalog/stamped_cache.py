"""A cache of answers that are valid as long as a stamp."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Stamped(NamedTuple, Generic[V]):
    stamp: str
    value: V


class StampedCache(Generic[V]):
    """A thread-safe cache of the `size` most recently used answers."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: OrderedDict[Hashable, Stamped[V]] = OrderedDict()
        self._mutex = Lock()

    def get(self, key: Hashable) -> Stamped[V] | None:
        """The cached answer; the caller checks its stamp."""
        with self._mutex:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: Hashable, stamp: str, value: V) -> None:
        with self._mutex:
            self._entries[key] = Stamped(stamp, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self.size:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._mutex:
            self._entries.clear()
