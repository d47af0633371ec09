#!/usr/bin/env python3
"""Runs the benchmarks and prints one table; `make bench` calls it.

    run_bench.py DRIVERS              all of it; writes results/bench
    run_bench.py DRIVERS --check      our instructions only; status 1 where one
                                      left the baseline by more than 1 %
    run_bench.py DRIVERS --law        the flush law alone; writes nothing
    run_bench.py DRIVERS --waits      the commands that people wait for alone; writes nothing
    run_bench.py DRIVERS --accept     all of it, and makes it the baseline and
                                      the table in bench/README.md

DRIVERS is the folder of the built drivers. What is measured is the table ROWS
below: to add a measurement, add a row.
"""

import argparse
import csv
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import flush_law

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULTS = ROOT / "results" / "bench"
BASELINE = ROOT / "bench" / "baseline.csv"
README = ROOT / "bench" / "README.md"
REPETITIONS = 7
TOLERANCE = 0.01


@dataclass(frozen=True)
class Row:
    what: str  # "operation: by what means"
    n: int  # the size of the problem
    unit: str  # what one operation is
    command: str  # {count} is how many it does
    count: int  # instructions are those of 2 x count less those of count; 0: not counted
    timed: int  # the count for times; 0: not timed
    per: int = 1  # operations in one of `count`
    limit: int = 0  # instructions that it may take
    within: float = 0  # what multiple of its first peer's instructions it may take
    floor: tuple = ()  # the row that does the same without an event list
    peers: tuple = ()  # rows that do the same by other means

    @property
    def key(self):
        return self.what, self.n

    @property
    def ours(self):
        return not self.command.startswith("peers.py")


def hold_rows():
    yield Row("hold: no event list", 1, "hold", "hold floor 1 {count}", 200_000, 50_000_000)
    floor = ("hold: no event list", 1)
    for n, limit in (10, 125), (1000, 300), (100_000, 0), (1_000_000, 0):
        simpy = n <= 100_000
        small = n <= 1000
        peers = [("hold: Python heapq", n)] + [("hold: SimPy", n)] * simpy
        yield Row("hold: calendar", n, "hold", f"hold calendar {n} {{count}}",
                  400_000, 4_000_000, limit=limit, floor=floor, peers=tuple(peers))
        yield Row("hold: Python heapq", n, "hold", f"peers.py hold heapq {n} {{count}}",
                  10_000 if small else 0, 300_000)
        if simpy:
            yield Row("hold: SimPy", n, "hold", f"peers.py hold simpy {n} {{count}}",
                      10_000 if small else 0, 200_000)


def mm1_rows():
    peers = (("M/M/1: Python heapq", 2), ("M/M/1: SimPy", 2))
    for rng, limit in ("xoshiro", 150), ("mt19937", 0):
        floor = (f"M/M/1: no event list with {rng}", 2)
        yield Row(floor[0], 2, "event", f"mm1 floor {rng} {{count}}", 200_000, 3_000_000, per=2)
        yield Row(f"M/M/1: calendar with {rng}", 2, "event", f"mm1 calendar {rng} {{count}}",
                  200_000, 3_000_000, per=2, limit=limit, floor=floor, peers=peers)
    for name, peer in ("Python heapq", "heapq"), ("SimPy", "simpy"):
        yield Row(f"M/M/1: {name}", 2, "event", f"peers.py mm1 {peer} {{count}}",
                  5_000, 100_000, per=2)


