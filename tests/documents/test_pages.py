"""Links between pages, generated pages, and the size of pictures."""

import re
from pathlib import Path

import pytest

from tests.support.server import ROOT
from tools.pages import pages

PAGES = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_page_that_is_made_says_what_it_is_made_of(path):
    assert path.read_text("utf-8") == pages()[path]


def test_every_setting_of_the_example_says_what_it_does():
    [settings] = [text for path, text in pages().items() if path.name == "settings.md"]

    rows = re.findall(r"^\| `([A-Z_]+)` \|[^|]*\| (.*) \|$", settings, re.MULTILINE)

    assert len(rows) > 30
    assert [name for name, told in rows if not told] == []


@pytest.mark.parametrize("decision", [page for page in PAGES if page.startswith("docs/decisions/0")])
def test_a_decision_has_at_most_fifty_lines(decision):
    assert len((ROOT / decision).read_text("utf-8").splitlines()) <= 50


def test_the_readme_is_read_in_one_sitting():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 160


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", (ROOT / page).read_text("utf-8"))

    missing = {target for target in targets if "://" not in target and not ((ROOT / page).parent / target).exists()}

    assert missing == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_chapter_leads_to_one(page):
    text = (ROOT / page).read_text("utf-8")
    linked = re.findall(r"\]\(([^)#\s:]*\.md)?#([^)]*)\)", text)

    missing = [
        (target, chapter)
        for target, chapter in linked
        if chapter not in chapters((ROOT / page).parent / target if target else ROOT / page)
    ]

    assert missing == []


def chapters(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pictures_are_small_files():
    pictures = list(Path(ROOT / "docs" / "images").glob("*.png"))

    assert pictures
    assert {picture.name: picture.stat().st_size for picture in pictures if picture.stat().st_size > 150_000} == {}
