"""Factories of customers, staff and superusers."""

from typing import Any

from factory.declarations import Sequence
from factory.django import DjangoModelFactory

from bookstore.accounts.models import User

PASSWORD = "correct horse battery"


class UserFactory(DjangoModelFactory):
    """A customer whose password is PASSWORD, or the `password` that is given, in plain text."""

    class Meta:
        model = User

    email = Sequence(lambda number: f"reader{number}@example.com")
    password = PASSWORD

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **kwargs)


class StaffFactory(UserFactory):
    """May enter the admin, without any permission."""

    email = Sequence(lambda number: f"clerk{number}@example.com")
    is_staff = True


class SuperuserFactory(StaffFactory):
    email = Sequence(lambda number: f"owner{number}@example.com")
    is_superuser = True
