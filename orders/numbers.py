"""The number of an order: short enough to type, and too random to guess."""

import re
import secrets

# 32 characters, without those that are easily confused: I, L, O, U.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10  # 50 random bits
MISREAD = str.maketrans("ILOU", "110V")
NUMBER = re.compile(f"[{SIGNS}]{{{LENGTH}}}")


def new_number() -> str:
    """A random number such as `7KQ2M-9XW4T`."""
    return hyphenated("".join(secrets.choice(SIGNS) for _ in range(LENGTH)))


def as_typed(text: str) -> str | None:
    """Normalises a typed number: small letters, no hyphen, O for zero. None if it is not a number."""
    signs = re.sub(r"[\s-]", "", text).upper().translate(MISREAD)
    return hyphenated(signs) if NUMBER.fullmatch(signs) else None


def hyphenated(signs: str) -> str:
    return f"{signs[:5]}-{signs[5:]}"
