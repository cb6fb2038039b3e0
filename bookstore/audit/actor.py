"""The actor of an event: a member of staff with the address of the request, or a command."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from bookstore.api.forwarded import client_of
from bookstore.audit.models import Channel


@dataclass(frozen=True)
class Actor:
    name: str  # an email, or a command
    id: int | None
    channel: Channel
    address: str = ""

    @classmethod
    def of_admin(cls, request: HttpRequest) -> "Actor":
        return cls._of(request, Channel.ADMIN)

    @classmethod
    def of_api(cls, request: Any) -> "Actor":
        """The actor of a request of DRF or Django."""
        return cls._of(request, Channel.API)

    @classmethod
    def of_command(cls, name: str = "") -> "Actor":
        """A command by `name`, by default that of this process."""
        running = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        return cls(name or running, None, Channel.COMMAND)

    @classmethod
    def _of(cls, request: Any, channel: Channel) -> "Actor":
        return cls(str(request.user), request.user.pk, channel, client_of(request))
