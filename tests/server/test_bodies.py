"""Reading bodies: in memory or in a file, with a bound for all together and a minimum rate."""

import io
from collections.abc import Callable
from contextlib import closing

import pytest

from bookstore.server import bodies
from bookstore.server.bodies import Bodies, CutShort, TooSlow
from bookstore.server.slots import TooBusy

MB = 1_000_000


def sent(content: bytes, length: int | None = None, **environ):
    length = len(content) if length is None else length
    return {"CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(content), "REMOTE_ADDR": "192.0.2.1"} | environ


class Source:
    """A client whose pieces come when the test says."""

    def __init__(self, piece: Callable[[], bytes]) -> None:
        self.piece = piece

    def read(self, size: int) -> bytes:
        return self.piece()


def test_a_small_body_stays_in_memory():
    read = Bodies().read(sent(b"book"), largest=MB)

    assert isinstance(read, io.BytesIO)
    assert read.read() == b"book"


def test_a_large_body_is_in_a_file_that_has_no_name():
    content = bytes(range(256)) * 1000
    environ = sent(content)

    with closing(Bodies().read(environ, largest=MB)) as read:
        assert not isinstance(read, io.BytesIO)
        assert isinstance(read.file.name, int)
        assert environ["wsgi.input"] is read
        assert (read.readline(), read.read()) == (content[:11], content[11:])


def test_bodies_in_files_share_a_bound_and_give_their_room_back():
    read = Bodies(files_together=250_000)
    first = read.read(sent(b"a" * 150_000), largest=MB)

    with pytest.raises(TooBusy):
        read.read(sent(b"b" * 150_000), largest=MB)
    small = read.read(sent(b"c" * 1000), largest=MB)
    upload = read.read(sent(b"d" * 150_000), largest=MB, upload=True)
    first.close()
    again = read.read(sent(b"b" * 150_000), largest=MB)

    assert [len(body.read()) for body in (small, upload, again)] == [1000, 150_000, 150_000]
    upload.close()
    again.close()


def test_a_body_that_is_closed_twice_gives_its_room_back_once():
    read = Bodies(files_together=250_000)
    body = read.read(sent(b"a" * 150_000), largest=MB)

    body.close()
    body.close()
    kept = read.read(sent(b"b" * 150_000), largest=MB)

    with pytest.raises(TooBusy):
        read.read(sent(b"c" * 150_000), largest=MB)
    kept.close()


@pytest.mark.parametrize("came", [0, 100, 70_000])
def test_a_body_that_is_cut_short_is_refused_and_leaves_no_file(came):
    read = Bodies(files_together=70_000)

    for _ in range(2):
        with pytest.raises(CutShort, match=f"90000 bytes were announced, {came} came"):
            read.read(sent(b"a" * came, 90_000), largest=MB)


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch):
    clock = iter([0.0, 9.0, 12.0])
    monkeypatch.setattr(bodies, "monotonic", lambda: next(clock))
    read, late = Bodies(), []

    def slowly() -> bytes:
        late.extend(read.late() or read.late())  # at 9 s, and at 12 s
        return b""  # as the server ends the wait

    with pytest.raises(TooSlow):
        read.read(sent(b"", 90_000) | {"wsgi.input": Source(slowly)}, largest=MB)

    assert [(reader.address, reader.came) for reader in late] == [("192.0.2.1", 0)]


def test_of_too_many_bodies_the_slowest_gives_way(monkeypatch):
    monkeypatch.setattr(bodies, "monotonic", lambda: 5.0)
    read = Bodies(most_readers=2)
    readers = [bodies.Reader(f"192.0.2.{number}") for number in (1, 2, 3)]
    for reader, came in zip(readers, (5000, 10, 5000), strict=True):
        reader.began, reader.came = 1.0, came
    read._readers.update(readers)

    assert [reader.address for reader in read.late()] == ["192.0.2.2"]
    assert read.late() == []


def test_slow_bodies_of_a_disconnected_client_are_given_up(monkeypatch):
    monkeypatch.setattr(bodies, "monotonic", lambda: 5.0)
    read = Bodies()
    readers = [bodies.Reader(address) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    for reader, came in zip(readers, (10, 50_000, 10), strict=True):
        reader.began, reader.came = 1.0, came
    read._readers.update(readers)

    read.give_up_slow_ones_of("192.0.2.1")

    assert [reader.given_up for reader in readers] == [True, False, False]


def test_a_body_is_in_good_time_at_the_rate():
    reader = bodies.Reader("192.0.2.1")
    reader.began = 0.0

    reader.came = bodies.RATE * 20

    assert not reader.is_late(bodies.GRACE + 20)
    assert reader.is_late(bodies.GRACE + 20.1)
