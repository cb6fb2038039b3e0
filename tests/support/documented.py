"""The commands of docs/running.md, as an operator copies them, so that tests and proofs run what is written there."""

import os
import re
import shlex
import subprocess
import textwrap
from pathlib import Path

from tools.postgres import Cluster


def commands_of(root: Path, section: str, program: str) -> list[str]:
    """The lines of the section's first shell block that call this program. Raises LookupError."""
    commands = [line for line in block_of(root, section, "sh").splitlines() if line.split(" ")[0] == program]
    if not commands:
        raise LookupError(f"docs/running.md has no {program} below {section!r}")
    return commands


def block_of(root: Path, section: str, language: str) -> str:
    """The section's first block in this language. Raises LookupError where there is none."""
    blocks = blocks_of(root, section, language)
    if not blocks:
        raise LookupError(f"docs/running.md has no block of {language} below {section!r}")
    return blocks[0]


def blocks_of(root: Path, section: str, language: str) -> list[str]:
    """Every block of the section in this language, those of a list without their indentation."""
    _, _, rest = (root / "docs" / "running.md").read_text().partition(f"\n## {section}\n")
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", rest.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in found]


def run(command: str, cluster: Cluster, folder: Path, **environ: str) -> None:
    """Runs a command in a shell, in this folder, with the cluster's own programs, because versions must match."""
    path = f"{cluster.installation.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    subprocess.run(["/bin/sh", "-ec", command], check=True, cwd=folder, env=os.environ | {"PATH": path, **environ})


def settings_of(root: Path, section: str) -> dict[str, str]:
    """The variables that the section's shell blocks set."""
    words = [word for line in block_of(root, section, "sh").splitlines() for word in shlex.split(line, comments=True)]
    return dict(word.split("=", 1) for word in words if "=" in word)
