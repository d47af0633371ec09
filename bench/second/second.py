#!/usr/bin/env python3
"""A second implementation of the closed part of the model: one vCPU, nobody waits.

Written from the text and the equations of model/README.md and workloads/README.md, without the
program's source. A scenario is played page by page; what it counts is priced, and the metrics of
rows.csv come out. compare.py holds them against the program's.

Left out: several vCPUs and VMs, exact fidelity, granules other than 4 KiB, leaves of 1 GiB, dirty
logging, notifiers and slots, UEFI, orders other than sequential.
"""

import math
from collections import Counter, OrderedDict
from fractions import Fraction

PAGE, BLOCK = 4096, 512  # bytes of a page; pages of a leaf of 2 MiB
LINES = 64  # cache lines of a page

# Strategies, by the keys of [strategy] in workloads/studies/README.md.
STRATEGIES = {
    "unmap": dict(unmap=True, unmap_cleans=True, tlbi="leaf", toggle="every"),
    "unmap-lazy": dict(unmap=True, tlbi="leaf", toggle="every"),
    "reinit-lazy": dict(unmap=True, tlbi="leaf", toggle="every"),
    "reinit-lazy-vmall": dict(unmap=True, tlbi="vm", toggle="every"),
    "unmap-toggle1": dict(unmap=True, unmap_cleans=True, tlbi="leaf", toggle="first"),
    "eager": dict(icache=True, flush=True),
    "eager-toggle1": dict(icache=True, flush=True, toggle="first"),
    "fwb": dict(icache=True, fwb=True),
    "none": dict(),
    "yardstick": dict(ideal=True),
}

PARTS = (
    "lines_unmap lines_fault lines_flush lines_toggle tlbi fault_path unmap_path flush_path icache "
    "refetch uncached traps walks other"
).split()

# Instructions charged for a path, VHE and nVHE: the table of path lengths, less what is charged in
# nanoseconds (exit 1,770 where the host is at EL2; TLBI sequence 83) and the parts listed apart.
ENTRY = 17
PATHS = {
    "fault_path": (4148 - 1770 - 800, 3713 - 800),
    "perm_path": (3878 - 1770 - 83 - 400, 3878 - 1770 - 83 - 400),
    "map_calls": (800, 800),
    "relax_calls": (400, 400),
    "s2_tables_alloc": (1400, 1400),
    "host_alloc": (2882, 2954),
    "unmap_leaves": (209 - ENTRY, 209 - ENTRY),
    "flush_leaves": (102 - ENTRY, 102 - ENTRY),
    "walk_unmap": (ENTRY, ENTRY),
    "walk_flush": (ENTRY, ENTRY),
    "s2_tables_free": (448 - ENTRY, 556 - ENTRY),
    "reinits": (11730, 11730),
    "unmap_vm_calls": (13525 - 11730, 13583 - 11730),
}
TOGGLE_INSNS = 2085 - 1770


def picoseconds(nanoseconds):
    """A price: whole picoseconds, half of one up."""
    return math.floor(nanoseconds * 1000 + 0.5)


def prices(machine, cost):
    """What one event of each kind costs, in ps."""
    insn_ns = cost["kernel_cpi"] / machine["clock_ghz"]
    absent = cost["dc_absent_ns"]
    ns = {event: insns[0 if machine["vhe"] else 1] * insn_ns for event, insns in PATHS.items()}
    ns.update(
        exits=cost["exit_ns"],
        toggle_traps=cost["exit_ns"] + TOGGLE_INSNS * insn_ns,
        tlbi_calls=cost["tlbi_ns"],
        tlbi_vmid=cost["tlbi_ns"],
        tlbi_third=cost["tlbi_ns"] / 2,
        tlbi_local=cost["tlbi_local_ns"],
        hyp_calls=cost["hvc_ns"],
        line_absent=absent,
        line_clean=absent * cost["dc_clean_ratio"],
        line_dirty=absent * cost["dc_clean_ratio"] * cost["dc_dirty_ratio"],
        cmo_calls=cost["dsb_ns"],
        icache_lines=cost["ic_line_ns"],
        ic_ialluis=cost["ic_all_ns"],
        guest_insns=cost["guest_cpi"] / machine["clock_ghz"],
        guest_misses=cost["memory_ns"] / cost["overlap"],
        uncached=cost["uncached_ns"],
        walk_reads=cost["walk_read_ns"],
        vmm_bytes=1024 / cost["copy_gbps"],
        zero_bytes=1024 / cost["zero_gbps"],
    )
    return {event: picoseconds(value) for event, value in ns.items()}


