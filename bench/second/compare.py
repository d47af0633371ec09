#!/usr/bin/env python3
"""Plays seeded random scenarios with the program and with second.py, and holds the two together.

    compare.py PROGRAM PLATFORMS [--cases N] [--seed N] [--first N] [--machine NAME] [--without EVENT] [-v]

One line a case; status 1 where a metric differs by more than 1e-9 of itself. --without leaves an
event's price out of second.py, so that one can see the comparison fail.
"""

import argparse
import configparser
import csv
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import second  # noqa: E402

TOLERANCE = Fraction(1, 10**9)
MACHINES = ("kunpeng-920", "neoverse-n1", "neoverse-v1", "cortex-a72")


def size(text):
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1])
    return int(text[:-1]) * factor if factor else int(text)


def read_platform(path):
    ini = configparser.ConfigParser(comment_prefixes=(";", "#"), interpolation=None)
    ini.read(path)
    machine = {
        key: ini["machine"].get(key, "no") == "yes"
        for key in ("fwb", "dic", "tlbirange", "vhe", "vipt", "erratum_4118414")
    }
    machine["clock_ghz"] = float(ini["machine"]["clock_ghz"])
    # One vCPU has the cache of its own socket.
    machine["cache_bytes"] = size(ini["machine"]["cache_bytes"]) // int(ini["machine"].get("sockets", 1))
    costs = {
        section[5:]: tuple(float(ini[section][key]) for key in ("low", "mode", "high"))
        for section in ini.sections()
        if section.startswith("cost ")
    }
    return ini, machine, costs


def draw_costs(rng, ranges, at_modes):
    cost = {}
    for key, (low, mode, high) in ranges.items():
        drawn = mode if at_modes else float("%.6g" % rng.uniform(low, high))
        cost[key] = min(max(drawn, low), high)
    return cost


def one_core_waits(cost):
    """One core alone asks more of a path that cores share than the path has."""
    dirty_ns = cost["dc_absent_ns"] * cost["dc_clean_ratio"] * cost["dc_dirty_ratio"]
    return (
        cost["cmo_path_ns"] > cost["dc_absent_ns"]
        or 64 / cost["writeback_gbps"] > dirty_ns
        or cost["zero_path_gbps"] < cost["zero_gbps"]
    )


def draw_machine(rng, platforms, folder, machines):
    """One of these shipped machines, capabilities, clock and cache mostly as on it."""
    name = rng.choice(machines)
    ini, machine, costs = read_platform(os.path.join(platforms, name + ".ini"))
    for key in ("dic", "tlbirange"):
        if rng.random() < 0.3:
            machine[key] = rng.random() < 0.5
            ini["machine"][key] = "yes" if machine[key] else "no"
    ini["machine"]["name"] = "drawn"
    at_modes = rng.random() < 0.25
    cost = draw_costs(rng, costs, at_modes)
    while one_core_waits(cost):
        cost = draw_costs(rng, costs, at_modes)
    for key, value in cost.items():
        for bound in ("low", "mode", "high"):
            ini["cost " + key][bound] = repr(value)
    with open(os.path.join(folder, "drawn.ini"), "w", encoding="utf-8") as file:
        ini.write(file)
    return name, machine, cost, at_modes


def draw_scenario(rng, platforms, folder, machines=MACHINES):
    """A machine, a workload, a kernel and three strategies; every third workload is a timeline."""
    name, machine, cost, at_modes = draw_machine(rng, platforms, folder, machines)
    s = {
        "name": name + (" at its modes" if at_modes else ""),
        "machine": machine,
        "cost": cost,
        "backing": rng.choice(("4k", "thp")),
        "density": rng.choice((8, 32, 64)),
        "kernel": rng.choice(((6, 1), (7, 3))),
        "strategies": rng.sample(
            [name for name in second.STRATEGIES if name != "yardstick" and (name != "fwb" or machine["fwb"])], 3
        ),
    }
    s.update(draw_timeline(rng) if rng.random() < 0.35 else draw_boot(rng))
    return s


def draw_timeline(rng):
    """All of 32 MiB is written once; what follows touches pieces of it, and after the reset also
    writes some of the 16 MiB behind it for the first time."""
    used, blocks = 32 * 256, 8 * 512
    steps = [("vmm", "fill", 0, rng.randrange(1, used))] if rng.random() < 0.7 else []
    steps += [("vcpu0", "enter"), ("vcpu0", "mmu on"), ("vcpu0", "write", 0, used)]

    def piece():
        first = rng.randrange(used)
        return first, rng.randrange(1, min(used - first, rng.choice((4, 700, used))) + 1)

    for _ in range(rng.randrange(4)):
        steps.append(("vcpu0", rng.choice(("read", "write", "fetch"))) + piece())
    steps.append(("vmm", "reinit"))
    for _ in range(rng.randrange(3)):
        steps.append(("vmm", "fill") + piece())
    steps.append(("vcpu0", "enter"))
    for _ in range(rng.randrange(3)):
        first, pages = piece()
        steps.append(("vcpu0", rng.choice(("read", "write", "fetch")), first, min(pages, 9)))
    steps += [("vcpu0", "insns", rng.randrange(1, 10000)), ("vcpu0", "vmregs", rng.randrange(1, 12)), ("vcpu0", "mmu on")]
    for _ in range(rng.randrange(1, 6)):
        steps.append(("vcpu0", rng.choice(("read", "write", "fetch"))) + piece())
    if rng.random() < 0.5:
        steps.append(("vcpu0", "write", used, rng.randrange(1, blocks)))
    steps.append(("vcpu0", "insns", rng.randrange(1, 10**7)))
    return {"timeline": steps, "ram": 64 << 20}


