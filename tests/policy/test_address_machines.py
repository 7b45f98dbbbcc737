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


@pytest.mark.parametrize("seed", range(40))
def test_version_four(seed: int) -> None:
    source, accepted = random.Random(seed), 0
    for _ in range(500):
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
    assert accepted > 10


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


@pytest.mark.parametrize("seed", range(40))
def test_version_six(seed: int) -> None:
    source, accepted = random.Random(seed), 0
    for _ in range(500):
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
    assert accepted > 25


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


def _around(value: int, bits: int) -> list[tuple[int, int]]:
    """Ranges that begin or end at a value, or beside it."""
    most = 2**bits - 1
    ends = {value, value - 1, value + 1, value - 256, value + 256, value - 65_536, value + 65_536}
    ends |= {value & ~0xFF, value | 0xFF, value & ~0xFFFF, value | 0xFFFF, 0, most}
    within = sorted(end for end in ends if 0 <= end <= most)
    return [(low, high) for low in within for high in within if low <= high]


@pytest.mark.parametrize("prefix", ["::", "64:ff9b::", "0:0:0:0:0:ffff:"])
@pytest.mark.parametrize(
    "tail", ["1.2.3.4", "0.0.0.1", "255.255.255.255", "128.0.1.0", "9.0.0.255"]
)
def test_bytes_at_the_end_of_version_six(prefix: str, tail: str) -> None:
    text = prefix + tail
    value = int(ipaddress.IPv6Address(text))
    for low, high in _around(value, 128):
        found = [accepts(machine, text) for machine in version_six_machines(low, high)]
        assert sum(found) == (low <= value <= high), (text, low, high)


@pytest.mark.parametrize(
    "text", ["1.2.3.4", "0.0.0.0", "255.255.255.255", "128.0.1.0", "9.0.0.255"]
)
def test_ranges_around_version_four(text: str) -> None:
    value = int(ipaddress.IPv4Address(text))
    for low, high in _around(value, 32):
        assert accepts(VersionFourMachine(low, high), text) is (low <= value <= high), (low, high)


@pytest.mark.parametrize("place", [0, 3, 6, 7])
@pytest.mark.parametrize(
    ("low", "high"),
    [(0x12, 0x130), (0xF, 0x10), (0, 0), (0xFFFF, 0xFFFF), (0xABC, 0xABCD), (0x1, 0xEFFF)],
)
def test_every_number_of_digits_of_a_group(place: int, low: int, high: int) -> None:
    shift = 16 * (7 - place)
    machines = version_six_machines(low << shift, (high << shift) + 2**shift - 1)
    near = {0, 1, 2, 0xE, 0xF, 0x10, 0x11, 0xA, 0xB, 0xAB, 0xFF, 0x100, 0xFFFE, 0xFFFF, 0xF000}
    near |= {each + more for each in (low, high) for more in (-1, 0, 1)}
    for value in sorted(each for each in near if 0 <= each <= 0xFFFF):
        groups = ["0"] * 8
        for written in {f"{value:x}", f"{value:X}", f"{value:04x}", f"{value:02X}"}:
            groups[place] = written
            text = ":".join(groups)
            found = sum(accepts(machine, text) for machine in machines)
            assert found == (low <= value <= high), text


def test_space_stands_around_an_address_only() -> None:
    everything = version_six_machines(0, 2**128 - 1)
    for text in ("  1::2  ", "\t::1", "1:2:3:4:5:6:7:8 \n", "::1.2.3.4  "):
        assert sum(accepts(machine, text) for machine in everything) == 1, text
    for text in ("1 ::2", "1::2 3", "1::2 :", "1:2:3:4:5:6:7: 8", "::1 .2.3.4", " ", "1: :2"):
        assert not any(accepts(machine, text) for machine in everything), text
    four = VersionFourMachine(0, 2**32 - 1)
    assert all(accepts(four, text) for text in ("  1.2.3.4", "1.2.3.4 \n ", "255.255.255.255 "))
    for text in ("1. 2.3.4", "1 .2.3.4", "1.2.3.4 5", "1.2.3 .4", "1.2.3.4 .", "1.2.3 ", " "):
        assert not accepts(four, text), text
