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

static bool several_vms(const struct import *import, const char *why, struct error *err)
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

static bool take_threads(struct import *import, struct error *err)
{
    uint32_t group = 0;
    if (!check_pids(import, err)) {
        return false;
    }
    for (size_t i = 0; i < import->thread_count; i++) {
        struct import_thread *thread = &import->threads[i];
        bool named = is_named(import, thread->pid) || is_named(import, thread->tgid);
        thread->taken = thread->runs && (named || import->options.pid_count == 0);
        if (import->options.pid_count == 0 && thread->taken && thread->tgid) {
            if (group && group != thread->tgid) {
                return several_vms(import, "several VMs", err);
            }
            group = thread->tgid;
        }
    }
    return true;
}

/* --- which vCPU --- */

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

static bool all_numbered(const struct import *import)
{
    for (size_t i = 0; i < import->thread_count; i++) {
        if (import->threads[i].taken && vcpu_in(import->threads[i].comm) < 0) {
            return false;
        }
    }
    return true;
}

static bool number_vcpus(struct import *import, struct error *err)
{
    bool used[IMPORT_VCPUS] = {false};
    uint32_t next = 0;
    import->numbered = all_numbered(import);
    for (size_t i = 0; i < import->thread_count; i++) {
        struct import_thread *thread = &import->threads[i];
        if (!thread->taken) {
            continue;
        }
        thread->vcpu = import->numbered ? (uint32_t)vcpu_in(thread->comm) : next;
        next++;
        if (thread->vcpu >= IMPORT_VCPUS) {
            return several_vms(import, "more than 512 vCPUs", err);
        }
        if (used[thread->vcpu]) {
            return several_vms(import, "several threads of one vCPU's name", err);
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

/* Notifiers run in whatever thread of the host takes the memory. */
static bool belongs(const struct import *import, const struct import_event *event)
{
    return import->threads[event->thread].taken || event->event == TRACE_NOTIFIER;
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
