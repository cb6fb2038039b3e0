"""The number of an order: short enough to type, and too random to guess."""

import secrets

# 32 characters, without those that are easily confused: I, L, O, U.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10  # 50 random bits


def new_number() -> str:
    """A random number such as `7KQ2M-9XW4T`."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    return f"{signs[:5]}-{signs[5:]}"
