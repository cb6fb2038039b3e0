import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookstore.accounts.emails import normalise_email


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("alice@example.com", "alice@example.com"),
        ("Alice@EXAMPLE.com", "alice@example.com"),
        ("ALICE@example.COM", "alice@example.com"),
        ("aliſe@example.com", "alise@example.com"),
        ("\N{KELVIN SIGN}im@example.com", "kim@example.com"),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}lice@example.com", "alice@example.com"),
        ("alice@ex\u0301ample.com", "alice@xn--example-uge.com"),
        ("zoe\u0308@example.com", "zoë@example.com"),
        (" alice@example.com ", "alice@example.com"),
        ("alice@example.com\n", "alice@example.com"),
        ("alice@example.com\u00a0", "alice@example.com"),
        ("alice @example.com", "alice @example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@☃☃.-ü-", "a@☃☃.-ü-"),
        ("a@" + "ü" * 300, "a@" + "ü" * 300),
        ("", ""),
    ],
)
def test_normal_form_is_one_spelling(written, kept):
    assert normalise_email(written) == kept


@given(st.text())
def test_normal_form_of_a_normal_form_is_itself(text):
    once = normalise_email(text)

    assert normalise_email(once) == once


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_case_of_ascii_makes_no_difference(text):
    assert normalise_email(text.upper()) == normalise_email(text.lower()) == normalise_email(text)
