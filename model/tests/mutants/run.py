#!/usr/bin/env python3
"""Do the unit tests notice when the model is wrong? `make mutants` calls it.

    run.py BUILD --cc "CC FLAGS" --libs LIBS [--count N] [--seed S] [--jobs J]
        [--seconds S] [--shard I/N] [--again]

BUILD/obj holds position-independent objects of the library and of the tests.
Each of N random mutants of the cost and kernel code (FILES) takes its object's
place in a shared library, and the tests run against that, those that are most
likely to fail first, up to the first that fails, and where none of these does, slower
ones, the cheapest first, as far as LATER_S goes; those that never come to the
changed block (reach.py) cannot fail and are left out. A mutant whose object code is
that of the original is none; one that does not compile is none either.

A test also fails by a crash, or by using four times the processor time, or far
more memory or wall time, than it should, by writing behind what it allocated or by
leaving more allocations than the original (guard.c). Prints `name: value` lines and every
mutant that survived; BUILD/mutants.csv lists all of them.

BUILD/kept.csv keeps each verdict as it falls, by the mutant and the text of its
file, and the same command goes on from there. The kept files of several machines
(`--shard`) are put together by `cat`; then the sample is theirs.
"""

import argparse
import csv
import hashlib
import os
import queue
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from reach import Reach
from sites import mutants_of
from work import Work

FILES = ["model/kvm/*.c", "model/machine/*.c", "model/vm/*.c", "model/run/*.c",
         *(f"model/core/{name}.c" for name in ("actor", "calendar", "ledger", "resource", "rng", "section", "spans",
                                               "tails", "interval_map", "histogram", "u64", "units",
                                               "portable_math")),
         *(f"model/study/{name}.c" for name in ("metrics", "setup", "stats", "trial*", "evaluate*", "execute",
                                                "store*", "winner_map", "breakeven*", "crossing", "advise*",
                                                "policy_space", "sensitivity", "information", "sobol", "target",
                                                "draw*"))]

# Processor seconds that the original may take in a test that counts as fast. A mutant that survives costs all of
# them, so slow ones judge the files that they are about; and what all of these do not see, as many others that come
# to the changed block as take LATER_S together.
FAST_S = 2.5
LATER_S = 40
JUDGES = {"check_rows.sh": ("model/",),
          "check_printed.sh": ("model/",),
          "test_golden": ("model/",),
          "test_golden_plays": ("model/",),
          "test_store_fails": ("model/study/",),
          "test_advise": ("model/study/advise", "model/study/policy_space"),
          "test_cache_naive": ("model/machine/cache",),
          "test_draw_fit": ("model/study/draw_fit",),
          "test_reference": ("model/machine/oracle",),
          "test_section": ("model/core/section", "model/core/spans"),
          "test_store": ("model/study/store",),
          "test_study_run": ("model/study/evaluate", "model/study/execute", "model/study/store",
                             "model/study/trial"),
          "test_verdict": ("model/machine/memory", "model/machine/oracle", "model/machine/story")}
SLOW_S = 30
# Scripts that judge too, with what they read: they look at the program from outside.
SCRIPTS = {"model/tests/check_rows.sh": ("model/tests/rows.csv",),
           "model/tests/check_printed.sh": ("model/tests/printed.csv",),
           "model/tests/check_second.sh": ("bench/second/compare.py", "bench/second/second.py"),
           "model/tests/check_cli.sh": (),
           "model/tests/check_memo.sh": ()}
# Tests that may fail against the original, since they are run in another way than by `make check`.
FAILED_MAX = 3
WORK = "work"
NOT_CAUGHT = ("invalid", "equivalent", "survived")
MEMORY_BYTES = 4 << 30
FILE_BYTES = 256 << 20
WALL_S = 300


GUARD = Path("model/tests/mutants/guard.c")


