/* Imports: from lines to the events of one VM, and the order of the steps. */
#include "core/alloc.h"
#include "core/error.h"
#include "guest/import/steps.h"

#include "core/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Longer lines are none of a trace's; what is behind is skipped. */
#define LINE_BYTES 4096

/* More threads with events of KVM than any host runs vCPUs. */
#define IMPORT_THREADS 8192

void *import_grown(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return array;
    }
    *room = *room ? *room * 2 : 256;
    array = alloc_checked(reallocarray(array, *room, size), "a trace");
    return array;
}

/* --- lines --- */

static uint32_t thread_of(struct import *import, const struct trace_line *line)
{
    for (size_t i = import->thread_count; i-- > 0;) {
        if (import->threads[i].pid == line->pid &&
            (line->pid || strcmp(import->threads[i].comm, line->comm) == 0)) {
            struct import_thread *thread = &import->threads[i];
            thread->tgid = thread->tgid ? thread->tgid : line->tgid;
            return (uint32_t)i;
        }
    }
    if (import->thread_count == IMPORT_THREADS) {
        import->crowded = true;
        return 0;
    }
    import->threads = import_grown(import->threads, import->thread_count, &import->thread_room,
                                   sizeof *import->threads);
    struct import_thread *thread = &import->threads[import->thread_count];
    *thread = (struct import_thread){.pid = line->pid, .tgid = line->tgid};
    memcpy(thread->comm, line->comm, sizeof thread->comm);
    return (uint32_t)import->thread_count++;
}

static void take_event(struct import *import, const struct trace_line *line)
{
    uint32_t index = thread_of(import, line);
    struct import_thread *thread = &import->threads[index];
    import->counts.events[line->event]++;
    import->counts.backward += line->time_ns < thread->latest_ns;
    thread->latest_ns = line->time_ns;
    thread->runs |= line->event <= TRACE_SETWAY;
    thread->faults += line->event == TRACE_GUEST_FAULT;
    thread->doubled += line->event == TRACE_ENTRY && thread->inside;
    thread->inside = line->event == TRACE_ENTRY || (thread->inside && line->event != TRACE_EXIT);
    if (line->event == TRACE_KVM_OTHER) {
        return;
    }
    import->events = import_grown(import->events, import->event_count, &import->event_room,
                                  sizeof *import->events);
    size_t at = import->event_count++;
    import->events[at] = (struct import_event){.time_ns = line->time_ns,
                                               .order = at,
                                               .ipa = line->ipa - line->ipa % IMPORT_PAGE,
                                               .esr = line->esr,
                                               .pc = line->pc,
                                               .reason = line->reason,
                                               .thread = index,
                                               .event = (uint8_t)line->event,
                                               .was = line->was,
                                               .now = line->now};
}

static void note_first(unsigned *line, uint64_t count, uint64_t number)
{
    *line = count == 1 ? (unsigned)number : *line;
}

#define BPFTRACE "bpftrace, which prints what its script says: trace-cmd or perf record the events"

