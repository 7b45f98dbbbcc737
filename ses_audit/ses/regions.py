"""The regions in which Amazon SES has an endpoint, by partition.

An SDK can lag behind AWS, so the list is data; the collector unites it with the SDK's.
Sources: data/regions.json.
"""

from __future__ import annotations

from typing import Any

from ses_audit.ses.actions import load_data

__all__ = ["opt_in_regions", "ses_regions"]


def _entries(partition: str) -> list[dict[str, object]]:
    partitions: Any = load_data("regions.json")["partitions"]
    found: list[dict[str, object]] = partitions.get(partition, [])
    return found


def ses_regions(partition: str = "aws") -> tuple[str, ...]:
    """The SES regions of a partition, sorted; none where SES is not offered.

    Examples
    --------
    >>> len(ses_regions()), ses_regions("aws-cn")
    (33, ())
    """
    return tuple(sorted(str(entry["region"]) for entry in _entries(partition)))


def opt_in_regions(partition: str = "aws") -> frozenset[str]:
    """Those that an account has to enable first.

    Examples
    --------
    >>> "af-south-1" in opt_in_regions(), "eu-west-1" in opt_in_regions()
    (True, False)
    """
    return frozenset(str(entry["region"]) for entry in _entries(partition) if entry["opt_in"])
