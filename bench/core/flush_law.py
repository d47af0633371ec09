"""Whether a platform that was fitted to flushes of some sizes predicts those of others.

The probe (bench/kvm/probe) measures on this machine; `s2flush calibrate` makes a platform
of the rows FIT, and `s2flush calibrate --check` says what that makes of all rows.
"""

import csv
import io
import re
import statistics
import subprocess
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
