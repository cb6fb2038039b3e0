"""The long proofs themselves are run by `make torture`; here, that they can be."""

import pytest

from torture import sabotage
from torture.__main__ import PARTS, part
from torture.stage import ROOT


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_there(name):
    assert callable(part(name))


@pytest.mark.parametrize("name", sorted(sabotage.PATCHES))
def test_every_sabotage_still_fits_the_code(name):
    found = [(file, old, (ROOT / file).read_text().count(old)) for file, old, _ in sabotage.PATCHES[name]]

    assert [(file, old) for file, old, count in found if count != 1] == []


def test_a_sabotage_that_no_longer_fits_says_so(tmp_path, monkeypatch):
    (tmp_path / "models.py").write_text("nothing of the kind")
    monkeypatch.setitem(sabotage.PATCHES, "no-lock", [("models.py", "select_for_update()", "all()")])

    with pytest.raises(SystemExit, match=r"the sabotage 'no-lock' no longer fits models\.py"):
        sabotage.apply("no-lock", tmp_path)
