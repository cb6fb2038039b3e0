"""The two lock files agree: what is tested is what is served."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def test_development_lock_has_the_services_packages_and_versions():
    service, development = pins("requirements.txt"), pins("requirements-dev.txt")

    assert service
    assert {name: development.get(name) for name in service} == service


def test_every_pin_has_a_hash():
    for name in ("requirements.txt", "requirements-dev.txt"):
        blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text())
        assert [block for block in blocks if "==" in block.split("\n")[0] and "--hash=sha256:" not in block] == []
