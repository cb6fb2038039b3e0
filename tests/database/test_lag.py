"""The choice of replicas, by log positions and our own clock only."""

import pytest
from django.db import InterfaceError, OperationalError

from bookstore.database import lag
from bookstore.database.lag import Watch

AWAY = OperationalError("connection refused")


class Servers:
    """What the primary and one replica would answer, and the clock."""

    def __init__(self, monkeypatch, *, max_lag=5):
        self.now, self.primary, self.replica = 100.0, 1000, (True, 1000)
        self.watch = Watch(("replica1",), max_lag=max_lag)
        monkeypatch.setattr(lag, "rows", self.rows)
        monkeypatch.setattr(lag, "name_of", lambda connection: "db2:5432/shop")
        monkeypatch.setattr(lag, "connections", {"replica1": None})
        monkeypatch.setattr(lag.time, "monotonic", lambda: self.now)

    def rows(self, alias, sql):
        answer = (self.primary,) if alias == "default" else self.replica
        if isinstance(answer[0], Exception):
            raise answer[0]
        return [answer]

    def look(self, *, primary=None, replica=None, after=1.0):
        """One second later; which replicas are well then."""
        self.now += after
        self.primary = self.primary if primary is None else primary
        self.replica = self.replica if replica is None else replica
        self.watch.look()
        return self.watch.well


@pytest.fixture
def servers(monkeypatch):
    return Servers(monkeypatch)


def test_a_replica_that_has_all_is_read(servers):
    assert servers.look() == ("replica1",)


def test_an_idle_primary_is_no_lag(servers):
    servers.look()

    assert servers.look(after=3600) == ("replica1",)
    assert servers.look() == ("replica1",)


def test_a_replica_that_is_a_little_behind_is_read(servers):
    servers.look()

    assert [servers.look(primary=1000 + second) for second in range(1, 6)] == [("replica1",)] * 5


def test_a_stalled_replica_is_passed_over_until_it_has_caught_up(servers):
    servers.look()
    for second in range(1, 6):
        servers.look(primary=1000 + second)

    assert servers.look(primary=1006) == ()
    assert servers.look(primary=1007, replica=(True, 1006)) == ("replica1",)


def test_a_replica_that_was_never_seen_up_to_date_is_not_read(servers):
    assert servers.look(replica=(True, 999)) == ()


def test_a_replica_stays_as_it_was_while_the_primary_is_away(servers):
    servers.look()
    servers.primary = AWAY

    assert [servers.look(primary=AWAY) for _ in range(20)] == [("replica1",)] * 20


def test_a_promoted_replica_is_read_until_the_primary_is_seen(servers):
    servers.look()

    assert servers.look(primary=AWAY, replica=(False, 1000)) == ("replica1",)
    assert servers.look(primary=1001) == ()
    assert servers.look(primary=AWAY) == ()


def test_a_replica_is_not_believed_before_the_primary_was_seen(servers):
    assert servers.look(primary=AWAY) == ()


def test_a_replica_that_lags_stays_passed_over_without_a_primary(servers):
    servers.look()
    for second in range(1, 8):
        servers.look(primary=1000 + second)

    assert servers.look(primary=AWAY) == ()


def test_a_late_replica_is_kept_as_fallback_until_caught_up(servers):
    servers.look()
    for second in range(1, 8):
        servers.look(primary=1000 + second)

    lags = servers.watch.late
    servers.look(replica=(True, 1008), primary=1008)

    assert lags == ("replica1",)
    assert servers.watch.late == ()


def test_a_replica_that_cannot_be_compared_is_kept_as_fallback(servers):
    servers.look(primary=AWAY)

    assert servers.watch.late == ("replica1",)


@pytest.mark.parametrize("answer", [(AWAY,), (InterfaceError(),), (False, 999), (False, None), (True, None)])
def test_a_replica_that_lags_and_does_not_answer_as_one_is_not_kept(servers, answer):
    servers.look(replica=(True, 999))
    before = servers.watch.late

    servers.look(replica=answer)

    assert before == ("replica1",)
    assert servers.watch.late == ()


def test_a_late_promoted_replica_is_kept_until_a_primary_is_seen(servers):
    servers.look(replica=(True, 999))

    servers.look(primary=AWAY, replica=(False, 999))
    meanwhile = servers.watch.late
    servers.look(primary=1001)

    assert meanwhile == ("replica1",)
    assert servers.watch.late == ()


def test_a_late_replica_found_away_is_kept_again_after_a_look(servers):
    servers.look(replica=(True, 999))

    servers.watch.pass_over("replica1", AWAY)
    until_then = servers.watch.late
    servers.look()

    assert until_then == ()
    assert servers.watch.late == ("replica1",)


def test_a_primary_found_away_is_missed_until_a_look_finds_it(servers):
    servers.look()
    before = servers.watch.misses_primary

    servers.watch.miss_primary(AWAY)
    by_the_request = servers.watch.misses_primary
    servers.look(primary=AWAY)
    by_the_look = servers.watch.misses_primary
    servers.look(primary=1001)

    assert (before, by_the_request, by_the_look, servers.watch.misses_primary) == (False, True, True, False)


@pytest.mark.parametrize("answer", [(AWAY,), (InterfaceError(),), (False, 1000), (False, None), (True, None)])
def test_a_replica_that_does_not_answer_as_one_is_passed_over(servers, answer):
    servers.look()

    assert servers.look(replica=answer) == ()
    assert servers.look(replica=(True, 1000)) == ("replica1",)


def test_a_replica_found_away_is_passed_over_until_the_next_look(servers, caplog):
    servers.look()

    servers.watch.pass_over("replica1", AWAY)

    assert servers.watch.well == ()
    assert servers.look() == ("replica1",)


def test_a_look_begun_before_a_failure_brings_no_replica_back(servers, monkeypatch):
    servers.look()
    answer = servers.rows

    def fails_meanwhile(alias, sql):
        if alias == "replica1":
            servers.watch.pass_over("replica1", AWAY)
        return answer(alias, sql)

    monkeypatch.setattr(lag, "rows", fails_meanwhile)

    assert servers.look() == ()


def test_nothing_is_kept_of_the_primary_beyond_the_lag(servers):
    for second in range(100):
        servers.look(primary=1000 + second, replica=(True, 1000 + second))

    assert len(servers.watch.positions) <= 8
