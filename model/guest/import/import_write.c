/* Imports: the recording, the workload, and what is said of them. */
#include "guest/import/import.h"

#include "core/units.h"

#include <inttypes.h>
#include <string.h>

static const char *const op_name[IMPORT_OPS] = {
    [IMPORT_FAULT_W] = "fault_w",
    [IMPORT_FAULT_R] = "fault_r",
    [IMPORT_FAULT_X] = "fault_x",
    [IMPORT_PERM_W] = "perm_w",
    [IMPORT_PERM_X] = "perm_x",
    [IMPORT_MMU_ON] = "mmu_on",
    [IMPORT_MMU_OFF] = "mmu_off",
    [IMPORT_SETWAY] = "setway",
    [IMPORT_SYSTEM_EVENT] = "system_event",
    [IMPORT_REINIT] = "reinit",
    [IMPORT_VMM_WRITE] = "vmm_write",
    [IMPORT_NOTIFIER] = "notifier",
};

/* A name in a comment or title: one line of printable characters, none of which
 * begins a comment. */
static const char *plain(const char *text, char *buf, size_t size)
{
    size_t used = 0;
    for (; text[used] && used + 1 < size; used++) {
        unsigned char c = (unsigned char)text[used];
        buf[used] = c < ' ' || c >= 0x7f || c == ';' || c == '#' ? '?' : text[used];
    }
    buf[used] = '\0';
    return buf;
}

/* --- what is said --- */

/* Each line begins with `before`. */
struct report {
    FILE *out;
    const char *before;
};

static void print_count(const struct report *report, uint64_t count, const char *what)
{
    if (count > 0) {
        fprintf(report->out, "%s%" PRIu64 " %s\n", report->before, count, what);
    }
}

static void print_vcpus(const struct import *import, const struct report *report)
{
    char comm[TRACE_COMM];
    for (size_t i = 0; i < import->thread_count; i++) {
        const struct import_thread *thread = &import->threads[i];
        if (thread->taken && !thread->pid) {
            fprintf(report->out, "%svcpu%" PRIu32 ": %s%s, one thread as assumed\n", report->before,
                    thread->vcpu,
                    thread->comm[0] ? "events without a thread's number of "
                                    : "events that name no thread",
                    plain(thread->comm, comm, sizeof comm));
        } else if (thread->taken) {
            fprintf(report->out, "%svcpu%" PRIu32 ": thread %" PRIu32 " (%s), by %s\n",
                    report->before, thread->vcpu, thread->pid,
                    plain(thread->comm, comm, sizeof comm),
                    import->numbered ? "its name" : "the order of appearance");
        }
    }
}

static void print_vm(const struct import *import, const struct report *report)
{
    for (size_t i = 0; import->vms > 1 && i < import->thread_count; i++) {
        const struct import_thread *thread = &import->threads[i];
        if (thread->taken) {
            fprintf(report->out, "%sVM: that of thread %" PRIu32 ", ", report->before, thread->pid);
            fprintf(report->out,
                    import->options.pid_count > 0 ? "as given, of %" PRIu32 "\n"
                                                  : "which has most faults of %" PRIu32
                                                    ", assumed (--pid takes another)\n",
                    import->vms);
            return;
        }
    }
}

static void print_memory(const struct import *import, const struct report *report)
{
    const struct import_options *options = &import->options;
    char size[32];
    fprintf(report->out, "%sRAM: %s at 0x%" PRIx64 "%s\n", report->before,
            unit_format_whole(import->ram_bytes, UNIT_BYTES, size, sizeof size), import->ram_start,
            options->ram_bytes && options->ram_ipa != UINT64_MAX ? ", as given"
            : options->ram_bytes || options->ram_ipa != UINT64_MAX
                ? ", the one as given, the other assumed from the faults"
                : ", assumed from the faults");
    fprintf(report->out, "%sbacking: %s, %s (%.1f faults for each block of 2 MiB and boot)\n",
            report->before, backing_name[import->backing],
            options->backing == BACKINGS ? "assumed from the faults" : "as given",
            import->per_block);
    fprintf(report->out, "%shost pages: 4 KiB, assumed\n", report->before);
    if (options->rewrite_bytes > 0) {
        fprintf(report->out,
                "%sVMM's writes: %s from the start of RAM before each boot, as given\n",
                report->before,
                unit_format_whole(options->rewrite_bytes, UNIT_BYTES, size, sizeof size));
    } else {
        fprintf(report->out, "%sVMM's writes: none, a trace does not show them (--rewrite)\n",
                report->before);
    }
    fprintf(report->out, "%sguest instructions between events: none, a trace does not show them\n",
            report->before);
}

