"""`value`: a dataclass for what is made by the million."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, slots):
        """`dataclass`, five times as fast to make an object of.

        That it is frozen the type checker sees to, not every assignment at run time.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)
