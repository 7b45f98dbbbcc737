"""Mutation testing of ses_audit/policy: how many small wrong changes do the tests notice?

    python benchmarks/mutants.py                           # everything; goes on where it stopped
    python benchmarks/mutants.py 'operators/*.py' --again  # what survived in some files, again

The changes are mutmut's. mutmut starts the tests for each; here they are collected once, and each
mutant is a fork of that process, with the code of one function or one constant exchanged, that runs
the tests which reach the changed lines. What else is decided at import is tried in a process that
imports the changed file. Nothing but build/mutants is written. What was found: docs/mutants.md.
"""

from __future__ import annotations

import argparse
import functools
import gc
import hashlib
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FunctionType
from typing import Any

import botocore.validate  # noqa: F401 - what tests import is not imported anew by each fork
import coverage
import hypothesis.strategies  # noqa: F401
import pytest
from _pytest.runner import runtestprotocol
from mutant_changes import POLICY, ROOT, ChangedFile, Mutant, importers, uses

RESULTS = ROOT / "build/mutants/results.jsonl"
LEARNED = ROOT / "build/mutants/learned.json"
# Random requests, and what compares with other programs, would kill much and tell little.
LEFT_OUT = ("test_differential.py", "test_properties.py", "test_outside.py")
OPTIONS = (
    "-p no:xdist -p no:cov -p no:logging -p no:warnings -p no:unraisableexception -s --tb=no "
    f"-p no:threadexception --assert=plain --noconftest --rootdir={ROOT}"
).split()
BOUND = 90.0
SURVIVED, NO_TEST, KILLED, BY_TIME = "survived", "no test", "killed", "by time"
MEMORY = 3 << 30


def exchange(mutant: Mutant) -> None:
    """Give the function or the constant that is imported the code of the mutant."""
    module = vars(sys.modules[mutant.module])
    if mutant.constant:
        before = module[mutant.constant]
        exec(compile("from __future__ import annotations\n" + mutant.code, "", "exec"), module)
        for each in [
            m for m in sys.modules.values() if str(ROOT) in (m.__dict__.get("__file__") or "")
        ]:
            if vars(each).get(mutant.constant) is before:
                setattr(each, mutant.constant, module[mutant.constant])
        return
    *classes, name = mutant.function.split(".")
    text = textwrap.dedent(mutant.code)
    for each in reversed(classes):
        text = f"class {each}:\n" + textwrap.indent(text, "    ")
    made = dict(module)
    exec(compile("from __future__ import annotations\n" + text, str(mutant.path), "exec"), made)
    new, old = (_function(space, classes, name) for space in (made, module))
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__


def _is_ours(module: object) -> bool:
    return str(getattr(module, "__file__", None)).startswith(str(ROOT))


def _function(space: Any, classes: list[str], name: str) -> FunctionType:
    for each in classes:
        space = vars(space[each])
    found = space[name].fget if isinstance(space[name], property) else space[name]
    found = inspect.unwrap(getattr(found, "__func__", found))
    assert isinstance(found, FunctionType), found
    return found


class _Import(SourceFileLoader):
    """Imports one file as its mutant."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._source = mutant.source()

    def find_spec(self, name: str, *_: object) -> object:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> Any:
        return compile(self._source, self.path, "exec")


class Tests:
    """The tests that pytest has collected; `loop` runs them, in its own way."""

    def __init__(self, loop: Callable[[Tests], None]) -> None:
        self._loop = loop
        self.items: list[pytest.Item] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.testsfailed:
            self.items = session.items
            self._loop(self)
        return True

    def run(
        self, places: Iterable[int], limit: Callable[[str], float], most: float = float("inf")
    ) -> str | None:
        """The first test that fails, of as many as `most` CPU seconds allow; one that takes far too
        long ends the process."""
        last = time.process_time() + most
        for place in places:
            if time.process_time() > last:
                break
            item = self.items[place]
            signal.setitimer(signal.ITIMER_PROF, limit(item.nodeid))
            failed = any(r.failed for r in runtestprotocol(item, log=False, nextitem=None))
            signal.setitimer(signal.ITIMER_PROF, 0)
            if failed:
                return item.nodeid
        return None


def forked(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own; a number where a signal ended it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in () if "MUTANTS_LOUD" in os.environ else (0, 1, 2):
            os.dup2(nothing, stream)
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(work(), pipe)
        except BaseException as error:  # noqa: BLE001 - a mutant may raise anything
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if status == 0 else os.WTERMSIG(status)


class Results:
    """What was found, one mutant a line; kept between runs."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._found: dict[str, str] = {}
        self.read()

    def read(self) -> None:
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else ()
        self._found = {found["key"]: found["status"] for found in map(json.loads, lines)}

    def __getitem__(self, mutant: Mutant) -> str | None:
        return self._found.get(mutant.key)

    def add(self, mutant: Mutant, status: str, by: object) -> None:
        self._found[mutant.key] = status
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": mutant.key, "status": status, "by": by}) + "\n")