def draw_boot(rng):
    footprint = rng.choice((10, 16, 22, 32, 44, 64)) << 20
    return {
        "footprint": footprint,
        "ram": 256 << 20,
        "touched": Fraction(rng.choice((0, 5, 25, 32, 50, 77, 100)), 100),
        "extents": rng.choice((1, 3, 127)),
        "rewrite": min(rng.choice((0, 2, 9, 34)) << 20, footprint),
        "cached": Fraction(rng.choice((0, 50, 100)), 100),
        "dirty": Fraction(rng.choice((0, 30, 100)), 100),
        "write_share": Fraction(rng.choice((0, 53, 100)), 100),
        "insns_per_page": rng.choice((0, 1000, 60770)),
    }


def percent(share):
    return "%g%%" % float(share * 100)


WORKLOAD = """[vm]
backing = %s
density = %d
%s
"""

STUDY = """[study]
name = drawn
draws = 0
fidelity = fast
[axes]
workload = ./drawn-boot.ini
machine = ./drawn.ini
kernel = %d.%d
strategy = %s
"""


def timeline_lines(steps):
    """A [timeline]'s lines: ranges are pages from the start of RAM."""
    lines = ["ram = 64M", "[timeline]", "phase = boot1"]
    for actor, what, *numbers in steps:
        if what == "reinit":
            lines += ["phase = reset1", "vmm = reinit 0"]
        elif what in ("insns", "vmregs"):
            lines.append("%s = %s %d" % (actor, what, *numbers))
        elif numbers:
            lines.append("%s = %s ram+%d %d" % (actor, what, numbers[0] * 4096, numbers[1] * 4096))
        else:
            lines.append("%s = %s" % (actor, what))
    return lines


def boot_lines(s):
    keys = dict(
        order="sequential",
        footprint=s["footprint"],
        rewrite=s["rewrite"],
        extents=s["extents"],
        insns_per_page=s["insns_per_page"],
    )
    for key in ("touched", "cached", "dirty", "write_share"):
        keys[key] = percent(s[key])
    return ["[boot]"] + ["%s = %s" % pair for pair in keys.items()]


def play(program, s, folder):
    """The program's metrics: {strategy: {metric: exact value}}."""
    lines = "\n".join(timeline_lines(s["timeline"]) if "timeline" in s else boot_lines(s))
    with open(os.path.join(folder, "drawn-boot.ini"), "w", encoding="utf-8") as file:
        file.write(WORKLOAD % (s["backing"], s["density"], lines))
    with open(os.path.join(folder, "drawn-study.ini"), "w", encoding="utf-8") as file:
        file.write(STUDY % (s["kernel"] + (", ".join(s["strategies"]),)))
    done = subprocess.run(
        [program, "run", "drawn-study.ini", "-o", "out", "--fresh", "-q", "--jobs", "1"],
        cwd=folder, capture_output=True, text=True, check=False,
    )
    if done.returncode:
        sys.exit("%s\n%s" % (done.stderr, lines))
    found = {}
    with open(os.path.join(folder, "out", "rows.csv"), encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["strategy"], {})[row["metric"]] = Fraction(row["mode"] or 0)
    return found


def differences(s, found):
    """What differs: (strategy, metric, the program's, ours)."""
    out = []
    for strategy, metrics in second.predict(s, s["strategies"]).items():
        metrics["part_waits_ns"] = 0
        for metric, ours in metrics.items():
            ours = Fraction(ours, 1000) if metric.endswith("_ns") else Fraction(ours)
            theirs = found[strategy][metric]
            if abs(ours - theirs) > TOLERANCE * max(abs(ours), abs(theirs)):
                out.append((strategy, metric, float(theirs), float(ours)))
    return out


def title(s):
    if "timeline" in s:
        what = "timeline of %d steps" % len(s["timeline"])
    else:
        what = "boot of %dM touched %s/%d rewrite %dM cached %s dirty %s" % (
            s["footprint"] >> 20, percent(s["touched"]), s["extents"], s["rewrite"] >> 20,
            percent(s["cached"]), percent(s["dirty"]),
        )
    caps = "".join(" " + key for key in ("dic", "tlbirange") if s["machine"][key])
    return "%s%s, %d.%d, %s density %d, %s: %s" % (
        (s["name"], caps) + s["kernel"] + (s["backing"], s["density"], what, ", ".join(s["strategies"]))
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("platforms")
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machine", choices=MACHINES, help="cases of this one alone")
    parser.add_argument("--without", default="", help="an event whose price second.py leaves out")
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    if args.without:
        whole = second.prices
        second.prices = lambda machine, cost: dict(whole(machine, cost), **{args.without: 0})
    failed = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in range(args.first, args.first + args.cases):
            rng = random.Random(args.seed * 1000003 + case)
            s = draw_scenario(rng, args.platforms, folder, (args.machine,) if args.machine else MACHINES)
            found = play(os.path.abspath(args.program), s, folder)
            bad = differences(s, found)
            compared += 1
            if bad:
                failed += 1
                print("case %d differs: %s" % (case, title(s)))
                for one in bad if args.verbose else bad[:4]:
                    print("    %s %s: program %.12g, second %.12g" % one)
            elif args.verbose:
                print("case %d equal: %s" % (case, title(s)))
    print("%d cases compared, %d differ" % (compared, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
