"""Whether a platform that was fitted to flushes of some sizes predicts those of others.

The probe (bench/kvm/probe) measures on this machine; `s2flush calibrate` makes a platform
of the rows FIT, and `s2flush calibrate --check` says what that makes of all rows.

    flush_law.py ROWS.csv    what a law of two cache levels makes of recorded rows
                             (run,state,bytes,us); status 1 where it misses one that it was
                             not fitted to
"""

import csv
import io
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PASSES = 15  # runs of the probe, so that sizes take turns; a row is the median of its medians
SAMPLES = 5  # of a run; eight times as many of short buffers
KIB = 1024
FIT = [4 * KIB, 32 * KIB, 256 * KIB]
PREDICT = [8 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, 512 * KIB]
LONG = [2048 * KIB, 8192 * KIB]  # beyond a core's own caches
STATES = ["absent", "clean", "dirty"]
WITHIN = 0.10
HEAD = ["quantity", "state", "cores", "bytes", "value", "unit", "n", "median", "p10", "p90"]


def run(command, root):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=root)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def probe_once(probe, root):
    sizes = ",".join(f"{size // KIB}K" for size in FIT + PREDICT + LONG)
    text = run([probe, "machine", "--cores", 1, "--samples", SAMPLES,
                "--bytes", sizes], root)
    return {tuple(row[key] for key in HEAD[:4]): row for row in csv.DictReader(io.StringIO(text))}


def median_rows(passes):
    """The rows of one pass, each number the median over all."""
    for key, row in passes[0].items():
        same = [each[key] for each in passes]
        yield row | {name: f"{statistics.median(float(each[name]) for each in same):.6g}"
                     for name in ("value", "median", "p10", "p90")}


