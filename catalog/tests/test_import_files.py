"""Reading of files: ends of rows, quotation marks, encodings, gzip."""

import gzip
from io import BytesIO

import pytest

from catalog.importing import csv_rows
from catalog.importing.encodings import AskEncoding, Unreadable, encoding_of
from catalog.importing.files import Spreadsheet

HEAD = "title,author,price\n"


def rows_of(content, **options):
    data = content if isinstance(content, bytes) else content.encode()
    return [(line.number, line.cells, line.problem) for line in Spreadsheet(BytesIO(data), **options)]


def book(title, author="Ann", price="5"):
    return {"title": title, "author": author, "price": price}


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_no_row_is_cut_where_unicode_has_an_end_of_line(mark, quote):
    rows = rows_of(f"{HEAD}{quote}Odd {mark}title{quote},Ann,5\nNext,Ann,5\n")

    assert rows == [(2, book(f"Odd {mark}title"), ""), (3, book("Next"), "")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_end_as_systems_end_them(end):
    rows = rows_of(end.join(["title,author,price", '"Two', 'lines",Ann,5', "Next,Ann,5"]))

    assert [(number, cells["title"]) for number, cells, _ in rows] == [(2, f"Two{end}lines"), (4, "Next")]


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["Good,Ann,5", '"Heroes and villains,Ann,9.99', *["Later,Ben,6"] * 400], 3),
        (["A,Ann,5", '"B,Ann,5', "C,Ann,5", "D,Ann,5", 'E "inner,Ann,5', '"F",Ann,5'], 3),
        (['"B,Ann,5', 'C,Ann",Ann,5', "G,Ann,5"], 2),
        (["Good,Ann,5", '"B,Ann,5', "C,Ann,5", 'D","Ann",5'], 3),
        (['"Only,Ann,5', "last,Ann,5"], 2),
    ],
    ids=["never closed", "two stray", "whole rows in a cell", "closed late", "at the end"],
)
def test_quotation_mark_that_nobody_closes_stops_the_file(lines, number):
    with pytest.raises(
        Unreadable, match=f"cannot be read from line {number} on: a quotation mark there is never closed"
    ):
        rows_of(HEAD + "\n".join(lines) + "\n")


def test_line_whose_quotation_marks_do_not_pair_up_is_refused_alone():
    rows = rows_of(f'{HEAD}"Two" lines,Ann,5\nNext,Ann,5\n')

    assert rows == [(2, {}, csv_rows.BROKEN), (3, book("Next"), "")]


def test_quoted_description_with_rows_in_it_is_one_cell():
    rows = rows_of('"title",author,price,description\n"Emma",Ann,5,"Price list:\nA,Ann,5,x\nB,Ann,6,y"\n')

    assert [cells["description"] for _, cells, _ in rows] == ["Price list:\nA,Ann,5,x\nB,Ann,6,y"]


def test_blanks_after_the_comma_are_none_of_the_cells():
    assert rows_of(f'{HEAD}Good Omens, "Gaiman, Pratchett", 5\n') == [(2, book("Good Omens", "Gaiman, Pratchett"), "")]


def test_headings_may_be_wrapped_and_have_a_title_above_them():
    rows = rows_of('Price list of March,,\n\ntitle,author,price,"stock\nquantity"\nA,Ann,5,1\n')

    assert rows == [(5, book("A") | {"stock_quantity": "1"}, "")]


def test_files_put_one_behind_the_other_are_read_as_one():
    rows = rows_of((HEAD + "A,Ann,5\n").encode("utf-8-sig") * 2)

    assert [(number, cells["title"]) for number, cells, _ in rows] == [(2, "A"), (4, "A")]


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("Brontë", "utf-8", "utf-8"),
        ("Brontë", "utf-8-sig", "utf-8-sig"),
        ("title,Brontë", "utf-16", "utf-16"),
        ("title,Karel Čapek", "utf-16-le", "utf-16-le"),
        ("title,Karel Čapek", "utf-16-be", "utf-16-be"),
        ("L’Étranger", "cp1252", "cp1252"),
        ("À la recherche; Molière", "cp1252", "cp1252"),
        ("Titel „so“ – 100 €;Weiß", "cp1252", "cp1252"),
        ("Władca much;Żuławski Łukasz", "cp1250", "cp1250"),
        ("Мастер и Маргарита;Михаил Булгаков", "cp1251", "cp1251"),
        ("Charlotte Brontë;L'été", "mac-roman", "mac-roman"),
    ],
)
def test_encoding_is_told_from_the_text(text, encoding, found):
    assert encoding_of(BytesIO(text.encode(encoding))) == found


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *(("Molière", "cp1252"), ("Karel Čapek", "cp1250"), ("İnce Memed, Yaşar", "cp1254"), ("猫", "shift-jis")),
        *(("吾輩は猫である, 夏目漱石", "shift-jis"), ("紅樓夢曹雪芹", "big5")),
    ],
)
def test_encoding_that_could_be_another_is_asked_for(text, encoding):
    content = f'{HEAD}"{text}",Ann,5\n'.encode(encoding)

    with pytest.raises(AskEncoding, match=r"is not UTF-8 \(byte 0x.. on line 2\), and "):
        rows_of(content)
    assert [cells["title"] for _, cells, _ in rows_of(content, encoding=encoding)] == [text]


@pytest.mark.parametrize(
    "content",
    [
        "".join(f"Villette {number},Charlotte Brontë,7\n" for number in range(900)).encode() + b"Caf\xe9,Ann,5\n",
        "Villette,Charlotte Brontë,7\n".encode() + b"Caf\xe9,Ann,5\n",
    ],
)
def test_stray_byte_in_utf_8_is_refused_with_its_line(content):
    line = content.count(b"\n") + 1

    with pytest.raises(Unreadable, match=f"is UTF-8 with a byte 0xE9 on line {line} that does not belong there"):
        rows_of(HEAD.encode() + content)


def test_lone_surrogate_in_utf_16_is_refused_with_its_line():
    content = f"{HEAD}A,Ann,5\n".encode("utf-16") + b"\x00\xd8x\x00,\x00"

    with pytest.raises(Unreadable, match="is not UTF-16 on line 3: save it as CSV UTF-8"):
        rows_of(content)


def test_gzip_file_is_read_by_the_command_and_the_admin_alike(tmp_path):
    from catalog.importing.files import opened

    (tmp_path / "books.csv.gz").write_bytes(gzip.compress(f"{HEAD}A,Ann,5\n".encode()))

    with opened(str(tmp_path / "books.csv.gz")) as sheet:
        assert [line.cells for line in sheet] == [book("A")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04\x81\x8d", "is a damaged workbook, or a damaged ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a workbook of an old kind"),
        (b"title,author,price (GBP)\nA,Ann,5\n", "has prices in GBP, and this shop sells in USD"),
        (b"title,author,price,Title\n", "has the column 'title' twice"),
        (
            b"title,author,price\n" + b"x" * 1_000_001,
            "cannot be read from line 2 on: it has more than 1,000,000 characters",
        ),
    ],
)
def test_file_that_cannot_be_used_is_told_why(content, reason):
    with pytest.raises(Unreadable, match=reason.replace("(", r"\(").replace(")", r"\)")):
        rows_of(content)
