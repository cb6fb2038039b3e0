from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from bookstore.accounts.models import LoginSession, ThrottleWindow

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def clear_expired(**options) -> str:
    output = StringIO()
    call_command("clear_expired", stdout=output, **options)
    return output.getvalue()


def session(user, *, ended: bool = False, expires) -> LoginSession:
    made = LoginSession.objects.begin(user)
    LoginSession.objects.filter(pk=made.pk).update(expires_at=expires, ended_at=Now() if ended else None)
    return made


def test_clear_expired_deletes_what_is_over_by_time_and_says_how_many(alice):
    session(alice, expires=Now() - HOUR)
    session(alice, expires=Now() - HOUR, ended=True)
    good = session(alice, expires=Now() + HOUR)
    ended = session(alice, expires=Now() + HOUR, ended=True)
    ThrottleWindow.objects.create(key="a" * 64, count=3, expires_at=Now() - HOUR)
    ThrottleWindow.objects.create(key="b" * 64, count=3, expires_at=Now() + HOUR)

    output = clear_expired()

    assert output.splitlines()[0] == "Expired sessions: 2 deleted. Expired counts of attempts: 1 deleted."
    assert set(LoginSession.objects.all()) == {good, ended}
    assert ThrottleWindow.objects.get().key == "b" * 64


def test_clear_expired_again_deletes_nothing(alice):
    session(alice, expires=Now() - HOUR)
    clear_expired()

    assert clear_expired() == (
        "Expired sessions: 0 deleted. Expired counts of attempts: 0 deleted.\n"
        "Changes of an email that nobody confirmed in time: 0 deleted.\n"
        "Expired sign-ins of staff: 0 deleted. Old events of their history: 0 deleted.\n"
        "Background tasks that ended long ago: 0 deleted.\n"
    )


@pytest.mark.parametrize("rows", [1, 3])
def test_clear_expired_deletes_in_batches(alice, rows, django_assert_num_queries):
    for _ in range(rows):
        session(alice, expires=Now() - HOUR)

    # Two for each batch of sessions; then one that finds no more, one that finds no window, one no email, and of the
    # staff one for sign-ins, one for Django's log, one for actions, three for the history (a savepoint around the
    # oldest events), one for tasks.
    with django_assert_num_queries(2 * rows + 10):
        output = clear_expired(batch=1)

    assert output.startswith(f"Expired sessions: {rows} deleted.")


def test_clear_expired_refuses_a_batch_of_nothing():
    with pytest.raises(CommandError, match="from 1"):
        clear_expired(batch=0)
