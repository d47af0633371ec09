/* Imports: which threads are the VM's, and which vCPU runs in which. */
#include "core/error.h"
#include "guest/import/steps.h"

#include "core/units.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- which threads --- */

/* Appends "1234 (CPU 0/KVM)" and so on of all threads that run a vCPU. */
static void list_threads(const struct import *import, char *text, size_t size)
{
    size_t used = strlen(text);
    uint32_t shown = 0;
    for (size_t i = 0; i < import->thread_count && used + 80 < size; i++) {
        const struct import_thread *thread = &import->threads[i];
        if (!thread->runs) {
            continue;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%u (%s", shown++ ? ", " : "",
                                 thread->pid, thread->comm);
        if (thread->tgid) {
            used += (size_t)snprintf(text + used, size - used, ", group %u", thread->tgid);
        }
        used += (size_t)snprintf(text + used, size - used, ")");
    }
    if (used + 80 >= size) {
        snprintf(text + used, size - used, ", ...");
    }
}

static bool no_single_vm(const struct import *import, const char *why, struct error *err)
{
    char list[512] = "";
    list_threads(import, list, sizeof list);
    return error_input(err, &(struct source_location){.file = import->path},
                       "found %s: %s; --pid PID (repeatable: threads or groups) takes one VM", why,
                       list);
}

static bool is_named(const struct import *import, uint32_t pid)
{
    for (size_t i = 0; i < import->options.pid_count; i++) {
        if (import->options.pids[i] == pid && pid != 0) {
            return true;
        }
    }
    return false;
}

static bool check_pids(const struct import *import, struct error *err)
{
    char list[512] = "";
    for (size_t i = 0; i < import->options.pid_count; i++) {
        uint32_t pid = import->options.pids[i];
        bool found = false;
        for (size_t k = 0; k < import->thread_count; k++) {
            const struct import_thread *thread = &import->threads[k];
            found |= thread->runs && (thread->pid == pid || thread->tgid == pid);
        }
        if (!found) {
            list_threads(import, list, sizeof list);
            return error_input(err, &(struct source_location){.file = import->path},
                               "no vCPU runs in thread or group %u, expected one of %s", pid, list);
        }
    }
    return true;
}

/* "CPU 3/KVM" (QEMU), "fc_vcpu 3", "vcpu3", "kvm-vcpu-3": the number, or -1. */
static long vcpu_in(const char *comm)
{
    const char *at = strcasestr(comm, "vcpu");
    at = at ? at + 4 : strncmp(comm, "CPU ", 4) == 0 ? comm + 4 : NULL;
    if (!at) {
        return -1;
    }
    at += strspn(at, " -_");
    if (*at < '0' || *at > '9') {
        return -1;
    }
    long number = strtol(at, NULL, 10);
    return number < IMPORT_VCPUS ? number : -1;
}

/* Whether the names of all threads that run vCPUs, or of those that are taken, have numbers. */
static bool all_numbered(const struct import *import, bool taken)
{
    for (size_t i = 0; i < import->thread_count; i++) {
        const struct import_thread *thread = &import->threads[i];
        if ((taken ? thread->taken : thread->runs) && vcpu_in(thread->comm) < 0) {
            return false;
        }
    }
    return true;
}

/* --- which VM --- */

static uint32_t vm_of_group(const struct import *import, size_t thread, uint32_t vms)
{
    for (size_t i = 0; i < thread; i++) {
        if (import->threads[i].vm && import->threads[i].tgid == import->threads[thread].tgid) {
            return import->threads[i].vm;
        }
    }
    return vms + 1;
}

static uint32_t divide_by_groups(struct import *import)
{
    uint32_t vms = 0;
    for (size_t i = 0; i < import->thread_count; i++) {
        struct import_thread *thread = &import->threads[i];
        if (thread->runs && thread->tgid) {
            thread->vm = vm_of_group(import, i, vms);
            vms = thread->vm > vms ? thread->vm : vms;
        }
    }
    return vms;
}

/* A VMM makes its vCPUs' threads one after another: in the order of their numbers a VM ends where
 * a vCPU's number does not rise. */
static uint32_t divide_by_names(struct import *import)
{
    uint32_t vms = 1, last = 0;
    long before = -1;
    for (struct import_thread *next = import->threads; next;) {
        next = NULL;
        for (size_t i = 0; i < import->thread_count; i++) {
            struct import_thread *thread = &import->threads[i];
            if (thread->runs && thread->pid > last && (!next || thread->pid < next->pid)) {
                next = thread;
            }
        }
        if (next) {
            long number = vcpu_in(next->comm);
            vms += number <= before;
            next->vm = vms;
            before = number;
            last = next->pid;
        }
    }
    return vms;
}

/* How many VMs there are, as far as the trace tells. */
static uint32_t divide(struct import *import)
{
    uint32_t groups = divide_by_groups(import);
    bool named = groups == 0 && all_numbered(import, false);
    return groups > 0 ? groups : named ? divide_by_names(import) : 1;
}

static uint32_t busiest(const struct import *import)
{
    uint64_t max = 0;
    uint32_t found = 0;
    for (uint32_t vm = 1; vm <= import->vms; vm++) {
        uint64_t faults = 0;
        for (size_t i = 0; i < import->thread_count; i++) {
            faults += import->threads[i].vm == vm ? import->threads[i].faults : 0;
        }
        if (!found || faults > max) {
            max = faults;
            found = vm;
        }
    }
    return found;
}

static bool take_threads(struct import *import, struct error *err)
{
    if (!check_pids(import, err)) {
        return false;
    }
    import->vms = divide(import);
    bool named = import->options.pid_count > 0;
    uint32_t vm = import->vms > 1 ? busiest(import) : 0;
    for (size_t i = 0; i < import->thread_count; i++) {
        struct import_thread *thread = &import->threads[i];
        bool wanted = named ? is_named(import, thread->pid) || is_named(import, thread->tgid)
                            : vm == 0 || thread->vm == vm;
        thread->taken = thread->runs && wanted;
        if (thread->taken && !thread->pid && !thread->comm[0] && thread->doubled > 0 &&
            import->counts.events[TRACE_EXIT] > 0 && !import->options.allow_lost) {
            return error_input(err, &(struct source_location){.file = import->path},
                               "found events that name no thread, and the guest entered again "
                               "before it had left: they are of several vCPUs, expected the name "
                               "and number of each event's thread as in 'CPU 0/KVM-1234' (perf "
                               "script -F comm,tid,time,event,trace)");
        }
    }
    return true;
}

/* --- which vCPU --- */

static bool number_vcpus(struct import *import, struct error *err)
{
    bool used[IMPORT_VCPUS] = {false};
    uint32_t next = 0;
    import->numbered = all_numbered(import, true);
    for (size_t i = 0; i < import->thread_count; i++) {
        struct import_thread *thread = &import->threads[i];
        if (!thread->taken) {
            continue;
        }
        thread->vcpu = import->numbered ? (uint32_t)vcpu_in(thread->comm) : next;
        next++;
        if (thread->vcpu >= IMPORT_VCPUS) {
            return no_single_vm(import, "more than 512 vCPUs", err);
        }
        if (used[thread->vcpu]) {
            return no_single_vm(import, "several threads of one vCPU's name", err);
        }
        used[thread->vcpu] = true;
        import->vcpus = thread->vcpu + 1 > import->vcpus ? thread->vcpu + 1 : import->vcpus;
    }
    return true;
}

/* --- its events in order --- */

static int by_time(const void *a, const void *b)
{
    const struct import_event *x = a, *y = b;
    if (x->time_ns != y->time_ns) {
        return x->time_ns < y->time_ns ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Notifiers run in whatever thread of the host takes the memory, but for those of other VMs. */
static bool belongs(const struct import *import, const struct import_event *event)
{
    const struct import_thread *thread = &import->threads[event->thread];
    bool other = thread->runs && !thread->taken && import->vms > 1;
    return thread->taken || (event->event == TRACE_NOTIFIER && !other);
}

static void keep_events(struct import *import)
{
    size_t kept = 0;
    uint64_t latest = 0;
    for (size_t i = 0; i < import->event_count; i++) {
        const struct import_event *event = &import->events[i];
        if (belongs(import, event)) {
            import->counts.unordered += event->time_ns < latest;
            latest = event->time_ns > latest ? event->time_ns : latest;
            import->events[kept++] = *event;
        } else {
            import->counts.others++;
        }
    }
    import->event_count = kept;
    qsort(import->events, kept, sizeof *import->events, by_time);
}

/* A guest that runs already has memory mapped that no fault here tells of. */
static bool check_begin(const struct import *import, struct error *err)
{
    for (size_t i = 0; i < import->event_count; i++) {
        const struct import_event *event = &import->events[i];
        if (event->event != TRACE_GUEST_FAULT && event->event != TRACE_ENTRY) {
            continue;
        }
        if (event->pc >> 63 && !import->options.allow_lost && !import->options.restored) {
            return error_input(err, &(struct source_location){.file = import->path},
                               "the guest's kernel runs already when the trace begins (pc 0x%llx): "
                               "what was mapped before is missing. Begin to record before the VM "
                               "starts, or go on with --restored where it comes from a snapshot or "
                               "another host then, or with --allow-lost",
                               (unsigned long long)event->pc);
        }
        return true;
    }
    return true;
}

bool import_vm(struct import *import, struct error *err)
{
    if (!take_threads(import, err) || !number_vcpus(import, err)) {
        return false;
    }
    keep_events(import);
    return check_begin(import, err);
}
