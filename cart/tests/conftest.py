import pytest
from django.db import connection


@pytest.fixture
def rival():
    """Somebody else, on a connection of their own: runs the statements, each with the id if it asks for one.

    Gives the rows of the last, if it has any.
    """
    other = connection.copy()

    def run(*told):
        statements = [each for each in told if isinstance(each, str)]
        ids = [each for each in told if not isinstance(each, str)]
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, ids if "%s" in statement else ())
            return cursor.fetchall() if cursor.description else []

    yield run
    other.close()
