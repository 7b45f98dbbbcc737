"""Which regions an account has enabled, from either of the two calls that list them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["DISABLED", "region_states"]

DISABLED = "DISABLED"
"""The state of a region that is off."""

# EC2's names of the states; what it does not list as off is on.
_BY_EC2 = {"not-opted-in": DISABLED}


def region_states(items: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Region → its state, as Account Management names it.

    Parameters
    ----------
    items
        `Regions` of `account:ListRegions`
        (https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html) or of
        `ec2:DescribeRegions`
        (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html).

    Examples
    --------
    >>> region_states([{"RegionName": "af-south-1", "OptInStatus": "not-opted-in"},
    ...                {"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}])
    {'af-south-1': 'DISABLED', 'eu-west-1': 'ENABLED_BY_DEFAULT'}
    """
    return {
        str(item["RegionName"]): str(
            item.get("RegionOptStatus") or _BY_EC2.get(str(item.get("OptInStatus")), "ENABLED")
        )
        for item in items
    }
