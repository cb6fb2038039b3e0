"""What is told of a run: the longest without a write, the table, the chart."""

from xml.etree import ElementTree

from proofs.cluster.report import Row, Window, add_up, buckets, chart, sparkline, table, without_a_write
from proofs.cluster.traffic import Sample, fault_of
from tests.support.client import Answer

ALICE, BOB = 0, 1
SWITCHOVER = Window("switchover", 100.0, 110.0)


def write(at, client, status=200, seconds=0.01):
    return Sample(at, "write", status, seconds, client)


def test_the_longest_time_without_a_write_is_the_worst_customers():
    samples = [
        *(write(100 + tenth / 10, ALICE) for tenth in range(100)),
        *(write(at, BOB) for at in (100.5, 101.0, 104.5, 107.0, 109.5)),
        write(103.0, BOB, status=503),
    ]

    assert without_a_write(samples, SWITCHOVER) == 3.5


def test_a_customer_who_wrote_nothing_went_without_for_the_whole_time():
    samples = [write(101.0, ALICE), write(105.0, BOB, status=503)]

    assert without_a_write(samples, SWITCHOVER) == 10.0


def test_a_row_adds_up_what_was_answered_and_asked_in_its_time():
    row = Row("a planned switchover")
    samples = [
        write(99.0, ALICE),
        write(100.5, ALICE),
        write(110.5, ALICE, seconds=1.0),
        Sample(101.0, "catalogue", 200, 0.1, BOB),
        Sample(102.0, "catalogue", 503, 2.0, BOB),
        Sample(103.0, "write", 404, 0.1, BOB),
        Sample(104.0, "cart", 500, 0.1, BOB, fault="500 to a cart"),
    ]

    add_up(row, samples, SWITCHOVER)

    assert (row.times, row.reads, row.reads_failed, row.failed, row.longest) == (1, 2, 1, 2, 2.0)
    assert row.statuses == {200: 3, 404: 1, 500: 1, 503: 1}
    assert row.share_of_reads == 0.5
    assert row.faults == ["500 to a cart"]


def test_the_table_has_a_row_for_each_event():
    row = Row("a planned switchover", times=2, back=[1.25, 2.5], reads=1000, reads_failed=1, longest=2.54)
    row.statuses.update({200: 1500, 503: 12, 0: 1})

    [_, _, line] = table([row]).splitlines()

    assert line == (
        "| a planned switchover | 2 | **2.5** (1.2, 2.5) | 99.90% of 1,000 "
        "| none: 1, 200: 1,500, 503: 12 | 2.5 | 0 | 0 |"
    )


def test_the_chart_is_a_picture_with_every_event_in_it():
    samples = [write(95 + tenth / 10, ALICE, 503 if 50 < tenth < 70 else 200) for tenth in range(200)]

    picture = ElementTree.fromstring(chart(samples, [SWITCHOVER], {"switchover": "a switchover & more"}))  # noqa: S314  # drawn just now

    texts = ["".join(each.itertext()) for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "1: a switchover & more" in texts
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}polyline"))) == 3


def test_answers_are_counted_over_time():
    read = Sample(101.6, "cart", 200, 0, BOB)
    samples = [write(100.1, ALICE), write(100.2, ALICE, 503), write(101.5, ALICE, 404), read]

    counted = list(buckets(samples, 100.0, 2.0, 1.0))

    assert counted == [{"writes": 1, "failures": 1}, {"writes": 1, "reads": 1}, {}]
    assert sparkline([0, 1, 8]) == " ▁█"


def answer(status, body=None, **headers):
    return Answer(status, body, headers, 0.5)


def test_what_a_client_may_get_is_no_fault():
    away = answer(503, {"code": "SERVICE_UNAVAILABLE"}, **{"retry-after": "1"})

    assert [fault_of("write", given) for given in (answer(200), answer(204), away)] == ["", "", ""]
    assert fault_of("write", answer(409, {"code": "CART_ITEM_DUPLICATE"})) == ""


def test_what_no_client_may_get_is_a_fault_in_words():
    assert fault_of("cart", answer(500, {"code": "INTERNAL_ERROR"})) == (
        "500 to a cart after 0.5 s: {'code': 'INTERNAL_ERROR'}"
    )
    assert fault_of("cart", answer(0)) == "no answer to a cart after 0.5 s: None"
    assert fault_of("cart", answer(503, {"code": "SERVICE_UNAVAILABLE"})) == "503 without Retry-After"
    assert fault_of("cart", answer(503, "<html>")) == "503 without the envelope: <html>"
    assert fault_of("cart", answer(409, {"code": "CART_ITEM_DUPLICATE"})) != ""
