"""What is measured is what is served: the benchmarks' lock has the service's packages at the service's versions."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def test_benchmarks_lock_has_the_services_packages_and_versions():
    service, benchmarks = pins("requirements.txt"), pins("proofs/benchmarks/requirements.txt")

    assert service
    assert {name: benchmarks.get(name) for name in service} == service, "run `make lock`"
