"""Decisions a second, beside iam-simulate on the same cases: `make bench-simulate`.

Both sides hold the cases in memory, their policies as JSON text, and run in one process each.
"Anew": every document of every case is parsed for that case. "Shared": documents are parsed once
by content, as a real organization's are, and a case refers to them; iam-simulate has no such way.
"Open": the same cases with every context key open, each decided anew.

The bounds are held by processor time, which another program on the machine hardly changes; the
decisions a second by the clock stand beside.

    python benchmarks/simulate.py --hostile [--length 10240]     # policies made to be slow
    python benchmarks/simulate.py --stream [--count 1000000]     # the command on a long file
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulate_cases import cases
from simulate_hostile import LONG, STORED, slowest
from simulate_stream import streamed, write_lines

from ses_audit.policy.outcome import outcome
from ses_audit.policy.parse import parse_document
from ses_audit.policy.principals import caller_of
from ses_audit.policy.reduce import OpenRequest, open_evaluate
from ses_audit.policy.solve import forget
from ses_audit.policy.types import AttachedPolicy, Context, Layers, Request

OUTSIDE = Path(__file__).resolve().parent.parent / "tests" / "outside"
ANEW, SHARED = 3, 20
"""How many times iam-simulate's decisions a second are asked of each."""
HOSTILE = 50.0
"""Milliseconds of the processor for a policy of the largest size that AWS stores."""
_DECISIONS = {
    "Allowed": "allowed",
    "ExplicitlyDenied": "explicitDeny",
    "ImplicitlyDenied": "implicitDeny",
}

Line = dict[str, Any]
Rates = tuple[float, float]
"""Decisions a second by the clock, and a second of the processor."""
Attach = Callable[[str, str], AttachedPolicy]


def attached_anew(text: str, name: str) -> AttachedPolicy:
    """Parse a document for one case."""
    return AttachedPolicy(parse_document(text), name)


def layers_of(line: Line, attach: Attach) -> Layers:
    """The layers of one case."""

    def some(texts: list[str], name: str) -> tuple[AttachedPolicy, ...]:
        return tuple([attach(text, name) for text in texts])

    boundary = line.get("PermissionsBoundaryPolicyInputList")
    levels = line["OrderedOrganizationPolicyInputList"]
    return Layers(
        identity_policies=some(line["PolicyInputList"], "identity"),
        permissions_boundary=attach(boundary[0], "boundary") if boundary else None,
        service_control_policies=tuple(
            [some(level["ServiceControlPolicyInputList"], "scp") for level in levels]
        ),
        resource_policies=(attach(line["ResourcePolicy"], "sending"),),
    )


def context_of(line: Line) -> Context:
    """The seven context keys."""
    return {
        entry["ContextKeyName"].lower(): tuple(entry["ContextKeyValues"])
        for entry in line["ContextEntries"]
    }


def request_of(line: Line) -> Request:
    """What is asked."""
    caller = caller_of(line["CallerArn"])
    if caller is None:
        raise SystemExit(f"no caller: {line['CallerArn']}")
    resource = line["ResourceArns"][0]
    account = resource.split(":")[4]
    return Request(caller, line["ActionNames"][0], resource, account, context_of(line))


def simulation_of(line: Line) -> dict[str, Any]:
    """A case in iam-simulate's shape, its policies still text."""

    def named(texts: list[str], name: str) -> list[dict[str, str]]:
        return [{"name": f"{name}.{n}", "policy": text} for n, text in enumerate(texts)]

    resource = line["ResourceArns"][0]
    found: dict[str, Any] = {
        "request": {
            "principal": line["CallerArn"],
            "action": line["ActionNames"][0],
            "resource": {"resource": resource, "accountId": resource.split(":")[4]},
            "contextVariables": {
                entry["ContextKeyName"]: entry["ContextKeyValues"][0]
                for entry in line["ContextEntries"]
            },
        },
        "identityPolicies": named(line["PolicyInputList"], "identity"),
        "serviceControlPolicies": [
            {
                "orgIdentifier": f"level{n}",
                "policies": named(level["ServiceControlPolicyInputList"], f"scp{n}"),
            }
            for n, level in enumerate(line["OrderedOrganizationPolicyInputList"])
        ],
        "resourceControlPolicies": [],
        "resourcePolicy": line["ResourcePolicy"],
    }
    boundary = line.get("PermissionsBoundaryPolicyInputList")
    if boundary:
        found["permissionBoundaryPolicies"] = named(boundary, "boundary")
    return found


def outside(lines: list[Line], rounds: int) -> tuple[Rates, list[str]] | None:
    """The rates of iam-simulate, and its decisions; None where it is not there."""
    node = shutil.which("node")
    if node is None or not (OUTSIDE / "node_modules").is_dir():
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(simulation_of(line)) + "\n" for line in lines)
        file.flush()
        program = [node, str(OUTSIDE / "iam_simulate_speed.mjs"), file.name, str(rounds)]
        done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=OUTSIDE)
    found = json.loads(done.stdout)
    decisions = [_DECISIONS.get(each, each) for each in found["decisions"]]
    count = len(lines)
    return (count / min(found["seconds"]), count / min(found["processor"])), decisions


