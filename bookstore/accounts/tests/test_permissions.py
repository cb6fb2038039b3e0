"""PublicReads and StaffWritesModel, on a view that has nothing else."""

import pytest
from django.contrib.auth.models import Group, Permission
from rest_framework.response import Response

from bookstore.accounts.models import User
from bookstore.accounts.permissions import StaffWritesModel
from bookstore.accounts.tests.factories import StaffFactory, SuperuserFactory, UserFactory
from bookstore.api.views import ApiView, PublicReads

pytestmark = pytest.mark.django_db

METHODS = {"POST": "add_group", "PUT": "change_group", "PATCH": "change_group", "DELETE": "delete_group"}


class GroupView(PublicReads):
    permission_classes = (StaffWritesModel,)
    model = Group

    def answer(self, request) -> Response:
        return Response({"caller": str(request.user)})

    get = post = put = patch = delete = answer


class QuerysetView(GroupView):
    model = None
    queryset = Group.objects.all()


@pytest.fixture
def ask(rf, tokens_of):
    def ask(method: str, user: User | None = None, *, view=GroupView, authorization: str | None = None) -> Response:
        if user is not None:
            authorization = f"Bearer {tokens_of(user)['access_token']}"
        headers = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
        return view.as_view()(rf.generic(method, "/groups", **headers))

    return ask


def staff_with(*codenames: str) -> User:
    clerk = StaffFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return clerk


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Bearer", "Basic x"])
def test_reading_is_for_everybody_and_looks_at_no_token(ask, method, authorization, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = ask(method, authorization=authorization)

    assert response.status_code == 200
    assert response.data == {"caller": "AnonymousUser"}


@pytest.mark.parametrize("method", METHODS)
def test_writing_without_a_token_answers_401(ask, method):
    response = ask(method)

    assert (response.status_code, response.data["code"]) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("method", METHODS)
def test_writing_with_a_bad_token_answers_401(ask, method):
    response = ask(method, authorization="Bearer nonsense")

    assert (response.status_code, response.data["code"]) == (401, "AUTH_TOKEN_INVALID")


@pytest.mark.parametrize("method", METHODS)
def test_writing_by_a_customer_answers_403(ask, method):
    response = ask(method, UserFactory())

    assert response.status_code == 403
    assert response.data == {"detail": "Only staff with the permission for it may do this.", "code": "AUTH_FORBIDDEN"}


@pytest.mark.parametrize("method", METHODS)
def test_writing_by_a_customer_who_holds_the_permission_answers_403(ask, method):
    customer = UserFactory()
    customer.user_permissions.set(Permission.objects.all())

    assert ask(method, customer).status_code == 403


@pytest.mark.parametrize("method", METHODS)
def test_writing_by_staff_without_the_permission_answers_403(ask, method):
    others = [codename for codename in set(METHODS.values()) | {"view_group"} if codename != METHODS[method]]

    assert ask(method, staff_with(*others)).status_code == 403


@pytest.mark.parametrize("method", METHODS)
def test_writing_by_staff_with_the_permission_is_let_through(ask, method):
    clerk = staff_with(METHODS[method])

    response = ask(method, clerk)

    assert (response.status_code, response.data) == (200, {"caller": clerk.email})


def test_write_by_staff_with_their_groups_permission_is_allowed(ask):
    clerk, catalogue = StaffFactory(), Group.objects.create(name="Book keepers")
    catalogue.permissions.set(Permission.objects.filter(codename="add_group"))
    clerk.groups.add(catalogue)

    assert ask("POST", clerk).status_code == 200


@pytest.mark.parametrize("method", METHODS)
def test_writing_by_a_superuser_is_let_through(ask, method):
    assert ask(method, SuperuserFactory()).status_code == 200


@pytest.mark.parametrize("method", METHODS)
def test_writing_by_a_superuser_who_is_not_staff_answers_403(ask, method):
    assert ask(method, SuperuserFactory(is_staff=False)).status_code == 403


def test_model_may_come_from_the_queryset_of_the_view(ask):
    assert ask("POST", staff_with("add_group"), view=QuerysetView).status_code == 200
    assert ask("POST", staff_with("change_group"), view=QuerysetView).status_code == 403


def test_permission_alone_lets_reads_through_as_well(rf):
    class Plain(ApiView):
        permission_classes = (StaffWritesModel,)
        model = Group

        def get(self, request) -> Response:
            return Response({})

    assert Plain.as_view()(rf.get("/groups")).status_code == 200
