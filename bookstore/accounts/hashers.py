"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet has it at the least: 19 MiB, two passes, one lane.

    Django's own parameters take 100 MiB for each login that is under way, more than a whole worker does. A hash carries
    its parameters, so these can be changed: the next sign-in of each user writes a new hash.
    """

    memory_cost = 19_456  # KiB
    time_cost = 2
    parallelism = 1


# What a password is checked against when nobody has that email, so that the answer takes as long: the hash of 32 random
# bytes that were thrown away. A test holds it and the parameters above together.
NOBODYS_PASSWORD = (
    "argon2$argon2id$v=19$m=19456,t=2,p=1$RnQ3WmhlR3JoUlRhdnBQZFQ2TW10ag$sei9gF6nCxidGZtIUQkoV7VF1HczQd4kNcsIEPqrhP4"  # noqa: S105
)
