"""The ENGINE of `DATABASES` for SQLite: Django's with the deadline of a request. See base.py."""