static void print_reinits(const struct import *import, const struct report *report)
{
    for (size_t i = 0; i < import->reinit_count; i++) {
        uint64_t ns = import->events[import->reinits[i]].time_ns;
        fprintf(report->out, "%sre-init of all vCPUs at %" PRIu64 ".%09" PRIu64 " s, %s\n",
                report->before, ns / 1000000000, ns % 1000000000,
                import->options.reinit_count ? "as given" : "where mapped memory faults again");
    }
}

static void print_lost(const struct import *import, const struct report *report)
{
    const struct import_counts *counts = &import->counts;
    print_count(report, counts->lost_places, "places where events were lost");
    print_count(report, counts->lost, "events lost there, as far as that is known");
    print_count(report, counts->overwritten, "events overwritten in the trace's buffer");
    print_count(report, counts->fields, "events of KVM with unknown fields, left out");
    print_count(report, counts->unrecognized, "lines that are no part of a trace, left out");
    print_count(report, counts->too_long, "lines of more than 4 KiB, left out");
    if (counts->truncated) {
        fprintf(report->out, "%sthe last line is cut off and left out\n", report->before);
    }
    print_count(report, counts->unordered, "events that stood behind a later one, put in order");
    print_count(report, counts->others, "events of other threads than the VM's, left out");
    print_count(report, counts->foreign, "events of other systems than KVM, left out");
    print_count(report, counts->devices, "faults of emulated devices, left out");
    print_count(report, counts->other_faults, "faults of other kinds (access flag), left out");
    print_count(report, counts->races, "faults that lost a race and came again, left out");
    print_count(report, counts->inside, "faults inside leaves that were mapped, left out");
    print_count(report, counts->taken_back,
                "leaves that the host took back before they faulted again");
}

void import_print(const struct import *import, const char *before, FILE *out)
{
    struct report report = {out, before};
    for (int i = 0; i < TRACE_EVENTS; i++) {
        print_count(&report, import->counts.events[i], trace_event_name[i]);
    }
    print_vm(import, &report);
    print_vcpus(import, &report);
    print_memory(import, &report);
    print_reinits(import, &report);
    print_lost(import, &report);
}

/* --- files --- */

static void write_row(const struct import_row *row, FILE *out)
{
    bool placed = row->bytes > 0;
    fprintf(out, "%" PRIu64 ",", row->time_ns);
    if (row->actor == IMPORT_VMM) {
        fprintf(out, "vmm,%s,", op_name[row->op]);
    } else {
        fprintf(out, "vcpu%" PRIu32 ",%s,", row->actor, op_name[row->op]);
    }
    if (placed) {
        fprintf(out, "0x%" PRIx64 ",%" PRIu64, row->ipa, row->bytes);
    } else {
        fputs(",0", out);
    }
    fputs(",0,\n", out);
}

void import_write_rows(const struct import *import, const char *name, FILE *out)
{
    char text[256];
    fprintf(out, "# name: %s\n", plain(name, text, sizeof text));
    fprintf(out, "# what: faults of a VM, imported from the trace %s\n",
            plain(import->path, text, sizeof text));
    fprintf(out, "# host: Linux %s, -cpu unknown\n",
            plain(import->options.kernel, text, sizeof text));
    fprintf(out,
            "# guest: RAM %" PRIu64 " MiB at IPA 0x%" PRIx64 ", %" PRIu32 " vCPU, firmware: %s\n",
            import->ram_bytes / MIB, import->ram_start, import->vcpus,
            import->uefi ? "efi, assumed from fetches below 128 MiB" : "none");
    fprintf(out, "# backing: %s\n", backing_name[import->backing]);
    import_print(import, "# import: ", out);
    fputs("time_ns,actor,op,ipa,bytes,guest_insns,flags\n", out);
    for (size_t i = 0; i < import->row_count; i++) {
        write_row(&import->rows[i], out);
    }
}

void import_write_workload(const struct import *import, const char *rows, FILE *out)
{
    char text[256];
    const struct import_counts *counts = &import->counts;
    const char *slash = strrchr(import->path, '/');
    fputs("; Made by `s2flush import`.\n", out);
    import_print(import, "; ", out);
    fprintf(out, "[workload]\ntitle = imported from %s\nrecording = %s\n",
            plain(slash ? slash + 1 : import->path, text, sizeof text), rows);
    if (counts->mmu_on > 0) {
        fprintf(out, "\n[vm]\nvm_registers = %" PRIu64 " ; written before an MMU-on, as traced\n",
                (counts->vm_registers + counts->mmu_on / 2) / counts->mmu_on);
    }
}
