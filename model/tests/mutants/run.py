#!/usr/bin/env python3
"""Do the unit tests notice when the model is wrong? `make mutants` calls it.

    run.py BUILD --cc "CC FLAGS" --libs LIBS [--count N] [--seed S] [--jobs J]

BUILD/obj holds position-independent objects of the library and of the tests.
Each of N random mutants of the cost and kernel code (FILES) takes its object's
place in a shared library, and the tests run against that, those that are most
likely to fail first, up to the first that fails. A mutant whose object code is
that of the original is none; one that does not compile is none either.

A test also fails by a crash, or by using ten times the processor time, or far
more memory or wall time, than it should. Prints `name: value` lines and every
mutant that survived; BUILD/mutants.csv lists all of them, and BUILD/mutants.log
grows as they are tried.
"""

import argparse
import csv
import os
import queue
import random
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from sites import mutants_of

FILES = ["model/kvm/*.c", "model/machine/*.c", "model/vm/*.c", "model/run/*.c",
         *(f"model/core/{name}.c" for name in ("actor", "calendar", "ledger", "resource", "rng",
                                               "interval_map", "histogram", "u64", "units")),
         *(f"model/study/{name}.c" for name in ("metrics", "setup", "stats", "trial", "trial_json", "evaluate",
                                                "execute", "store", "store_plays", "store_points",
                                                "winner_map", "breakeven", "breakeven_pairs",
                                                "crossing", "advise", "advise_search",
                                                "policy_space", "sensitivity", "information",
                                                "sobol", "target", "draws"))]

# Processor seconds that the original may take in a test that counts as fast.
FAST_S = 2.5
MEMORY_BYTES = 4 << 30
FILE_BYTES = 256 << 20
WALL_S = 300


