"""Folding and search on both databases, compared with a plain model of the rule."""

import unicodedata

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from catalog.folding import MAX_FOLDED, MAX_WORD, fold, same_name, words
from catalog.models import Book
from catalog.search.candidates import Where
from catalog.search.pages import exact_page
from catalog.search.query import Query
from catalog.search.ranking import Hit, kind_of_match, rank
from catalog.tests.factories import BookFactory

# What titles are made of, and what has been known to go wrong with parsers, operators and folding.
ALPHABET = "aAeEéÉèñøßæłıİžcC1205 -'’.,:&|!*()<>\\%_\"/@#ﬁ½٣жЖЁΣς한글語本क्षิ\u0301\u00ad\u200d"
ordinary = st.text(ALPHABET, max_size=12)
# PostgreSQL and the API take no NUL and no surrogates.
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
texts = ordinary | anything


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L'Étranger", ["l", "etranger"]),
        ("Ærøskøbing", ["aeroskobing"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Łódź", ["lodz"]),
        ("DIYARBAKIR Diyarbakır İzmir", ["diyarbakir", "diyarbakir", "izmir"]),
        ("Þórbergur Þórðarson", ["thorbergur", "thordarson"]),
        ("ΟΔΥΣΣΕΥΣ Ὀδυσσεύς", ["οδυσσευσ", "οδυσσευσ"]),
        ("Ёлка", ["елка"]),
        ("War & Peace: 1e5, 20,000 3D", ["war", "peace", "1e5", "20", "000", "3d"]),
        ("ﬁn de siècle", ["fin", "de", "siecle"]),
        ("e\u0301te\u0301", ["ete"]),
        ("co\u00adoperate", ["cooperate"]),
        ("한글 語本", ["한글", "語本"]),
        ("हिन्दी", ["हिन्दी"]),
        ("ハス バス パス", ["ハス", "バス", "パス"]),
        ("ﾊﾞｽ", ["バス"]),
        ("ไม้ ไม่", ["ไม้", "ไม่"]),
        ("क्या कया", ["क्या", "कया"]),
        ("Мой Мои", ["мой", "мои"]),
        ("во́йна Її ѓ г", ["война", "її", "ѓ", "г"]),
        ("מִלְחָמָה", ["מלחמה"]),
        ("الحَرْبُ أَلِف كتـــاب", ["الحرب", "الف", "كتاب"]),
        ("Nguyễn", ["nguyen"]),
        ("... !?", []),
        ("", []),
    ],
)
def test_words_are_without_case_accents_and_punctuation(text, expected):
    assert words(text) == expected


def test_a_long_word_is_cut():
    assert words("a" * 500) == ["a" * MAX_WORD]


@given(st.text())
@settings(max_examples=500)
def test_fold_of_a_fold_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=MAX_FOLDED // 20))
def test_fold_does_not_depend_on_how_unicode_is_written(text):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)


@given(st.text())
def test_fold_has_letters_digits_and_single_blanks_only(text):
    folded = fold(text)

    assert len(folded) <= MAX_FOLDED
    assert folded == " ".join(folded.split(" ")).strip()
    assert not set("'\\\0\n\t:*&|!()<>") & set(folded)


@pytest.mark.parametrize("names", ["ハス バス パス", "ไม้ ไม่", "क्या कया", "Мой Мои", "Іван Їван", "г ѓ"])
def test_names_that_differ_by_a_letter_s_mark_are_not_the_same(names):
    assert len({same_name(name) for name in names.split()}) == len(names.split())


def test_same_name_keeps_what_is_not_case_accent_or_blank():
    assert same_name(" Poésie  FRANÇAISE ") == "poesie francaise"
    assert same_name("C") != same_name("C++")


def hit_of(book):
    return Hit(
        book.pk,
        book.title_folded,
        book.author_folded,
        book.title_spellings,
        book.author_spellings,
        book.in_stock,
        book.popularity,
    )


@pytest.mark.slow
@pytest.mark.django_db
@given(
    rows=st.lists(st.tuples(texts, texts, st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=5),
    text=st.lists(texts, max_size=3).map(" ".join),
    data=st.data(),
)
@example(rows=[("20000 3d 1e5", "-5 +3.2e1", 1, 0)], text="1e 3 3 2", data=None)
@example(rows=[("www.example.com/a b@c.de", "<b>", 1, 0)], text="www exa", data=None)
@example(rows=[("Or And Not", "To Be", 1, 0)], text="or & not", data=None)
@example(rows=[("Homer", "Homer", 1, 0)], text="homer", data=None)  # one word in both
@example(rows=[("a" * 300, "ﷺ" * 255, 1, 0)], text="a" * 150, data=None)
@example(rows=[("Catch-22", "J. R. R. O'Brien", 1, 0)], text="catch22 jrr obrien", data=None)
@example(rows=[("Emma", "Jane Austen", 1, 0), ("Virama", "\u0bcd", 1, 0)], text="\u0bcd", data=None)  # a mark alone
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exact_search_ranks_on_each_database_as_the_python_rule(rows, text, data):
    Book.objects.all().delete()
    books = [
        BookFactory(title=title, author=author, stock_quantity=stock, popularity=popularity)
        for title, author, stock, popularity in rows
    ]
    if data is not None and data.draw(st.booleans(), label="ask for prefixes of what is there"):
        there = [word for title, author, *_ in rows for word in words(f"{title} {author}")]
        assume(there)
        picked = data.draw(st.lists(st.sampled_from(there), min_size=1, max_size=3))
        text = " ".join(word[: data.draw(st.integers(1, len(word)))] for word in picked)
    query = Query.of(text)
    assume(query)

    found, best = exact_page(Where.of(Book.objects.all()), query, order=None, start=0, size=100)
    by_author = list(Book.objects.order_by("id").by_author(text))

    hits = [hit_of(book) for book in books]
    fitting = [hit for hit in hits if query.every.holds([*hit.title_words, *hit.author_words])]
    expected = sorted(fitting, key=lambda hit: rank(hit, query))
    assert found.ids == [hit.id for hit in expected]
    assert best == (kind_of_match(expected[0], query) if expected else None)
    assert [book.pk for book in by_author] == [
        hit.id for hit in hits if query.with_every_word().every.holds(hit.author_words)
    ]


@pytest.mark.django_db
@given(titles=st.lists(texts, min_size=2, max_size=6))
@example(titles=["Zorba", "Əli və Nino"])  # most locales put ə beside e
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sort_by_title_is_by_code_points_on_every_database(titles):
    Book.objects.all().delete()
    books = [BookFactory(title=title) for title in titles]

    ascending = list(Book.objects.all().sorted_by("title"))

    assert ascending == sorted(books, key=lambda book: (fold(book.title), book.pk))
    assert list(Book.objects.all().sorted_by("title", "desc")) == ascending[::-1]


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_ascii_are_those_of_the_long_way(text):
    assert words(text) == words(f"{text} é")[:-1]
