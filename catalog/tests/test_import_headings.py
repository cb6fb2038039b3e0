"""The columns of headings, in several languages and spellings."""

import pytest

from catalog.importing.columns import column_name, columns_of, missing_columns


def test_headings_are_told_without_case_accents_and_signs():
    assert [
        column_name(heading) for heading in ["Publish Date", " ISBN ", "stock-quantity", "Prix T.T.C.", "Titre*"]
    ] == [*("publish_date", "isbn", "stock_quantity", "prix_t_t_c", "titre")]
    assert missing_columns(["isbn", None, "author"]) == ["title", "price"]


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        (["Title", "Author(s)", "Price (EUR)", "Qty"], ["title", "author", "price", "stock_quantity"]),
        (["Book title", "Writer", "Price USD", "In stock"], ["title", "author", "price", "stock_quantity"]),
        (["stock\nquantity", "title\n(full)"], ["stock_quantity", "title"]),
        (["Titel", "Autor", "Preis", "Lagerbestand"], ["title", "author", "price", "stock_quantity"]),
        (["Titre", "Auteur", "Prix", "Date de parution"], ["title", "author", "price", "publish_date"]),
        (["Título", "Autor", "Precio", "Categoría"], ["title", "author", "price", "genre"]),
        (["Titolo", "Autore", "Prezzo", "Quantità"], ["title", "author", "price", "stock_quantity"]),
        (["Tytuł", "Autor", "Cena", "Ilość"], ["title", "author", "price", "stock_quantity"]),
        (["Название", "Автор", "Цена", "В наличии"], ["title", "author", "price", "stock_quantity"]),
        (["書名", "著者", "価格", "在庫"], ["title", "author", "price", "stock_quantity"]),
        (["published_date", "Book name", "Author names"], ["publish_date", "title", "author"]),
        (["ISBN-10", "ISBN-13"], [None, "isbn"]),
        (["Name", "Cost price", "Shelf", "id", ""], [None, None, None, None, None]),
    ],
)
def test_headings_mean_columns(headings, columns):
    assert columns_of(headings) == columns


def test_what_staff_said_of_a_heading_comes_first():
    assert columns_of(["Name", "Title", "Stock"], {"name": "title", "stock": ""}) == ["title", None, None]
