"""The calls of README.md and docs/tour.md run on a fresh demo shop, and every answer is compared."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.demo import demo_shop
from tests.support.server import ROOT, shell_environment

TOUR = ROOT / "docs" / "tour.md"
PRINTED_URL = "http://127.0.0.1:8000"  # of `make run`

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

# What differs from run to run, and what stands for it. A page prints a token by its beginning.
VOLATILE = (
    (re.compile(r"eyJ[\w.-]+…?"), "<token>"),
    # Lines: how many the demo's carts have is not the tour's business.
    (re.compile(r'(?<="id":)\s?\d+(?=,\s?"book_id")|(?<="item_id":)\s?\d+'), "0"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z"), "<time>"),
)
END = "--- end of block {} ---"


class Step(NamedTuple):
    """One block of commands, and what the page says that it prints: `json` is compared as data, `text` as it is."""

    commands: str
    language: str
    printed: str


def section(page: Path, title: str) -> str:
    """The text of one chapter."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no chapter {title!r}"
    return found[1]


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for fence in FENCE.finditer(text):
        if fence["language"] == "sh":
            found.append(Step(fence["text"], "text", ""))
        else:
            assert found, "an answer before the first command"
            assert not found[-1].printed, f"two answers to {found[-1].commands!r}"
            found[-1] = found[-1]._replace(language=fence["language"], printed=fence["text"])
    return found


def settled(text: str, url: str) -> str:
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return text.replace(url, PRINTED_URL)


def answers(tour: list[Step], url: str) -> list[str]:
    """What each block prints, all of them pasted into one shell."""
    script = "".join(f"{step.commands}\nprintf '\\n{END.format(number)}\\n'\n" for number, step in enumerate(tour))
    done = subprocess.run(
        [shutil.which("bash") or "/bin/sh", "-c", script.replace(PRINTED_URL, url)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        env=shell_environment(),
    )
    rest, found = done.stdout, []
    for number in range(len(tour)):
        answer, end, rest = rest.partition(f"\n{END.format(number)}\n")
        assert end, f"the shell ended in block {number}: {rest}"
        found.append(answer)
    return found


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock(), demo_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.skipif(not shutil.which("curl"), reason="the tour is pasted into a shell, and there is no curl on PATH")
@pytest.mark.parametrize(
    ("page", "chapter", "blocks"), [(ROOT / "README.md", "Five calls", 1), (TOUR, "A tour with curl", 11)]
)
def test_tour_with_curl_answers_as_printed(page, chapter, blocks, shop):
    tour = steps(section(page, chapter))
    assert len(tour) >= blocks

    for step, answer in zip(tour, answers(tour, shop.url), strict=True):
        printed, answer = settled(step.printed, shop.url), settled(answer, shop.url)
        if step.language == "json":
            assert json.loads(answer) == json.loads(printed), step.commands
        else:
            assert answer.strip() == printed.strip(), step.commands


@pytest.mark.slow
@pytest.mark.any_database
def test_tour_in_the_shell_answers_as_printed(shop, tmp_path):
    [tour] = [
        fence["text"] for fence in FENCE.finditer(section(TOUR, "A tour in the shell")) if fence["language"] == "pycon"
    ]
    assert tour.count(">>> ") > 10
    (tmp_path / "tour.txt").write_text(tour, "utf-8")
    # The examples run in the very namespace that `make shell` opens.
    program = (
        "import doctest, pathlib, sys\n"
        f"text = pathlib.Path({str(tmp_path / 'tour.txt')!r}).read_text('utf-8')\n"
        "test = doctest.DocTestParser().get_doctest(text, dict(globals()), 'tour.md', 'tour.md', 0)\n"
        "print(doctest.DocTestRunner(verbose=False).run(test))\n"
    )

    report = shop.manage("shell", "--verbosity", "0", "--command", program)

    assert report.splitlines()[-1] == f"TestResults(failed=0, attempted={tour.count('>>> ')})", report