def status_of(answer: object) -> str:
    if answer is None:
        return SURVIVED
    return BY_TIME if answer in (signal.SIGPROF, signal.SIGXCPU, signal.SIGKILL) else KILLED


def _covered(cover: coverage.Coverage) -> dict[str, dict[int, list[str]]]:
    data = cover.get_data()
    return {path: data.contexts_by_lineno(path) for path in data.measured_files()}


def _covering() -> coverage.Coverage:
    cover = coverage.Coverage(data_file=None, include=[f"{POLICY}/*"], config_file=False)
    cover.start()
    return cover


class Functions:
    """Stage 1: the mutants of functions and of constants that are read in functions only, each in a
    fork of the process that has collected all."""

    def __init__(self, mutants: list[Mutant], results: Results, most: float) -> None:
        self._mutants, self._results, self._most = mutants, results, most
        self._killers: dict[str, list[str]] = defaultdict(list)
        self.seconds: dict[str, float] = {}
        self.late: dict[str, list[str]] = {}  # keys of mutants of what runs at import: their tests
        self.reached: dict[str, dict[int, set[str]]] = {}
        self._cover = _covering()
        self._caches: list[Callable[[], None]] = []

    def loop(self, tests: Tests) -> None:
        self._cover.stop()
        at_import = _covered(self._cover)
        places = {item.nodeid: place for place, item in enumerate(tests.items)}
        self._caches = _caches()
        self._learn(tests)
        gc.collect()
        gc.freeze()
        before = time.perf_counter()
        for count, mutant in enumerate(self._mutants, 1):
            lines = lines_of(mutant)
            names = self._tests_of(mutant, lines)
            answer = forked(lambda m=mutant, n=names: self._try(m, tests, [places[x] for x in n]))
            if answer is None and any(at_import.get(f, {}).keys() & lines[f] for f in lines):
                self.late[mutant.key] = names
                continue
            self._results.add(mutant, status_of(answer) if names else NO_TEST, answer)
            if isinstance(answer, str):
                self._killers[mutant.function or mutant.constant].insert(0, answer)
            if count % 100 == 0 or count == len(self._mutants):
                seconds = time.perf_counter() - before
                print(f"{count} of {len(self._mutants)}, {mutant.file}, {seconds:.0f} s")

    def _learn(self, tests: Tests) -> None:
        """Which lines each test reaches, and how long it takes so; in a fork: caches stay empty.

        Kept between runs for each test, until the package or the file of the test changes."""
        files = {item.nodeid: ROOT / item.nodeid.partition("::")[0] for item in tests.items}
        texts = {path: _hash(path.read_bytes()) for path in {*files.values()}}
        package = _hash(b"".join(path.read_bytes() for path in sorted(POLICY.rglob("*.py"))))
        kept = json.loads(LEARNED.read_text("utf-8")) if LEARNED.exists() else {}
        before = kept.get("tests", {}) if kept.get("package") == package else {}
        known = {n: each for n, each in before.items() if each["text"] == texts.get(files.get(n))}
        todo = [place for place, item in enumerate(tests.items) if item.nodeid not in known]
        found = forked(lambda: _cover_tests(tests, todo, self._caches)) if todo else {}
        if isinstance(found, str):
            raise SystemExit(f"fails without any mutant: {found}")
        known |= {name: {**each, "text": texts[files[name]]} for name, each in found.items()}
        LEARNED.write_text(json.dumps({"package": package, "tests": known}), encoding="utf-8")
        for name in files:
            self.seconds[name] = known[name]["seconds"]
            for path, bits in known[name]["lines"].items():
                lines, number = self.reached.setdefault(path, {}), int(bits, 16)
                while number:
                    lines.setdefault((number & -number).bit_length() - 1, set()).add(name)
                    number &= number - 1

    def _tests_of(self, mutant: Mutant, lines: dict[str, set[int]]) -> list[str]:
        """Those that reach the lines: first what killed in this function, then the file's own
        tests, the rest by time."""
        found = [self.reached.get(path, {}).get(n, ()) for path, own in lines.items() for n in own]
        names: set[str] = set().union(*found)
        killers = self._killers[mutant.function or mutant.constant]
        first = dict.fromkeys(n for n in killers[:30] if n in names)
        own = f"/test_{mutant.path.stem}.py::"
        rest = sorted(names - first.keys(), key=lambda n: (own not in n, self.seconds[n]))
        return [*first, *rest]

    def _try(self, mutant: Mutant, tests: Tests, places: list[int]) -> str | None:
        _forget(self._caches)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        exchange(mutant)
        return tests.run(places, lambda name: 1 + 2 * self.seconds[name], self._most)


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