class Cache:
    """Pages in LRU order; of each the lines that an access uses, and the others, are absent (0),
    clean (1) or dirty (2)."""

    def __init__(self, lines, density):
        self.room = lines
        self.density = density
        self.pages = OrderedDict()
        self.used = 0

    def held(self, used, others):
        return (self.density if used else 0) + (LINES - self.density if others else 0)

    def drop(self, page):
        """What the cache had of the page."""
        used, others = self.pages.pop(page, (0, 0))
        self.used -= self.held(used, others)
        return used, others

    def put(self, page, used, others):
        """Sets the page's lines, as the ones used last, and drops what has no room."""
        self.drop(page)
        self.pages[page] = (used, others)
        self.used += self.held(used, others)
        while self.used > self.room:
            self.drop(next(iter(self.pages)))

    def access(self, page, write):
        """A guest's access; how many lines it misses."""
        used, others = self.pages.get(page, (0, 0))
        self.put(page, 2 if write else max(used, 1), others)
        return 0 if used else self.density

    def fill(self, page):
        self.put(page, 2, 2)

    def clean(self, page, count):
        """Clean and invalidate all lines of a page, counted by the state they were in."""
        used, others = self.drop(page)
        count[used] += self.density
        count[others] += LINES - self.density


class Run:
    """One VM of one vCPU under one strategy."""

    def __init__(self, scenario, strategy):
        self.s = scenario
        self.machine = scenario["machine"]
        self.how = STRATEGIES[strategy]
        self.ideal = self.how.get("ideal", False)
        self.fwb = self.how.get("fwb", False)
        self.quiet = self.ideal or self.fwb  # nothing is trapped, all accesses are cacheable
        self.leaf_pages = BLOCK if scenario["backing"] == "thp" else 1
        self.cache = Cache(self.machine["cache_bytes"] // 64, scenario["density"])
        self.leaves = {}  # leaf -> may be executed
        self.tables = set()  # GiB and 2 MiB regions with a table
        self.host = set()  # leaves that the host has memory for
        self.count = Counter()  # (part, event) in the window
        self.window = False
        self.mmu = False
        self.flush_due = False
        self.toggle_due = True

    def charge(self, part, event, n=1):
        if self.window and n:
            self.count[part, event] += n

    # --- Parts of KVM ---------------------------------------------------------------------------

    def tlbi(self, event, n):
        self.charge("tlbi", event, n)
        if event != "tlbi_local" and self.machine["erratum_4118414"] and self.s["kernel"] >= (7, 2):
            self.charge("tlbi", "tlbi_third", n)
        if not self.machine["vhe"]:
            self.charge("tlbi", "hyp_calls", n)

    def clean_leaf(self, part, leaf):
        lines = [0, 0, 0]
        for page in range(leaf * self.leaf_pages, (leaf + 1) * self.leaf_pages):
            self.cache.clean(page, lines)
        for event, n in zip(("line_absent", "line_clean", "line_dirty"), lines):
            self.charge(part, event, n)
        self.charge(part, "cmo_calls")

    def icache_leaf(self):
        """Before a leaf is made executable. A VIPT I-cache goes as a whole; from 6.7 on it does for a block."""
        if self.machine["vipt"] or self.leaf_pages > 1 and self.s["kernel"] >= (6, 7):
            self.charge("icache", "ic_ialluis")
        else:
            self.charge("icache", "icache_lines", LINES * self.leaf_pages)

    def tables_of(self, leaf):
        page = leaf * self.leaf_pages
        tables = [("1G", page // (BLOCK * BLOCK))]
        return tables + [("2M", page // BLOCK)] if self.leaf_pages == 1 else tables

    def fault(self, leaf, execute):
        """A translation fault: exit, the walk that found nothing, path, lines, map, tables."""
        tables = self.tables_of(leaf)
        there = [table for table in tables if table in self.tables]
        self.charge("fault_path", "exits")
        self.charge("walks", "walk_reads", len(there) + 1)
        self.charge("fault_path", "fault_path")
        self.host_memory(leaf)
        if not self.quiet:
            self.clean_leaf("lines_fault", leaf)
        if execute and not self.machine["dic"] and not self.ideal:
            self.icache_leaf()
        self.charge("fault_path", "map_calls")
        self.charge("fault_path", "s2_tables_alloc", len(tables) - len(there))
        self.tables.update(tables)
        self.leaves[leaf] = execute or self.machine["dic"]
        self.faults += 1

    def relax(self, leaf):
        """A permission fault: a leaf that may not be executed is."""
        self.charge("fault_path", "exits")
        self.charge("walks", "walk_reads", len(self.tables_of(leaf)) + 1)
        self.charge("fault_path", "perm_path")
        if not self.ideal:
            self.icache_leaf()
        self.charge("fault_path", "relax_calls")
        self.tlbi("tlbi_local" if self.s["kernel"] >= (6, 5) else "tlbi_calls", 1)
        self.leaves[leaf] = True
        self.faults += 1

    def host_memory(self, leaf):
        """The host allocates and clears what nobody touched before."""
        if leaf in self.host:
            return
        self.host.add(leaf)
        self.charge("other", "host_alloc")
        self.charge("other", "zero_bytes", 4 * self.leaf_pages)
        for page in range(leaf * self.leaf_pages, (leaf + 1) * self.leaf_pages):
            self.cache.fill(page)

    def walk(self, leaves_only):
        """Entries that a walk over RAM calls back for: all entries of each table there is, in the
        GiB that RAM begins in, and with leaves_only not the tables themselves."""
        blocks = self.s["ram"] // (BLOCK * PAGE)
        if not any(kind == "1G" for kind, _ in self.tables):
            return 1
        small = sum(1 for kind, _ in self.tables if kind == "2M")
        entries = blocks - small + small * BLOCK
        return entries if leaves_only else entries + small + 1

    def flush_all(self, part):
        self.charge("flush_path", "walk_flush", self.walk(True))
        for leaf in sorted(self.leaves):
            self.charge("flush_path", "flush_leaves")
            self.clean_leaf(part, leaf)

    # --- Operations of a timeline ---------------------------------------------------------------

    def reinit(self):
        self.window = True
        self.faults = 0
        self.mmu = False
        self.toggle_due = self.flush_due = True
        self.charge("unmap_path", "reinits")
        if self.how.get("unmap"):
            self.charge("unmap_path", "unmap_vm_calls")
            self.charge("unmap_path", "walk_unmap", self.walk(False))
            for leaf in sorted(self.leaves):
                self.charge("unmap_path", "unmap_leaves")
                if self.how.get("unmap_cleans"):
                    self.clean_leaf("lines_unmap", leaf)
            if self.how["tlbi"] == "leaf":
                self.tlbi("tlbi_calls", len(self.leaves) + len(self.tables))
            else:
                self.tlbi("tlbi_vmid", 1)
            self.charge("unmap_path", "s2_tables_free", len(self.tables))
            self.leaves, self.tables = {}, set()
        if self.fwb and not self.machine["dic"]:
            self.charge("icache", "ic_ialluis")

    def enter(self):
        if self.how.get("flush") and self.flush_due and self.window:
            self.flush_all("lines_flush")
            if not self.machine["dic"]:
                self.charge("icache", "ic_ialluis")
        self.flush_due = False

    def vm_registers(self, n):
        if not self.quiet:
            self.charge("traps", "toggle_traps", n)

    def mmu_on(self):
        self.vm_registers(1)
        toggle = self.how.get("toggle")
        if toggle == "every" or toggle == "first" and self.toggle_due:
            self.flush_all("lines_toggle")
        self.toggle_due = False
        self.mmu = True

    def insns(self, n):
        self.charge("other", "guest_insns", n)
        if not self.mmu and not self.quiet:
            self.charge("uncached", "uncached", int(n * Fraction(3, 10)))

    def fill(self, page, pages):
        for leaf in range(page // self.leaf_pages, (page + pages - 1) // self.leaf_pages + 1):
            self.host_memory(leaf)
        for at in range(page, page + pages):
            self.cache.fill(at)
        self.charge("other", "vmm_bytes", pages * 4)

    def touch(self, how, page, pages):
        """read, write or fetch: by leaves a fault if need be, a walk, the lines."""
        stage2 = 3 if self.leaf_pages == 1 else 2
        at = page
        while at < page + pages:
            leaf = at // self.leaf_pages
            end = min(page + pages, (leaf + 1) * self.leaf_pages)
            if leaf not in self.leaves:
                self.fault(leaf, how == "fetch")
            elif how == "fetch" and not self.leaves[leaf]:
                self.relax(leaf)
            self.charge("walks", "walk_reads", 5 * (stage2 + 1) - 1 if self.mmu else stage2)
            if self.mmu or self.quiet:
                misses = sum(self.cache.access(p, how == "write") for p in range(at, end))
                self.charge("refetch", "guest_misses", misses)
            else:
                # A line takes as many accesses of 16 bytes as fill it.
                self.charge("uncached", "uncached", (end - at) * self.s["density"] * 4)
            at = end

    # --- Metrics --------------------------------------------------------------------------------

    def times(self):
        """ps of each part in the window."""
        price = prices(self.machine, self.s["cost"])
        parts = Counter()
        for (part, event), n in self.count.items():
            parts[part] += n * price[event]
        return parts


def pieces(s):
    """The second boot's pieces: first page and pages. Less than 2 MiB is one piece, to the page."""
    units = s["footprint"] // (BLOCK * PAGE)
    if units * s["touched"] < 1:
        few = math.floor(units * BLOCK * s["touched"] + Fraction(1, 2))
        return [(0, few)] if few else []
    touched = math.floor(units * s["touched"] + Fraction(1, 2))
    n = min(s["extents"], touched)
    return [
        (i * units // n * BLOCK, ((i + 1) * touched // n - i * touched // n) * BLOCK)
        for i in range(n)
    ]


def off_places(s):
    """The pages that are touched with the MMU off: they take turns over places 2 MiB or more apart."""
    units = s["footprint"] // (BLOCK * PAGE)
    places = min(5, units)
    return [i % places * (units // places) * BLOCK + i // places for i in range(9)]


def executed(s, all_pieces):
    """Of which pieces how many pages are executed."""
    places = min(11, len(all_pieces))
    share = 1656 // places if places else 0
    which = {i * len(all_pieces) // places for i in range(places)}
    return [min(share, n) if i in which else 0 for i, (_, n) in enumerate(all_pieces)]


def first_use(run, s, touched, fetched):
    """A first boot fills the footprint; then other memory is read, and the cached share: of each
    32nd of the footprint the beginning, whose beginning is written and the rest read."""
    pages = s["footprint"] // PAGE
    run.mmu = True
    run.touch("write", 0, pages)
    for page in off_places(s)[::2]:
        run.touch("fetch", page, 1)
    for (page, _), n in zip(touched, fetched):
        if n:
            run.touch("fetch", page, n)
    run.cache.pages.clear()
    run.cache.used = 0
    group = pages // 32
    cached = math.floor(group * s["cached"])
    dirty = math.floor(cached * s["dirty"] + Fraction(1, 2))
    for page in range(0, group * 32, group):
        if dirty:
            run.touch("write", page, dirty)
        if cached > dirty:
            run.touch("read", page + dirty, cached - dirty)


def boot(run):
    """A generated boot: first use, reset, second boot."""
    s = run.s
    touched = pieces(s)
    fetched = executed(s, touched)
    run.faults = 0
    first_use(run, s, touched, fetched)
    run.reinit()
    if s["rewrite"]:
        run.fill(0, min(s["rewrite"], s["footprint"]) // PAGE)
    run.enter()
    off = off_places(s)
    for i, page in enumerate(off):
        run.touch("write" if i % 2 else "fetch", page, 1)
        run.insns((i + 1) * 4426 // 9 - i * 4426 // 9)
    run.vm_registers(10)
    run.mmu_on()
    for page in off[1::2]:
        run.touch("read", page, 1)
    share = s["write_share"]
    for i, (page, n) in enumerate(touched):
        write = math.floor((i + 1) * share) > math.floor(i * share)
        run.touch("write" if write else "read", page, n)
        if fetched[i]:
            run.touch("fetch", page, fetched[i])
        run.insns(n * s["insns_per_page"])


def timeline(run):
    """The operations of a [timeline], one after another."""
    run.faults = 0
    for actor, what, *numbers in run.s["timeline"]:
        if what == "reinit":
            run.reinit()
        elif what == "fill":
            run.fill(*numbers)
        elif what == "enter":
            run.enter()
        elif what == "mmu on":
            run.mmu_on()
        elif what == "insns":
            run.insns(*numbers)
        elif what == "vmregs":
            run.vm_registers(*numbers)
        elif what in ("read", "write", "fetch"):
            run.touch(what, *numbers)
        else:
            raise ValueError("%s = %s: not among the operations known here" % (actor, what))


def play(scenario, strategy):
    run = Run(scenario, strategy)
    if "timeline" in scenario:
        timeline(run)
    else:
        boot(run)
    return run


def predict(scenario, strategies):
    """Of each strategy the metrics of rows.csv that follow from counts and prices: times in ps."""
    base = play(scenario, "yardstick").times()
    return {strategy: metrics(play(scenario, strategy), base) for strategy in strategies}


def metrics(run, base):
    times = run.times()
    events = Counter()
    for (_, event), n in run.count.items():
        events[event] += n
    result = {
        "window_ns": sum(times.values()),
        "added_boot_ns": sum(times.values()) - sum(base.values()),
        "lines": sum(events[e] for e in ("line_absent", "line_clean", "line_dirty")),
        "writeback_bytes": 64 * events["line_dirty"],
        "tlbi": sum(events[e] for e in ("tlbi_calls", "tlbi_vmid", "tlbi_local")),
        "faults": run.faults,
        "leaves_4k": len(run.leaves) if run.leaf_pages == 1 else 0,
        "leaves_2m": len(run.leaves) if run.leaf_pages > 1 else 0,
    }
    for part in PARTS:
        result["part_%s_ns" % part] = times[part] - base[part]
    return result