def model_rows():
    # Not timed: the first boot, which is needed and not meant, would drown it.
    yield Row("exact: fault after a reboot", 1, "fault", "guest again 1 {count}", 4000, 0,
              limit=6000)
    yield Row("exact: the same and 64 lines written", 1, "fault", "guest again 64 {count}",
              4000, 0)
    yield Row("exact: first touch of a page", 1, "fault", "guest first 64 {count}", 4000, 16_000)
    small = ("fast: boot and reboot of n GiB", 1)
    yield Row(*small, "run", "guest reboots 1 {count}", 20, 200)
    yield Row(small[0], 1024, "run", "guest reboots 1024 {count}", 20, 200, within=1.5,
              peers=(small,))
    # Where vCPUs meet, not timed. A race has a fault of each vCPU on each page, a step each; side by
    # side each maps 16,384 pages, several a step.
    yield Row("fast: vCPUs race for a page", 8, "fault", "guest race 8 {count}", 2000, 0, per=8)
    for n in (8, 64):
        yield Row("fast: vCPUs side by side", n, "page",
                  f"guest beside {n} {{count}}", 1, 0, per=n * 16_384)
    # What more of the same takes, not timed.
    few = ("fast: VMs on one host", 8)
    yield Row(*few, "page", "guest host 8 {count}", 1, 0, per=8 * 32_768)
    yield Row(few[0], 127, "page", "guest host 127 {count}", 1, 0, within=3, per=127 * 32_768,
              peers=(few,))
    few = ("fast: pieces of a timeline", 1000)
    yield Row(*few, "piece", "guest pieces 1000 {count}", 5, 0, per=1000)
    yield Row(few[0], 100_000, "piece", "guest pieces 100000 {count}", 1, 0, within=1.5,
              per=100_000, peers=(few,))


def part_rows():
    """Small fixed things of each part, not timed: what they take must not grow unseen."""
    for part, count in (("intervals", 20), ("host", 20), ("caches", 2), ("numbers", 400),
                        ("logs", 4000), ("quantiles", 400)):
        yield Row(f"part: {part}", 1, "round", f"parts {part} {{count}}", count, 0)
    for strategy in ("unmap", "eager", "eager-workers", "hybrid", "reinit-lazy-vmall-toggle0"):
        yield Row(f"play: {strategy}", 3, "play", f"plays {strategy} neoverse-n1 fast {{count}}", 4, 0)
    for how, count in ("fast", 4), ("exact", 1):
        yield Row(f"play: unmap, {how}, two sockets", 3, "play",
                  f"plays unmap altra-max-2s {how} {{count}}", count, 0)
    for asked, study in (("map", "serial"), ("map", "contended"), ("map", "fitted"),
                         ("again", "serial"), ("breakeven", "serial"), ("target", "serial"),
                         ("sensitivity", "serial"), ("sensitivity", "many"),
                         ("advise", "serial"), ("advise", "many")):
        yield Row(f"study: {asked}, {study}", 1, "study", f"studies {asked} {study} {{count}}", 1, 0)


ROWS = [*hold_rows(), *mm1_rows(), *model_rows(), *part_rows()]

# Two ways to the same sum must find the same one.
SAME = [(f"M/M/1: calendar with {rng}", f"M/M/1: no event list with {rng}")
        for rng in ("xoshiro", "mt19937")]

# The mean time in the system of M/M/1 at these rates, in services.
MM1_MEAN = 10


# --- measuring ---


def find_python():
    """A Python that has SimPy: Debian's, which need not be the first one in the path."""
    for python in filter(None, (sys.executable, shutil.which("python3", path=os.defpath))):
        if subprocess.run([python, "-c", "import simpy"], capture_output=True).returncode == 0:
            return python
    sys.exit("no Python here has SimPy: make deps-bench")


def command_of(row, drivers, python, count):
    words = row.command.format(count=count).split()
    if words[0] == "peers.py":
        return [python, str(HERE / words[0]), *words[1:]]
    return [str(drivers / words[0]), *words[1:]]


def run(command, env=None, **options):
    # Hashes of strings are otherwise drawn anew in each run of Python.
    env = dict(env or os.environ, PYTHONHASHSEED="0")
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    return done


def count_instructions(command, **options):
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    found = re.search(r"I +refs: +([\d,]+)", run(tool + command, **options).stderr)
    return int(found[1].replace(",", ""))


def instructions_of(row, drivers, python):
    """Of one operation; start-up is the same in both runs and cancels."""
    once, twice = (count_instructions(command_of(row, drivers, python, count))
                   for count in (row.count, 2 * row.count))
    return (twice - once) / (row.count * row.per)


