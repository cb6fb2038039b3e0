"""The password hasher."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id with the minimum of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.

    Django's default parameters take 100 MiB for each concurrent sign-in, more than a whole worker. A hash contains its
    parameters, so these can be changed: the next sign-in of each user then writes a new hash. Whoever changes them also
    changes CURRENT_HASH, NOBODYS_PASSWORD and, by a migration, the index ix_users_other_hash.
    """

    memory_cost = 19_456  # KiB
    time_cost = 2
    parallelism = 1


# The beginning of every hash with these parameters. A test compares both constants with them.
CURRENT_HASH = "argon2$argon2id$v=19$m=19456,t=2,p=1$"
# The hash to check when no user has the email, so that the answer takes as long. It is of 32 random bytes that nobody
# knows.
NOBODYS_PASSWORD = CURRENT_HASH + "RnQ3WmhlR3JoUlRhdnBQZFQ2TW10ag$sei9gF6nCxidGZtIUQkoV7VF1HczQd4kNcsIEPqrhP4"
