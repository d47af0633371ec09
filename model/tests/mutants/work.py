"""Whether a mutant changes how much is done, where no figure shows it: a cache that no longer hits, a pass that finds
nothing, plays that nobody asked for.

The judge is `make bench-check`: its rows, counted in instructions by valgrind as it counts them, against those of the
original built alike, with its tolerance. Rows that never come to the changed block are left out, and so are those
that take too long.
"""

import csv
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path("bench/core").resolve()))
import run_bench # pylint: disable=wrong-import-position

INSTRUCTIONS_MAX = 400e6
CPU_S = 120


def limits():
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Work:
    def __init__(self, build, drivers, original, reach, digest):
        """`original` is the folder of the original's library, `digest` that of the library."""
        self.drivers, self.rows = drivers, []
        if not shutil.which("valgrind"):
            print("no valgrind here (make deps-bench): work is not counted", file=sys.stderr)
            return
        kept, path = {}, build.folder / "work.csv"
        if path.exists():
            kept = {row[0]: (int(row[1]), int(row[2])) for row in csv.reader(path.open(encoding="utf-8"))}
        with path.open("a", encoding="utf-8", newline="") as out:
            for row in run_bench.ROWS:
                if not row.count or not row.ours:
                    continue
                key = digest(row.command, row.count, *self.contents(build, row))
                if key not in kept:
                    once = self.count(row, row.count, original)
                    kept[key] = once, self.count(row, 2 * row.count, original)
                    csv.writer(out).writerow([key, *kept[key]])
                    out.flush()
                    folder, table = reach.begin(key)
                    subprocess.run(self.command(row, row.count), env=self.environment(folder, REACH_TABLE=str(table)),
                                   stdout=subprocess.DEVNULL, check=True)
                if kept[key][0] <= INSTRUCTIONS_MAX:
                    reach.take(row.key, key)
                    self.rows.append((kept[key], row))
        self.rows.sort(key=lambda entry: entry[0])
        self.reach = reach

    @staticmethod
    def contents(build, row):
        return [build.folder.joinpath("obj/bench", f"{row.command.split()[0]}.o").read_bytes()]

    def command(self, row, count):
        return run_bench.command_of(row, self.drivers, None, count)

    @staticmethod
    def environment(folder, **more):
        return dict(os.environ, LD_LIBRARY_PATH=str(folder), TMPDIR=str(folder), **more)

    def count(self, row, count, folder):
        """Instructions with the library in that folder; None where it does not come to its end."""
        try:
            return run_bench.count_instructions(self.command(row, count), env=self.environment(folder),
                                                preexec_fn=limits)
        except SystemExit:
            return None

    def moved(self, mutant, folder):
        """The row whose work the mutant moves, None where there is none."""
        for (once, twice), row in self.rows:
            if not self.reach.may_see(row.key, mutant):
                continue
            operation = twice - once
            found = self.count(row, row.count, folder)
            # What it takes to begin is in both and cancels: only where it moves at all is it counted again.
            if found is not None and abs(found - once) <= run_bench.TOLERANCE * operation:
                continue
            again = self.count(row, 2 * row.count, folder)
            if found is None or again is None or \
                    abs((again - found) / operation - 1) > run_bench.TOLERANCE:
                return row.what
        return None
