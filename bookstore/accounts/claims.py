"""The claims of a token with a valid signature. sessions.py checks whether its session is good."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: int
    session_id: int
    # The session's unguessable identity; "" in a token of a session from before sessions had one.
    identity: str
    jti: str
    expires_at: int  # seconds since 1970, as the token has it

    def values(self) -> dict[str, Any]:
        """The parameters of `LoginSessionQuerySet.named_by`."""
        return {"user_id": self.user_id, "session_id": self.session_id, "identity": self.identity}
