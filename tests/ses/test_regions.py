"""The regions of SES: 33, 2, 1 and none (facts/ses.md §8)."""

from __future__ import annotations

import pytest

from ses_audit.ses.actions import load_data
from ses_audit.ses.regions import opt_in_regions, ses_regions


@pytest.mark.parametrize(
    ("partition", "count", "opt_in"),
    [
        ("aws", 33, 16),
        ("aws-us-gov", 2, 0),
        ("aws-eusc", 1, 0),
        ("aws-cn", 0, 0),
        ("aws-iso", 0, 0),
    ],
)
def test_the_regions_of_a_partition(partition: str, count: int, opt_in: int) -> None:
    regions = ses_regions(partition)
    assert len(regions) == len(set(regions)) == count
    assert list(regions) == sorted(regions)
    assert opt_in_regions(partition) <= set(regions)
    assert len(opt_in_regions(partition)) == opt_in


def test_the_seventeen_regions_that_need_no_opt_in() -> None:
    # https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
    assert set(ses_regions()) - opt_in_regions() == {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-southeast-1", "ap-southeast-2"),
    }


def test_the_sdk_knows_no_region_that_the_list_lacks() -> None:
    import boto3

    session = boto3.Session()
    for partition in session.get_available_partitions():
        known = set(session.get_available_regions("sesv2", partition)) - {"aws-global"}
        known = {region for region in known if "fips" not in region}
        if partition in ("aws", "aws-us-gov", "aws-eusc", "aws-cn"):
            assert known <= set(ses_regions(partition))


def test_the_list_has_its_sources() -> None:
    sources = load_data("regions.json")["sources"]
    assert isinstance(sources, list)
    assert all(source.startswith("https://docs.aws.amazon.com/") for source in sources)
