"""The programs of a cluster, and the packages that have them."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.installations import installations

# Each program, and the Debian (and Ubuntu) package that has it.
PACKAGES = {
    "etcd": "etcd-server",
    "haproxy": "haproxy",
    "nginx": "nginx",
    "patroni": "patroni",
    "patronictl": "patroni",
    "pgbouncer": "pgbouncer",
}
# For a network of its own, as root; without them the cluster runs on ports of 127.0.0.1.
NETWORK_PACKAGES = {"ip": "iproute2", "nft": "nftables"}
# Debian keeps servers where a user's PATH does not look.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


class Missing(Exception):
    """Programs that are not installed; the text says which, and how to get them."""


@dataclass(frozen=True)
class Programs:
    paths: Mapping[str, str]
    postgres: Path  # the folder with PostgreSQL's programs

    def __getitem__(self, name: str) -> str:
        return self.paths[name]


def found(names: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    path = f"{environ.get('PATH', os.defpath)}:{SYSTEM_PATH}"
    located = {name: shutil.which(name, path=path) for name in names}
    return {name: program for name, program in located.items() if program}


def can_have_a_network(environ: Mapping[str, str] | None = None) -> bool:
    tools = found(NETWORK_PACKAGES, os.environ if environ is None else environ)
    return os.geteuid() == 0 and len(tools) == len(NETWORK_PACKAGES)


def programs(environ: Mapping[str, str] | None = None) -> Programs:
    """Raises Missing."""
    environ = os.environ if environ is None else environ
    there = found(PACKAGES, environ)
    packages = {PACKAGES[name]: name for name in PACKAGES if name not in there}
    # Not the wheel of the tests: the user that stands in for root cannot reach a virtual environment.
    usable = [each.bin for each in installations(environ) if "wheel" not in each.origin]
    postgres = next((folder for folder in usable if (folder / "pg_rewind").exists()), None)
    if postgres is None:
        packages["postgresql"] = "postgres with pg_rewind"
    if packages or postgres is None:
        missing = ", ".join(f"{program} ({package})" for package, program in sorted(packages.items()))
        raise Missing(
            f"a cluster needs programs that are not installed: {missing}. "
            f"On Debian and Ubuntu: apt-get install {' '.join(sorted(packages))}"
        )
    return Programs(there, postgres)