def write_rows(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEAD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def fits(row):
    return int(row["bytes"]) in [0, *FIT] or row["quantity"].startswith("mem_")


def check_rows(s2flush, root, rows):
    """(state, bytes, measured, predicted) in ns a line, of the instruction that is fitted."""
    with tempfile.TemporaryDirectory() as folder:
        fit, every, platform = (Path(folder) / name for name in ("fit.csv", "all.csv", "host.ini"))
        write_rows(fit, [row for row in rows if fits(row)])
        write_rows(every, rows)
        run([s2flush, "calibrate", fit, "-o", platform], root)
        text = run([s2flush, "calibrate", every, "--check", platform], root)
    for row in csv.DictReader(io.StringIO(text)):
        name = re.fullmatch(r"\S+ (absent|clean|dirty), 1 core, (\d+) bytes", row["row"])
        if name:
            yield name[1], int(name[2]), float(row["measured"]), float(row["predicted"])


def bench_rows(found, line_bytes):
    """Lines of bench.csv: times of whole buffers in us, predicted and measured."""
    for state, size, measured, predicted in found:
        lines = size / line_bytes / 1000
        use = "fitted" if size in FIT else "predicted" if size in PREDICT else "beyond"
        yield [f"flush: {state} lines ({use})", size, "us", f"{predicted * lines:.4g}", "measured",
               f"{measured * lines:.4g}", f"{predicted / measured:.3g}"]


def percent(values):
    return f"{100 * statistics.median(values):.1f} %"


def error(row):
    return row[3] / row[2] - 1


def own_barrier(found, state, line_bytes):
    """A state's own (ns a line, ns of the barrier) by relative least squares over FIT, to see
    how much of a miss is that one barrier stands for all states."""
    rows = [(line_bytes / size, measured) for each, size, measured, _ in found
            if each == state and size in FIT]
    a, b, c = (sum(x ** power / y ** 2 for x, y in rows) for power in (0, 1, 2))
    d, e = (sum(x ** power / y for x, y in rows) for power in (0, 1))
    return (c * d - b * e) / (a * c - b * b), (a * e - b * d) / (a * c - b * b)


def barrier_lines(found, line_bytes):
    for state in STATES:
        line, barrier = own_barrier(found, state, line_bytes)
        errors = [abs((line + barrier * line_bytes / size) / measured - 1)
                  for each, size, measured, _ in found if each == state and size in PREDICT]
        held = sum(each <= WITHIN for each in errors)
        yield (f"  with a barrier of its own, {state}: {line:.2f} ns a line, barrier {barrier:.0f} "
               f"ns; median {percent(errors)} off, {held} of {len(errors)} within {WITHIN:.0%}")


def solve(rows):
    """Coefficients by relative least squares of (factors, measured) rows: normal equations."""
    size = len(rows[0][0])
    matrix = [[sum(x[i] * x[j] / y ** 2 for x, y in rows) for j in range(size)]
              + [sum(x[i] / y for x, y in rows)] for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(matrix[k][i]))
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        for k in range(size):
            if k != i:
                share = matrix[k][i] / matrix[i][i]
                matrix[k] = [a - share * b for a, b in zip(matrix[k], matrix[i])]
    return [matrix[i][size] / matrix[i][i] for i in range(size)]


def level_factors(lines, near):
    return [1, min(lines, near), max(0, lines - near)]


def fit_levels(times, near, line_bytes):
    """(sum of squares, prices by state) with so many lines in the core's own caches."""
    square, prices = 0, {}
    for state in STATES:
        rows = [(level_factors(size / line_bytes, near), times[state][size]) for size in FIT + LONG]
        prices[state] = solve(rows)
        square += sum((price(x, prices[state]) / y - 1) ** 2 for x, y in rows)
    return square, prices


def price(factors, prices):
    return sum(a * b for a, b in zip(factors, prices))


def level_lines(times, line_bytes):
    """For people: what a law with a barrier of its own for each state and two prices of a line
    makes of the sizes that it was not fitted to. The one price is of the first lines, which the
    core's own caches hold, as many in each state, which is searched for; the other of those
    beyond, which the shared cache or memory has. Fitted to FIT and to LONG: sizes within a core's
    caches do not tell what a line beyond them takes. times[state][bytes] in ns."""
    nears = [FIT[1] / line_bytes]
    while nears[-1] < LONG[0] / line_bytes:
        nears.append(nears[-1] * 1.02)
    near = min(nears, key=lambda each: fit_levels(times, each, line_bytes)[0])
    prices = fit_levels(times, near, line_bytes)[1]
    everything = []
    for state in STATES:
        barrier, own, beyond = prices[state]
        errors = [price(level_factors(size / line_bytes, near), prices[state]) / times[state][size]
                  - 1 for size in PREDICT]
        everything += errors
        cells = "  ".join(f"{size // KIB}K {100 * each:+.1f} %"
                          for size, each in zip(PREDICT, errors))
        yield (f"  two levels, {state}: barrier {barrier:.0f} ns, {own:.2f} ns a line up to "
               f"{near * line_bytes / KIB:.0f}K, {beyond:.2f} beyond; {cells}")
    held = sum(abs(each) <= WITHIN for each in everything)
    missed = "" if held == len(everything) else f", {len(everything) - held} MISSED"
    off = percent([abs(each) for each in everything])
    yield (f"  two levels, all: median {off} off, {held} of {len(everything)} sizes within "
           f"{WITHIN:.0%}{missed}")


def times_of(found, line_bytes):
    times = {state: {} for state in STATES}
    for state, size, measured, _ in found:
        times[state][size] = measured * size / line_bytes
    return times


def text_lines(found, line_bytes):
    """For people: each size, then what holds and what does not."""
    yield f"flush law: predicted over measured less 1, medians of {PASSES} runs of the probe"
    for use, sizes in ("fitted", FIT), ("predicted", PREDICT), ("beyond a core's caches", LONG):
        for state in STATES:
            some = [row for row in found if row[0] == state and row[1] in sizes]
            cells = "  ".join(f"{row[1] // KIB}K {100 * error(row):+.1f} %" for row in some)
            yield f"  {use}, {state}: {cells}"
    for state in [*STATES, "all"]:
        errors = [abs(error(row)) for row in found
                  if row[1] in PREDICT and state in (row[0], "all")]
        held = sum(each <= WITHIN for each in errors)
        missed = "" if held == len(errors) else f", {len(errors) - held} MISSED"
        yield (f"  {state}: median {percent(errors)} off, {held} of {len(errors)} sizes within "
               f"{WITHIN:.0%}{missed}")
    yield from barrier_lines(found, line_bytes)
    yield from level_lines(times_of(found, line_bytes), line_bytes)


def measure(probe, s2flush, root):
    """Lines of bench.csv and of the text; no row and the reason where it can't be measured."""
    if not probe.exists():
        return [], ["flush law: not measured, the probe is for arm64 and x86-64"]
    try:
        rows = list(median_rows([probe_once(probe, root) for _ in range(PASSES)]))
        found = list(check_rows(s2flush, root, rows))
    except RuntimeError as failed:
        return [], [f"flush law: not measured: {failed}"]
    line_bytes = next(float(row["value"]) for row in rows if row["quantity"] == "line_bytes")
    return list(bench_rows(found, line_bytes)), list(text_lines(found, line_bytes))


def recorded(path):
    runs = {}
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            times = runs.setdefault(row["run"], {state: {} for state in STATES})
            times[row["state"]][int(row["bytes"])] = 1000 * float(row["us"])
    missed = False
    for run_name, times in runs.items():
        lines = list(level_lines(times, 64))
        print(f"flush law with two levels, run {run_name} of {path}", *lines, sep="\n")
        missed = missed or "MISSED" in lines[-1]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(recorded(sys.argv[1]))
