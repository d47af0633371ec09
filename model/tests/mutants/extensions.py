#!/usr/bin/env python3
"""Does what is added to a table work everywhere, or else not compile? `make extensions` calls it.

    extensions.py [--cc CC] [--jobs J] [--list] [NAME...]

Each extension adds something to a copy of the tree as model/ADDING.md says, as someone who has
never seen the rest of it would: with all that is needed, and then it has to work in every place
that shows it, and change nothing else; or with one thing forgotten, and then the compiler, a test
or the first run has to say so. Edits are anchored by short patterns; one whose anchor is gone is a
failure by itself.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = "build/extensions"
TREE = ["Makefile", "model", "workloads", "bench"]

STUDY = """[study]
title = small
draws = 8
shifts = 2
[axes]
machine = neoverse-n1
workload = small
vcpus = 1, 3
strategy = unmap, eager, fwb
"""
WORKLOAD = """[workload]
title = small
[vm]
ram = 64M
[boot]
footprint = 4M
rewrite = 1M
"""


class Failure(Exception):
    pass


class Tree:
    """A copy of the tree with its objects, in which things are added."""

    def __init__(self, folder, cc, jobs):
        self.folder, self.cc, self.jobs = Path(folder), cc, jobs

    # --- edits ---

    def edit(self, path, pattern, replacement, flags=re.MULTILINE):
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        text, count = re.subn(pattern, lambda match: match.expand(replacement), text, count=1,
                              flags=flags)
        if count == 0:
            raise Failure(f"the anchor is gone: {path}: {pattern}")
        file.write_text(text, encoding="utf-8")

    def row(self, path, table, row, before=None):
        """Adds a row to an X-macro table: at its end, or before the row of that name."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        start = re.search(rf"^#define {table}\(X\b.*\\\n", text, re.MULTILINE)
        if not start:
            raise Failure(f"the anchor is gone: {path}: {table}")
        if before:
            found = re.compile(rf"X\({before}\b").search(text, start.end())
            place = found.start() if found else -1
        else:
            last = re.compile(r"^.*[^\\\n]\n", re.MULTILINE).search(text, start.end())
            place = last.end() - 1
            row = " \\\n    " + row
        if place < 0:
            raise Failure(f"the anchor is gone: {path}: {table}: {before}")
        text = text[:place] + row + (" \\\n    " if before else "") + text[place:]
        file.write_text(text, encoding="utf-8")

    def append(self, path, text):
        with (self.folder / path).open("a", encoding="utf-8") as out:
            out.write(text)

    def write(self, path, text):
        (self.folder / path).write_text(text, encoding="utf-8")

    # --- building ---

    def make(self, *targets):
        done = subprocess.run(["make", f"-j{self.jobs}", f"CC={self.cc}", f"B={BUILD}", "OPT=-O0",
                               "NO_JEMALLOC=1", *(f"{BUILD}/{name}" for name in targets)],
                              cwd=self.folder, text=True, capture_output=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def builds(self):
        good, said = self.make("s2flush")
        if not good:
            errors = [line for line in said.splitlines() if "error:" in line] or said.splitlines()
            raise Failure("does not compile: " + " | ".join(errors[:3]))

    def refused(self, pattern):
        """The compiler refuses it, in these words."""
        good, said = self.make("s2flush")
        expect(not good, "compiles")
        expect(re.search(pattern, said), f"the compiler says nothing of {pattern}: {said[-800:]}")

    def test_fails(self, test, pattern):
        good, said = self.make(f"tests/{test}")
        expect(good, f"{test} does not build: {said[-800:]}")
        done = subprocess.run([f"{BUILD}/tests/{test}"], cwd=self.folder, text=True,
                              capture_output=True, check=False)
        said = done.stdout + done.stderr
        expect(done.returncode != 0, f"{test} passes")
        expect(re.search(pattern, said), f"{test} says nothing of {pattern}: {said[-800:]}")

    def test_passes(self, test):
        good, said = self.make(f"tests/{test}")
        expect(good, f"{test} does not build: {said[-800:]}")
        done = subprocess.run([f"{BUILD}/tests/{test}"], cwd=self.folder, text=True,
                              capture_output=True, check=False)
        expect(done.returncode == 0, f"{test} fails: {(done.stdout + done.stderr)[-800:]}")

    # --- running ---

    def run(self, *words, status=0):
        done = subprocess.run([f"{BUILD}/s2flush", *words], cwd=self.folder, text=True,
                              capture_output=True, check=False)
        expect(done.returncode == status,
               f"{' '.join(words)}: status {done.returncode}: {done.stderr[-400:]}")
        return done.stdout + done.stderr

    def rows(self, *more):
        """Of the small study: {(point, metric): row}, and its run.json."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        self.run("run", "small-study.ini", "--quiet", "-o", "out", *more)
        with (out / "rows.csv").open(encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        keyed = {(row["vcpus"], row["strategy"], row["metric"]): row for row in rows}
        return keyed, (out / "run.json").read_text(encoding="utf-8")


def expect(condition, otherwise):
    if not condition:
        raise Failure(otherwise)


def contains(text, pattern, of):
    expect(re.search(pattern, text, re.MULTILINE), f"{of} lacks {pattern}: {text[-600:]}")


def nothing_else_changed(tree, rows, new=()):
    """All rows but those of new metrics are the same, but for the hash of what they come from."""
    old = tree.base_rows
    kept = {key: row for key, row in rows.items() if key[2] not in new}
    expect(kept.keys() == old.keys(), f"other rows: {sorted(kept.keys() ^ old.keys())[:3]}")
    for key, row in kept.items():
        for column, value in old[key].items():
            expect(column == "config_hash" or row[column] == value,
                   f"{key} changed: {column} was {value}, is {row[column]}")


EXTENSIONS = {}


def extension(function):
    EXTENSIONS[function.__name__.replace("_", "-")] = function
    return function


# --- metrics ---

METRICS = "model/study/metrics.h"
EVENTS = "model/machine/events.h"


@extension
def metric_of_events(tree):
    """A metric that counts events, the sum and the rows of the events that it counts."""
    tree.row(METRICS, "METRIC_TABLE",
             'X(vm_unmaps, "calls", COUNT, EVENTS(vm_unmaps), "unmaps of the whole VM")')
    tree.refused("SUM_vm_unmaps")
    tree.row(EVENTS, "SUM_TABLE", "X(vm_unmaps)", before="tlbi")
    tree.refused("room for each sum")
    tree.edit("model/core/spans.h", r"(#define SPAN_TALLIES) \d+", r"\1 12")
    tree.edit(EVENTS, r"(X\(unmap_vm_calls, .*, )none(, \w+, PATH\))", r"\1vm_unmaps\2")
    tree.builds()
    contains(tree.run("list", "metrics"), r"vm_unmaps +calls +unmaps of the whole VM", "the list")
    rows, _ = tree.rows()
    nothing_else_changed(tree, rows, new={"vm_unmaps"})
    for (vcpus, strategy, metric), row in rows.items():
        if metric == "vm_unmaps":
            value = vcpus if strategy == "unmap" else "0"
            expect(row["mode"] == row["p90"] == value and row["unit"] == "calls",
                   f"{strategy}: unmaps in re-inits of {vcpus} vCPUs: {row}")
    tree.test_fails("test_documents", "does not name `vm_unmaps`")


@extension
def metric_of_time(tree):
    """Metrics of time, in the middle and at the end; one of them without a value first."""
    tree.row(METRICS, "METRIC_TABLE", 'X(wait_ns, "ns", TIME, "waited in all")')
    tree.refused("METRIC_TABLE|requires 5 arguments|too few arguments")
    tree.edit(METRICS, r'TIME, "waited in all"', r'PART, waits_ns(times, ideal), "waited in all"')
    tree.row(METRICS, "METRIC_TABLE",
             'X(half_ns, "ns", TIME, NS(window_ps) / 2, "half of the window")', before="cpu_ns")
    tree.row(METRICS, "METRIC_TABLE",
             'X(least_ns, "ns", TAIL, NS(tail.pause_ps) - 1, "nearly")', before="stall_p99_ns")
    tree.builds()
    rows, _ = tree.rows()
    nothing_else_changed(tree, rows, new={"wait_ns", "half_ns", "least_ns"})
    for (vcpus, strategy, metric), row in rows.items():
        if metric == "wait_ns":
            part = rows[vcpus, strategy, "part_waits_ns"]
            same = [row[key] == part[key] for key in ("n", "mode", "mean", "p90", "unit")]
            expect(all(same), f"wait_ns of {strategy}: {row}, expected {part}")
        if metric in ("half_ns", "least_ns"):
            other = rows[vcpus, strategy, "window_ns" if metric == "half_ns" else "pause_ns"]
            value = float(other["mode"])
            value = value / 2 if metric == "half_ns" else value - 1
            expect(abs(float(row["mode"]) - value) < 1e-6, f"{metric} of {strategy}: {row}")
            expect(row["n"] == other["n"], f"{metric} has {row['n']} draws")
    tree.run("map", "small-study.ini", "--x", "machine", "--y", "vcpus", "--metric", "half")


# --- events, costs, parts ---

@extension
def event_kind(tree):
    """A kind of event in the middle of the table, with a cost of its own and a part."""
    tree.row(EVENTS, "EVENT_TABLE", 'X(pins, "pages pinned", "pages", unmap_path, none, path)',
             before="line_clean")
    tree.refused("EVENT_TABLE|requires 7 arguments|too few arguments")
    tree.edit(EVENTS, r'(X\(pins, "pages pinned", "pages", unmap_path, none, path)\)', r"\1, PATH)")
    charge = r"(\n *)([\w()]+\(\w+, )EV_reinits(, [^;]*;)"
    tree.edit(charged_in(tree, charge), charge, r"\1\2EV_pins\3\1\2EV_reinits\3")
    tree.builds()
    done = subprocess.run([f"{BUILD}/s2flush", "explain", "small.ini"], cwd=tree.folder, text=True,
                          capture_output=True, check=False)
    contains(done.stderr, "pins is priced by a path without a length", "the first run")
    tree.edit("model/kvm/paths.c", r"(    \{EV_host_alloc,)", r"    {EV_pins, 1000, 1000},\n\1")
    tree.builds()
    said = tree.run("explain", "small.ini", "--full")
    pins = re.findall(r"^ +\S+ +\S* *pins +(\d+) +(\S+) +\S+  pages pinned \[pages\]", said, re.M)
    calls = re.findall(r"^ +\S+ +\S* *reinits +(\d+) ", said, re.M)
    expect(pins and {n for n, _ in pins} == set(calls), f"explain: {pins}, re-inits {calls}")
    rows, _ = tree.rows()
    for key, row in rows.items():
        old = tree.base_rows[key]["mode"]
        if key[2] in ("lines", "tlbi", "faults", "part_lines_fault_ns", "part_tlbi_ns"):
            expect(row["mode"] == old, f"{key} changed: {old}, {row['mode']}")
        if key[2] == "window_ns":
            expect(float(row["mode"]) > float(old), f"{key} did not grow: {old}, {row['mode']}")
    tree.test_fails("test_documents", "does not name `pins`")


def charged_in(tree, charge):
    """The file of the kernel's code in which that pattern is."""
    for path in sorted((tree.folder / "model/kvm").glob("*.c")):
        if re.search(charge, path.read_text(encoding="utf-8")):
            return path.relative_to(tree.folder)
    raise Failure(f"the anchor is gone: model/kvm: {charge}")


@extension
def cost(tree):
    """A cost: asked of every machine, and of every formula that it is there for."""
    tree.row("model/machine/platform.h", "COST_TABLE",
             'X(pin_ns, UNIT_NS, 0, 1e6, "a page pinned")', before="hvc_ns")
    tree.builds()
    contains(tree.run("run", "small-study.ini", "-o", "out", status=2),
             r"neoverse-n1\.ini: pin_ns: missing: expected a section \[cost pin_ns\]", "the refusal")
    for path in sorted((tree.folder / "model/machine/platforms").glob("*.ini")):
        if path.name != "cpus.ini":
            tree.append(path.relative_to(tree.folder),
                        "\n[cost pin_ns]\nlow = 1\nmode = 2\nhigh = 4\nunit = ns\n"
                        "source = none\nevidence = assumed\n")
    rows, _ = tree.rows()
    expect(rows.keys() == tree.base_rows.keys(), "other rows")
    tree.test_fails("test_price", "nothing depends on pin_ns")
    tree.edit(EVENTS, r"(X\(exits, .*, )COST\(exit_ns\)\)", r"\1COST(exit_ns) + COST(pin_ns))")
    tree.builds()
    contains(tree.run("list", "costs", "--machine", "neoverse-n1"), r"pin_ns +1ns +2ns +4ns",
             "the list")
    contains(tree.run("list", "--explain", "pin_ns"), "a page pinned", "list --explain")
    few, record = tree.rows("--set", "pin_ns=1")
    many, _ = tree.rows("--set", "pin_ns=1001")
    contains(record, r'"pin_ns"', "run.json")
    for key in few:
        if key[2] == "added_boot_ns" and key[1] == "unmap":
            faults = float(few[key[0], key[1], "faults"]["mode"])
            more = float(many[key]["mode"]) - float(few[key]["mode"])
            expect(more > 0 and faults > 0, f"pin_ns makes {more} ns of {faults} faults")
    tree.run("sensitivity", "small-study.ini", "--of", "unmap", "--points", "16", "--set",
             "strategy=unmap,eager")


@extension
def part(tree):
    """A part of the added boot time is a metric, a line of explain and of the sum."""
    tree.row(EVENTS, "PART_TABLE", 'X(with, reinit, "the calls")', before="with, unmap_path")
    tree.edit(EVENTS, r"(X\(reinits, .*, )unmap_path(, )", r"\1reinit\2")
    tree.refused("PART_reinit")
    tree.edit("model/report/explain_window.c", r"(    case PART_other:)",
              r"    case PART_reinit:\n"
              r'        put_count(what, count_of(played, EV_reinits), "call", "calls");\n'
              r"        return;\n\1")
    tree.edit("model/report/memo/memo_words.c", r"(    case PART_traps:)",
              r"    case PART_reinit:\n\1")
    tree.builds()
    contains(tree.run("explain", "small.ini", "--full"), r"^  reinit +\d+\.\d+ ", "explain")
    rows, _ = tree.rows()
    for (vcpus, strategy, metric) in list(rows):
        if metric == "part_reinit_ns":
            old = tree.base_rows[vcpus, strategy, "part_unmap_path_ns"]["mode"]
            both = (float(rows[vcpus, strategy, metric]["mode"]) +
                    float(rows[vcpus, strategy, "part_unmap_path_ns"]["mode"]))
            expect(abs(both - float(old)) < 1e-3, f"{strategy}: {both} ns in all, was {old}")
    tree.test_passes("test_study_run")


@extension
def column_of_rows(tree):
    """A column of rows is one line: header, CSV and JSON Lines have it, and readers of rows go on."""
    tree.edit("model/report/rows.c", r'( *)(cells_text\(cells, "verdict",)',
              r'\1cells_text(cells, "reviewer", "me, \\"too\\"");\n\1\2')
    tree.builds()
    rows, _ = tree.rows("--format", "both")
    nothing_else_changed(tree, rows)
    expect(all(row["reviewer"] == 'me, "too"' for row in rows.values()), "cells of the column")
    with (tree.folder / "out/rows.jsonl").open(encoding="utf-8") as lines:
        objects = [json.loads(line) for line in lines]
    expect(len(objects) == len(rows) and all(row["reviewer"] == 'me, "too"' for row in objects),
           "members of JSON Lines")
    tree.run("run", "small-study.ini", "--quiet", "-o", "other")
    contains(tree.run("diff", "out", "other"), "0 changed|no .*differ|same", "diff")


# --- strategies ---

STRATEGY = "model/kvm/strategy.h"


@extension
def choice_of_a_strategy(tree):
    """A value of a policy key: its word and its code from one row, its effect by the compiler."""
    tree.row(STRATEGY, "TOGGLE_CHOICES", 'X(TOGGLE_SEVERAL, "several", "where there are several")',
             before="TOGGLE_NONE")
    tree.refused("TOGGLE_SEVERAL.* not handled in switch")
    switch = r"( *case TOGGLE_NONE:\n *return false;)"
    tree.edit(charged_in(tree, switch), switch,
              r"    case TOGGLE_SEVERAL:\n        return kvm->vcpu_count > 1;\n\1")
    tree.refused("policy_space.*TOGGLE_SEVERAL.* not handled in switch")
    tree.edit("model/study/policy_space.c", r"( *case TOGGLE_NONE:\n)",
              r"    case TOGGLE_SEVERAL:\n        return 1;\n\1")
    tree.builds()
    contains(tree.run("list", "--explain", "toggle"), r"every:(.|\n)*several: where there are several(.|\n)*none:", "list --explain")
    rows, record = tree.rows("--set", "toggle=several", "--set", "strategy=unmap")
    contains(record, r'"toggle": "several"', "run.json")
    for vcpus, same in (("1", "none"), ("3", "every")):
        others, _ = tree.rows("--set", f"toggle={same}", "--set", "strategy=unmap")
        key = vcpus, "unmap", "lines"
        expect(rows[key]["mode"] == others[key]["mode"],
               f"{vcpus} vCPUs: {rows[key]['mode']} lines, {same}: {others[key]['mode']}")
    expect(rows["1", "unmap", "lines"]["mode"] != tree.base_rows["1", "unmap", "lines"]["mode"],
           "the value has no effect")
    tree.test_fails("test_documents", "does not name `several`")


@extension
def strategy_row(tree):
    """A built-in strategy is a row, and no more."""
    tree.edit("model/kvm/strategy.c", r"(const struct strategy strategy_more\[\] = \{\n)",
              r'\1    {.name = "lazy-first", .title = "as it is called", .reinit_unmap = UNMAP_ALL,\n'
              r"     .fault_cleans = true, .toggle = TOGGLE_FIRST},\n")
    tree.builds()
    contains(tree.run("list", "strategies"), "lazy-first +as it is called", "the list")
    rows, record = tree.rows("--set", "strategy=unmap,lazy-first")
    expect(("3", "lazy-first", "added_boot_ns") in rows, "no rows of it")
    contains(record, '"lazy-first"', "run.json")
    contains(tree.run("run", "small-study.ini", "--set", "strategy=lazy-frist", status=2),
             "did you mean lazy-first", "the refusal")


# --- keys and options ---

@extension
def option_of_a_command(tree):
    """An option is a row bound to a field of the command's arguments."""
    plot = "model/cli/cmd_plot.c"
    tree.edit(plot, r"(static const struct cli_option options\[\] = \{\n)",
              r'\1    {"title", 0, "TEXT", "above them", AT(title)},\n')
    tree.refused("title")
    tree.edit(plot, r"(struct arguments \{\n)", r"\1    const char *title;\n")
    tree.edit(plot, r"(= arguments;\n)",
              r'\1    if (given->title) {\n'
              r'        return error_input(err, NULL, "title=%s", given->title);\n    }\n')
    tree.builds()
    contains(tree.run("plot", "--help"), r"--title=TEXT +above them", "--help")
    contains(tree.run("plot", "out", "--title", "x y", status=2), "title=x y", "the value")
    contains(tree.run("plot", "out", "--titel=x", status=2), "did you mean title", "the refusal")
    contains(tree.run("plot", "--title=a", "--title=b", status=2), "found twice", "the refusal")
    contains(tree.run("plot", "out", "--title", status=2), "expected --title=TEXT", "the refusal")


@extension
def command(tree):
    """A command is an entry in its own file, and its name in two lists."""
    tree.write("model/cli/cmd_greet.c", """#include "cli/cli.h"

#include <stdio.h>

struct arguments {
    const char *whom;
};

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    (void)err;
    printf("hello %s\\n", given->whom);
    return true;
}

static const struct cli_option options[] = {{0}};

const struct cli_command cmd_greet = {
    .name = "greet",
    .summary = "says hello",
    .options = options,
    .words = "WHOM",
    .word = {CLI_FIELD(struct arguments, whom)},
    .missing = "somebody",
    .help = "Say hello.",
    .size = sizeof(struct arguments),
    .run = run,
};
""")
    tree.edit("model/cli/commands.c", r"&cmd_import", "&cmd_import, &cmd_greet")
    tree.refused("cmd_greet")
    tree.edit("model/cli/cli.h", r"(extern const struct cli_command )", r"\1cmd_greet, ")
    tree.builds()
    contains(tree.run("--help"), r"greet +says hello", "--help")
    contains(tree.run("greet", "world"), "hello world", "the command")
    contains(tree.run("greet", status=2), "greet: expected somebody", "the refusal")
    contains(tree.run("greet", "--help"), "Usage: s2flush greet .*WHOM", "its --help")


@extension
def key_of_a_study(tree):
    """A key of a study is a row with a place in the struct."""
    study = "model/study/study.c"
    tree.edit(study, r"( *)(\{AT\(seed\),)",
              r'\1{AT(reviewer), .fallback = "", .help = "who read it"},\n\1\2')
    tree.refused("reviewer")
    tree.edit("model/study/study.h", r"(    uint64_t seed\b)", r"    char reviewer[32];\n\1")
    tree.builds()
    contains(tree.run("list", "keys"), r"reviewer .*who read it", "list keys")
    contains(tree.run("run", "small-study.ini", "--dry-run", "--set", "reviewr=x", status=2),
             "did you mean reviewer", "the refusal")
    tree.rows("--set", "reviewer=somebody")
    tree.test_fails("test_documents", "does not name `reviewer`")


@extension
def operation_of_a_timeline(tree):
    """What a guest or VMM can do is refused until whoever plays it says what it does."""
    tree.edit("model/guest/timeline.h", r"( *)OP_KINDS\n", r"\1OP_GREET,\n\1OP_KINDS\n")
    tree.refused("an operation without a row")


# --- data ---

@extension
def machine(tree):
    """A machine is a file."""
    base = (tree.folder / "model/machine/platforms/neoverse-n1.ini").read_text(encoding="utf-8")
    base = re.sub(r"(?m)^name *=.*", "name = mine", base)
    tree.write("model/machine/platforms/mine.ini", base)
    contains(tree.run("list", "machines"), r"^  mine ", "the list")
    rows, _ = tree.rows("--set", "machine=mine")
    expect(all(row["machine"] == "mine" for row in rows.values()), "no rows of it")


@extension
def kernel_version(tree):
    """A row of the table of kernels holds from its version on, wherever it stands."""
    tree.edit("model/kvm/kernel.c", r"(const struct kernel_rule kernel_rules\[\] = \{\n)",
              r'\1    {SWITCH_FAULT_LOCK, "spin", FAULT_LOCK_SPIN, 9001, "one day"},\n')
    tree.builds()
    contains(tree.run("list", "kernels"), r"fault_lock +spin +9\.1 +one day", "the list")
    _, record = tree.rows("--set", "kernel=9.1")
    contains(record, r'"fault_lock": "spin"', "run.json")
    _, record = tree.rows("--set", "kernel=9.0")
    contains(record, r'"fault_lock": "read"', "run.json")
    tree.test_fails("test_kernel", "not ok|FAILED")


# --- all of them ---

def copied(folder):
    def ignore(_, names):
        return [name for name in names if name in ("build", "results", "__pycache__")]
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    (folder / "results/validate").mkdir(parents=True)
    (folder / "small.ini").write_text(WORKLOAD, encoding="utf-8")
    (folder / "small-study.ini").write_text(STUDY.replace("= small\nvcpus", "= small.ini\nvcpus"),
                                            encoding="utf-8")


def try_one(name, base, cc, jobs):
    """None, or what failed."""
    with tempfile.TemporaryDirectory(prefix="s2flush-extension-") as scratch:
        folder = Path(scratch) / "tree"
        subprocess.run(["cp", "-a", str(base.folder), str(folder)], check=True)
        tree = Tree(folder, cc, jobs)
        tree.base_rows = base.base_rows
        try:
            EXTENSIONS[name](tree)
        except Failure as failure:
            return str(failure)
    return None


def main():
    parser = argparse.ArgumentParser(description="Extensions as mutants")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    if given.list:
        for name, function in EXTENSIONS.items():
            print(f"{name:24} {function.__doc__}")
        return 0
    unknown = [name for name in given.names if name not in EXTENSIONS]
    if unknown:
        parser.error(f"no extension {unknown[0]} (--list names them)")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="s2flush-extensions-") as scratch:
        os.environ.update(S2FLUSH_DATA="", OMP_NUM_THREADS=str(given.jobs))
        os.environ.pop("S2FLUSH_DATA")
        folder = Path(scratch) / "tree"
        folder.mkdir()
        copied(folder)
        base = Tree(folder, given.cc, given.jobs)
        base.builds()
        base.base_rows, _ = base.rows()
        for name in given.names or EXTENSIONS:
            start = time.monotonic()
            what = try_one(name, base, given.cc, given.jobs)
            failed += what is not None
            print(f"not ok {name}: {what}" if what else f"ok {name}", flush=True)
            print(f"# {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"extensions: {len(given.names or EXTENSIONS)}\nfailed: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
