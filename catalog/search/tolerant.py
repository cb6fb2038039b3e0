"""The tolerant tier: for queries with typing errors, unknown words, or wrongly divided words."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

from catalog.search.candidates import Where, hits, hits_of_any
from catalog.search.conditions import AnyOf, Condition, Word, all_of, any_of
from catalog.search.corrections import MAX_LENGTH, MAX_WORDS, Corrections
from catalog.search.frequency import frequencies
from catalog.search.query import Query
from catalog.search.ranking import Hit

# Books that the index may list for one word of an attempt; fewer for each pair when words are left out.
LISTED, LISTED_OF_PAIR = 20_000, 5_000
READ = 250  # books that one attempt reads and ranks
SHOWN = 50  # books that the tolerant tier adds to a search
SHORTEST_DIVIDED, LONGEST_DIVIDED = 5, 40  # letters; shorter and longer words are not divided
MOST_PARTS, MOST_DIVISIONS = 6, 8
COMBINED = 6  # the rarest words of a query, of which pairs are searched


def find_tolerantly(where: Where, query: Query, *, leave_out: bool) -> list[int]:
    """The ids of the nearest books, best first; with `leave_out` they may lack words of the query.

    Stops at the first attempt with a result: unknown words corrected or divided; every word corrected; words divided
    or joined; unknown words left out; known words left out. 3 to 20 queries.
    """
    corrections = Corrections(where.alias)
    required = query.required
    known = corrections.known(texts_of(required))
    unknown = [condition for condition in required if not is_known(condition, known)]
    near = corrections.near(texts_of(unknown))
    divided = divisions(unknown, corrections)
    mended = {condition: with_alternatives(condition, near, divided) for condition in unknown}
    attempts: list[list[Condition]] = []
    if unknown and all(mended.values()):
        attempts.append([mended.get(condition) or condition for condition in required])
        if best := attempt(where, query, attempts[-1]):
            return best
    rest = [condition for condition in required if condition not in mended]
    near |= corrections.near(texts_of(rest))
    if all(mended.values()):
        every = [mended.get(each) or either(each, with_alternatives(each, near, {})) for each in required]
        if every not in attempts and (best := attempt(where, query, every)):
            return best
    if (joined := join(required, corrections)) and (best := attempt(where, query, joined)):
        return best
    if not leave_out:
        return []
    kept = [mended.get(condition, condition) for condition in required]
    there = [condition for condition in kept if condition]
    if there and len(there) < len(required) and (best := attempt(where, query, there)):
        return best
    either_way = [either(each, with_alternatives(each, near, {})) for each in there]
    return leave_words_out(where, query, either_way)


def texts_of(conditions: Sequence[Condition]) -> list[str]:
    return list(dict.fromkeys(word.text for condition in conditions for word in condition.words()))


def is_known(condition: Condition, known: set[str]) -> bool:
    """Whether the vocabulary has all words of one of its spellings."""
    if isinstance(condition, AnyOf):
        return any(is_known(part, known) for part in condition.parts)
    return all(word.text in known for word in condition.words())


def either(condition: Condition, other: Condition | None) -> Condition:
    return any_of([condition, other]) if other else condition


def with_alternatives(
    condition: Condition, near: dict[str, list[str]], divided: dict[Condition, list[Condition]]
) -> Condition | None:
    """The word or its alternatives; None when no word is similar."""
    others: list[Condition] = [
        Word(other, prefix=False) for word in condition.words() for other in near.get(word.text, [])
    ]
    others += divided.get(condition, [])
    return any_of(others) if others else None


def divisions(conditions: Sequence[Condition], corrections: Corrections) -> dict[Condition, list[Condition]]:
    """Words that may be several words: "fightclub" as fight and club, "themartianchronicles" as three. 1 query."""
    runs = {each: run_of(each) for each in conditions[:MAX_WORDS]}
    runs = {each: run for each, run in runs.items() if SHORTEST_DIVIDED <= len(run) <= LONGEST_DIVIDED}
    there = corrections.there(
        run[start:end]
        for run in runs.values()
        for start in range(len(run))
        for end in range(start + 1, len(run) + 1)
        if is_part(run[start:end])
    )
    return {
        each: [all_of([Word(part, prefix=False) for part in parts]) for parts in partitions(run, there)]
        for each, run in runs.items()
    }


def run_of(condition: Condition) -> str:
    """What was typed between two blanks, "" when it has punctuation; "chewvol2" is a word or chewvol and 2."""
    first = condition.parts[0] if isinstance(condition, AnyOf) else condition
    return first.text if isinstance(first, Word) else ""


def is_part(text: str) -> bool:
    """Whether a run may have this as a word: of single letters only those that are words, not an author's initials."""
    return len(text) > 1 or text in {"a", "i"} or text.isdigit()