/* Traces and outputs that people bring and that tell no faults, by what stands in their lines. */
static const char *form_of(const char *text)
{
    static const struct {
        const char *mark, *form;
    } forms[] = {
        {"{ cpu_id = ", "LTTng, as babeltrace prints it"},
        {"kvm_run_exit cpu_index", "QEMU's own trace, which sees no stage-2 fault"},
        {"KVM_RUN", "strace, which sees no stage-2 fault"},
        {"VM-EXIT ", "`perf kvm stat`, which has sums and no events"},
        {"KVM_EXIT_REASON", "kvmexit of bcc, which has sums and no events"},
        {"Performance counter stats", "`perf stat`, which has sums and no events"},
        {"Attaching ", BPFTRACE},
        {"Attached ", BPFTRACE},
        {"@[", "bpftrace, which has sums and no events"},
        {"/* kvm_", "the function_graph tracer, where events are comments: the nop tracer prints "
                    "them (echo nop > current_tracer)"},
        {"hitcount:", "a histogram of tracefs, which has sums and no events"},
        {"of event 'kvm:",
         "`perf report`, which has sums and no events: `perf script` prints them"},
        {"kvm statistics", "kvm_stat, which has sums and no events"},
        {"linux-perf-json-version", "JSON of perf: `perf script` prints text"},
        {"ftrace_events {", "Perfetto's own text: `traceconv systrace` prints what is known"},
        {"Taking exception", "QEMU's log of a CPU that it emulates, without KVM"},
        {"Booting Linux on physical CPU", "a kernel's log of its own boot"},
        {"kvm_page_fault:", "a trace of an x86 host"},
        {"EPT_VIOLATION", "a trace of an x86 host"},
        {"KVM_CREATE_MAPPINGS", "a benchmark's output, which `s2flush calibrate` takes"},
        {"Populate memory time", "a benchmark's output, which `s2flush calibrate` takes"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strstr(text, forms[i].mark)) {
            return forms[i].form;
        }
    }
    bool date = text[0] == '[' && strcspn(text, "]") == 25 && strncmp(text + 25, "] kvm_", 6) == 0;
    return date ? "a kernel's log with dates, which has no times of events: dmesg without -T has"
                : NULL;
}

/* A line that names an event and is in no known form is shown where nothing else is found. */
static void note_named(struct import_counts *counts, const char *text)
{
    if (counts->named_line > 0 || !strstr(text, "kvm_")) {
        return;
    }
    counts->named_line = (unsigned)counts->lines;
    text += strspn(text, " \t");
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof counts->named; i++) {
        counts->named[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
    }
    counts->named[i] = '\0';
}

static void take_line(struct import *import, const char *text, size_t length)
{
    struct import_counts *counts = &import->counts;
    struct trace_line line;
    kvmtrace_line(text, length, &line);
    bool tells = line.kind == TRACE_LINE_EVENT && line.event == TRACE_GUEST_FAULT;
    counts->form = counts->form || tells ? counts->form : form_of(text);
    switch (line.kind) {
    case TRACE_LINE_EVENT:
        take_event(import, &line);
        return;
    case TRACE_LINE_FOREIGN:
        counts->foreign++;
        return;
    case TRACE_LINE_BUFFER:
        counts->overwritten += line.n;
        return;
    case TRACE_LINE_LOST:
        counts->lost_places++;
        counts->lost += line.n;
        return;
    case TRACE_LINE_FIELDS:
        note_first(&counts->fields_line, ++counts->fields, counts->lines);
        return;
    case TRACE_LINE_UNRECOGNIZED:
        note_first(&counts->unrecognized_line, ++counts->unrecognized, counts->lines);
        note_named(counts, text);
        return;
    case TRACE_LINE_HEAD:
        return;
    }
}

/* A line without its end; false at the end of the file. *whole: it ends in a
 * newline. *length may exceed the room; the rest is gone then. */
static bool next_line(FILE *in, char line[LINE_BYTES], size_t *length, bool *whole)
{
    int c = getc_unlocked(in);
    for (*length = 0; c != EOF && c != '\n'; c = getc_unlocked(in)) {
        if (*length < LINE_BYTES - 1) {
            line[*length] = (char)c;
        }
        ++*length;
    }
    line[*length < LINE_BYTES ? *length : LINE_BYTES - 1] = '\0';
    *whole = c == '\n';
    return *whole || *length > 0;
}

/* The formats in which tools keep traces, by how their files begin. */
static bool check_text(const struct import *import, const char *line, struct error *err)
{
    struct source_location at = {.file = import->path};
    if (strncmp(line, "\027\010Dtracing", 10) == 0) {
        return error_input(err, &at,
                           "found trace-cmd's own format, expected text: trace-cmd report -i FILE");
    }
    if (strncmp(line, "PERFILE2", 8) == 0) {
        return error_input(err, &at, "found perf's own format, expected text: perf script -i FILE");
    }
    if (strncmp(line, "\xff\xfe", 2) == 0 || strncmp(line, "\xfe\xff", 2) == 0) {
        return error_input(err, &at, "found UTF-16, expected text: iconv -f UTF-16 -t UTF-8");
    }
    return true;
}

