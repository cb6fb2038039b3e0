"""What a token says, once its signature was found right. sessions.py asks whether it still counts."""

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
        """What `LoginSessionQuerySet.named_by` looks for, by the names of its holes."""
        return {"user_id": self.user_id, "session_id": self.session_id, "identity": self.identity}
