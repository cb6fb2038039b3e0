"""Inserting many rows from one JSON document: every text arrives as it was, on both databases."""

import pytest
from django.db import DatabaseError, transaction

from bookstore.audit.models import AuditChange, AuditEvent
from bookstore.database.many_rows import insert_rows
from catalog.models import SearchWord

pytestmark = pytest.mark.django_db

TEXTS = ["", " ", 'He said "no"', "back\\slash \\u0041 \\n", "O'Brien % %s {}", "line\nbreak\ttab", "Æon 猫 😀 é é"]


def test_texts_numbers_and_json_arrive_as_they_were(django_assert_num_queries):
    event = AuditEvent.objects.create(actor="Alice", channel="admin", kind="", summary="", number_of_changes=len(TEXTS))
    rows = [
        {"event_id": event.pk, "kind": "catalog.book", "object_id": 2**62 + place, "name": text, "name_folded": text}
        | {"action": "change", "fields": {text: [text, "12.50"], "isbn": ["", text]}}
        for place, text in enumerate(TEXTS)
    ]

    with django_assert_num_queries(1):
        insert_rows(AuditChange, rows)

    names = ("event_id", "kind", "object_id", "name", "name_folded", "action", "fields")
    assert list(AuditChange.objects.order_by("pk").values(*names)) == rows


def test_rows_that_are_there_are_left_out_when_asked():
    insert_rows(SearchWord, [{"word": "emma"}])

    insert_rows(SearchWord, [{"word": "emma"}, {"word": "jane"}], ignore_conflicts=True)

    assert set(SearchWord.objects.values_list("word", flat=True)) == {"emma", "jane"}


def test_a_conflict_is_an_error_otherwise():
    insert_rows(SearchWord, [{"word": "emma"}])

    with pytest.raises(DatabaseError), transaction.atomic():
        insert_rows(SearchWord, [{"word": "emma"}, {"word": "jane"}])

    assert list(SearchWord.objects.values_list("word", flat=True)) == ["emma"]


def test_no_rows_cost_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows(SearchWord, [])
