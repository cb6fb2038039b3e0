"""The columns that a file of books can have, and the headings that people write for them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from catalog.importing.money import SYMBOLS

# What each column may hold, in the order of the template.
COLUMNS: dict[str, str] = {
    "title": "1 to 500 characters",
    "author": "1 to 255 characters",
    "price": "above 0, at most two places, in the shop's currency: 12.50, 12,50 or 1.250,00",
    "isbn": "ISBN-10 or ISBN-13, hyphens allowed; one book has one",
    "genre": "its name; one that is not there yet is made",
    "description": "any text",
    "cover_image_url": "an http or https address",
    "publish_date": "2008-05-01, 01.05.2008, 1 May 2008, May 2008 or 2008; before the year 1 it is left out",
    "stock_quantity": "copies, a whole number from 0; 0 for a new book",
    "is_active": "on sale: yes or no; yes for a new book",
    "popularity": "how much it is asked for, a whole number from 0: the search puts the higher first",
}
REQUIRED = ("title", "author", "price")
# The labels of columns on pages.
LABELS: dict[str, str] = {
    "isbn": "ISBN",
    "cover_image_url": "Cover URL",
    "publish_date": "Published",
    "stock_quantity": "Stock",
    "is_active": "On sale",
}

# Other headings of each column, the preferred one first: of a file with ISBN-13 and ISBN-10 the ISBN-13 is read.
# Accents, case, punctuation and text in parentheses are ignored.
HEADINGS: dict[str, str] = {
    "title": "title, book title, full title, title of book, book name, titel, buchtitel, titre, título, titulo, "
    "titolo, tytuł, název, cím, название, заглавие, книга, タイトル, 書名, 书名, 標題, 제목",
    "author": "author, authors, author name, author names, name of author, main author, writer, written by, by author, "
    "autor, autoren, verfasser, auteur, auteurs, autores, autore, autori, szerző, forfatter, författare, автор, "
    "авторы, 著者, 作者, 저자",
    "price": "price, retail price, sale price, selling price, sales price, list price, unit price, book price, "
    "our price, rrp, msrp, preis, verkaufspreis, ladenpreis, prix, prix ttc, precio, pvp, prezzo, preço, prijs, cena, "
    "ár, preț, pris, цена, 価格, 定価, 价格, 가격",
    "isbn": "isbn, isbn 13, isbn13, ean, ean 13, ean13, isbn ean, gtin, barcode, isbn 10, isbn10, isbn nr, "
    "isbn number, isbn nummer, numéro isbn, código isbn",
    "genre": "genre, genres, category, subject, genre name, kategorie, sachgruppe, warengruppe, catégorie, género, "
    "categoría, genere, categoria, gatunek, kategoria, žánr, műfaj, categorie, жанр, ジャンル, 分类, 장르",
    "description": "description, summary, synopsis, blurb, annotation, beschreibung, inhalt, klappentext, résumé, "
    "descripción, sinopsis, descrizione, descrição, beschrijving, opis, popis, leírás, описание, аннотация, 説明, 简介",
    "cover_image_url": "cover image url, cover url, cover image, image url, cover, image, cover link, bild, bild url, "
    "umschlag, titelbild, couverture, image de couverture, portada, imagen, copertina, capa, omslag, okładka, обложка",
    "publish_date": "publish date, published date, publication date, published, date published, date of publication, "
    "publishing date, pub date, release date, date released, published on, published at, publication year, "
    "publish year, published year, year of publication, year published, original publication date, "
    "original publication year, year, erscheinungsdatum, erscheinungsjahr, erschienen, erscheinungstermin, jahr, "
    "date de publication, date de parution, parution, année, fecha de publicación, año, data di pubblicazione, anno, "
    "data de publicação, ano, publicatiedatum, data wydania, rok wydania, rok, datum vydání, utgivningsdatum, "
    "дата публикации, год издания, год, 発売日, 出版日期",
    "stock_quantity": "stock quantity, stock, quantity, qty, in stock, copies, on hand, qty on hand, stock level, "
    "stock qty, inventory, bestand, lagerbestand, lager, menge, anzahl, stückzahl, quantité, qté, existencias, "
    "cantidad, stock disponible, quantità, giacenza, quantidade, estoque, voorraad, aantal, ilość, stan magazynowy, "
    "množství, skladem, készlet, lagersaldo, antal, количество, остаток, в наличии, 在庫, 在庫数, 库存, 재고",
    "is_active": "is active, on sale, active, for sale, sellable, aktiv, im verkauf, verkäuflich, lieferbar, en vente, "
    "actif, a la venta, activo, in vendita, attivo, à venda, ativo, te koop, actief, w sprzedaży, aktywny, в продаже, "
    "активен, 販売中, 在售",
    "popularity": "popularity, copies sold, times sold, beliebtheit, popularité, popularidad, popolarità",
}

PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|（[^（）]*）")
CURRENCY_AT_END = re.compile(r"[\s(\[（,]([A-Z]{3})[)\]）]?$", re.ASCII)
CURRENCIES = frozenset().union(*SYMBOLS.values())


def label_of(column: str) -> str:
    """The label of a column: "Stock" for `stock_quantity`."""
    return LABELS.get(column, column.capitalize())


def column_name(heading: str) -> str:
    """Normalises a heading: "Publish-Date " becomes `publish_date`."""
    decomposed = unicodedata.normalize("NFKD", heading).casefold()
    letters = "".join(
        character if character.isalnum() else " "
        for character in decomposed
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )
    return "_".join(letters.split())


# By normalised heading: its column, and its rank among the headings of that column.
KNOWN: dict[str, tuple[str, int]] = {}
for _column, _names in HEADINGS.items():
    for _rank, _name in enumerate(_names.split(",")):
        KNOWN.setdefault(column_name(_name), (_column, _rank))


def known_column(heading: str) -> tuple[str, int] | None:
    """The column of a heading, and the heading's rank: 0 is preferred. None for an unknown heading."""
    text = CURRENCY_AT_END.sub(" ", heading.strip()) if currency_in(heading) else heading
    return KNOWN.get(column_name(heading)) or KNOWN.get(column_name(PARENTHESES.sub(" ", text)))


def columns_of(headings: Sequence[str], chosen: Mapping[str, str] | None = None) -> list[str | None]:
    """The column of each heading; None for a heading that is not read.

    `chosen` has the choices of staff, by `column_name`: a column, or "" for a heading to skip. Of two headings for
    one column the preferred one is read.
    """
    chosen = chosen or {}
    best: dict[str, tuple[int, int]] = {}
    for place, heading in enumerate(headings):
        name = column_name(heading)
        found = known_column(heading)
        if name in chosen:
            found = (chosen[name], -1) if chosen[name] in COLUMNS else None
        if found and (found[0] not in best or found[1] < best[found[0]][0]):
            best[found[0]] = (found[1], place)
    columns: list[str | None] = [None] * len(headings)
    for column, (_, place) in best.items():
        columns[place] = column
    return columns


def missing_columns(columns: Iterable[str | None]) -> list[str]:
    """The required columns that are missing from these."""
    present = set(columns)
    return [name for name in REQUIRED if name not in present]


def currency_in(heading: str) -> str | None:
    """The currency in the heading of a price: EUR for "Price (EUR)"."""
    found = CURRENCY_AT_END.search(heading.strip())
    return found[1] if found and found[1] in CURRENCIES else None
