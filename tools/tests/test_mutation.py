"""What `make mutation` makes of cosmic-ray's results."""

import pytest

from proofs.mutation.__main__ import EXPLAINED, ROOT, Mutant, explained, mutant, report

DIFF = """--- mutation diff ---
--- a/cart/models.py
+++ b/cart/models.py
@@ -138,7 +138,7 @@
             held = dict(lines)
-            if len(held) >= limit:
+            if len(held) > limit:
                 raise CartLimitExceeded
"""
CHANGE = Mutant("cart/models.py", "if len(held) >= limit:", "if len(held) > limit:")


def rows(survived: int, of: int):
    killed = [("cart/models.py", 1, "AddNot", "KILLED", DIFF)] * (of - survived)
    return killed + [("cart/models.py", 138, "GtE_Gt", "SURVIVED", DIFF)] * survived


def test_a_change_is_known_by_what_stood_there_and_what_came_instead():
    assert mutant("cart/models.py", DIFF) == CHANGE


@pytest.mark.parametrize(
    ("survived", "reasons", "passed"),
    [
        (0, {}, True),
        (10, {CHANGE: "The limit is never met there."}, True),
        (11, {CHANGE: "The limit is never met there."}, False),  # fewer than nine in ten are killed
        (1, {}, False),  # nobody says why
    ],
)
def test_enough_must_be_killed_and_every_survivor_explained(capsys, survived, reasons, passed):
    assert report(rows(survived, of=100), reasons) is passed
    assert f"{100 - survived} of 100 killed" in capsys.readouterr().out


def test_nothing_changed_proves_nothing():
    assert report([], {}) is False


def test_every_explained_survivor_is_still_in_the_code():
    gone = [
        change for change in explained(EXPLAINED) if change.was.split("\n")[0] not in (ROOT / change.file).read_text()
    ]

    assert gone == []
    assert all(len(why) > 20 for why in explained(EXPLAINED).values())
