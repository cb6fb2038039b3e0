"""The long proofs themselves are run by `make stress`; here, that they can be."""

from dataclasses import fields

import pytest

from proofs.stress import sabotage
from proofs.stress.__main__ import PARTS, part, read_arguments
from proofs.stress.broken import SABOTAGES
from proofs.stress.sabotage import Sabotage
from proofs.stress.stage import ROOT, Options, Row


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_there(name):
    assert callable(part(name))


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_every_sabotage_still_fits_the_code(name):
    found = [(file, old, (ROOT / file).read_text().count(old)) for file, old, _ in SABOTAGES[name].patches]

    assert [(file, old) for file, old, count in found if count != 1] == []


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_every_sabotage_names_a_part_and_its_options(name):
    chosen = read_arguments(["--sabotage", name])

    assert chosen.parts == [SABOTAGES[name].part]
    assert set(SABOTAGES[name].sizes) <= {option.name for option in fields(Options)}


def test_a_sabotage_that_no_longer_fits_says_so(tmp_path, monkeypatch):
    (tmp_path / "models.py").write_text("nothing of the kind")
    broken = Sabotage("races", "race: ", [("models.py", "select_for_update()", "all()")])
    monkeypatch.setitem(SABOTAGES, "no-lock", broken)

    with pytest.raises(sabotage.OutOfDate, match=r"the sabotage 'no-lock' no longer fits models\.py"):
        sabotage.apply("no-lock", tmp_path)


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
