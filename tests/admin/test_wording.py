"""Forms and error pages of the staff's site: in their words, never Django's bare ones."""

import pytest
from django import forms
from django.contrib import admin
from django.core.validators import URLValidator
from django.test import RequestFactory

from bookstore.accounts.tests.factories import SuperuserFactory
from bookstore.admin.wording import StaffWords

pytestmark = pytest.mark.django_db

DJANGOS = ("This field is required", "Ensure", "Enter a", "Select a valid", "already exists")


class AnyForm(StaffWords, forms.Form):
    whole = forms.IntegerField(min_value=1, max_value=9)
    amount = forms.DecimalField(max_digits=4, decimal_places=2)
    day = forms.DateField()
    email = forms.EmailField()
    url = forms.CharField(validators=[URLValidator()])
    text = forms.CharField(min_length=2, max_length=3)
    choice = forms.ChoiceField(choices=[("a", "A")])
    file = forms.FileField()


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("whole", "", "Fill this in."),
        ("whole", "two", "Write a whole number, such as 12."),
        ("whole", "0", "The least is 1."),
        ("whole", "10", "The most is 9."),
        ("amount", "x", "Write a number, such as 12.50."),
        ("amount", "1.234", "Write at most 2 places after the point."),
        ("amount", "123456", "This number has too many digits."),
        ("amount", "0.333333", "This number has too many digits."),
        ("amount", "1e1", "Write a number, such as 12.50."),
        ("amount", "1_0", "Write a number, such as 12.50."),
        ("whole", "0_5", "Write a whole number, such as 12."),
        ("day", "soon", "Write the day as 2008-05-01."),
        ("day", "12/11/1999", "Write the day as 2008-05-01."),
        ("day", "10/25/06", "Write the day as 2008-05-01."),
        ("email", "bob", "Write an email address, such as reader@example.com."),
        ("url", "bob", "Write an address that begins with http:// or https://."),
        ("text", "a", "Write at least 2 characters."),
        ("text", "long", "At most 3 characters fit."),
        ("text", "a\0", "It has a character that no text can have (NUL): remove that."),
        ("choice", "", "Choose one."),
        ("choice", "b", "This is no choice, or none any more: it was deleted meanwhile. Choose again."),
        ("file", "", "Choose a file."),
    ],
)
def test_fault_of_a_field_is_told_in_words(field, typed, words):
    assert AnyForm({field: typed}).errors[field][0] == words


def test_every_form_of_the_site_has_the_words(rf: RequestFactory):
    """Also of an app that is added: its pages' fields, and the forms of its actions on many rows."""
    request = rf.get("/admin/")
    request.user = SuperuserFactory()
    bare = []
    for model, pages in admin.site._registry.items():
        found = [pages.get_form(request)] if pages.has_add_permission(request) else []
        found += [verb.form for verb in pages.actions if getattr(verb, "form", None)]
        for form in found:
            for name, field in form().fields.items():
                if field.error_messages.get("required", "").startswith(DJANGOS):
                    bare.append(f"{model.__name__}.{form.__name__}.{name}")

    assert bare == []


def test_user_with_an_email_that_is_taken_is_told_in_words(staff):
    alice = SuperuserFactory(email="alice@example.com")

    page = staff.post("/admin/accounts/user/add/", {"email": "ALICE@example.com", "usable_password": "false"})

    link = f'<a href="/admin/accounts/user/{alice.pk}/change/">alice@example.com</a>'
    assert page.context["adminform"].form.errors == {"email": [f"Another user has this email: {link}."]}


@pytest.mark.parametrize("debug", [True, False])
def test_page_that_is_not_there_is_a_page_of_the_site(staff, settings, debug):
    settings.DEBUG = debug

    response = staff.get("/admin/catalog/nothing/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert "Back to the overview" in response.content.decode()


@pytest.mark.parametrize("debug", [True, False])
def test_form_with_too_many_fields_is_told_in_words(staff, settings, debug):
    settings.DEBUG = debug

    response = staff.post("/admin/catalog/book/", {f"form-{number}-price": "1" for number in range(1500)})

    assert response.status_code == 400
    assert "This form could not be read" in response.content.decode()
