import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from bookstore.accounts.hashers import CURRENT_HASH, NOBODYS_PASSWORD, Argon2id

ARGON2ID = ["bookstore.accounts.hashers.Argon2id"]


@pytest.fixture(autouse=True)
def production_hashers(settings):
    settings.PASSWORD_HASHERS = ARGON2ID


def test_hash_is_argon2id_of_19_mib_two_passes_one_lane():
    encoded = make_password("correct horse battery")

    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password("correct horse battery", encoded)
    assert not check_password("correct horse batterx", encoded)


def test_hash_fits_its_column():
    assert len(make_password("correct horse battery")) <= 128


def test_hash_with_djangos_own_parameters_is_read_and_wants_renewal():
    from django.contrib.auth.hashers import Argon2PasswordHasher

    encoded = Argon2PasswordHasher().encode("correct horse battery", "saltsaltsaltsaltsaltsa")

    assert identify_hasher(encoded).algorithm == "argon2"
    assert check_password("correct horse battery", encoded)
    assert Argon2id().must_update(encoded)


def test_nobodys_password_has_the_parameters_of_everybodys():
    assert not Argon2id().must_update(NOBODYS_PASSWORD)
    assert not check_password("", NOBODYS_PASSWORD)


def test_hashes_of_today_begin_as_the_index_of_the_others_says():
    assert make_password("correct horse battery").startswith(CURRENT_HASH)
    assert NOBODYS_PASSWORD.startswith(CURRENT_HASH)
