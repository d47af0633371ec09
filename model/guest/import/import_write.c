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
struct telling {
    FILE *out;
    const char *before;
};

static void tell(const struct telling *telling, uint64_t count, const char *what)
{
    if (count > 0) {
        fprintf(telling->out, "%s%" PRIu64 " %s\n", telling->before, count, what);
    }
}

static void tell_vcpus(const struct import *import, const struct telling *telling)
{
    char comm[TRACE_COMM];
    for (size_t i = 0; i < import->thread_count; i++) {
        const struct import_thread *thread = &import->threads[i];
        if (thread->taken) {
            fprintf(telling->out, "%svcpu%" PRIu32 ": thread %" PRIu32 " (%s), by %s\n",
                    telling->before, thread->vcpu, thread->pid,
                    plain(thread->comm, comm, sizeof comm),
                    import->numbered ? "its name" : "the order of appearance");
        }
    }
}

static void tell_memory(const struct import *import, const struct telling *telling)
{
    const struct import_wish *wish = &import->wish;
    char size[32];
    fprintf(telling->out, "%sRAM: %s at 0x%" PRIx64 "%s\n", telling->before,
            unit_format_whole(import->ram_bytes, UNIT_BYTES, size, sizeof size), import->ram_start,
            wish->ram_bytes && wish->ram_ipa != UINT64_MAX ? ", as told"
            : wish->ram_bytes || wish->ram_ipa != UINT64_MAX
                ? ", the one as told, the other assumed from the faults"
                : ", assumed from the faults");
    fprintf(telling->out, "%sbacking: %s, %s (%.1f faults for each block of 2 MiB and boot)\n",
            telling->before, backing_name[import->backing],
            wish->backing == BACKINGS ? "assumed from the faults" : "as told", import->per_block);
    fprintf(telling->out, "%shost pages: 4 KiB, assumed\n", telling->before);
    if (wish->rewrite_bytes > 0) {
        fprintf(
            telling->out, "%sVMM's writes: %s from the start of RAM before each boot, as told\n",
            telling->before, unit_format_whole(wish->rewrite_bytes, UNIT_BYTES, size, sizeof size));
    } else {
        fprintf(telling->out, "%sVMM's writes: none, a trace does not show them (--rewrite)\n",
                telling->before);
    }
    fprintf(telling->out, "%sguest instructions between events: none, a trace does not show them\n",
            telling->before);
}

static void tell_reinits(const struct import *import, const struct telling *telling)
{
    for (size_t i = 0; i < import->reinit_count; i++) {
        uint64_t ns = import->events[import->reinits[i]].time_ns;
        fprintf(telling->out, "%sre-init of all vCPUs at %" PRIu64 ".%09" PRIu64 " s, %s\n",
                telling->before, ns / 1000000000, ns % 1000000000,
                import->wish.reinit_count ? "as told" : "where mapped memory faults again");
    }
}

static void tell_lost(const struct import *import, const struct telling *telling)
{
    const struct import_counts *counts = &import->counts;
    tell(telling, counts->lost_places, "places where events were lost");
    tell(telling, counts->lost, "events lost there, as far as that is told");
    tell(telling, counts->overwritten, "events overwritten in the trace's buffer");
    tell(telling, counts->fields, "events of KVM with unknown fields, left out");
    tell(telling, counts->strange, "lines that are no part of a trace, left out");
    tell(telling, counts->too_long, "lines of more than 4 KiB, left out");
    if (counts->truncated) {
        fprintf(telling->out, "%sthe last line is cut off and left out\n", telling->before);
    }
    tell(telling, counts->unordered, "events that stood behind a later one, put in order");
    tell(telling, counts->others, "events of other threads than the VM's, left out");
    tell(telling, counts->foreign, "events of other systems than KVM, left out");
    tell(telling, counts->devices, "faults of emulated devices, left out");
    tell(telling, counts->other_faults, "faults of other kinds (access flag), left out");
    tell(telling, counts->races, "faults that lost a race and came again, left out");
    tell(telling, counts->inside, "faults inside leaves that were mapped, left out");
    tell(telling, counts->taken_back, "leaves that the host took back before they faulted again");
}

void import_tell(const struct import *import, const char *before, FILE *out)
{
    struct telling telling = {out, before};
    for (int i = 0; i < TRACE_EVENTS; i++) {
        tell(&telling, import->counts.events[i], trace_event_name[i]);
    }
    tell_vcpus(import, &telling);
    tell_memory(import, &telling);
    tell_reinits(import, &telling);
    tell_lost(import, &telling);
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
    fprintf(out, "# host: Linux %s, -cpu unknown\n", plain(import->wish.kernel, text, sizeof text));
    fprintf(out,
            "# guest: RAM %" PRIu64 " MiB at IPA 0x%" PRIx64 ", %" PRIu32 " vCPU, firmware: %s\n",
            import->ram_bytes / MIB, import->ram_start, import->vcpus,
            import->uefi ? "efi, assumed from fetches below 128 MiB" : "none");
    fprintf(out, "# backing: %s\n", backing_name[import->backing]);
    import_tell(import, "# import: ", out);
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
    import_tell(import, "; ", out);
    fprintf(out, "[workload]\ntitle = imported from %s\nrecording = %s\n",
            plain(slash ? slash + 1 : import->path, text, sizeof text), rows);
    if (counts->mmu_on > 0) {
        fprintf(out, "\n[vm]\nvm_registers = %" PRIu64 " ; written before an MMU-on, as traced\n",
                (counts->vm_registers + counts->mmu_on / 2) / counts->mmu_on);
    }
}