def measure_instructions(rows, drivers, python):
    rows = [row for row in rows if row.count]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda row: instructions_of(row, drivers, python), rows)
        return {row.key: value for row, value in zip(rows, found)}


def pin():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def time_once(row, drivers, python, count):
    ns, check = run(command_of(row, drivers, python, count), preexec_fn=pin).stdout.split()
    return int(ns), int(check)


def measure_times(rows, drivers, python):
    """(minimum, median) of one operation, and the check values. In rounds over all rows, so that
    a busy spell of the machine spoils one repetition of each and not all of one; the first round
    is a warm-up."""
    rows = [row for row in rows if row.timed]
    times, checks = {row.key: [] for row in rows}, {}
    for _ in range(REPETITIONS + 1):
        for row in rows:
            ns, checks[row.key] = time_once(row, drivers, python, row.timed)
            times[row.key].append(ns / (row.timed * row.per))
    return {key: (min(ns[1:]), statistics.median(ns[1:])) for key, ns in times.items()}, checks


def compare_checks(checks):
    for a, b in SAME:
        if checks[a, 2] != checks[b, 2]:
            sys.exit(f"{a} and {b} disagree: {checks[a, 2]} and {checks[b, 2]} ps")
    for row in ROWS:
        if row.what.startswith("M/M/1"):
            mean = checks[row.key] / row.timed / 1e9
            if abs(mean / MM1_MEAN - 1) > 0.2:
                sys.exit(f"{row.what}: {mean:.2f} services in the system, not {MM1_MEAN}")


# Whole studies: how long, on all cores and on one, and the most memory that it took.
STUDY_REPETITIONS = 3
STUDIES = ["first-light", "reference", "reference-full"]


