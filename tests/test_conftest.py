"""Which tests need a database, as `make test` decides it: the others run on SQLite only."""

import pytest

from conftest import commits_rows, uses_database


@pytest.fixture
def item(request):
    return request.node


@pytest.fixture
def of_alice(db):
    """A fixture that needs the database, for a test that names it only."""


def test_test_that_asks_for_nothing_uses_no_database(item):
    assert not uses_database(item)


def test_test_whose_fixture_asks_for_rows_uses_it(item, of_alice):
    assert uses_database(item)
    assert not commits_rows(item)


@pytest.mark.django_db(transaction=True)
def test_test_that_is_marked_uses_it_and_may_commit(item):
    assert uses_database(item)
    assert commits_rows(item)


@pytest.mark.any_database
def test_test_that_no_database_decides_runs_once(item, db):
    assert not uses_database(item)


@pytest.mark.own_session
def test_test_of_a_connection_uses_it(item):
    assert uses_database(item)


def test_test_of_committed_rows_uses_it(item, transactional_db):
    assert uses_database(item)
    assert commits_rows(item)


def test_rows_of_a_module_are_refused_beside_tests_that_commit(request):
    with pytest.raises(pytest.UsageError, match="in the same file commits"):
        request.getfixturevalue("rows_of_module")