def partitions(text: str, words: set[str]) -> list[tuple[str, ...]]:
    """The ways to write a text as two or more of the words, those of the fewest words first; MOST_DIVISIONS at most."""
    ways: list[list[tuple[str, ...]]] = [[()]]  # of the first n letters
    for end in range(1, len(text) + 1):
        found = [
            (*way, text[start:end])
            for start in range(end)
            if text[start:end] in words and text[start:end] != text
            for way in ways[start]
            if len(way) < MOST_PARTS
        ]
        ways.append(sorted(found, key=lambda way: (len(way), -min(map(len, way))))[:MOST_DIVISIONS])
    return ways[-1]


def join(conditions: Sequence[Condition], corrections: Corrections) -> list[Condition]:
    """Joins neighbours that may be one word: "mocking bird" as mockingbird. [] when none may. 1 query."""
    pairs = [
        one.text + other.text if isinstance(one, Word) and isinstance(other, Word) else ""
        for one, other in pairwise(conditions)
    ]
    there = corrections.there(pair for pair in pairs if 0 < len(pair) <= MAX_LENGTH)
    result: list[Condition] = []
    place = 0
    while place < len(conditions):
        if place < len(pairs) and pairs[place] in there:
            result.append(any_of([all_of(conditions[place : place + 2]), Word(pairs[place])]))
            place += 2
        else:
            result.append(conditions[place])
            place += 1
    return result if there else []


def attempt(where: Where, query: Query, conditions: Sequence[Condition]) -> list[int]:
    return best_of(
        hits(where, conditions, most=READ, listed=LISTED), query, [(condition, 1) for condition in conditions]
    )


def leave_words_out(where: Where, query: Query, conditions: Sequence[Condition]) -> list[int]:
    """Books with at least two of the words (one of two words), those with the most and rarest words first. 1 query."""
    if len(conditions) < 2:
        return []
    known = frequencies(where.alias)
    by_rarity = sorted(conditions, key=lambda each: (known.of(each), -len(each.words()[0].text)))[:COMBINED]
    weights = [
        (condition, 3 if known.of(condition) * 100 < known.books or not known.books else 1) for condition in conditions
    ]
    pairs = [list(pair) for pair in combinations(by_rarity, min(2, len(by_rarity) - 1))]
    found = {hit.id: hit for hit in hits_of_any(where, pairs, most_each=READ // 3, listed=LISTED_OF_PAIR)}
    return best_of(list(found.values()), query, weights)


def best_of(found: Sequence[Hit], query: Query, weights: Sequence[tuple[Condition, int]]) -> list[int]:
    """The ids of the nearest books, best first: by the words that they have, then by the number of words as typed, then
    by the similarity of title and query."""
    from rapidfuzz import fuzz  # here: 4 MB that a process needs only when somebody has mistyped a word

    def nearness(hit: Hit) -> tuple[Any, ...]:
        words = [*hit.title_words, *hit.author_words]
        has = sum(weight for condition, weight in weights if condition.holds(words))
        typed = sum(condition.holds(words) for condition in query.required)
        alike = fuzz.token_sort_ratio(query.folded, hit.title) + fuzz.token_set_ratio(
            query.folded, f"{hit.title} {hit.author}"
        )
        return (-has, -typed, -round(alike), not hit.in_stock, -hit.popularity, hit.id)

    return [hit.id for hit in sorted(found, key=nearness)[:SHOWN]]
