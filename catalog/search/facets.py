"""Counts the books found by genre, by range of prices, and by stock, for the filters of a storefront."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalog.search.candidates import SMALL_CATALOGUE, Where, conjunction, rarest
from catalog.search.frequency import frequencies
from catalog.search.pages import find
from catalog.search.query import Query
from catalog.search.tolerant import SHOWN

if TYPE_CHECKING:
    from catalog.querysets import BookQuerySet

FACETS = ("genre", "price", "in_stock")
PRICES = (0, 5, 10, 15, 20, 30, 50, 100)  # lower ends of the ranges, in the shop's currency; the last range is open
COUNTED = 10_000  # books of a large catalogue that are counted exactly
SAMPLED = 20_000  # books of an estimate, from a random sample of the table's pages

RANGE = "CASE " + " ".join(f"WHEN price >= {price} THEN {price}" for price in reversed(PRICES)) + " END"
GROUPS = f"""SELECT genre_id, {RANGE}, stock_quantity > 0, count(*) FROM (
    SELECT genre_id, price, stock_quantity FROM books {{sample}} WHERE {{condition}} LIMIT %s
) AS counted GROUP BY 1, 2, 3"""  # noqa: S608  # our own numbers

Group = tuple[int | None, int, bool, int]


def facets_of(books: "BookQuerySet", text: str, names: Sequence[str]) -> dict[str, Any]:
    """The counts of these facets for the books that `text` finds among `books`, and whether they are estimates.

    Exact for a small catalogue and up to COUNTED books; else estimated from SAMPLED books. 1 to 3 queries, and those of
    the search when it corrected the text.
    """
    where, query = Where.of(books), Query.of(text)
    if where is None:
        return shaped([], names, {}, is_estimate=False)
    groups, factor = counted(where, query)
    if query and not groups:
        ids = find(books, text, start=0, size=SHOWN).ids
        narrowed = Where.of(books.filter(pk__in=ids)) if ids else None
        if narrowed:
            groups, factor = counted(narrowed, Query.of(""))
    genres = dict(where.rows("SELECT id, name FROM genres", [])) if "genre" in names else {}
    scaled = [(*group[:3], round(group[3] * factor)) for group in groups]
    return shaped(scaled, names, genres, is_estimate=factor != 1)


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


def shaped(groups: Sequence[Any], names: Sequence[str], genres: dict[int, str], *, is_estimate: bool) -> dict[str, Any]:
    by_genre: Counter[int] = Counter()
    by_price: Counter[int] = Counter()
    by_stock: Counter[bool] = Counter()
    for genre_id, price, in_stock, count in groups:
        if genre_id is not None:
            by_genre[genre_id] += count
        by_price[price] += count
        by_stock[bool(in_stock)] += count
    shown: dict[str, list[dict[str, Any]]] = {
        "genre": [
            {"id": genre_id, "name": genres.get(genre_id, ""), "count": count}
            for genre_id, count in sorted(by_genre.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        "price": [
            {"min_price": money(low), "max_price": money(high) if high else None, "count": by_price[low]}
            for low, high in zip(PRICES, [*PRICES[1:], None], strict=True)
            if by_price[low]
        ],
        "in_stock": [{"value": value, "count": by_stock[value]} for value in (True, False)],
    }
    return {**{name: shown[name] for name in names}, "is_estimate": is_estimate}


def money(amount: int) -> str:
    return f"{Decimal(amount):.2f}"
