from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage

from bookstore.admin.refusals import Refused, refusals_as_messages


def test_a_refusal_drops_the_message_of_success_before_it(rf):
    """A view has said that all went well, and then its COMMIT fails."""

    @refusals_as_messages
    def save(request):
        messages.success(request, "“Emma” was saved.")
        raise Refused("“Emma” was deleted meanwhile.")

    request = rf.post("/admin/catalog/book/1/change/")
    request._messages = CookieStorage(request)

    answer = save(request)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/catalog/book/1/change/")
    assert [str(message) for message in messages.get_messages(request)] == ["“Emma” was deleted meanwhile."]
