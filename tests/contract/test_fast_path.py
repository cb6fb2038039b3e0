"""FAST_PATH: the responses are the same with and without it. The apps' own tests also run both ways: make
test-plain."""

import threading

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from bookstore.fastpath import instances
from bookstore.fastpath.instances import one_of_each, validated
from tests.support.calls import furnished, operations

BOTH = pytest.mark.parametrize("switch", [True, False], ids=["on", "off"])


class Wish(serializers.Serializer):
    title = serializers.CharField(max_length=10)

    def validate_title(self, title):
        if self.initial_data.get("refused"):
            raise serializers.ValidationError("No.")
        return title


@BOTH
def test_fields_that_are_good_come_back(settings, switch):
    settings.FAST_PATH = switch

    read = [validated(Wish, {"title": title, "other": 1}) for title in ("Emma", "Dracula")]

    assert read == [{"title": "Emma"}, {"title": "Dracula"}]


@BOTH
def test_fault_of_one_request_is_not_that_of_the_next(settings, switch):
    settings.FAST_PATH = switch
    faults = []

    for data in ({"title": "x" * 11}, {"title": "Emma", "refused": True}, [], {}):
        with pytest.raises(ValidationError) as refused:
            validated(Wish, data)
        faults.append(refused.value.detail)

    assert [list(fault) for fault in faults] == [["title"], ["title"], ["non_field_errors"], ["title"]]
    assert validated(Wish, {"title": "Emma"}) == {"title": "Emma"}


def test_two_requests_at_once_never_share_a_serializer(settings):
    """Each waits inside of its validation until the other is inside of its own."""
    settings.FAST_PATH = True
    met, readers = threading.Barrier(2, timeout=10), []

    class Slow(Wish):
        def validate(self, attrs):
            readers.append(self)
            met.wait()
            return {**attrs, "sent": self.initial_data["title"]}

    found = {}
    threads = [
        threading.Thread(target=lambda title=title: found.update({title: validated(Slow, {"title": title})}))
        for title in ("Emma", "Dracula")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {title: {"title": title, "sent": title} for title in ("Emma", "Dracula")}
    assert readers[0] is not readers[1]
    assert len(instances._idle[Slow]) == 2
    assert all(idle.initial_data is None for idle in instances._idle[Slow])


@pytest.mark.parametrize(("switch", "same"), [(True, True), (False, False)])
def test_parts_of_drf_are_made_once_or_each_time(settings, switch, same):
    settings.FAST_PATH = switch

    [first], [second] = one_of_each((serializers.CharField,)), one_of_each((serializers.CharField,))

    assert (first is second) == same


def all_of(answer):
    own = {"X-Request-ID", "Retry-After"}
    return answer.status_code, answer.content, {n: v for n, v in answer.headers.items() if n not in own}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "operation", [each for each in operations() if each.method == "GET" or each.path == "/cart/preview"], ids=str
)
def test_reads_are_answered_the_same_without_it(settings, client_for, alice, api, operation):
    there = furnished(alice)
    client, path = client_for(alice), there.fill(operation.path)

    def ask():
        return [
            *(
                all_of(
                    who.generic(
                        operation.method,
                        path,
                        b'{"items": [{"book_id": %d}]}' % there.ids["book_id"],
                        content_type="application/json",
                    )
                )
                for who in (client, api)
            ),
            all_of(client.get(path.replace(str(there.ids["book_id"]), "999999"))),
        ]

    settings.FAST_PATH = True
    fast = ask()
    settings.FAST_PATH = False

    assert ask() == fast
