"""What the figures are made of: rows that are the same every time, and ratios within rounds."""

import xml.etree.ElementTree as ET
from itertools import islice

from proofs.benchmarks import books, data, report
from proofs.benchmarks.loads import Sample


def row(name, *rates):
    return report.Row(name, name.title(), {"get5": [Sample(rate, 1.0, 2.0) for rate in rates]})


def test_a_ratio_is_the_median_of_the_ratios_within_the_rounds():
    # The machine was slow for both in the second round, and for one of them in the third.
    rows = [row("project", 600, 60, 500), row("plain", 100, 10, 50)]

    ratios = report.ratios(rows[0], rows)

    assert ratios == {"get5": 6.0}


def test_the_table_has_the_median_and_the_spread():
    text = report.table(report.as_data([row("plain", 100, 300, 200)], {}))

    assert "**200** (100 to 300) · 1 / 2 · ×1" in text


def test_the_chart_is_xml_and_escapes_titles():
    rows = [report.Row("project", "<this> & that", {"get5": [Sample(10.0, 1.0, 2.0)]})]

    svg = report.chart(report.as_data(rows, {}))

    assert any(each.text == "<this> & that" for each in ET.fromstring(svg).iter())  # noqa: S314  # made just now


def test_generated_books_are_the_same_every_time():
    source = books.sample(None)

    first, second = (list(islice(books.generate(50, source), 50)) for _ in range(2))

    assert first == second
    assert len({title for title, *_ in first}) > 40


def test_no_customer_holds_the_book_that_is_added_or_one_book_twice():
    for customer in (1, 201, 999):
        held = [line.book for line in data.lines() if line.customer == customer]
        assert len(set(held)) == len(held)
        assert data.book_of(customer, data.MANY_LINES + 10) not in held