class Build:
    """The original's objects, and the commands that make others."""

    def __init__(self, folder, cc, libs):
        self.folder, self.cc, self.libs = Path(folder), shlex.split(cc), shlex.split(libs)
        self.objects = sorted(path for path in self.folder.glob("obj/**/*.o")
                              if path.parts[-2] not in ("tests", "fuzz", "bench")
                              and path.name != "main.o")

    def object_of(self, path):
        return self.folder / "obj" / Path(path).relative_to("model").with_suffix(".o")

    def compile(self, path, text, out):
        """From the text, but as if it stood in that file, so that objects can be compared."""
        command = [*self.cc, "-w", "-x", "c", "-c", "-o", str(out), "-"]
        source = f'#line 1 "{path}"\n{text}'
        return subprocess.run(command, input=source, text=True, check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    def library(self, out, instead=None):
        """The library, with other objects in place of some of the original's."""
        instead = instead or {}
        subprocess.run([self.cc[0], "-shared", "-fopenmp", "-o", str(out),
                        *(str(instead.get(path, path)) for path in self.objects), *self.libs],
                       check=True)

    def tests(self, out):
        found = []
        helpers = [str(path) for path in sorted(self.folder.glob("obj/tests/*.o"))
                   if not path.name.startswith("test_")]
        for test in sorted(self.folder.glob("obj/tests/test_*.o")):
            program = out / test.stem
            subprocess.run([self.cc[0], "-fopenmp", "-o", str(program), str(test), *helpers,
                            f"-L{out}",
                            "-ls2flush", "-lcmocka", *self.libs], check=True)
            found.append(program)
        return found


def limits(cpu_s):
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def passes(program, folder, cpu_s):
    """Whether a test passes against the library in that folder."""
    scratch = tempfile.mkdtemp(dir=folder)
    env = dict(os.environ, LD_LIBRARY_PATH=str(folder), TMPDIR=scratch, OMP_NUM_THREADS="1",
               OMP_WAIT_POLICY="passive")
    try:
        done = subprocess.run([str(program)], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=WALL_S, check=False, start_new_session=True,
                              preexec_fn=lambda: limits(cpu_s))
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def child_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fast_tests(programs, folder):
    """Programs that pass on the original, with the processor seconds each takes."""
    seconds = {}
    for program in programs:
        before = child_cpu()
        if not passes(program, folder, 60):
            print(f"left out, fails against the original: {program.name}", file=sys.stderr)
            continue
        took = child_cpu() - before
        if took <= FAST_S:
            seconds[program] = took
    return seconds


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
            hits = same + 5 * self.caught[path, program] + self.caught[None, program]
            return (0.2 + hits) / (0.05 + self.seconds[program])

        with self.lock:
            return sorted(self.seconds, key=worth, reverse=True)

    def note(self, path, program):
        with self.lock:
            self.caught[path, program] += 1
            self.caught[None, program] += 0.2


class Trial:
    """Takes mutants in random order until enough of them are real."""

    def __init__(self, build, order, given, log):
        self.build, self.order, self.count, self.log = build, order, given.count, log
        self.end = time.monotonic() + given.seconds
        self.texts = {str(path): Path(path).read_text(encoding="utf-8")
                      for pattern in FILES for path in sorted(Path().glob(pattern))}
        mutants = [mutant for path, text in self.texts.items() for mutant in mutants_of(path, text)
                   if given.only in path]
        random.Random(given.seed).shuffle(mutants)
        self.sites, self.mutants = len(mutants), queue.Queue()
        for number, mutant in enumerate(mutants):
            self.mutants.put((number, mutant))
        self.plain, self.results, self.real = {}, {}, 0
        self.lock = threading.Lock()

    def same_code(self, mutant, folder, out):
        if mutant.path not in self.plain:
            plain = folder / "plain.o"
            if not self.build.compile(mutant.path, self.texts[mutant.path], plain):
                sys.exit(f"{mutant.path} does not compile")
            self.plain[mutant.path] = plain.read_bytes()
        return self.plain[mutant.path] == out.read_bytes()

    def judge(self, mutant, folder):
        """'invalid', 'equivalent', 'survived', or the name of the test that caught it."""
        out = folder / "mutant.o"
        if not self.build.compile(mutant.path, mutant.apply(self.texts[mutant.path]), out):
            return "invalid"
        if self.same_code(mutant, folder, out):
            return "equivalent"
        self.build.library(folder / "libs2flush.so", {self.build.object_of(mutant.path): out})
        for program in self.order.for_file(mutant.path):
            cpu_s = max(2, int(10 * self.order.seconds[program]) + 1)
            if not passes(program, folder, cpu_s):
                self.order.note(mutant.path, program)
                return program.name
        return "survived"

    def work(self, folder):
        while True:
            with self.lock:
                late = time.monotonic() > self.end
                if self.real >= self.count or self.mutants.empty() or late:
                    return
                number, mutant = self.mutants.get()
                self.real += 1
            verdict = self.judge(mutant, folder)
            with self.lock:
                self.real -= verdict in ("invalid", "equivalent")
                self.results[number] = (mutant, verdict)
                self.log.write(f"{verdict}: {mutant.describe()}\n")
                self.log.flush()

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
        count[verdict if verdict in ("invalid", "equivalent", "survived") else "caught"] += 1
    with open(path, "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["file", "line", "kind", "found", "put", "verdict"])
        rows.writerows([m.path, m.line, m.kind, m.found, m.put, verdict] for m, verdict in results)
    for mutant, verdict in results:
        if verdict == "survived":
            print(f"survived: {mutant.describe()}")
    tried = count["caught"] + count["survived"]
    share = 100 * count["caught"] / tried if tried else 0
    print(f"mutation sites: {trial.sites}")
    print(f"mutants seed: {seed}")
    print(f"mutants with the original's code: {count['equivalent']}")
    print(f"mutants that do not compile: {count['invalid']}")
    print(f"mutants tried: {tried}")
    print(f"mutants caught: {count['caught']}")
    print(f"mutants caught in percent: {share:.1f}")
    print(f"tests that judge: {tests}")
    return share


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
    parser.add_argument("--only", default="", help="only files whose path has this in it")
    parser.add_argument("--least", type=float, default=85, help="percent that must be caught")
    return parser.parse_args()


def main():
    given = arguments()
    os.nice(10)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=given.build) as scratch:
        folder = Path(scratch).resolve()
        build = Build(given.build, given.cc, given.libs)
        build.library(folder / "libs2flush.so")
        seconds = fast_tests(build.tests(folder), folder)
        with open(build.folder / "mutants.log", "w", encoding="utf-8") as log:
            trial = Trial(build, Order(seconds), given, log)
            results = trial.run(given.jobs, folder)
    share = report(trial, results, len(seconds), given.seed, Path(given.build) / "mutants.csv")
    print(f"mutants seconds: {time.monotonic() - start:.0f}")
    return 0 if share >= given.least else 1


if __name__ == "__main__":
    sys.exit(main())
