/*
 * tracetext - the text that a kernel would print of a recorded boot, and the
 * fronts of lines as the tools have them.
 */
#ifndef S2FLUSH_TESTS_TRACETEXT_H
#define S2FLUSH_TESTS_TRACETEXT_H

#include "check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"
#include "core/error.h"

enum tool {
    TOOL_TRACE,
    TOOL_TRACE_FLAGS,
    TOOL_TRACE_GROUP,
    TOOL_TRACE_CMD,
    TOOL_PERF,
    TOOL_PERF_GROUP,
    TOOLS
};

/* "     CPU 0/KVM-1000  [002] d..1.  100.000001: " and its relatives. */
static inline void put_front(FILE *out, enum tool tool, uint32_t vcpu, uint64_t ns)
{
    char comm[32], time[48];
    snprintf(comm, sizeof comm, "CPU %" PRIu32 "/KVM", vcpu);
    snprintf(time, sizeof time, "%" PRIu64 ".%06" PRIu64, 100 + ns / 1000000000,
             ns % 1000000000 / 1000);
    switch (tool) {
    case TOOL_TRACE:
        fprintf(out, "%16s-%-7" PRIu32 " [%03" PRIu32 "] %s: ", comm, 1000 + vcpu, vcpu, time);
        break;
    case TOOL_TRACE_FLAGS:
        fprintf(out, "%16s-%-7" PRIu32 " [%03" PRIu32 "] d..1. %s: ", comm, 1000 + vcpu, vcpu,
                time);
        break;
    case TOOL_TRACE_GROUP:
        fprintf(out, "%16s-%-7" PRIu32 " (    999) [%03" PRIu32 "] ..... %s: ", comm, 1000 + vcpu,
                vcpu, time);
        break;
    case TOOL_TRACE_CMD:
        fprintf(out, "%16s-%-5" PRIu32 " [%03" PRIu32 "] %s: ", comm, 1000 + vcpu, vcpu, time);
        break;
    case TOOL_PERF_GROUP:
        fprintf(out, "%16s   999/%-5" PRIu32 " [%03" PRIu32 "] %s: kvm:", comm, 1000 + vcpu, vcpu,
                time);
        break;
    case TOOL_PERF:
    case TOOLS:
        fprintf(out, "%16s %5" PRIu32 " [%03" PRIu32 "] %s: kvm:", comm, 1000 + vcpu, vcpu, time);
    }
}

static inline void put_fault(FILE *out, enum tool tool, uint32_t vcpu, uint64_t ns, uint64_t ipa,
                             uint64_t esr, uint64_t pc)
{
    put_front(out, tool, vcpu, ns);
    fprintf(out,
            "kvm_guest_fault: ipa %#" PRIx64 ", hsr %#08" PRIx64 ", hxfar %#08" PRIx64
            ", pc %#016" PRIx64 "\n",
            ipa, esr, ipa | 0x128, pc);
}

static inline void put_toggle(FILE *out, enum tool tool, uint32_t vcpu, uint64_t ns, uint64_t pc,
                              const char *was, const char *now)
{
    put_front(out, tool, vcpu, ns);
    fprintf(out, "kvm_toggle_cache: VM op at 0x%016" PRIx64 " (cache was %s, now %s)\n", pc, was,
            now);
}

static inline void put_other(FILE *out, enum tool tool, uint32_t vcpu, uint64_t ns,
                             const char *text)
{
    put_front(out, tool, vcpu, ns);
    fprintf(out, "%s\n", text);
}

/* Syndromes: class, IL, write, fault status at level 3. */
#define ESR_DATA (UINT64_C(0x24) << 26 | 1u << 25)
#define ESR_FETCH (UINT64_C(0x20) << 26 | 1u << 25)
#define ESR_WRITE (1u << 6)
#define ESR_TRANSLATION 0x07u
#define ESR_PERMISSION 0x0fu
#define ESR_ACCESS_FLAG 0x0bu

static inline uint64_t esr_of(const char *op)
{
    bool permission = strncmp(op, "perm", 4) == 0;
    char access = op[strlen(op) - 1];
    return (access == 'x' ? ESR_FETCH : ESR_DATA) | (access == 'w' ? ESR_WRITE : 0) |
           (permission ? ESR_PERMISSION : ESR_TRANSLATION);
}

/* One row of a recording; what a kernel prints nothing of is nothing here. */
static inline void put_recorded(FILE *out, enum tool tool, const struct csv *table, size_t row)
{
    const char *op = csv_cell(table, row, csv_column(table, "op"));
    const char *actor = csv_cell(table, row, csv_column(table, "actor"));
    uint64_t ipa = strtoull(csv_cell(table, row, csv_column(table, "ipa")), NULL, 0);
    uint64_t bytes = strtoull(csv_cell(table, row, csv_column(table, "bytes")), NULL, 0);
    uint64_t ns = strtoull(csv_cell(table, row, csv_column(table, "time_ns")), NULL, 0);
    uint32_t vcpu = strncmp(actor, "vcpu", 4) == 0 ? (uint32_t)strtoul(actor + 4, NULL, 10) : 0;
    const uint64_t kernel = UINT64_C(0xffff800008001000), boot = 0x40200000;
    if (strncmp(op, "fault_", 6) == 0 || strncmp(op, "perm_", 5) == 0) {
        /* The kernel tells the page, wherever it is in the leaf. */
        uint64_t page = bytes > 4096 ? row * 7919 % (bytes / 4096) * 4096 : 0;
        put_fault(out, tool, vcpu, ns, ipa + page, esr_of(op), row < 100 ? boot : kernel);
    } else if (strcmp(op, "mmu_on") == 0) {
        for (int i = 0; i < 10; i++) {
            put_toggle(out, tool, vcpu, ns, boot, "off", "off");
        }
        put_toggle(out, tool, vcpu, ns, boot, "off", "on");
    } else if (strcmp(op, "system_event") == 0) {
        put_other(out, tool, vcpu, ns, "kvm_userspace_exit: reason KVM_EXIT_SYSTEM_EVENT (24)");
    } else if (strcmp(op, "notifier") == 0) {
        put_other(out, tool, vcpu, ns,
                  "kvm_unmap_hva_range: mmu notifier unmap range: 0x00ffff8c000000 -- "
                  "0x00ffff8c001000");
    }
}

/* A whole recording. */
static inline void put_recording(FILE *out, enum tool tool, const char *path)
{
    struct csv table;
    struct error err = {0};
    bool read = csv_read(path, &table, &err);
    if (!read) {
        print_error("%s\n", err.text);
    }
    assert_true(read);
    if (tool == TOOL_TRACE_CMD) {
        fputs("cpus=4\n", out);
    } else if (tool != TOOL_PERF) {
        fputs("# tracer: nop\n#\n# entries-in-buffer/entries-written: 9/9   #P:4\n#\n", out);
    }
    put_front(out, tool, 0, 0);
    fputs("kvm_entry: PC: 0x0000000040000000\n", out);
    for (size_t i = 0; i < table.rows; i++) {
        put_recorded(out, tool, &table, i);
    }
    csv_free(&table);
}

#endif
