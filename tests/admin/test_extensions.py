"""bookstore/admin/extensions.py: several apps extend one page without importing each other."""

import pytest
from django.contrib import admin
from django.urls import reverse

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory
from bookstore.admin import extensions
from bookstore.admin.extensions import Column, Extension, Fieldset, extend

pytestmark = pytest.mark.django_db


@admin.display(description="wishes")
def wishes(user):
    return f"wishes of {user.email}"


@admin.display(description="letters")
def letters(user):
    return len(user.email)


class Wishes(Extension):
    def columns(self, request):
        return [Column(wishes, after="is_staff")]

    def fieldsets(self, request):
        return [Fieldset("Wishlist", (wishes,), place=1)]

    def deletion_effects(self, row):
        return "whose wishes go, too"


class Letters(Extension):
    def columns(self, request):
        return [Column(letters, after="nothing")] if request.user.is_superuser else []


@pytest.fixture
def site(client, monkeypatch):
    monkeypatch.setitem(extensions._extensions, User, [])
    extend(User, Wishes())
    extend(User, Letters())
    client.force_login(SuperuserFactory(email="olga@example.com"))
    return client


def test_columns_of_two_apps_stand_where_they_said(site):
    page = site.get(reverse("admin:accounts_user_changelist"))

    shown = [getattr(name, "__name__", name) for name in page.context["cl"].list_display]
    assert shown[1:] == ["email", "is_staff", "wishes", "is_active", "date_joined", "letters"]
    assert "wishes of olga@example.com" in page.content.decode()


def test_fields_stand_on_the_change_page_and_not_on_the_add_page(site):
    olga = User.objects.get()

    page = site.get(reverse("admin:accounts_user_change", args=[olga.pk])).content.decode()
    new = site.get(reverse("admin:accounts_user_add")).content.decode()

    assert "wishes of olga@example.com" in page
    assert "Wishlist" not in new


def test_words_before_a_deletion_are_joined(site):
    olga = User.objects.get()

    assert admin.site._registry[User].name_and_effects(olga) == "olga@example.com, whose wishes go, too"
