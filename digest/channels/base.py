"""The contract of every channel: one parcel at a time, and a hook just before the point of no return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from digest.message import Attachment

#: Called once, when all but the last octets of a parcel are on their way. Whatever it raises must go through `send`, and the
#: parcel must then not be completed.
BeforeTheDot = Callable[[], None]
#: Whose fault a refusal is: this address's, this message's, or the channel's (then no other parcel would fare better).
Blame = Literal["address", "message", "channel"]


@dataclass(frozen=True)
class Parcel:
    """What goes to one recipient. `message`: the finished mail, for the channels `mail` and `folder`, with personal links.

    `subject`, `text`, `html`, `url`: the same for channels that others may read, without anything personal.
    """

    address: str
    message: bytes = b""
    message_id: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    url: str = ""
    attachments: Sequence[Attachment] = ()


class DeliveryError(Exception):
    """A parcel that was not accepted, or of which nobody knows.

    `permanent`: trying again is no use. `in_doubt`: it may have arrived. `reply`: the other side's words, cleaned.
    The message is for the operator and never holds a secret.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        blame: Blame = "channel",
        in_doubt: bool = False,
        reason: str = "refused",
        reply: str = "",
    ) -> None:
        super().__init__(message)
        self.permanent, self.blame, self.in_doubt = permanent, blame, in_doubt
        self.reason, self.reply = reason, reply


class Channel(Protocol):
    """One way out. `name` is the word in the ledger and in a recipient's `channels`."""

    @property
    def name(self) -> str: ...

    def check(self) -> None:
        """Try everything short of sending. Raises DeliveryError with the way out."""

    def open(self) -> None:
        """Get ready to send; called before anything is composed. Raises DeliveryError when nothing could be sent."""

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        """Deliver one parcel and return the other side's reply. Raises DeliveryError, or whatever the hook raises."""

    def close(self) -> None:
        """Let go of connections; never raises. The channel can be opened again."""
