"""What a machine for texts says of a whole text."""

from __future__ import annotations

from ses_audit.policy.text_search import TextMachine


def accepts(machine: TextMachine, text: str) -> bool:
    state = machine.start
    for character in text:
        state = machine.step(state, character)
        if state is None:
            return False
    return machine.accepts(state)
