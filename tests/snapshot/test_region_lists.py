"""Region states, as the two calls that list them spell them."""

from __future__ import annotations

import pytest

from ses_audit.snapshot.region_lists import region_states


@pytest.mark.parametrize(
    ("field", "said", "state"),
    [
        # https://docs.aws.amazon.com/accounts/latest/reference/API_Region.html
        ("RegionOptStatus", "DISABLED", "DISABLED"),
        ("RegionOptStatus", "DISABLING", "DISABLING"),
        ("RegionOptStatus", "ENABLED", "ENABLED"),
        ("RegionOptStatus", "ENABLED_BY_DEFAULT", "ENABLED_BY_DEFAULT"),
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Region.html
        ("OptInStatus", "not-opted-in", "DISABLED"),
        ("OptInStatus", "opted-in", "ENABLED"),
        ("OptInStatus", "opt-in-not-required", "ENABLED"),
        # A list of the enabled ones only may leave it out.
        ("OptInStatus", None, "ENABLED"),
    ],
)
def test_a_region_has_one_state(field: str, said: str | None, state: str) -> None:
    assert region_states([{"RegionName": "af-south-1", field: said}]) == {"af-south-1": state}
