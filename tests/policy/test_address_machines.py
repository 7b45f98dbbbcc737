"""Machines for addresses accept what `ipaddress` reads as an address in the range, and no more."""

from __future__ import annotations

import ipaddress
import random

import pytest
from text_machines import accepts

from ses_audit.policy.address_machines import VersionFourMachine, version_six_machines
from ses_audit.policy.operators.ip_address import address

_BYTES = ["10", "1", "2", "0", "255", "256", "01", "", "9", "100"]
_GROUPS = ["2001", "db8", "0db8", "0", "1", "ffff", "F", "00000", "", "1.2.3.4", "1.2.3.04", "g"]
_DB8 = int(ipaddress.ip_address("2001:db8::"))


@pytest.mark.parametrize("seed", range(10))
def test_version_four(seed: int) -> None:
    source, accepted = random.Random(seed), 0
    for _ in range(2_000):
        ends = (0, 2**32 - 1, 0x0A000000, 0x0AFFFFFF, 0x0A010200, source.getrandbits(32))
        low, high = sorted(source.choice(ends) for _ in range(2))
        count = source.choice((4, 4, 4, 4, 3, 5))
        text = ".".join(source.choice(_BYTES) for _ in range(count))
        text = source.choice(("", "", " ")) + text + source.choice(("", "", "\t"))
        found = address(text)
        expected = found is not None and low <= int(found) <= high
        assert accepts(VersionFourMachine(low, high), text) is expected, (text, low, high)
        plain = VersionFourMachine(low, high, padded=False)
        assert accepts(plain, text) is (expected and text == text.strip()), text
        accepted += expected
    assert accepted > 50


def _six(source: random.Random, low: int, high: int) -> str:
    if source.random() < 0.3:
        return str(ipaddress.IPv6Address(source.choice((_DB8, _DB8 + 1, low, high))))
    groups = [
        source.choice(_GROUPS) if source.random() < 0.4 else source.choice(("0", "1", "2001"))
        for _ in range(source.choice((1, 2, 3, 6, 7, 8, 8, 8, 9)))
    ]
    text = ":".join(groups)
    if source.random() < 0.5:
        place = source.randint(0, len(text))
        text = text[:place] + "::" + text[place:]
    return f" {text} " if source.random() < 0.05 else text


@pytest.mark.parametrize("seed", range(10))
def test_version_six(seed: int) -> None:
    source, accepted = random.Random(seed), 0
    for _ in range(2_000):
        ends = (0, 2**128 - 1, _DB8, _DB8 + 2**96 - 1, source.getrandbits(128), 1, 2, 0x10000)
        low, high = sorted(source.choice(ends) for _ in range(2))
        text = _six(source, low, high)
        found = address(text)
        expected = found is not None and found.version == 6 and low <= int(found) <= high
        got = [accepts(machine, text) for machine in version_six_machines(low, high)]
        assert sum(got) == expected, (text, low, high)
        plain = version_six_machines(low, high, padded=False)
        once = sum(accepts(machine, text) for machine in plain)
        assert once == (expected and text == text.strip()), text
        accepted += expected
    assert accepted > 100


@pytest.mark.parametrize(
    "text",
    [
        *("::", "::1", "1::", ":1", "1:", ":::", "1::2::3", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"),
        *("1:2:3:4:5:6:7:8", "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "::1.2.3", "::1.2.3.4.5"),
        *("1:2:3:4:5:6:7:1.2.3.4", "::ffff:255.255.255.256", "::a.b.c.d", "::1.2.3.4:5", "12345::"),
    ],
)
def test_every_shape_of_version_six(text: str) -> None:
    machines = version_six_machines(0, 2**128 - 1)
    assert any(accepts(machine, text) for machine in machines) is (address(text) is not None)
