"""Many random requests against the reference evaluator: `make prove` asks a million.

    python tests/prove.py --count 1000000 [--first 0] [--workers 2]

A request is made of its seed, so a run is the same everywhere. What is done is kept in
`.work/prove/`: the same command goes on where it stopped. Of each disagreement the smallest line
that shows it is kept there as a JSON case; there is none when it exits with 0.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(_TESTS / "support"), str(_TESTS / "reference")]

from differential import difference, smallest_difference  # noqa: E402
from random_requests import line  # noqa: E402

from ses_audit.policy.simulation import simulate  # noqa: E402

KEPT = _TESTS.parent / ".work" / "prove"
BLOCK = 1_000
OPEN = 10
"""One line in so many asks about every context."""


def block(first: int, count: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Compare the lines of some seeds: how many verdicts of each kind, and the disagreements."""
    verdicts: Counter[str] = Counter()
    found = []
    for seed in range(first, first + count):
        asked = line(seed, open_context=seed % OPEN == OPEN - 1)
        answer: Any = simulate(asked)
        what = difference(asked, answer)
        if what is not None:
            found.append({"seed": seed, "difference": what, "line": smallest_difference(asked)})
        else:
            verdicts.update(each["Verdict"] for each in answer["EvaluationResults"])
    return dict(verdicts), found


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _write(path: Path, value: object) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    state = KEPT / f"from-{arguments.first}.json"
    done = {"done": 0, "verdicts": {}, "disagreements": 0}
    if state.exists():
        done = json.loads(state.read_text(encoding="utf-8"))
        _say(f"going on after {done['done']:,} requests")
    began, before = time.monotonic(), done["done"]
    with ProcessPoolExecutor(arguments.workers) as executor:
        while done["done"] < arguments.count:
            # Some blocks at a time, so that what is done is always a prefix of the seeds.
            places = range(
                done["done"],
                min(done["done"] + BLOCK * arguments.workers * 4, arguments.count),
                BLOCK,
            )
            sizes = [min(BLOCK, arguments.count - place) for place in places]
            firsts = [arguments.first + place for place in places]
            for verdicts, found in executor.map(block, firsts, sizes):
                done["verdicts"] = dict(Counter(done["verdicts"]) + Counter(verdicts))
                for each in found:
                    done["disagreements"] += 1
                    _write(KEPT / f"case-{each['seed']}.json", each)
                    _say(f"seed {each['seed']}: {each['difference']}")
            done["done"] += sum(sizes)
            _write(state, done)
            rate = (done["done"] - before) / (time.monotonic() - began)
            _say(f"{done['done']:,} requests, {rate:,.0f}/s, {done['verdicts']}")
    _say(f"{done['done']:,} requests, {done['disagreements']:,} disagreements")
    return 1 if done["disagreements"] else 0


if __name__ == "__main__":
    sys.exit(main())