@functools.lru_cache(maxsize=2048)
def _uses(path: Path, name: str) -> tuple[set[int], set[int]]:
    return uses(path, name)


@functools.lru_cache(maxsize=2048)
def _readers(mutant: Mutant) -> list[Path]:
    """The files that may read a constant: its own, and those that import it."""
    return [mutant.path, *importers(mutant.path, mutant.constant)]


def lines_of(mutant: Mutant) -> dict[str, set[int]]:
    """The lines of each file that say what a mutant changes, or that read its constant."""
    if not mutant.constant:
        return {str(mutant.path): {*mutant.lines}}
    return {str(path): _uses(path, mutant.constant)[0] for path in _readers(mutant)}


def is_late(mutant: Mutant) -> bool:
    """Whether only a process that imports the mutant can try it."""
    if mutant.function or not mutant.constant:
        return not mutant.function
    return any(_uses(path, mutant.constant)[1] for path in _readers(mutant))


def is_annotation(mutant: Mutant) -> bool:
    """Whether it is the name of a type, which nothing reads at run time."""
    read = (_uses(path, mutant.constant) for path in _readers(mutant))
    return bool(mutant.constant) and not any(map(any, read))


def _cover_tests(tests: Tests, places: list[int], caches: list[Callable[[], None]]) -> Any:
    cover = _covering()
    seconds: dict[int, float] = {}
    for place in places:
        _forget(caches)
        cover.switch_context(str(place))
        before = time.process_time()
        failed = tests.run([place], lambda _: 600)
        seconds[place] = time.process_time() - before
        if failed:
            return failed
    cover.stop()
    lines: dict[int, dict[str, int]] = {place: {} for place in places}
    for path, by_line in _covered(cover).items():
        for line, contexts in by_line.items():
            for context in filter(None, contexts):
                found = lines[int(context)]
                found[path] = found.get(path, 0) | 1 << line
    return {
        tests.items[place].nodeid: {
            "seconds": seconds[place],
            "lines": {path: format(bits, "x") for path, bits in lines[place].items()},
        }
        for place in places
    }


def _caches() -> list[Callable[[], None]]:
    """How each cache of the package is emptied: of functions, and dicts that begin empty."""
    found: list[Callable[[], None]] = []
    for module in [m for name, m in sys.modules.items() if name.startswith("ses_audit.policy")]:
        for value in vars(module).values():
            if isinstance(value, functools._lru_cache_wrapper):
                found.append(value.cache_clear)
            own = type(value).__module__.startswith("ses_audit.policy")
            for part in vars(value).values() if own and hasattr(value, "__dict__") else (value,):
                if isinstance(part, dict) and not part:
                    found.append(part.clear)
    return found


def _forget(caches: list[Callable[[], None]]) -> None:
    for clear in caches:
        clear()


def at_import(mutant: Mutant, names: list[str], seconds: dict[str, float], most: float) -> object:
    """Stage 2: a process that imports the mutant, collects the tests again and runs them."""
    answer: list[object] = ["collecting"]

    def loop(tests: Tests) -> None:
        places = {item.nodeid: place for place, item in enumerate(tests.items)}
        if places.keys() >= {*names}:
            order = [places[name] for name in names]
            answer[0] = tests.run(order, lambda name: 2 + 2 * seconds.get(name, 3), most)

    def work() -> object:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (300, 310))
        sys.meta_path.insert(0, _Import(mutant))
        files = {name.partition("::")[0] for name in names}
        pytest.main([*OPTIONS, *sorted(files)], plugins=[Tests(loop)])
        return answer[0]

    return forked(work)


