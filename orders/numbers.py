"""The number of an order: printed on parcels and typed by people, and no way to guess another's."""

import secrets

# 32 signs without those that are taken for another: I, L, O, U.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10  # 50 random bits


def new_number() -> str:
    """`7KQ2M-9XW4T`."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    return f"{signs[:5]}-{signs[5:]}"
