"""The demo's shop: what is served of it, and where. What it does is in test_shop_in_browser.py."""

import hashlib
import re

import pytest
from django.test import Client
from django.urls import include, path

from catalog.tests.factories import BookFactory, GenreFactory
from examples.shop.covers import draw
from tests.support.server import ROOT

SHOP = ROOT / "examples" / "shop"
# The sha256 of lit-html.js of release 3.3.3, without its last line, which names a source map.
LIT_HTML = "22115ca1002e4afc0dd2cb208f28d9c71a577a8989d4185028e26b29676e7842"


# The demo's addresses: `bookstore.urls` has them with DEBUG=1 only.
urlpatterns = [path("shop/", include("examples.shop.serve"))]
demo = pytest.mark.urls(__name__)


@pytest.fixture
def dracula(db):
    return BookFactory(title="Dracula", author="Bram Stoker", genre=GenreFactory(name="Gothic"))


@demo
def test_page_is_served_with_a_strict_policy(client):
    response = client.get("/shop/")

    assert (response.status_code, b"".join(response)) == (200, (SHOP / "index.html").read_bytes())
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' https: http: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", ["/shop", "/shop/", "/shop/js/main.js", "/shop/covers/1.svg"])
def test_nothing_of_it_is_served_in_production(client, path):
    assert client.get(path).status_code == 404


@demo
@pytest.mark.parametrize(
    "name", ["serve.py", "covers.py", "tsconfig.json", "js", "../wishlist/README.md", "js/none.js", 300 * "a"]
)
def test_other_files_are_not_served(client, name):
    assert client.get(f"/shop/{name}").status_code == 404


@demo
@pytest.mark.parametrize("path", ["/shop/", "/shop/js/main.js", "/shop/covers/1.svg"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_another_method_than_get_is_405(method, path):
    browser = Client(enforce_csrf_checks=True)

    assert getattr(browser, method)(path).status_code == 405


def test_page_has_no_inline_script_or_style():
    page = (SHOP / "index.html").read_text("utf-8")

    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page) == []


def test_shop_is_small():
    files = [file for file in SHOP.rglob("*") if file.suffix in {".html", ".css", ".js", ".svg"}]
    own = [file for file in files if "vendor" not in file.parts]

    assert sum(file.stat().st_size for file in files) <= 150_000
    assert sum(len(file.read_text("utf-8").splitlines()) for file in own) <= 1_250


def test_storefront_page_leads_to_each_file_and_to_names_that_are_there():
    scripts = {file.name: file.read_text("utf-8") for file in (SHOP / "js").iterdir()}
    page = (ROOT / "docs" / "storefront.md").read_text("utf-8")
    table = page.partition("## How do I …, in the browser\n")[2].partition("\n## ")[0]

    rows = [re.findall(r"`([\w.-]+)`", row) for row in table.splitlines() if ".js`]" in row]
    named = [(row, name) for row in rows for name in row if re.fullmatch(r"\w+", name)]
    assert {name for row in rows for name in row if name.endswith(".js")} == scripts.keys() - {"config.js"}
    assert [
        name
        for row, name in named
        if not any(re.search(rf"\b{name}\b", scripts[file]) for file in row if file.endswith(".js"))
    ] == []


def test_lit_html_is_the_released_file():
    vendored = (SHOP / "vendor" / "lit-html.js").read_bytes()

    assert hashlib.sha256(vendored).hexdigest() == LIT_HTML
    assert "BSD 3-Clause" in (SHOP / "vendor" / "LICENSE").read_text("utf-8")


@demo
def test_cover_shows_title_author_and_genre_and_is_kept_a_day(client, dracula):
    response = client.get(f"/shop/covers/{dracula.pk}.svg")

    assert response.headers["Content-Type"] == "image/svg+xml"
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert response.content.decode() == draw("Dracula", "Bram Stoker", "Gothic")
    assert [text for text in ("Dracula", "Bram Stoker", "GOTHIC") if text not in response.content.decode()] == []


@demo
def test_cover_that_is_known_is_not_sent_again(client, dracula):
    first = client.get(f"/shop/covers/{dracula.pk}.svg")

    again = client.get(f"/shop/covers/{dracula.pk}.svg", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


@demo
def test_cover_of_a_book_without_a_genre_is_drawn(client, db):
    response = client.get(f"/shop/covers/{BookFactory(genre=None).pk}.svg")

    assert response.status_code == 200


@demo
def test_cover_of_no_book_is_missing(client, db):
    assert client.get("/shop/covers/1.svg").status_code == 404


def test_cover_escapes_markup_and_cuts_long_words():
    drawing = draw("<script>alert(1)</script> & " + 200 * "x", '"Bob"</svg>', "A & B")

    assert "<script" not in drawing
    assert drawing.count("</svg>") == 1
    assert "xxxxxxxxxxxxxxxxxxxxx" not in drawing