def rate(count: int, rounds: int, run: Callable[[], object]) -> Rates:
    """Decisions a second, by the clock and of the processor, each of its best round."""
    run()
    gc.collect()
    gc.freeze()
    clock = processor = float("inf")
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        run()
        processor = min(processor, time.process_time() - used)
        clock = min(clock, time.perf_counter() - began)
    return count / clock, count / processor


def best(one: Rates, other: Rates) -> Rates:
    """The better of each."""
    return max(one[0], other[0]), max(one[1], other[1])


def hostile(length: int) -> int:
    """Print the slowest shapes; 1 where one of a size that AWS stores is slower than its bound."""
    found = slowest(length)
    print(f"{len(found):,} shapes of about {length:,} characters, context values of {LONG:,}")
    for milliseconds, name in found[:10]:
        print(f"  {milliseconds:7.1f} ms  {name}")
    if length > STORED:
        return 0
    missed = found[0][0] > HOSTILE
    print(f"{'missed' if missed else 'met'}: {HOSTILE:.0f} ms")
    return int(missed)


def stream(count: int) -> int:
    """Print what the command needs for a tenth of so many lines and for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        print("lines a second of the processor; the peak is of all processes together")
        print(f"  {'lines':>11} {'MB':>7} {'workers':>8} {'lines/s':>9} {'peak MB':>8}")
        for lines in (count // 10, count):
            path = Path(folder) / "lines.jsonl"
            write_lines(path, lines)
            size = path.stat().st_size / 1e6
            for workers in (1, 2):
                ran = streamed(path, workers)
                print(
                    f"  {lines:11,} {size:7,.0f} {workers:8} {lines / ran.seconds:9,.0f} "
                    f"{(ran.peak or ran.largest) / 1e6:8.1f}",
                    flush=True,
                )
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, help="cases, or lines of the stream")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hostile", action="store_true", help="policies made to be slow")
    parser.add_argument("--length", type=int, default=STORED, help="characters of a hostile policy")
    parser.add_argument("--stream", action="store_true", help="the command on a long file")
    arguments = parser.parse_args()
    if arguments.hostile:
        return hostile(arguments.length)
    if arguments.stream:
        return stream(arguments.count or 1_000_000)
    lines = cases(arguments.count or 1_000)
    requests = [request_of(line) for line in lines]
    known: dict[str, AttachedPolicy] = {}

    def attached(text: str, name: str) -> AttachedPolicy:
        if text not in known:
            known[text] = attached_anew(text, name)
        return known[text]

    shared = [layers_of(line, attached) for line in lines]
    decided = [outcome(*pair).effect.value for pair in zip(shared, requests, strict=True)]

    def anew() -> None:
        for line, request in zip(lines, requests, strict=True):
            outcome(layers_of(line, attached_anew), request)

    def concrete() -> None:
        for layers, request in zip(shared, requests, strict=True):
            outcome(layers, request)

    opened = [
        OpenRequest(
            request.caller,
            request.action,
            request.resource,
            request.resource_account,
            has_boundary=layers.permissions_boundary is not None,
        )
        for layers, request in zip(shared, requests, strict=True)
    ]

    def symbolic() -> None:
        forget()
        for layers, request in zip(shared, opened, strict=True):
            open_evaluate(layers, request)

    gc.set_threshold(50_000)  # As the command sets it: what a case is made of dies with it.
    rates: dict[str, Rates] = {}
    theirs: Rates = (0.0, 0.0)
    # Turn about, so that what else the machine does meets both.
    for _ in range(2):
        found = outside(lines, arguments.rounds)
        if found is not None:
            theirs = best(theirs, found[0])
            different = sum(a != b for a, b in zip(found[1], decided, strict=True))
            if different:
                print(f"{different} of {len(lines)} decisions differ from iam-simulate's")
                return 1
        for name, run in (("anew", anew), ("shared", concrete), ("open", symbolic)):
            rates[name] = best(rates.get(name, (0.0, 0.0)), rate(len(lines), arguments.rounds, run))
    print(f"{len(lines):,} cases, {len(known):,} documents; one process each")
    print(f"  {'':14} {'decisions/s':>11} {'of processor':>13}")
    rows = [("iam-simulate", theirs), *rates.items()] if found else list(rates.items())
    for name, (clock, processor) in rows:
        times = f"{processor / theirs[1]:6.1f} times iam-simulate" if found else ""
        print(f"  {name:14} {clock:11,.0f} {processor:13,.0f} {times}")
    if not found:
        print("iam-simulate is not here: Node, and `npm ci` in tests/outside (make browser-tools)")
        return 0
    wanted = (("anew", ANEW), ("shared", SHARED), ("open", 1))
    missed = [f"{name} {times}" for name, times in wanted if rates[name][1] < times * theirs[1]]
    print(
        f"missed: {', '.join(missed)}"
        if missed
        else "all bounds are met: anew 3, shared 20, open 1"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
