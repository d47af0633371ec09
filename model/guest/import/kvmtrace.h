/*
 * kvmtrace - one line of a text trace of KVM's events on arm64.
 *
 * Takes what `trace-cmd report` (-R and -l, too), tracefs' `trace` and `trace_pipe`, `perf script`
 * and `perf trace` print, with fewer fields as well (the thread's name or number may be missing, or
 * both), and where a kernel's log, a journal, a mail or a terminal has put something before it:
 *
 *     CPU 0/KVM-1234    [003] d..1.  5891.897055: kvm_entry: PC: 0x0000000040000000
 *     CPU 0/KVM-1234 (   1230) [003] 5891.897055: kvm_entry: PC: 0x40000000
 *     CPU 0/KVM  1230/1234 [003]  5891.897055:  1 kvm:kvm_entry: PC: 0x40000000
 *     CPU 0/KVM  1234  5891.897055: kvm:kvm_entry: PC: 0x40000000
 *     CPU 0/KV-1234       3d..1. 5891897055us : kvm_entry: PC: 0x40000000
 *     5891897.055 CPU 0/KVM/1234 kvm:kvm_entry(vcpu_pc: 1073741824)
 *     5891.897055: kvm:kvm_entry: PC: 0x40000000
 *
 * Fields are found by their names, whatever stands between them. The formats are those of
 * arch/arm64/kvm/trace_arm.h and include/trace/events/kvm.h in Linux 5.10, 6.1, 6.12 and 7.3, which
 * agree in all that is taken here, and arch/arm/kvm/trace.h of 32-bit hosts; the line's front is
 * kernel/trace/trace_output.c's of 6.12.
 */
#ifndef S2FLUSH_GUEST_IMPORT_KVMTRACE_H
#define S2FLUSH_GUEST_IMPORT_KVMTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_event {
    TRACE_GUEST_FAULT, /* ipa, esr, pc */
    TRACE_ENTRY, /* pc */
    TRACE_EXIT, /* pc */
    TRACE_MMIO, /* ipa: an emulated access */
    TRACE_TOGGLE, /* was, now: caches; one for each trapped VM-register write */
    TRACE_SETWAY, /* the flush for set/way operations */
    TRACE_NOTIFIER, /* an MMU notifier unmaps or replaces a range of the VMM's memory */
    TRACE_USER_EXIT, /* reason */
    TRACE_KVM_OTHER, /* other events of KVM: nothing is taken of them */
    TRACE_EVENTS
};
extern const char *const trace_event_name[TRACE_EVENTS];

enum trace_kind {
    TRACE_LINE_EVENT, /* one of the above */
    TRACE_LINE_FOREIGN, /* an event of another system than KVM */
    TRACE_LINE_HEAD, /* a comment, a header, an empty line */
    TRACE_LINE_BUFFER, /* tracefs' count of entries: `n` of them were overwritten */
    TRACE_LINE_LOST, /* `n` events were lost here; 0: it is not known how many */
    TRACE_LINE_FIELDS, /* an event of the above whose fields are not as expected */
    TRACE_LINE_UNRECOGNIZED, /* none of these */
};

#define TRACE_COMM 32

struct trace_line {
    enum trace_kind kind;
    enum trace_event event;
    char comm[TRACE_COMM]; /* the thread's name; what cannot be printed is '?' */
    uint32_t pid, tgid; /* 0: not shown */
    uint64_t time_ns;
    uint64_t ipa, esr, pc, n;
    int64_t reason; /* KVM_EXIT_..., or a negative error */
    bool was, now;
};

/* KVM_EXIT_... of include/uapi/linux/kvm.h. */
#define TRACE_REASON_MMIO 6
#define TRACE_REASON_SYSTEM_EVENT 24

/* Reads a line of that length, which ends in a NUL behind it. */
void kvmtrace_line(const char *text, size_t length, struct trace_line *line);

/* What a stage-2 abort's syndrome says (Arm ARM, ESR_EL2; kernel:
 * kvm_is_write_fault). */
struct trace_abort {
    bool translation, permission; /* neither: an access flag or another fault */
    bool fetch, write; /* neither: a read */
};
struct trace_abort kvmtrace_abort(uint64_t esr);

#endif
