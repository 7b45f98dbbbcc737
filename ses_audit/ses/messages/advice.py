"""What a refusal means, and what to do: `data/advice.json`."""

from __future__ import annotations

from dataclasses import dataclass

from ses_audit.ses.actions import load_entries
from ses_audit.ses.messages.types import Message

__all__ = ["Advice", "advise"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to know and to do about a refusal.

    Parameters
    ----------
    means
        What it says, and whether a policy is the matter; a sentence or two.
    steps
        What to do, in order.
    source
        The page that says so.
    """

    means: str
    steps: tuple[str, ...]
    source: str

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"means": self.means, "steps": list(self.steps), "source": self.source}


def advise(message: Message, text: str = "") -> Advice:
    """What a message means and what to do.

    Parameters
    ----------
    message
        The message that was read.
    text
        The text it was read from: for a message of the kind `unknown` it can still hint at what
        the matter is.

    Returns
    -------
    Advice

    Examples
    --------
    >>> advise(Message("smtp_auth", smtp_code=535)).means
    'The SMTP user name or password is wrong. It is never a policy.'
    """
    lower = text.lower()
    entry = next(
        entry
        for entry in load_entries("advice.json", "advice")
        if entry["kind"] == message.kind
        and ("codes" not in entry or message.smtp_code in entry["codes"])
        and ("hint" not in entry or entry["hint"] in lower)
    )
    names = {
        "{region}": message.region or "this region",
        "{identities}": ", ".join(message.identities) or "it does not say which",
    }

    def filled(sentence: str) -> str:
        # The words of a message are hostile: they are put in once, and never looked into.
        for name, value in names.items():
            before, found, after = sentence.partition(name)
            if found:
                return f"{filled(before)}{value}{filled(after)}"
        return sentence

    return Advice(filled(entry["means"]), tuple(map(filled, entry["steps"])), entry["source"])
