"""The staff's browser sessions: their expiry, the list of them, and ending one.

The facts of a session are stored in its data at the sign-in, so that pages need no further query. Only staff have
browser sessions; customers have tokens (bookstore/accounts).
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timezone import now

from bookstore.api.forwarded import client_of

FACTS = "sign_in"  # key of the session's data: its begin, when it was last seen, address and device
NOTED_EVERY = 300  # seconds between two writes of the time last seen
READ = 2_000  # sessions that the page reads
MAX_DEVICE = 120  # characters


def begin(request: HttpRequest) -> None:
    """Stores the facts of a new browser session. Call it after a sign-in."""
    at = int(time.time())
    device = request.headers.get("User-Agent", "")[:MAX_DEVICE]
    request.session[FACTS] = {"began": at, "seen": at, "address": client_of(request), "device": device}
    note(request, request.user, "Signed in to this site.", device=device)


def note(request: HttpRequest, user: Any, summary: str, *, device: str = "") -> None:
    """Records that a browser session of this user began, on this device, or ended, or was refused."""
    from bookstore.audit.actor import Actor  # models: not loaded yet when the site is made
    from bookstore.audit.models import Channel
    from bookstore.audit.recording import changed, record

    actor = Actor(str(user), user.pk, Channel.ADMIN, client_of(request))
    record(actor, summary, [changed(user, {"sign-in": (None, device)} if device else {})])


def note_refused(request: HttpRequest, email: str) -> None:
    """Records a refused sign-in in the history of the member of staff with this email. One to three queries.

    Other emails are only logged, because anybody can type any number of them.
    """
    staff = get_user_model().objects.filter(email=email, is_staff=True).first()
    if staff is not None:
        note(request, staff, "A sign-in to this site was refused: wrong password, or deactivated.")


def is_over(request: HttpRequest) -> bool:
    """Whether the browser session is older, or was idle for longer, than the settings allow. Updates `seen`."""
    facts = request.session.get(FACTS)
    if facts is None:  # a session from before the facts existed
        return False
    at = int(time.time())
    age, idle = at - facts["began"], at - facts["seen"]
    if age > settings.ADMIN_SESSION_HOURS * 3600 or idle > settings.ADMIN_IDLE_MINUTES * 60:
        return True
    if idle >= NOTED_EVERY:
        request.session[FACTS] = facts | {"seen": at}
    return False


@dataclass(frozen=True)
class SignIn:
    """A browser session on the page. `name` is a hash of its secret key."""

    name: str
    key: str
    user_id: int
    email: str
    began: datetime | None
    seen: datetime | None
    address: str
    device: str
    is_this: bool


def name_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def sign_ins(request: HttpRequest, *, others: bool) -> list[SignIn]:
    """The user's own browser sessions, or with `others` all; the last seen first. Two queries."""
    rows = list(Session.objects.filter(expire_date__gt=now()).order_by("-expire_date")[:READ])
    decoded = [(row.session_key, row.get_decoded()) for row in rows]
    known = [(key, data, int(data[SESSION_KEY])) for key, data in decoded if str(data.get(SESSION_KEY, "")).isdecimal()]
    emails = dict(get_user_model().objects.filter(pk__in={pk for _, _, pk in known}).values_list("pk", "email"))
    found = [
        sign_in(request, key, user_id, emails[user_id], data.get(FACTS) or {})
        for key, data, user_id in known
        if user_id in emails and (others or user_id == request.user.pk)
    ]
    return sorted(found, key=lambda one: (one.seen is not None, one.seen or now()), reverse=True)


def sign_in(request: HttpRequest, key: str, user_id: int, email: str, facts: dict[str, Any]) -> SignIn:
    began, seen = (datetime.fromtimestamp(facts[name], UTC) if name in facts else None for name in ("began", "seen"))
    is_this = key == request.session.session_key
    address, device = facts.get("address", ""), facts.get("device", "")
    return SignIn(name_of(key), key, user_id, email, began, seen, address, device, is_this)


def page(site: Any, request: HttpRequest) -> HttpResponse:
    """GET lists them; a POST ends one."""
    others = request.user.has_perm("accounts.change_loginsession")
    found = sign_ins(request, others=others)
    if request.method == "POST":
        end(request, next((one for one in found if one.name == request.POST.get("name")), None))
        return HttpResponseRedirect(request.path)
    context = {**site.each_context(request), "title": "Sign-ins to this site", "sign_ins": found, "others": others}
    request.current_app = site.name  # as Django's own views do
    return TemplateResponse(request, "admin/sign_ins.html", context)


def end(request: HttpRequest, chosen: SignIn | None) -> None:
    from bookstore.audit.actor import Actor  # its models are not loaded yet when the site is created
    from bookstore.audit.recording import changed, record

    if chosen is None or not Session.objects.filter(session_key=chosen.key).delete()[0]:
        messages.warning(request, "This sign-in is over already.")
        return
    user = get_user_model()(pk=chosen.user_id, email=chosen.email)
    where = f"{chosen.address or 'an unknown address'}, {chosen.device or 'an unknown device'}"
    entry = changed(user, {"sign-in": (where, None)})
    record(Actor.of_admin(request), f"Ended a sign-in of “{chosen.email}” to this site.", [entry])
    messages.success(request, f"Ended the sign-in of {chosen.email} from {where}.")
