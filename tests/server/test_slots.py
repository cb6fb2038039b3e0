"""The order in which requests get slots, queue, and are refused."""

import contextlib
import threading
import time

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from bookstore.server.slots import Kind, Slots, TooBusy, kind_of, public_paths


class Visitor(threading.Thread):
    """A request that takes a slot and keeps it until told to leave."""

    def __init__(self, slots, kind=Kind.PUBLIC):
        super().__init__(daemon=True)
        self.slots, self.kind = slots, kind
        self.connection = None
        self.served, self.leaves = threading.Event(), threading.Event()

    def run(self):
        with contextlib.suppress(TooBusy):
            self.connection = self.slots.take(self.kind, patience=self.slots.patience)
        self.served.set()
        if self.connection:
            self.leaves.wait(5)
            self.slots.give_back(self.connection, self.kind)

    def enter(self):
        """Starts, and waits for the slot or the refusal."""
        self.start()
        self.served.wait(5)
        return self

    def leave(self):
        self.leaves.set()
        self.join(5)

    @property
    def is_in(self):
        return self.connection is not None


def queued(slots, *visitors):
    """Starts them one after the other, each once the one before it is queued."""
    for count, visitor in enumerate(visitors, start=slots.waiting + 1):
        visitor.start()
        while slots.waiting < count:
            time.sleep(0.001)


def test_slots_are_given_first_come_first_served():
    slots = Slots(1, patience=10)
    order: list[str] = []
    held = slots.take(Kind.PUBLIC)

    def queue(name: str) -> None:
        connection = slots.take(Kind.PUBLIC)
        order.append(name)
        slots.give_back(connection, Kind.PUBLIC)

    threads = []
    for count, name in enumerate(("Alice", "Bob", "Carol"), start=1):
        threads.append(threading.Thread(target=queue, args=(name,)))
        threads[-1].start()
        while slots.waiting < count:
            time.sleep(0.001)
    slots.give_back(held, Kind.PUBLIC)
    for thread in threads:
        thread.join(5)

    assert order == ["Alice", "Bob", "Carol"]
    assert (slots.taken, slots.waiting) == (0, 0)


def test_requests_of_two_kinds_are_served_in_the_order_they_came():
    slots = Slots(1, patience=5)
    first = Visitor(slots).enter()
    change, public = Visitor(slots, Kind.CHANGE), Visitor(slots)
    queued(slots, change, public)

    first.leave()
    change.served.wait(5)

    assert change.is_in
    assert not public.served.is_set()
    change.leave()
    public.served.wait(5)
    public.leave()
    assert slots.taken == 0


def test_a_slot_is_the_threads_connection_until_it_is_given_back():
    slots = Slots(1)
    before = connections[DEFAULT_DB_ALIAS]

    with slots.slot(Kind.PUBLIC):
        inside = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = before

    assert inside is not before


@pytest.mark.parametrize(
    ("kind", "others", "is_served"),
    [
        # Beside a public read every kind but another public read finds a slot.
        (Kind.PUBLIC, [Kind.PUBLIC], False),
        (Kind.OWN, [Kind.PUBLIC], True),
        (Kind.CHANGE, [Kind.PUBLIC], True),
        (Kind.STAFF, [Kind.PUBLIC], True),
        # A page of staff takes none of the shop's slots, and a crowd in the shop none of staff's.
        (Kind.PUBLIC, [Kind.STAFF], True),
        (Kind.CHANGE, [Kind.STAFF], True),
        (Kind.STAFF, [Kind.STAFF], False),
        (Kind.STAFF, [Kind.CHANGE, Kind.CHANGE], True),
        # Two reads at once would only slow each other down.
        (Kind.OWN, [Kind.OWN], False),
        (Kind.PUBLIC, [Kind.OWN], False),
        # A change has slots beside those of reads, and takes one of theirs when its own is taken.
        (Kind.CHANGE, [Kind.OWN], True),
        (Kind.CHANGE, [Kind.CHANGE], True),
        (Kind.CHANGE, [Kind.CHANGE, Kind.PUBLIC], False),
        (Kind.OWN, [Kind.PUBLIC, Kind.CHANGE], False),
        (Kind.OWN, [Kind.PUBLIC, Kind.OWN], False),
    ],
)
def test_who_is_served_beside_whom(kind, others, is_served):
    slots = Slots(1, for_changes=1, for_staff=1, patience=0.01)
    inside = [Visitor(slots, other).enter() for other in others]

    visitor = Visitor(slots, kind).enter()

    assert all(each.is_in for each in inside)
    assert visitor.is_in is is_served
    for each in [*inside, visitor]:
        each.leave()
    assert (slots.taken, slots.waiting) == (0, 0)


def test_a_slot_for_changes_skips_public_reads_for_a_change():
    slots = Slots(1, for_changes=1, patience=5)
    reader, writer = Visitor(slots).enter(), Visitor(slots, Kind.CHANGE).enter()
    public, change = Visitor(slots), Visitor(slots, Kind.CHANGE)
    queued(slots, public, change)

    writer.leave()
    change.served.wait(5)

    assert change.connection is writer.connection
    assert not public.served.is_set()
    for visitor in (reader, change, public):
        visitor.leave()
    assert public.connection is reader.connection


def test_a_crowd_of_public_reads_holds_only_the_shared_slots():
    slots = Slots(2, for_changes=2, for_staff=1, patience=0.05)

    crowd = [Visitor(slots).enter() for _ in range(6)]

    assert [visitor.is_in for visitor in crowd] == [True, True, False, False, False, False]
    for visitor in crowd:
        visitor.leave()


def test_a_queue_that_is_full_is_told_at_once():
    slots = Slots(1, patience=60, largest=1)

    with slots, pytest.raises(TooBusy), slots:
        pass

    with slots:
        pass  # whoever left made room


@pytest.mark.parametrize(
    ("method", "path", "token", "kind"),
    [
        ("GET", "/books", "", Kind.PUBLIC),
        ("GET", "/books/7", "", Kind.PUBLIC),
        ("get", "/books", "", Kind.PUBLIC),
        ("GET", "/books", "Bearer x", Kind.PUBLIC),
        ("GET", "/genres/", "Bearer x", Kind.PUBLIC),
        ("HEAD", "/schema", "", Kind.PUBLIC),
        ("GET", "/cart", "", Kind.PUBLIC),
        ("GET", "/cart", "Bearer x", Kind.OWN),
        ("GET", "/bookshelf", "Bearer x", Kind.OWN),
        ("GET", "/ready", "", Kind.OWN),
        ("GET", "/ready/", "", Kind.OWN),
        ("POST", "/auth/login", "", Kind.CHANGE),
        ("PUT", "/books/7", "Bearer x", Kind.CHANGE),
        ("VERB", "/books", "", Kind.CHANGE),
        ("GET", "/admin/", "", Kind.STAFF),
        ("POST", "/admin/login/", "", Kind.STAFF),
        ("GET", "", "", Kind.PUBLIC),
    ],
)
def test_the_kind_of_a_request(method, path, token, kind):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path} | ({"HTTP_AUTHORIZATION": token} if token else {})

    assert kind_of(environ, public_paths()) is kind
