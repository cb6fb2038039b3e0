"""The ENGINE of `DATABASES` for SQLite: Django's, in which the bound of a request holds. See base.py."""