class Build:
    """The original's objects, and the commands that make others."""

    def __init__(self, folder, cc, libs):
        self.folder, self.cc, self.libs = Path(folder), shlex.split(cc), shlex.split(libs)
        self.objects = sorted(path for path in self.folder.glob("obj/**/*.o")
                              if path.parts[-2] not in ("tests", "fuzz", "bench")
                              and path.name != "main.o")
        self.beside = []

    def object_of(self, path):
        return self.folder / "obj" / Path(path).relative_to("model").with_suffix(".o")

    def compile(self, path, text, out):
        """From the text, but as if it stood in that file, so that objects can be compared."""
        command = [*self.cc, "-w", "-x", "c", "-c", "-o", str(out), "-"]
        source = f'#line 1 "{path}"\n{text}'
        return subprocess.run(command, input=source, text=True, check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    def guard(self, folder):
        """What each library has beside the original's objects."""
        out = folder / "guard.o"
        if not self.compile(GUARD, GUARD.read_text(encoding="utf-8"), out):
            sys.exit("the guard does not compile")
        self.beside = [out]

    def library(self, out, instead=None):
        """The library, with other objects in place of some of the original's."""
        instead = instead or {}
        subprocess.run([self.cc[0], "-shared", "-fopenmp", "-o", str(out),
                        *(str(instead.get(path, path)) for path in self.objects), *map(str, self.beside), *self.libs],
                       check=True)

    def link(self, program, objects, *more):
        """A program beside the library that it needs."""
        subprocess.run([self.cc[0], "-fopenmp", "-o", str(program), *map(str, objects), f"-L{program.parent}",
                        "-ls2flush", *more, *self.libs], check=True)

    def digest(self):
        """Of the library, its version aside."""
        return digest(*(hashlib.sha256(path.read_bytes()).hexdigest() for path in self.objects
                        if path.name != "version.o"))

    def contents(self, test):
        """What a test is made of, the library aside."""
        files = [test, *SCRIPTS[str(test)], self.folder / "obj/cli/main.o"] if str(test) in SCRIPTS else \
            [self.folder / "obj/tests" / f"{test.name}.o"]
        return [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]

    def tests(self, out):
        found = []
        helpers = [str(path) for path in sorted(self.folder.glob("obj/tests/*.o"))
                   if not path.name.startswith("test_")]
        for test in sorted(self.folder.glob("obj/tests/test_*.o")):
            program = out / test.stem
            self.link(program, [test, *helpers], "-lcmocka")
            found.append(program)
        self.link(out / "s2flush", [self.folder / "obj/cli/main.o"])
        for driver in sorted(self.folder.glob("obj/bench/*.o")):
            self.link(out / driver.stem, [driver], "-lgsl", "-lgslcblas", "-lm")
        found += [Path(script) for script in SCRIPTS]
        return found


def limits(cpu_s):
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL) # what runs in the background has it ignored, and hands that on
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def status_of(program, folder, cpu_s, **more):
    """What a test ends with against the library in that folder, at its first case that fails, None where it does not
    end; and how many allocations its processes leave. The program that scripts run is in the folder above."""
    scratch = tempfile.mkdtemp(dir=folder)
    live = Path(scratch) / "live"
    env = dict(os.environ, LD_LIBRARY_PATH=str(folder), TMPDIR=scratch, OMP_NUM_THREADS="1",
               S2FLUSH=str(folder.parent / "s2flush"), GUARD_LIVE=str(live),
               OMP_WAIT_POLICY="passive", CMOCKA_TEST_ABORT="1", **more)
    try:
        done = subprocess.run([str(program)], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=WALL_S, check=False,
                              preexec_fn=lambda: limits(cpu_s))
        left = sum(map(int, live.read_text(encoding="utf-8").split())) if live.exists() else 0
        return done.returncode, left
    except subprocess.TimeoutExpired:
        return None, 0
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def digest(*parts):
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:16]


def child_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tests_in_time(build, programs, reach):
    """Programs that pass on the original, with the processor seconds each takes; kept for the same objects.
    They run against the library with marks, so that what they reach is known as well."""
    kept, path = {}, build.folder / "seconds.csv"
    if path.exists():
        kept = {row[0]: float(row[1]) for row in csv.reader(path.open(encoding="utf-8"))}
    library = build.digest()
    seconds, failed = {}, 0
    with path.open("a", encoding="utf-8", newline="") as out:
        for program in programs:
            key = digest("reach", library, program.name, *build.contents(program))
            if key not in kept:
                folder, table = reach.begin(key)
                before = child_cpu()
                status, _ = status_of(program, folder, SLOW_S, REACH_TABLE=str(table))
                kept[key] = child_cpu() - before if status == 0 else float("inf")
                csv.writer(out).writerow([key, kept[key]])
                out.flush()
                if status not in (0, -signal.SIGXCPU, -signal.SIGKILL):
                    print(f"left out, fails against the original: {program.name}", file=sys.stderr)
                    failed += 1
                    if failed > FAILED_MAX:
                        sys.exit("too many tests fail against the original")
            if kept[key] <= SLOW_S:
                seconds[program] = kept[key]
                reach.take(program, key)
    return seconds


class Kept:
    """The verdicts that fell so far, by the mutant and the text that it changes; past ones too, of this sample or
    another, which say what catches most in which file."""

    def __init__(self, path, again, order):
        self.verdicts = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for key, verdict, what in csv.reader(file):
                    self.verdicts[key] = verdict
                    if verdict not in NOT_CAUGHT:
                        order.note(what.split(":")[0], verdict)
        if again:
            self.verdicts = {key: verdict for key, verdict in self.verdicts.items() if verdict != "survived"}
        self.out = path.open("a", encoding="utf-8", newline="")

    def note(self, key, verdict, mutant):
        self.verdicts[key] = verdict
        csv.writer(self.out).writerow([key, verdict, mutant.describe()])
        self.out.flush()


