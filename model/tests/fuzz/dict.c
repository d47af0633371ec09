/*
 * dict - the words of all input files, as a dictionary for the fuzzer. Keys,
 * choices and defaults come from the option tables, so that it knows a new key
 * by itself.
 */
#include <stdio.h>

#include "check/counts/counts.h"
#include "check/published/published.h"
#include "guest/import/kvmtrace.h"
#include "guest/workload/workload.h"
#include "kvm/strategy.h"
#include "machine/platform.h"
#include "study/metrics.h"
#include "study/study.h"
#include "study/study_memo.h"
#include "vm/host.h"

/* Words of [timeline] lines, recordings, and tables, which are no options. */
static const char *const more[] = {
    "[workload]\\x0a",
    "[vm]\\x0a",
    "[boot]\\x0a",
    "[timeline]\\x0a",
    "[slot dev]\\x0a",
    "[study]\\x0a",
    "[axes]\\x0a",
    "[set]\\x0a",
    "[strategy own]\\x0a",
    "[machine]\\x0a",
    "[memo]\\x0a",
    "prefault ram 64K every 1M times 8",
    "s2flush cells 1\\x0a",
    "%%\\x0a",
    "CPU 0/KVM-1000",
    " [000] d..1. 100.000001: ",
    "ipa 0x40000000",
    "hsr 0x92000047",
    "pc 0xffff800008000000",
    "(cache was off, now on)",
    "reason KVM_EXIT_SYSTEM_EVENT (24)",
    "CPU:0 [LOST 5 EVENTS]\\x0a",
    "schema_version",
    "\\x22values\\x22:[",
    "\\x22axes\\x22:",
    "\\x22memo\\x22:",
    "ipa =",
    "bytes =",
    "misalign =",
    "code =",
    "read_only =",
    "phase =",
    "vmm = ",
    "vcpu0 = ",
    "vcpu1 = ",
    "fill ram 8K",
    "fill-uncached ram 8K",
    "read-uncached ram 4K",
    "device-read ram 4K",
    "notify ram 4K",
    "reinit all",
    "reinit 0",
    "drop ram",
    "slot-delete ram",
    "slot-add ram",
    "dirty-log on",
    "dirty-log on-split",
    "dirty-log off",
    "enter",
    "write ram+2M 2M",
    "read ram 4K",
    "fetch ram 4K",
    " every 8K times 100",
    "insns 1000",
    "mmu on",
    "mmu off",
    "vmregs 3",
    "setway 3",
    "compute 2ms",
    "signal s",
    "wait s",
    "concurrent",
    "1..8 x2",
    "0..1 +0.1",
    "128M..1T x2",
    "18446744073709551615",
    "9223372036854775808",
    "4503599627370496",
    "0xffffffffffffffff",
    "1e308",
    "-1",
    "nan",
    "\\xef\\xbb\\xbf",
    "\\x0d\\x0a",
    "\\x22",
    "\\x22\\x22",
    "fault_w",
    "fault_r",
    "fault_x",
    "perm_w",
    "perm_x",
    "fault_none",
    "mmu_on",
    "mmu_off",
    "ready",
    "system_event",
    "vmm_write",
    "memslot",
    "notifier",
    "map_other",
    "unmap_vm",
    "time_ns",
    "actor",
    "guest_insns",
    "# host: Linux 6.1, -cpu neoverse-n1, THP never\\x0a",
    "# guest: RAM 256 MiB at IPA 0x40000000, 1 vCPU, firmware: none\\x0a",
    "quantity",
    "dc_civac",
    "absent",
    "clean",
    "dirty",
    "mem_latency",
    "mem_bandwidth",
    "clock",
    "cores",
    "line_bytes",
    "median",
    "interval_low",
    "interval_high",
    "verdict",
    "coherent",
    "only-if",
    "stale"};

static void word(const char *text)
{
    if (text && text[0]) {
        printf("\"%s\"\n", text);
    }
}

static void words(const char *const *list, size_t count)
{
    for (size_t i = 0; i < count && list[i]; i++) {
        word(list[i]);
    }
}

/* Defaults are plain words: no quotes or backslashes in them. */
static void options(const struct option_row *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("\"%s = \"\n", table[i].name);
        word(table[i].fallback);
        for (const struct choice *choice = table[i].choices; choice && choice->word; choice++) {
            word(choice->word);
        }
    }
}

static void strategies(const struct strategy *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        word(rows[i].name);
    }
}

int main(void)
{
    options(workload_options, workload_option_count);
    options(study_options, study_option_count);
    options(strategy_options, strategy_option_count);
    options(study_memo_options, STUDY_MEMO_KEYS);
    strategies(strategy_rows, strategy_count);
    strategies(strategy_more, strategy_more_count);
    words(cost_name, COSTS);
    words(metric_name, METRICS);
    words(kernel_switch_name, KERNEL_SWITCHES);
    words(benchmark_name, SIZE_MAX);
    words(benchmark_phase_name, SIZE_MAX);
    words(role_name, SIZE_MAX);
    words(trace_event_name, TRACE_KVM_OTHER);
    for (size_t i = 0; i < kernel_rule_count; i++) {
        word(kernel_rules[i].value);
    }
    for (size_t i = 0; i < count_column_count; i++) {
        word(count_columns[i].name);
    }
    words(more, sizeof more / sizeof *more);
    return 0;
}
