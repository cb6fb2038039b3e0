"""The long proofs themselves are run by `make stress`; here, that they can be."""

import importlib
import os
import subprocess
import sys
from dataclasses import fields

import pytest

from proofs.stress import sabotage
from proofs.stress.__main__ import PARTS, part, read_arguments
from proofs.stress.broken import SABOTAGES
from proofs.stress.stage import Options, Row
from tests.support.server import ROOT


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_there(name):
    assert callable(part(name))


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_every_sabotage_replaces_attributes_that_are_there(name):
    for each in SABOTAGES[name].breaks:
        owner = importlib.import_module(each.module)
        for step in each.attribute.split("."):
            assert hasattr(owner, step), f"{each.module} has no {each.attribute}: adapt proofs/stress/broken.py"
            owner = getattr(owner, step)


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_every_sabotage_names_a_part_and_its_options(name):
    chosen = read_arguments(["--sabotage", name])

    assert chosen.parts == [SABOTAGES[name].part]
    assert set(SABOTAGES[name].sizes) <= {option.name for option in fields(Options)}


def test_long_sizes_are_those_of_the_documented_figures_unless_given():
    short, long = read_arguments([]).options, read_arguments(["--long", "--rounds", "20"]).options

    assert (short.rounds, short.seconds) == (100, 10)
    assert (long.rounds, long.crashes, long.seeds, long.seconds) == (20, 50, 10, 30)


@pytest.mark.slow
def test_a_sabotage_breaks_every_process_of_the_build():
    """A worker imports names from a module that is broken before it gets them."""
    looks = "from cart import models, statements; print(statements.run.__name__, models.violated.__qualname__)"
    command = [sys.executable, "-c", f"import django; django.setup(); {looks}"]
    broken_environ = sabotage.environ("check-then-insert")
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "bookstore.settings", "DEBUG": "1"}

    whole = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    broken = subprocess.run(
        command,
        cwd=ROOT,
        env=environ | broken_environ,
        capture_output=True,
        text=True,
        check=True,
    )

    assert whole.stdout == "run violated\n"
    assert broken.stdout == "no_row not_recognised.<locals>.make.<locals>.<lambda>\n"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([Row("race: adds at the bound", "1 wrong", False)], 0),
        ([Row("race: adds at the bound", "0 wrong", True)], 1),
        ([Row("race: adds at the bound", "0 wrong", True), Row("races: deadlocks", "2", False)], 1),
        ([Row("races: deadlocks", "2", False)], 2),
        ([Row("races", "ended with an error, see above", False, error=True)], 2),
        ([], 2),
    ],
)
def test_only_the_failed_row_of_its_proof_has_seen_a_sabotage(rows, code):
    assert sabotage.verdict("no-version", rows)[0] == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["races", "--race", "nothing_of_the_kind"], "no race has 'nothing_of_the_kind' in its name"),
        (["racing"], "there is no part racing"),
        (["races", "--sabotage", "cached-cart"], "the sabotage cached-cart is for the part reads"),
    ],
)
def test_what_would_prove_nothing_is_refused(arguments, words, capsys):
    with pytest.raises(SystemExit) as refusal:
        read_arguments(arguments)

    assert refusal.value.code == 2
    assert words in capsys.readouterr().err