class Order:
    """Which tests come first: those that caught most for their time, in the same file above all."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.caught = defaultdict(float)
        self.lock = threading.Lock()

    def for_file(self, path):
        stem = Path(path).stem

        def worth(program):
            same = 3 if stem in program.name else 0
            hits = same + 5 * self.caught[path, program.name] + self.caught[None, program.name]
            return (0.2 + hits) / (0.05 + self.seconds[program])

        with self.lock:
            first = sorted((program for program in self.seconds if self.judges(program, path)), key=worth, reverse=True)
        return first, sorted(set(self.seconds) - set(first), key=lambda program: (self.seconds[program], str(program)))

    def in_time(self, programs):
        """The first of them, as many as take LATER_S together."""
        taken, used_s = [], 0
        for program in programs:
            used_s += self.seconds[program]
            if used_s > LATER_S:
                break
            taken.append(program)
        return taken

    def judges(self, program, path):
        """Whether it is among the first for that file: a fast one, or one that is about it."""
        return path.startswith(JUDGES.get(program.name, ("model/",) if self.seconds[program] <= FAST_S else ()))

    def note(self, path, name):
        with self.lock:
            self.caught[path, name] += 1
            self.caught[None, name] += 0.2


def sample(texts, given):
    """All mutants in the sample's order, each with its key. The order is by what a mutant changes, not by where
    it stands: code that comes in elsewhere puts its own mutants between the others and moves none."""
    found, alike = [], defaultdict(int)
    for path, text in texts.items():
        lines, content = text.splitlines(), digest(text)
        for mutant in mutants_of(path, text):
            what = (path, lines[mutant.line - 1].strip(), mutant.kind, mutant.found, mutant.put)
            alike[what] += 1
            rank = digest(given.seed, *what, alike[what])
            found.append((rank, digest(content, mutant.start, mutant.end, mutant.put), mutant))
    found.sort(key=lambda entry: entry[0])
    return [(key, mutant) for _, key, mutant in found if given.only in mutant.path]


class Original:
    """How many allocations of its own the original's tests leave: a mutant that leaves more has a leak, as the leak
    sanitizer says of the original's tests."""

    def __init__(self, build, folder):
        self.folder, self.counts, self.lock = folder / "original", {}, threading.Lock()
        self.folder.mkdir()
        build.library(self.folder / "libs2flush.so")

    def left(self, program):
        with self.lock:
            if program not in self.counts:
                self.counts[program] = status_of(program, self.folder, SLOW_S)[1]
            return self.counts[program]

    def leaks(self, program, again):
        """Once more for both: what depends on how threads take turns is no leak."""
        with self.lock:
            self.counts[program] = max(self.counts[program], status_of(program, self.folder, SLOW_S)[1])
            return again[1] > self.counts[program]


