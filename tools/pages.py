"""The pages generated from other files: `make docs` writes them, and a test compares.

docs/settings.md has a row for each variable of .env.example, docs/decisions/README.md a row for each decision.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / ".env.example"
SETTINGS = ROOT / "docs" / "settings.md"
DECISIONS = ROOT / "docs" / "decisions"

SETTINGS_HEAD = """# Settings

Read from the environment, or from a file `.env` beside `manage.py` (copy [`.env.example`](../.env.example)); the
environment takes precedence. A missing or wrong value stops the start with one line that names the variable.
`make docs` generates this page from `.env.example`.
"""

DECISIONS_HEAD = """# Decisions

The reasons: a question, the decision, what was measured, at most 50 lines each. A choice that somebody will question
gets one. `make docs` generates this list from the headings.
"""

SECTION = re.compile(r"^# --- (?P<title>.+) ---$")
VARIABLE = re.compile(r"^(?P<off>#?)(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$")


def rows(text: str) -> Iterator[str]:
    """The lines of the page below its head. A variable's comment is the lines before it."""
    comment: list[str] = []
    table = False
    for line in text.splitlines():
        if section := SECTION.match(line):
            yield from ("", f"## {section['title']}", "")
            comment, table = [], False
        elif variable := VARIABLE.match(line):
            if not table:
                yield from ("| variable | default | meaning |", "|---|---|---|")
                table = True
            default = f"`{variable['value']}`" if variable["off"] and variable["value"] else ""
            told = " ".join(comment).replace("|", "\\|")
            yield f"| `{variable['name']}` | {default} | {told} |"
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []


def settings_page(text: str) -> str:
    return SETTINGS_HEAD + "\n" + "\n".join(rows(text)).strip("\n") + "\n"


def decisions_page(folder: Path) -> str:
    """A line for each decision, by number. Its first line is `# 7. The cart's version is …`."""
    lines = []
    for path in sorted(folder.glob("[0-9]*.md")):
        number, _, title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(". ")
        lines.append(f"{number}. [{title}]({path.name})")
    return DECISIONS_HEAD + "\n" + "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """The text of each page."""
    return {
        SETTINGS: settings_page(EXAMPLE.read_text("utf-8")),
        DECISIONS / "README.md": decisions_page(DECISIONS),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
