"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet has it at the least: 19 MiB, two passes, one lane.

    Django's own parameters take 100 MiB for each login that is under way, more than a whole worker does. A hash carries
    its parameters, so these can be changed: the next sign-in of each user writes a new hash.
    With the parameters change CURRENT_HASH, NOBODYS_PASSWORD and, by a migration, the index ix_users_other_hash.
    """

    memory_cost = 19_456  # KiB
    time_cost = 2
    parallelism = 1


# What every hash of today's parameters begins with. A test holds it, and the next one, to the parameters above.
CURRENT_HASH = "argon2$argon2id$v=19$m=19456,t=2,p=1$"
# What a password is checked against when nobody has that email, so that the answer takes as long: the hash of 32 random
# bytes that were thrown away.
NOBODYS_PASSWORD = CURRENT_HASH + "RnQ3WmhlR3JoUlRhdnBQZFQ2TW10ag$sei9gF6nCxidGZtIUQkoV7VF1HczQd4kNcsIEPqrhP4"
