"""The ledger: silent while a cart is what was acknowledged, loud when it is not."""

from hypothesis import given
from hypothesis import strategies as st

from proofs.cluster.ledger import Fault, Ledger

EMMA, DRACULA = 4, 43

copies = st.integers(0, 999)
writes = st.lists(
    st.tuples(
        st.sampled_from([EMMA, DRACULA]),
        copies,
        st.sampled_from(["acknowledged", "unknown and done", "unknown and not done", "refused"]),
    ),
    max_size=20,
)


def perform(ledger, cart, book, wanted, fate):
    if fate == "acknowledged":
        ledger.write_acknowledged(book, wanted)
    elif fate != "refused":
        ledger.write_unknown(book, wanted)
    if fate in {"acknowledged", "unknown and done"}:
        cart[book] = wanted


@given(writes)
def test_a_cart_that_is_what_was_acknowledged_has_no_fault(history):
    ledger, cart = Ledger([EMMA, DRACULA]), {}
    found = []

    for book, wanted, fate in history:
        perform(ledger, cart, book, wanted, fate)
        found += ledger.read(cart)

    assert found == []


@given(writes, copies, copies)
def test_an_acknowledged_write_that_is_taken_back_is_told_as_lost(history, before, after):
    ledger, cart = Ledger([EMMA, DRACULA]), {}
    for book, wanted, fate in history:
        perform(ledger, cart, book, wanted, fate)
    ledger.write_acknowledged(EMMA, before)
    ledger.write_acknowledged(EMMA, after)

    faults = ledger.read({**cart, EMMA: before})

    assert faults == ([] if before == after else [Fault(EMMA, before, frozenset({after}), lost=True)])


@given(writes, copies)
def test_a_number_of_copies_that_nobody_wrote_is_told_as_differing(history, wanted):
    ledger, cart = Ledger([EMMA, DRACULA]), {}
    for book, number, fate in history:
        perform(ledger, cart, book, number, fate)
    ledger.write_acknowledged(EMMA, wanted)

    faults = ledger.read({**cart, EMMA: 1000})

    assert faults == [Fault(EMMA, 1000, frozenset({wanted}), lost=False)]


def test_a_fault_is_told_once():
    ledger = Ledger([EMMA])
    ledger.write_acknowledged(EMMA, 2)

    first, second = ledger.read({}), ledger.read({})

    assert [str(fault) for fault in first] == ["book 4 has 0 copies, allowed are [2]: an acknowledged write is lost"]
    assert second == []


def test_a_read_of_an_unknown_write_later_undone_is_no_fault():
    ledger = Ledger([EMMA])
    ledger.write_acknowledged(EMMA, 2)
    ledger.write_unknown(EMMA, 3)

    faults = ledger.read({EMMA: 3}) + ledger.read({EMMA: 2}) + ledger.read({EMMA: 2})

    assert faults == []
    assert (ledger.acknowledged, ledger.unknown, ledger.taken_back) == (1, 1, 1)


def test_an_acknowledgement_ends_what_was_unknown_before_it():
    ledger = Ledger([EMMA])
    ledger.write_unknown(EMMA, 3)
    ledger.write_acknowledged(EMMA, 5)

    assert ledger.allowed(EMMA) == frozenset({5})
    assert [fault.lost for fault in ledger.read({EMMA: 3})] == [True]
