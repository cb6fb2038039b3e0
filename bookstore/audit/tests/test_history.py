"""The history: what staff do is recorded with both values, and stays when they and its objects are gone."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.utils.timezone import now

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import StaffFactory, SuperuserFactory
from bookstore.admin.models import BulkAction
from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditChange, AuditEvent
from bookstore.audit.recording import added, changed, record

pytestmark = pytest.mark.django_db

EVENTS = "/admin/audit/auditevent/"
USERS = "/admin/accounts/user/"
BY_SHELL = Actor.of_command("manage.py shell")


@pytest.fixture
def olga(db):
    return SuperuserFactory(email="olga@example.com")


@pytest.fixture
def site(client, olga):
    client.force_login(olga)
    return client


def recorded():
    """Every change, the oldest first: (who, by, kind, name, action, fields)."""
    return [
        (change.event.actor, change.event.channel, change.kind, change.name, change.action, change.fields)
        for change in AuditChange.objects.select_related("event").order_by("pk")
    ]


def listed(response):
    assert response.status_code == 200
    return [event.summary for event in response.context["cl"].result_list]


def test_rights_of_a_user_are_recorded_from_and_to(site, alice):
    support = Group.objects.get(name="Customer support")
    shown = {"initial-email": alice.email, "initial-is_active": "True", "initial-is_staff": "False"}
    typed = {"email": alice.email, "is_active": "on", "is_staff": "on", "groups": support.pk}

    site.post(f"{USERS}{alice.pk}/change/", shown | typed)

    assert recorded() == [
        (
            "olga@example.com",
            "admin",
            "accounts.user",
            "alice@example.com",
            "change",
            {"is_staff": ["no", "yes"], "groups": ["", "Customer support"]},
        )
    ]
    event = AuditEvent.objects.get()
    assert event.summary == "Changed staff and groups of the user “alice@example.com”."
    assert event.address == "127.0.0.1"


def test_password_is_recorded_and_not_shown(site, alice):
    fields = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}

    site.post(f"{USERS}{alice.pk}/password/", fields)

    [change] = recorded()
    assert change[5] == {"password": ["", "(not shown)"]}


def test_added_and_deleted_objects_are_recorded_with_their_values(site):
    site.post("/admin/auth/group/add/", {"name": "Sellers"})
    group = Group.objects.get(name="Sellers")

    site.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})

    assert [change[2:] for change in recorded()] == [
        ("auth.group", "Sellers", "add", {"name": ["", "Sellers"]}),
        ("auth.group", "Sellers", "delete", {"name": ["Sellers", ""]}),
    ]


def test_deleting_a_member_of_staff_deletes_nothing_of_what_they_did(site, client, alice):
    bob = SuperuserFactory(email="bob@example.com")
    client.force_login(bob)
    client.post("/admin/auth/group/add/", {"name": "Sellers"})

    User.objects.filter(pk=bob.pk).delete()

    assert [change[:4] for change in recorded()] == [("bob@example.com", "admin", "auth.group", "Sellers")]


def test_history_of_a_deleted_object_can_be_found_and_read(site):
    record(BY_SHELL, "Added “Sellers”.", [added(Group.objects.create(name="Sellers"))])
    group = Group.objects.get(name="Sellers")
    site.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})

    found = listed(site.get(EVENTS, {"q": "sell"}))
    page = site.get(f"/admin/auth/group/{group.pk}/history/").content.decode()

    assert found == ["Deleted the group “Sellers”.", "Added “Sellers”."]
    assert "This group was deleted. Its history stays." in page
    assert "manage.py shell" in page


def test_history_is_found_by_who_did_it_and_by_kind(site, alice):
    record(Actor("bob@example.com", 7, "api"), "Changed Alice.", [changed(alice, {"is_active": (True, False)})])
    record(BY_SHELL, "Added “Sellers”.", [added(Group.objects.create(name="Sellers"))])

    assert listed(site.get(EVENTS, {"q": "BOB@"})) == ["Changed Alice."]
    assert listed(site.get(EVENTS, {"kind": "auth.group"})) == ["Added “Sellers”."]
    assert listed(site.get(EVENTS, {"by": "api"})) == ["Changed Alice."]
    assert listed(site.get(EVENTS, {"object": f"accounts.user:{alice.pk}"})) == ["Changed Alice."]
    assert listed(site.get(EVENTS, {"q": "nobody"})) == []


def test_filters_of_the_history_are_named_in_words(site):
    page = site.get(EVENTS).content.decode()

    assert ["By what was changed" in page, "By way in" in page, "The API" in page] == [True] * 3


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_for_any_number(site, rows, django_assert_num_queries):
    for number in range(rows):
        record(BY_SHELL, "Added.", [added(Group.objects.create(name=f"Group {number}"))])

    with django_assert_num_queries(4):  # session, user, keys, rows
        site.get(EVENTS)


def test_event_of_many_changes_is_one_row_with_a_download(site):
    groups = [Group.objects.create(name=name) for name in ("=SUM(A1)", "Sellers", "Buyers")]
    event = record(BY_SHELL, "Added 3 groups.", [added(group) for group in groups])

    answer = site.get(f"{EVENTS}{event.pk}/export/")

    rows = list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert listed(site.get(EVENTS)) == ["Added 3 groups."]
    assert rows[0] == ["when", "who", "by", "from", "event", "kind", "id", "name", "done", "field", "old", "new"]
    assert [row[7:] for row in rows[1:]] == [
        ["'=SUM(A1)", "added", "name", "", "'=SUM(A1)"],
        ["Sellers", "added", "name", "", "Sellers"],
        ["Buyers", "added", "name", "", "Buyers"],
    ]


def test_list_is_downloaded_as_it_is_filtered(site, alice):
    record(BY_SHELL, "Added “Sellers”.", [added(Group.objects.create(name="Sellers"))])
    record(BY_SHELL, "Changed Alice.", [changed(alice, {"is_active": (True, False)})])

    answer = site.get(f"{EVENTS}export/", {"kind": "accounts.user"})

    rows = list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [row[4:] for row in rows[1:]] == [
        ["Changed Alice.", "accounts.user", str(alice.pk), "alice@example.com", "changed", "active", "yes", "no"]
    ]


def test_history_is_closed_to_staff_without_the_permission(client):
    bob = StaffFactory()
    client.force_login(bob)
    event = record(BY_SHELL, "Added “Sellers”.", [added(Group.objects.create(name="Sellers"))])
    paths = [EVENTS, f"{EVENTS}{event.pk}/change/", f"{EVENTS}export/", f"{EVENTS}{event.pk}/export/"]

    without = [client.get(path).status_code for path in paths]
    bob.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    allowed = [client.get(path).status_code for path in paths]

    assert without == [403] * 4
    assert allowed == [200] * 4


def test_nobody_changes_or_deletes_the_history(site):
    event = record(BY_SHELL, "Added “Sellers”.", [added(Group.objects.create(name="Sellers"))])

    answers = [
        site.post(f"{EVENTS}{event.pk}/change/", {"summary": "Nothing."}).status_code,
        site.post(f"{EVENTS}{event.pk}/delete/", {"post": "yes"}).status_code,
        site.get(f"{EVENTS}add/").status_code,
    ]

    assert answers == [403, 403, 403]
    assert AuditEvent.objects.get().summary == "Added “Sellers”."


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_clear_expired_deletes_what_is_older_than_the_setting_says(settings, batch):
    settings.AUDIT_DAYS = 30
    for name, days in (("Old", 31), ("Older", 400), ("New", 29)):
        event = record(BY_SHELL, name, [added(Group.objects.create(name=f"{name} {n}")) for n in range(3)])
        AuditEvent.objects.filter(pk=event.pk).update(at=now() - timedelta(days=days))
    output = StringIO()

    call_command("clear_expired", batch=batch, stdout=output)

    assert "Old events of their history: 2 deleted" in output.getvalue()
    assert [event.summary for event in AuditEvent.objects.order_by("pk")] == [
        "New",
        "Deleted the history older than 30 days (events: 2).",
    ]
    assert AuditChange.objects.count() == 3


def test_clear_expired_deletes_actions_that_nobody_went_on_with():
    for days in (6, 8):
        action = BulkAction.objects.create(actor_id=1, kind="catalog.book", verb="withdraw", rows=[[days, {}]])
        BulkAction.objects.filter(pk=action.pk).update(created_at=now() - timedelta(days=days))

    call_command("clear_expired", stdout=StringIO())

    assert [action.rows for action in BulkAction.objects.all()] == [[[6, {}]]]


def test_first_page_tells_the_readers_own_changes(site, client):
    site.post("/admin/auth/group/add/", {"name": "Sellers"})
    own = site.get("/admin/").content.decode()

    client.force_login(SuperuserFactory(email="bob@example.com"))
    others = client.get("/admin/").content.decode()

    assert "Added the group “Sellers”." in own
    assert "Added the group “Sellers”." not in others


def test_foreign_keys_are_recorded_by_name(alice):
    entry = changed(Permission.objects.get(codename="view_user"), {"content_type": (1, 10**6)})

    record(BY_SHELL, "Moved a permission.", [entry])

    [change] = recorded()
    assert change[5]["content_type"][0] != "1"
    assert change[5]["content_type"][1] == "#1000000"
