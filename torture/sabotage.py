"""Builds that are broken on purpose: a proof that passes on one of these proves nothing."""

from pathlib import Path

# name → (file, what is there, what is put in its place); each must be there exactly once.
PATCHES: dict[str, list[tuple[str, str, str]]] = {}


def apply(name: str, root: Path) -> None:
    for file, old, new in PATCHES[name]:
        path = root / file
        text = path.read_text()
        if text.count(old) != 1:
            raise SystemExit(f"error: the sabotage {name!r} no longer fits {file}: adapt torture/sabotage.py")
        path.write_text(text.replace(old, new))