/* Lines to events of all threads. */
static bool read_lines(FILE *in, struct import *import, struct error *err)
{
    char line[LINE_BYTES];
    size_t length;
    bool whole = true;
    struct import_counts *counts = &import->counts;
    while (next_line(in, line, &length, &whole)) {
        counts->lines++;
        if (counts->lines == 1 && !check_text(import, line, err)) {
            return false;
        }
        if (length >= LINE_BYTES) {
            counts->too_long++;
            continue;
        }
        if (length > 0 && line[length - 1] == '\r') {
            line[--length] = '\0';
        }
        struct import_counts before = *counts;
        take_line(import, line, length);
        if (!whole &&
            (counts->unrecognized > before.unrecognized || counts->fields > before.fields)) {
            *counts = before;
            counts->truncated = true;
        }
    }
    if (!ferror(in)) {
        return true;
    }
    return errno == EISDIR
               ? error_input(err, &(struct source_location){.file = import->path}, "is a directory")
               : error_run(err, "%.200s: %s", import->path, strerror(errno));
}

/* --- whole or not --- */

/* Whether what is missing may be missing. */
static bool is_whole(const struct import *import, struct error *err)
{
    const struct import_counts *counts = &import->counts;
    struct source_location at = {.file = import->path};
    uint64_t events = 0;
    for (int i = 0; i < TRACE_EVENTS; i++) {
        events += counts->events[i];
    }
    if (events == 0 && counts->named_line > 0 && !counts->form) {
        at.line = counts->named_line;
        return error_input(err, &at,
                           "found '%s', an event of KVM in no form that is known, expected one as "
                           "in 'CPU 0/KVM-1234 [003] 100.5: kvm_guest_fault: ipa 0x40000000, ...' "
                           "(trace-cmd report, perf script)",
                           counts->named);
    }
    if (counts->events[TRACE_GUEST_FAULT] == 0) {
        return error_input(err, &at,
                           "found %llu lines with %llu events of KVM and no kvm_guest_fault%s%s, "
                           "expected a trace with it (workloads/README.md)",
                           (unsigned long long)counts->lines, (unsigned long long)events,
                           counts->form ? "; they look like " : "",
                           counts->form ? counts->form : "");
    }
    if (import->crowded) {
        return error_input(err, &at, "found events of KVM in more than %d threads", IMPORT_THREADS);
    }
    if (counts->backward > events / 10) {
        return error_input(err, &at,
                           "times go back within a thread at %llu of %llu events: expected times "
                           "since one beginning, in the order of the trace (perf script without "
                           "--deltatime, one trace in a file)",
                           (unsigned long long)counts->backward, (unsigned long long)events);
    }
    if (import->options.allow_lost) {
        return true;
    }
    if (counts->lost_places > 0 || counts->overwritten > 0) {
        return error_input(
            err, &at,
            "events were lost in %llu places (%llu counted) and %llu overwritten: what "
            "faulted there is missing. Record with larger buffers, or go on with "
            "--allow-lost",
            (unsigned long long)counts->lost_places, (unsigned long long)counts->lost,
            (unsigned long long)counts->overwritten);
    }
    if (counts->fields > 0) {
        at.line = counts->fields_line;
        return error_input(
            err, &at,
            "found %llu events of KVM with fields unlike those of Linux 5.10 to 7.3; "
            "--allow-lost goes on without them",
            (unsigned long long)counts->fields);
    }
    return true;
}

/* --- all of it --- */

bool import_read(FILE *in, const char *path, const struct import_options *options,
                 struct import *import, struct error *err)
{
    *import = (struct import){.path = path, .options = *options};
    return read_lines(in, import, err) && is_whole(import, err) && import_vm(import, err) &&
           import_memory(import, err) && import_reinits(import, err) && import_rows(import, err);
}

void import_free(struct import *import)
{
    free(import->events);
    free(import->threads);
    free(import->rows);
    *import = (struct import){0};
}
