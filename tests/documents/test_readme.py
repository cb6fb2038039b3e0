"""What README.md prints is what happens: both tours run on a fresh demo shop, and every answer is compared."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.demo import demo_shop
from tests.support.server import ROOT, shell_environment

README = ROOT / "README.md"
PRINTED_URL = "http://127.0.0.1:8000"  # of `make run`

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

# What differs from run to run, and what stands for it. README prints a token by its beginning.
VOLATILE = (
    (re.compile(r"eyJ[\w.-]+…?"), "<token>"),
    # Lines: how many the demo's carts have is not the tour's business.
    (re.compile(r'(?<="id":)\s?\d+(?=,\s?"book_id")|(?<="item_id":)\s?\d+'), "0"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z"), "<time>"),
)
END = "--- end of block {} ---"


class Step(NamedTuple):
    """One block of commands, and what README says that it prints: `json` is compared as data, `text` as it is."""

    commands: str
    language: str
    printed: str


def section(title: str) -> str:
    """The text of one chapter."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no chapter {title!r}"
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
@pytest.mark.skipif(not shutil.which("curl"), reason="the tour is pasted into a shell, and there is no curl on PATH")
def test_readme_tour_with_curl_answers_as_printed(shop):
    tour = steps(section("A tour with curl"))
    assert len(tour) > 10

    for step, answer in zip(tour, answers(tour, shop.url), strict=True):
        printed, answer = settled(step.printed, shop.url), settled(answer, shop.url)
        if step.language == "json":
            assert json.loads(answer) == json.loads(printed), step.commands
        else:
            assert answer.strip() == printed.strip(), step.commands


@pytest.mark.slow
def test_readme_tour_in_the_shell_answers_as_printed(shop, tmp_path):
    [tour] = [fence["text"] for fence in FENCE.finditer(section("A tour in the shell")) if fence["language"] == "pycon"]
    assert tour.count(">>> ") > 10
    (tmp_path / "tour.txt").write_text(tour, "utf-8")
    # The examples run in the very namespace that `make shell` opens.
    program = (
        "import doctest, pathlib, sys\n"
        f"text = pathlib.Path({str(tmp_path / 'tour.txt')!r}).read_text('utf-8')\n"
        "test = doctest.DocTestParser().get_doctest(text, dict(globals()), 'README.md', 'README.md', 0)\n"
        "print(doctest.DocTestRunner(verbose=False).run(test))\n"
    )

    report = shop.manage("shell", "--verbosity", "0", "--command", program)

    assert report.splitlines()[-1] == f"TestResults(failed=0, attempted={tour.count('>>> ')})", report


def test_readme_lists_every_setting_with_its_default():
    example = (ROOT / ".env.example").read_text("utf-8")
    defaults = dict(line.split("=", 1) for line in re.findall(r"^#?([A-Z_]+=.*)$", example, re.MULTILINE))
    has_default = re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)

    cells = re.findall(r"^\| `([A-Z_]+)` \|([^|]*)\|", section("Settings"), re.MULTILINE)
    rows = {name: default.strip() for name, default in cells}

    assert rows.keys() == defaults.keys()
    assert {name: rows[name] for name in has_default} == {
        name: f"`{defaults[name]}`" if defaults[name] else "" for name in has_default
    }


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", (ROOT / page).read_text("utf-8"))

    missing = {target for target in targets if "://" not in target and not (ROOT / target).exists()}

    assert missing == set()


def test_every_link_within_the_readme_leads_to_a_chapter():
    text = README.read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= headings


def test_pictures_are_small_files():
    pictures = list(Path(ROOT / "docs" / "images").glob("*.png"))

    assert pictures
    assert {picture.name: picture.stat().st_size for picture in pictures if picture.stat().st_size > 150_000} == {}