def run(
    mutants: list[Mutant],
    results: Results,
    chosen: list[str],
    *,
    only_functions: bool,
    most: float,
) -> None:
    """Both stages; the first in a fork, so that the second meets modules never imported."""

    def first() -> Any:
        stage = Functions([mutant for mutant in mutants if not is_late(mutant)], results, most)
        pytest.main([*OPTIONS, *chosen], plugins=[Tests(stage.loop)])
        reached = {path: [*set().union(*ls.values())] for path, ls in stage.reached.items()}
        return stage.late, reached, stage.seconds

    os.environ["MUTANTS_LOUD"] = "1"
    late, reached, seconds = forked(first)
    del os.environ["MUTANTS_LOUD"]
    todo = [m for m in mutants if m.key in late or (is_late(m) and not only_functions)]
    for count, mutant in enumerate(todo, 1):
        own_tests = reached.get(str(mutant.path), ())
        names = late.get(mutant.key) or sorted(own_tests, key=seconds.__getitem__)
        own = f"test_{mutant.path.stem}.py::"
        answer: object = None
        for part in ([n for n in names if own in n], [n for n in names if own not in n]):
            if part and answer is None:
                answer = at_import(mutant, part, seconds, most)
        results.add(mutant, status_of(answer) if names else NO_TEST, answer)
        if count % 50 == 0 or count == len(todo):
            print(f"at import: {count} of {len(todo)}, {mutant.file}")


def report(mutants: list[Mutant], results: Results) -> float:
    """Each survivor, and the table by file, of functions, of what is outside, and together."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        status = results[mutant] or "not tried"
        counts[mutant.file][status] += 1
        parts["functions" if mutant.function else "outside of functions"][status] += 1
        if status in (SURVIVED, NO_TEST):
            where = mutant.function or mutant.constant
            print(f"{mutant.file}:{mutant.lines.start} {where} ({status})")
            print(textwrap.indent(mutant.change, "    "))
    counts |= parts | {"together": sum(counts.values(), Counter())}
    heads = ("file", "tried", KILLED, BY_TIME, SURVIVED, NO_TEST, "not tried", "% killed")
    print(f"\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    percent = 0.0
    for file, count in counts.items():
        tried = count.total() - count["not tried"]
        percent = 100 * (count[KILLED] + count[BY_TIME]) / tried if tried else 0.0
        numbers = [tried, *(count[each] for each in (KILLED, BY_TIME, SURVIVED, NO_TEST))]
        numbers.append(count["not tried"])
        print(f"| `{file}` | {' | '.join(map(str, numbers))} | {percent:.1f} |")
    return percent


def main() -> int:
    parser = argparse.ArgumentParser(description="mutation testing of ses_audit/policy")
    parser.add_argument("files", nargs="*", default=["*.py", "operators/*.py"])
    parser.add_argument("--again", action="store_true", help="try what survived again")
    parser.add_argument("--report", action="store_true", help="only print what is known")
    parser.add_argument("--only-functions", action="store_true", help="nothing outside functions")
    parser.add_argument("--tests", action="append", help="tests to ask (default: tests/policy)")
    parser.add_argument(
        "--most", type=float, default=float("inf"), help="CPU seconds for the tests of one mutant"
    )
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    os.nice(19)
    results = Results(RESULTS)
    paths = sorted({path for pattern in options.files for path in POLICY.glob(pattern)})
    mutants = [mutant for path in paths for mutant in ChangedFile(path).mutants()]
    mutants = [mutant for mutant in mutants if not is_annotation(mutant)]
    if not options.report:
        known = (KILLED, BY_TIME) if options.again else (KILLED, BY_TIME, SURVIVED, NO_TEST)
        todo = [mutant for mutant in mutants if results[mutant] not in known]
        tests = options.tests or ["tests/policy", *(f"--ignore=tests/policy/{n}" for n in LEFT_OUT)]
        only_functions, most = options.only_functions, options.most
        run(todo, results, tests, only_functions=only_functions, most=most)
        results.read()
    return 0 if report(mutants, results) >= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
