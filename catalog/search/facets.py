"""Counts the books found by genre, by range of prices, and by stock, for the filters of a storefront."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from catalog.search.candidates import Where, conjunction, rarest
from catalog.search.frequency import SMALL_CATALOGUE, frequencies
from catalog.search.pages import find
from catalog.search.query import Query
from catalog.search.tolerant import SHOWN

if TYPE_CHECKING:
    from catalog.book_filters import BookFilters

OWN_FILTERS = {
    "genre": frozenset({"genre_id", "genre_ids"}),
    "price": frozenset({"min_price", "max_price"}),
    "in_stock": frozenset({"in_stock"}),
}
FACETS = tuple(OWN_FILTERS)
NO_FILTERS = frozenset({"q", "sort", "sort_dir"})
PRICES = (0, 5, 10, 15, 20, 30, 50, 100)  # lower ends of the ranges, in the shop's currency; the last range is open
COUNTED = 10_000  # books of a large catalogue that are counted exactly
SAMPLED = 20_000  # books of an estimate, from a random sample of the table's pages

RANGE = "CASE " + " ".join(f"WHEN price >= {price} THEN {price}" for price in reversed(PRICES)) + " END"
GROUPS = f"""WITH listed AS MATERIALIZED (
    SELECT genre_id, price, stock_quantity FROM books {{sample}} WHERE {{condition}}
)
SELECT genre_id, {RANGE}, stock_quantity > 0, count(*) FROM (SELECT * FROM listed LIMIT %s) AS counted
GROUP BY 1, 2, 3"""  # noqa: S608  # our own numbers

Group = tuple[int | None, int, bool, int]


class Counts(NamedTuple):
    """How many books there are of each genre, range of prices, and stock."""

    groups: list[Group]
    is_estimate: bool


def facets_of(books: "BookFilters", wanted: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The counts of these facets among `books` for `wanted`, the parameters of GET /books, and whether they are
    estimates. Each facet ignores its own filter: the other genres are what a shopper may choose next.

    Exact for a small catalogue and up to COUNTED books; else estimated from SAMPLED books. 1 to 3 queries for each own
    filter that is in use, and those of the search when it corrected the text.
    """
    known: dict[frozenset[str], Counts] = {}
    shown: dict[str, Any] = {}
    for name in names:
        filters = {each: value for each, value in wanted.items() if each not in OWN_FILTERS[name] | NO_FILTERS}
        key = frozenset(filters)
        if key not in known:
            known[key] = counts_of(books.asked_for(**filters), wanted.get("q", ""))
        shown[name] = SHAPES[name](known[key].groups)
    return {**shown, "is_estimate": any(counts.is_estimate for counts in known.values())}


def counts_of(books: "BookFilters", text: str) -> Counts:
    where, query = Where.of(books), Query.of(text)
    if where is None or (text and not query):
        return Counts([], is_estimate=False)
    groups, factor = counted(where, query)
    if query and not groups:
        ids = find(where, text, start=0, size=SHOWN).ids
        narrowed = Where.of(books.filter(pk__in=ids)) if ids else None
        if narrowed:
            groups, factor = counted(narrowed, Query.of(""))
    return Counts([(*group[:3], round(group[3] * factor)) for group in groups], is_estimate=factor != 1)


def counted(where: Where, query: Query) -> tuple[list[Group], float]:
    """The counts of groups, and the factor from the sample to the whole catalogue."""
    known = frequencies(where.alias)
    indexed, others = rarest(query.required, known)
    condition, values = conjunction(where, indexed, others)
    is_large = known.books >= SMALL_CATALOGUE
    if not is_large or indexed or not query:
        most = COUNTED if is_large else known.books + SMALL_CATALOGUE
        groups = where.rows(GROUPS.format(sample="", condition=condition), [*values, most + 1])
        if sum(group[3] for group in groups) <= most:
            return groups, 1
    condition, values = conjunction(where, [], query.required)
    share = min(SAMPLED / known.books, 1.0)
    sample = f"TABLESAMPLE SYSTEM ({100 * share:.6f}) REPEATABLE (1)"
    return where.rows(GROUPS.format(sample=sample, condition=condition), [*values, SAMPLED * 2]), 1 / share


def by_genre(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The genres with books, those with the most first. 1 query."""
    from catalog.models import Genre

    counts: Counter[int] = Counter()
    for genre_id, _, _, count in groups:
        if genre_id is not None:
            counts[genre_id] += count
    names = dict(Genre.objects.filter(pk__in=list(counts)).values_list("pk", "name"))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"id": genre_id, "name": names.get(genre_id, ""), "count": count} for genre_id, count in ordered]


def by_price(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The ranges of PRICES with books in them."""
    counts: Counter[int] = Counter()
    for _, price, _, count in groups:
        counts[price] += count
    return [
        {"min_price": money(low), "max_price": money(high) if high else None, "count": counts[low]}
        for low, high in zip(PRICES, [*PRICES[1:], None], strict=True)
        if counts[low]
    ]


def by_stock(groups: Sequence[Group]) -> list[dict[str, Any]]:
    counts: Counter[bool] = Counter()
    for _, _, in_stock, count in groups:
        counts[bool(in_stock)] += count
    return [{"value": value, "count": counts[value]} for value in (True, False)]


def money(amount: int) -> str:
    return f"{Decimal(amount):.2f}"


SHAPES: dict[str, Callable[[Sequence[Group]], list[dict[str, Any]]]] = {
    "genre": by_genre,
    "price": by_price,
    "in_stock": by_stock,
}