class Trial:
    """Takes mutants in the sample's order until enough of them are real."""

    def __init__(self, build, order, reach, original, work, given):
        self.build, self.order, self.reach, self.original, self.counted = build, order, reach, original, work
        self.end = time.monotonic() + given.seconds
        self.texts = reach.texts
        all_mutants = sample(self.texts, given)
        index, shards = given.shard
        self.sites, self.mutants = len(all_mutants), queue.Queue()
        for number, entry in enumerate(all_mutants):
            if number % shards == index - 1:
                self.mutants.put((number, *entry))
        self.count = -(-given.count // shards)
        self.kept = Kept(build.folder / "kept.csv", given.again, order)
        self.plain, self.results, self.real, self.left = {}, {}, 0, 0
        self.lock = threading.Lock()

    def same_code(self, mutant, folder, out):
        if mutant.path not in self.plain:
            plain = folder / "plain.o"
            if not self.build.compile(mutant.path, self.texts[mutant.path], plain):
                sys.exit(f"{mutant.path} does not compile")
            self.plain[mutant.path] = plain.read_bytes()
        return self.plain[mutant.path] == out.read_bytes()

    def judge(self, mutant, folder):
        """'invalid', 'equivalent', 'survived', the name of the test that caught it, or 'work' and what it moves."""
        out = folder / "mutant.o"
        if not self.build.compile(mutant.path, mutant.apply(self.texts[mutant.path]), out):
            return "invalid"
        if self.same_code(mutant, folder, out):
            return "equivalent"
        self.build.library(folder / "libs2flush.so", {self.build.object_of(mutant.path): out})
        first, later = ([program for program in programs if self.reach.may_see(program, mutant)]
                        for programs in self.order.for_file(mutant.path))
        for program in first + self.order.in_time(later):
            cpu_s = 2 + int(4 * self.order.seconds[program])
            status, left = status_of(program, folder, cpu_s)
            if status != 0 or (left > self.original.left(program) and
                               self.original.leaks(program, status_of(program, folder, cpu_s))):
                self.order.note(mutant.path, program.name)
                return program.name
        moved = self.counted.moved(mutant, folder)
        return f"{WORK} {moved}" if moved else "survived"

    def work(self, folder):
        while True:
            with self.lock:
                if self.real + self.left >= self.count or self.mutants.empty():
                    return
                number, key, mutant = self.mutants.get()
                verdict = self.kept.verdicts.get(key)
                if verdict is None and time.monotonic() > self.end:
                    self.left += 1 # what is kept of the sample's rest still counts, and of no other sample
                    continue
                self.real += 1
            if verdict is None:
                verdict = self.judge(mutant, folder)
                with self.lock:
                    self.kept.note(key, verdict, mutant)
            with self.lock:
                self.real -= verdict in ("invalid", "equivalent")
                self.results[number] = (mutant, verdict)

    def run(self, jobs, folder):
        threads = []
        for job in range(jobs):
            own = folder / f"job{job}"
            own.mkdir()
            threads.append(threading.Thread(target=self.work, args=(own,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        return [self.results[number] for number in sorted(self.results)]


def report(trial, results, tests, seed, path):
    count = defaultdict(int)
    for _, verdict in results:
        count[verdict if verdict in NOT_CAUGHT else "work" if verdict.split()[0] == WORK else "tests"] += 1
    with open(path, "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["file", "line", "kind", "found", "put", "verdict"])
        rows.writerows([m.path, m.line, m.kind, m.found, m.put, verdict] for m, verdict in results)
    for mutant, verdict in results:
        if verdict == "survived":
            print(f"survived: {mutant.describe()}")
    caught = count["tests"] + count["work"]
    tried = caught + count["survived"]
    share = 100 * caught / tried if tried else 0
    print(f"mutation sites: {trial.sites}")
    print(f"mutants seed: {seed}")
    print(f"mutants with the original's code: {count['equivalent']}")
    print(f"mutants that do not compile: {count['invalid']}")
    print(f"mutants tried: {tried}")
    print(f"mutants left to try: {max(0, trial.count - tried)}")
    print(f"mutants caught: {caught}")
    print(f"mutants caught by a test: {count['tests']}")
    print(f"mutants caught by their work alone: {count['work']}")
    print(f"mutants caught in percent: {share:.1f}")
    print(f"tests that judge: {tests}")
    return share


def shard(text):
    index, _, shards = text.partition("/")
    if not (index.isdecimal() and shards.isdecimal() and 1 <= int(index) <= int(shards)):
        raise argparse.ArgumentTypeError(f"found '{text}', expected I/N with I from 1 to N")
    return int(index), int(shards)


def texts_of(patterns):
    """What each file says; a pattern of a file that is gone must not leave it out in silence."""
    texts = {}
    for pattern in patterns:
        found = sorted(Path().glob(pattern))
        if not found:
            sys.exit(f"no file {pattern}: expected those of FILES")
        texts.update((str(path), path.read_text(encoding="utf-8")) for path in found)
    return texts


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--cc", required=True, help="compiler and flags of the objects")
    parser.add_argument("--libs", required=True, help="libraries of the library")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=float("inf"),
                        help="take no new mutant after that time")
    parser.add_argument("--shard", type=shard, default=(1, 1), help="I/N: every Nth of the sample from the Ith on")
    parser.add_argument("--again", action="store_true", help="try those that survived again, as tests have been added")
    parser.add_argument("--only", default="", help="only files whose path has this in it")
    parser.add_argument("--min-percent", type=float, default=90, help="percent that must be caught")
    return parser.parse_args()


def main():
    given = arguments()
    os.nice(10)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=given.build) as scratch:
        folder = Path(scratch).resolve()
        build = Build(given.build, given.cc, given.libs)
        build.guard(folder)
        build.library(folder / "libs2flush.so")
        texts = texts_of(FILES)
        reach = Reach(build, texts, folder)
        seconds = tests_in_time(build, build.tests(folder), reach)
        original = Original(build, folder)
        library = build.digest()
        work = Work(build, folder, original.folder, reach, lambda *parts: digest(library, *parts))
        trial = Trial(build, Order(seconds), reach, original, work, given)
        results = trial.run(given.jobs, folder)
    share = report(trial, results, len(seconds), given.seed, Path(given.build) / "mutants.csv")
    print(f"mutants seconds: {time.monotonic() - start:.0f}")
    return 0 if share >= given.min_percent else 1


if __name__ == "__main__":
    sys.exit(main())
