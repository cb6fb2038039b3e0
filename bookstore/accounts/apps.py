from typing import ClassVar

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from bookstore.api.guide import Tag


class AccountsConfig(AppConfig):
    name = "bookstore.accounts"
    verbose_name = "Accounts"
    api_tag = Tag(
        "auth",
        "Register, sign in and out. Access tokens last minutes, refresh tokens days; a refresh token is good once.",
        place=10,
        first=("/auth/register", "/auth/login"),
    )
    staff_groups: ClassVar[dict[str, list[str]]] = {"Customer support": ["view_user"]}

    def ready(self) -> None:
        from bookstore.accounts.groups import make_declared_groups

        post_migrate.connect(make_declared_groups, dispatch_uid="bookstore.accounts.groups")