def run_study(drivers, study, jobs):
    """(seconds, MiB at the peak, runs played or priced) of a study played by that many threads."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(drivers.parent / "s2flush"), "run", study, "-o", folder, f"--jobs={jobs}"]
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if status != 0:
            sys.exit(f"{' '.join(command)}: status {status}\n{said}")
        seconds = time.monotonic() - start
        runs = re.search(r"(\d+) runs played, (\d+) priced again", said)
        return seconds, usage.ru_maxrss / 1024, int(runs[1]) + int(runs[2])


def measure_studies(drivers):
    """Rows of bench.csv: seconds on all cores (with those on one as peer), how many times as fast
    that is, microseconds of all cores for a draw of a point, and MiB. The fastest of some
    repetitions, and the most memory of them."""
    cores = os.cpu_count()
    for study in STUDIES:
        both = [(run_study(drivers, study, 1), run_study(drivers, study, cores))
                for _ in range(STUDY_REPETITIONS)]
        one, all_ = (min(runs[i][0] for runs in both) for i in range(2))
        memory, draws = (max(runs[1][i] for runs in both) for i in (1, 2))
        yield [f"study: {study}", cores, "s", f"{all_:.3g}", "one core", f"{one:.3g}",
               f"{all_ / one:.3g}"]
        yield [f"study: {study}", cores, "times one core's speed", f"{one / all_:.3g}", "", "", ""]
        yield [f"study: {study}", cores, "us/point-draw", f"{1e6 * all_ * cores / draws:.4g}", "", "",
               ""]
        yield [f"study: {study}", cores, "MiB at the peak", f"{memory:.3g}", "", "", ""]


def measure_allocation(drivers):
    """The row of what is allocated while timelines play; must be nothing."""
    _, allocated = run([str(drivers / "guest"), "allocated", "64", "2"]).stdout.split()
    if int(allocated) != 0:
        sys.exit(f"{allocated} bytes allocated while a timeline plays")
    yield ["bytes allocated while a timeline plays", 1, "bytes", allocated, "limit", 0, ""]


def tell_study(row):
    what, n, unit, value, peer, other, _ = row
    if peer == "limit":
        return f"{what}: {value}"
    return f"{what}, {n} cores: {value} {unit}" + (f" ({other} s on one)" if peer else "")


# --- what people wait for ---

# Seconds of CPU that a command took at 0a091fc, on a machine where a hold with 10 events pending
# took HOLD_THEN ns, and the share of that which it may take.
HOLD_THEN = 15
BREAKEVEN = ["breakeven", "generated-boot-draws.ini", "--axis", "touched", "--from", "0.01",
             "--to", "1", "--set", "draws=4096"]
LADDERS = ["advise", "q01-space.ini", "--all"]
QUESTIONS = sorted(path.stem for path in (ROOT / "workloads" / "questions").glob("q*.ini"))
WAITS = [("validate", ["validate"], 49.1, 1 / 4),
         ("run scenarios", ["run", "scenarios"], 140.8, 1 / 5),
         ("run reference", ["run", "reference"], 22.6, 1 / 10),
         ("breakeven at 4,096 draws", BREAKEVEN, 214.6, 1 / 50),
         ("advise on q01's space", LADDERS, 58, 1 / 2)]
QUESTIONS_THEN, QUESTIONS_SHARE = 499, 1 / 8
STEPS = ["run", "map", "breakeven", "sensitivity", "memo"]
STEPS_STUDY, STEPS_LIMIT = "q03-vcpus", 1.1  # all of them over the first one

BREAKEVEN_STUDY = """[study]
name = generated-boot-draws
draws = 64
[set]
vcpus = 1
[axes]
workload = generated-boot
machine = kunpeng-920
strategy = unmap, unmap-lazy, eager
"""


LADDERS_STUDY = """[study]
name = q01-space
draws = 64
shifts = 8
[set]
workload = generated-boot
footprint = 16G
kernel = 7.3
touched = 10%
[axes]
machine = kunpeng-920, neoverse-n1
backing = 4k, thp
vcpus = 1, 8
strategy = unmap
"""


def cpu_of(drivers, arguments, folder):
    """Seconds of CPU of the program, in user mode."""
    output = [] if arguments[0] == "breakeven" else ["-o", str(folder)]
    process = subprocess.Popen([str(drivers.parent / "s2flush"), *arguments, *output], cwd=ROOT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"s2flush {' '.join(arguments)}: status {process.returncode}\n{said}")
    return usage.ru_utime


def measure_waits(drivers, hold_ns):
    """Rows of bench.csv: seconds of CPU, with what they may be on this machine as peer."""
    faster = hold_ns / HOLD_THEN
    with tempfile.TemporaryDirectory() as folder:
        studies = {BREAKEVEN[1]: BREAKEVEN_STUDY, LADDERS[1]: LADDERS_STUDY}
        for name, text in studies.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        for name, arguments, then, share in WAITS:
            arguments = [str(Path(folder) / word) if word in studies else word
                         for word in arguments]
            yield wait_row(name, cpu_of(drivers, arguments, Path(folder) / name), then, share, faster)
        asked = {question: cpu_of(drivers, ["report", question], Path(folder) / question)
                 for question in QUESTIONS}
        for question, seconds in asked.items():
            yield wait_row(f"report {question}", seconds, QUESTIONS_THEN, QUESTIONS_SHARE / 5, faster)
        yield wait_row("report of all questions", sum(asked.values()), QUESTIONS_THEN,
                       QUESTIONS_SHARE, faster)
        steps = [cpu_of(drivers, [step, STEPS_STUDY], Path(folder) / "steps") for step in STEPS]
        for question in [*QUESTIONS, "steps"]:
            expect_no_repeats(Path(folder) / question / "samples.db")
        for step, seconds in zip(STEPS, steps):
            yield [f"wait: {step} {STEPS_STUDY}", 1, "s of CPU", f"{seconds:.3g}", "run",
                   f"{steps[0]:.3g}", f"{seconds / steps[0]:.3g}"]
        yield [f"wait: all five of {STEPS_STUDY}", 1, "s of CPU", f"{sum(steps):.3g}", "limit",
               f"{STEPS_LIMIT * steps[0]:.3g}", f"{sum(steps) / STEPS_LIMIT / steps[0]:.3g}"]


def expect_no_repeats(path):
    """Ends the run where a simulation was played that the store had already."""
    with sqlite3.connect(path) as store:
        times = store.execute("SELECT value FROM about WHERE name = 'plays_repeated'").fetchone()[0]
    store.close()
    if times != 0:
        sys.exit(f"{path.parent.name}: {times} simulations were played twice")


def wait_row(name, seconds, then, share, faster):
    limit = then * share * faster
    return [f"wait: {name}", 1, "s of CPU", f"{seconds:.3g}", "limit", f"{limit:.3g}",
            f"{seconds / limit:.3g}"]


def tell_wait(row):
    what, _, unit, value, peer, other, ratio_ = row
    return f"{what}: {value} {unit}, {ratio_} of {'what run takes' if peer == 'run' else 'the limit'}"


# --- reporting ---


def figure(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def ratio(value, other):
    return None if value is None or not other else value / other


def smallest(ratio_):
    return "-" if ratio_ is None else f"{ratio_:.2g}" if ratio_ < 100 else f"{ratio_:.0f}"


def first_line(command, pattern):
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(pattern, done.stdout)
    return found[1] if found else "?"


def conditions(python):
    """What the figures depend on, in a few lines."""
    versions = {
        "gcc": first_line(["gcc", "--version"], r"(\d+\.\d+\.\d+)"),
        "GSL": first_line(["gsl-config", "--version"], r"(\S+)"),
        "valgrind": first_line(["valgrind", "--version"], r"valgrind-(\S+)"),
        "Python": first_line([python, "--version"], r"Python (\S+)"),
        "SimPy": first_line([python, "-c", "import simpy; print(simpy.__version__)"], r"(\S+)"),
    }
    cpu = first_line(["lscpu"], r"Model name: +(.*)")
    return (", ".join(f"{name} {version}" for name, version in versions.items()) +
            f"\n{cpu}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end; "
            f"{REPETITIONS} repetitions after a warm-up, pinned")


def text_table(instructions, times):
    head = ["what", "n", "instructions", "limit", "ns min", "ns median", "ns to peers", "to floor"]
    lines = [head]
    for row in ROWS:
        low, median = times.get(row.key, (None, None))
        peers = [smallest(ratio(low, times.get(peer, (None,))[0])) for peer in row.peers]
        floor = ratio(low, times.get(row.floor, (None,))[0])
        lines.append([row.what, f"{row.n:,}", figure(instructions.get(row.key)),
                      figure(limit_of(row, instructions) or None), figure(low), figure(median),
                      " ".join(peers) or "-", smallest(floor)])
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        cells = [cell.ljust(width[0]) if i == 0 else cell.rjust(width[i])
                 for i, cell in enumerate(line)]
        yield "  ".join(cells).rstrip()


def csv_rows(instructions, times):
    """One line for each figure and each thing that it is held against."""
    for row in ROWS:
        low, median = times.get(row.key, (None, None))
        values = {"instructions": instructions.get(row.key), "ns_min": low, "ns_median": median}
        for i, (name, value) in enumerate(values.items()):
            if value is None:
                continue
            others = [(f"{what} (n={n})", (instructions.get((what, n)),
                                           *times.get((what, n), (None, None)))[i])
                      for what, n in (*row.peers, *([row.floor] if row.floor else []))]
            limit = limit_of(row, instructions)
            if limit and name == "instructions":
                others.append(("limit", limit))
            for peer, other in others or [("", None)]:
                yield [row.what, row.n, f"{name}/{row.unit}", f"{value:.7g}", peer,
                       "" if other is None else f"{other:.7g}",
                       "" if other is None else f"{value / other:.3g}"]


def write_csv(path, head, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def plot(times):
    """The title states what the plot shows, so it is computed with it."""
    ours, heap, simpy = (times[f"M/M/1: {name}", 2][0]
                         for name in ("calendar with xoshiro", "Python heapq", "SimPy"))
    title = (f"An event of M/M/1 takes {ours:.0f} ns: 1/{heap / ours:.0f} of a Python heap, "
             f"1/{simpy / ours:.0f} of SimPy")
    run(["gnuplot", "-e", f"csv='{RESULTS}/bench.csv'; out='{RESULTS}/bench'; finding='{title}'",
         str(ROOT / "bench" / "plots" / "bench.gp")])


# --- limits and the baseline ---


def limit_of(row, instructions):
    return row.within * instructions[row.peers[0]] if row.within else row.limit


def over_limit(instructions):
    for row in ROWS:
        limit = limit_of(row, instructions)
        if limit and instructions[row.key] > limit:
            yield (f"over its limit: {row.what}, n={row.n}: {figure(instructions[row.key])} "
                   f"instructions, {figure(limit)} allowed")


def read_baseline():
    if not BASELINE.exists():
        return {}
    with open(BASELINE, newline="", encoding="utf-8") as file:
        return {(line["what"], int(line["n"])): float(line["value"])
                for line in csv.DictReader(file)}


def changes(instructions):
    """Our own figures that are not what the baseline says, as lines for people."""
    before = read_baseline()
    now = {row.key: instructions[row.key] for row in ROWS if row.ours and row.count}
    for key in sorted(before.keys() | now.keys()):
        name = f"{key[0]}, n={key[1]}"
        if key not in now or key not in before:
            yield f"{name}: {'only in' if key in before else 'not in'} the baseline"
        elif abs(now[key] / before[key] - 1) > TOLERANCE:
            yield (f"{name}: {figure(before[key])} -> {figure(now[key])} instructions "
                   f"({100 * (now[key] / before[key] - 1):+.1f} %)")


def report_instructions(instructions):
    changed = [f"changed: {line}" for line in changes(instructions)]
    found = [*over_limit(instructions), *changed]
    print("\n".join(found) if found else
          f"All limits kept; no instruction figure more than {TOLERANCE:.0%} off the baseline.")
    return bool(changed)


def accept(instructions, text):
    write_csv(BASELINE, ["what", "n", "unit", "value"],
              [[row.what, row.n, f"instructions/{row.unit}", f"{instructions[row.key]:.7g}"]
               for row in ROWS if row.ours and row.count])
    readme = README.read_text(encoding="utf-8")
    table = re.compile(r"(?<=```text\n).*?(?=```)", re.DOTALL)
    README.write_text(table.sub(lambda _: text, readme, count=1), encoding="utf-8")


def measure_law(drivers):
    return flush_law.measure(ROOT / "build" / "probe", drivers.parent / "s2flush", ROOT)


def full_run(drivers, python):
    """Measures all and writes results/bench; returns the instructions and the text."""
    instructions = measure_instructions(ROWS, drivers, python)
    times, checks = measure_times(ROWS, drivers, python)
    compare_checks(checks)
    studies = [*measure_studies(drivers), *measure_allocation(drivers)]
    waits = [*measure_waits(drivers, times["hold: calendar", 10][0])]
    flushes, law = measure_law(drivers)
    text = "\n".join([*text_table(instructions, times), "",
                      *(tell_study(row) for row in studies),
                      "", *(tell_wait(row) for row in waits),
                      "", *law, "", conditions(python), ""])
    write_csv(RESULTS / "bench.csv", ["what", "n", "unit", "value", "peer", "peer_value", "ratio"],
              [*csv_rows(instructions, times), *studies, *waits, *flushes])
    (RESULTS / "bench.txt").write_text(text, encoding="utf-8")
    plot(times)
    return instructions, text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("drivers", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--law", action="store_true")
    parser.add_argument("--waits", action="store_true")
    args = parser.parse_args()
    drivers = args.drivers.resolve()
    if args.check:
        ours = [row for row in ROWS if row.ours]
        return 1 if report_instructions(measure_instructions(ours, drivers, "")) else 0
    if args.law:
        print("\n".join(measure_law(drivers)[1]))
        return 0
    if args.waits:
        hold = [row for row in ROWS if row.key == ("hold: calendar", 10)]
        ns = measure_times(hold, drivers, "")[0]["hold: calendar", 10][0]
        for row in measure_waits(drivers, ns):
            print(tell_wait(row), flush=True)
        return 0
    instructions, text = full_run(drivers, find_python())
    if args.accept:
        accept(instructions, text)
    print(text)
    report_instructions(instructions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
