"""The validator of common passwords refuses what Django's refuses."""

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from bookstore.accounts.passwords import CommonPassword

OURS, DJANGOS = CommonPassword(), CommonPasswordValidator()


@pytest.mark.slow
def test_every_common_password_is_refused():
    assert {password for password in DJANGOS.passwords if password not in OURS.passwords} == set()


@pytest.mark.parametrize("password", ["password1", "  PassWord1 "])
def test_common_password_is_refused_with_djangos_code(password):
    with pytest.raises(ValidationError) as refused:
        OURS.validate(password)

    assert refused.value.code == "password_too_common"


@pytest.mark.parametrize("password", ["correct horse battery", "assword1\n", "123456\nqwerty", "sunshin", "\n", ""])
def test_other_passwords_pass_as_they_pass_djangos(password):
    DJANGOS.validate(password)

    OURS.validate(password)
