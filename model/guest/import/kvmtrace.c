#include "guest/import/kvmtrace.h"

#include "core/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const trace_event_name[TRACE_EVENTS] = {
    [TRACE_GUEST_FAULT] = "kvm_guest_fault",
    [TRACE_ENTRY] = "kvm_entry",
    [TRACE_EXIT] = "kvm_exit",
    [TRACE_MMIO] = "kvm_mmio",
    [TRACE_TOGGLE] = "kvm_toggle_cache",
    [TRACE_SETWAY] = "kvm_set_way_flush",
    [TRACE_NOTIFIER] = "kvm_unmap_hva_range",
    [TRACE_USER_EXIT] = "kvm_userspace_exit",
    [TRACE_KVM_OTHER] = "other events of KVM",
};

/* Events by the names that kernels have or had for them. */
static const struct {
    const char *name;
    enum trace_event event;
} known[] = {
    {"kvm_guest_fault", TRACE_GUEST_FAULT},
    {"kvm_entry", TRACE_ENTRY},
    {"kvm_exit", TRACE_EXIT},
    {"kvm_mmio", TRACE_MMIO},
    {"kvm_mmio_nisv", TRACE_MMIO},
    {"kvm_toggle_cache", TRACE_TOGGLE},
    {"kvm_set_way_flush", TRACE_SETWAY},
    {"kvm_unmap_hva_range", TRACE_NOTIFIER},
    {"kvm_unmap_hva", TRACE_NOTIFIER},
    {"kvm_set_spte_hva", TRACE_NOTIFIER},
    {"kvm_userspace_exit", TRACE_USER_EXIT},
};

/* --- numbers --- */

/* A number in the base, and where it ends. */
static bool take_number(const char **at, int base, uint64_t *value)
{
    char *end;
    if (!isxdigit((unsigned char)**at)) {
        return false;
    }
    errno = 0;
    *value = strtoull(*at, &end, base);
    bool taken = end != *at && errno == 0;
    *at = end;
    return taken;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* The number behind the first whole word `name`: "ipa 0x1000", "PC: 0x1000". KVM's own text has
 * hexadecimal numbers with or without 0x; fields that a tool prints itself ("ipa=4096" of
 * `trace-cmd report -R`, "ipa: 4096" of `perf trace`) are decimal where it is not there. */
static bool find_number(const char *text, const char *name, uint64_t *value)
{
    size_t length = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
        bool begins = at == text || strchr(" ,(\t", at[-1]);
        const char *behind = at + length;
        if (begins && *behind && strchr(" :=", *behind)) {
            bool field = *behind != ' ';
            behind += strspn(behind, " :=");
            return take_number(&behind, field && strncmp(behind, "0x", 2) != 0 ? 10 : 16, value);
        }
    }
    return false;
}

/* --- fields of events --- */

/* A switch behind a whole word: "was off", "was=0", "was: false". `perf trace` leaves out what is
 * zero. */
static bool find_switch(const char *text, const char *name, bool *on)
{
    static const char *const words[] = {"off", "on", "0", "1", "false", "true"};
    size_t length = strlen(name);
    const char *at = strstr(text, name);
    while (at &&
           (at == text || !strchr(" ,(", at[-1]) || !at[length] || !strchr(" :=", at[length]))) {
        at = strstr(at + 1, name);
    }
    if (!at) {
        *on = false;
        return strstr(text, "vcpu_pc") != NULL;
    }
    at += length + strspn(at + length, " :=");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t word = strlen(words[i]);
        if (strncmp(at, words[i], word) == 0 && !isalnum((unsigned char)at[word])) {
            *on = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* "reason=6 errno=0", where a tool prints the fields itself: an error says that KVM_RUN ended
 * without a reason. `perf trace` leaves out what is zero. */
static bool find_raw_reason(const char *text, int64_t *reason)
{
    const char *at = strstr(text, "reason"), *error = strstr(text, "errno");
    uint64_t value;
    if (!at || !at[6] || !strchr(":=", at[6]) || !find_number(at, "reason", &value) ||
        value > INT32_MAX) {
        return false;
    }
    *reason = error && error[strcspn(error, "-0123456789")] == '-' ? -1 : (int64_t)value;
    return true;
}

/* The number in parentheses: "reason KVM_EXIT_MMIO (6)"; perf may put the kernel's symbol behind
 * it. */
static bool find_reason(const char *text, int64_t *reason)
{
    const char *open = strchr(text, '(');
    bool negative = open && open[1] == '-';
    const char *at = open ? open + 1 + negative : "";
    uint64_t value;
    if (!isdigit((unsigned char)*at) || !take_number(&at, 10, &value) || *at != ')' ||
        value > INT32_MAX) {
        return find_raw_reason(text, reason);
    }
    *reason = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool read_fields(const char *text, struct trace_line *line)
{
    switch (line->event) {
    case TRACE_GUEST_FAULT:
        /* "guest fault at PC 0x.. (hxfar 0x.., ipa 0x.., hsr 0x..": kernels up to 4.12. */
        (void)(find_number(text, "pc", &line->pc) || find_number(text, "PC", &line->pc) ||
               find_number(text, "vcpu_pc", &line->pc));
        return find_number(text, "ipa", &line->ipa) &&
               (find_number(text, "hsr", &line->esr) || find_number(text, "esr", &line->esr));
    case TRACE_ENTRY:
    case TRACE_EXIT:
        return find_number(text, "PC", &line->pc) || find_number(text, "vcpu_pc", &line->pc);
    case TRACE_MMIO:
        return find_number(text, "gpa", &line->ipa) || find_number(text, "ipa", &line->ipa);
    case TRACE_TOGGLE:
        return find_switch(text, "was", &line->was) && find_switch(text, "now", &line->now);
    case TRACE_USER_EXIT:
        return find_reason(text, &line->reason);
    case TRACE_SETWAY:
    case TRACE_NOTIFIER:
    case TRACE_KVM_OTHER:
    case TRACE_EVENTS:
        break;
    }
    return true;
}

static void read_event(const char *name, size_t length, const char *fields, struct trace_line *line)
{
    bool of_kvm = length > 4 && strncmp(name, "kvm:", 4) == 0;
    name += of_kvm ? 4 : 0;
    length -= of_kvm ? 4 : 0;
    line->event = TRACE_KVM_OTHER;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) == length && strncmp(known[i].name, name, length) == 0) {
            line->event = known[i].event;
        }
    }
    of_kvm |= strncmp(name, "kvm_", 4) == 0;
    line->kind = !of_kvm                     ? TRACE_LINE_FOREIGN
                 : read_fields(fields, line) ? TRACE_LINE_EVENT
                                             : TRACE_LINE_FIELDS;
}

/* --- the line's front --- */

/* "5891.897055:" in seconds, a whole number in ns, or "123us :" of the latency format, whose mark
 * for what took long stands in the blank's place. */
static bool take_time(const char **at, uint64_t *ns)
{
    uint64_t whole, part = 0, scale = 1000000000;
    const char *text = *at;
    if (!isdigit((unsigned char)*text) || !take_number(&text, 10, &whole)) {
        return false;
    }
    bool seconds = *text == '.', micros = strncmp(text, "us", 2) == 0;
    for (text += seconds; seconds && isdigit((unsigned char)*text); text++) {
        scale /= 10;
        part += scale * (uint64_t)(*text - '0');
    }
    text += micros ? 2 + (text[2] && text[2] != ':') : 0;
    if (*text != ':' || ((seconds || micros) && whole > UINT64_MAX / 2000000000)) {
        return false;
    }
    *at = text + 1;
    *ns = seconds ? whole * 1000000000 + part : micros ? whole * 1000 : whole;
    return true;
}

/* What follows the time: a period, "(+12)" of trace-cmd's --ts-diff or nothing, the event, its
 * fields. */
static bool take_event(const char *text, struct trace_line *line)
{
    text = skip_blanks(text);
    size_t period = strspn(text, "0123456789"), length = 0;
    text = period > 0 && text[period] == ' ' ? skip_blanks(text + period) : text;
    size_t since = strncmp(text, "(+", 2) == 0 ? strspn(text + 2, "0123456789.") : 0;
    text = since > 0 && text[2 + since] == ')' ? skip_blanks(text + since + 3) : text;
    while (isalnum((unsigned char)text[length]) || text[length] == '_' ||
           (text[length] == ':' && length == 3 && strncmp(text, "kvm", 3) == 0)) {
        length++;
    }
    if (length == 0 || !text[length] || !strchr(":(", text[length])) {
        return false;
    }
    read_event(text, length, text + length + 1, line);
    return true;
}

/* What follows "[003]": flags or none, the time, the event. */
static bool take_rest(const char *at, struct trace_line *line)
{
    const char *text = skip_blanks(at);
    if (!take_time(&text, &line->time_ns)) {
        text = skip_blanks(at);
        text = skip_blanks(text + strcspn(text, " \t"));
        if (!take_time(&text, &line->time_ns)) {
            return false;
        }
    }
    return take_event(text, line);
}

/* Without "trace.txt:" or "13:" of grep, and "trace.dat: " of `trace-cmd report` with several
 * files, which a blank follows. */
static void copy_comm(struct trace_line *line, const char *text, size_t length)
{
    size_t used = 0, blanks = strspn(text, " \t");
    size_t word = strcspn(text + blanks, " \t:"), mark = blanks + word;
    bool marked =
        word > 0 && mark + 1 < length && text[mark] == ':' &&
        (isspace((unsigned char)text[mark + 1]) || strspn(text + blanks, "0123456789") == word);
    size_t skipped = marked ? mark + 1 : 0;
    while (skipped < length && isspace((unsigned char)text[skipped])) {
        skipped++;
    }
    text += skipped;
    length -= skipped;
    for (; used < length && used + 1 < sizeof line->comm; used++) {
        unsigned char c = (unsigned char)text[used];
        line->comm[used] = isprint(c) && c < 0x80 ? (char)c : '?';
    }
    line->comm[used] = '\0';
}

/* The start of the digits that end a text, or its length where there are none. */
static size_t digits_before(const char *text, size_t length)
{
    while (length > 0 && isdigit((unsigned char)text[length - 1])) {
        length--;
    }
    return length;
}

static size_t trimmed(const char *text, size_t length)
{
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        length--;
    }
    return length;
}

static bool number_at(const char *text, uint32_t *value)
{
    uint64_t number;
    if (!isdigit((unsigned char)*text) || !take_number(&text, 10, &number) || number > INT32_MAX) {
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

/* "CPU 0/KVM-1234 (  1230) " before the CPU; perf has a blank for the hyphen, and with the thread
 * group "1230/1234". Where not all fields were asked for, a name or a number alone. */
static bool read_task(const char *text, size_t length, struct trace_line *line)
{
    length = trimmed(text, length);
    line->tgid = line->pid = 0;
    if (length > 0 && text[length - 1] == ')') {
        size_t open = length;
        while (open > 0 && text[open - 1] != '(') {
            open--;
        }
        const char *group = text + open;
        (void)number_at(skip_blanks(group), &line->tgid);
        length = trimmed(text, open > 0 ? open - 1 : 0);
    }
    size_t first = digits_before(text, length);
    bool numbered = first < length && number_at(text + first, &line->pid);
    size_t group = first > 0 && text[first - 1] == '/' ? digits_before(text, first - 1) : first;
    if (numbered && group + 1 < first && (group == 0 || text[group - 1] == ' ')) {
        (void)number_at(text + group, &line->tgid);
        first = group;
    }
    numbered = numbered && (first == 0 || strchr("- ", text[first - 1]));
    if (!numbered) {
        line->pid = 0;
    }
    copy_comm(line, text, trimmed(text, !numbered ? length : first > 0 ? first - 1 : 0));
    return numbered || line->comm[0] != '\0';
}

/* "comm-pid [003] flags time:". A thread's name may hold brackets as well: the CPU's is the first
 * that fits. */
static bool read_bracketed(const char *text, struct trace_line *line)
{
    for (const char *open = strchr(text, '['); open; open = strchr(open + 1, '[')) {
        size_t digits = strspn(open + 1, "0123456789");
        if (digits >= 1 && digits <= 6 && open[1 + digits] == ']' &&
            read_task(text, (size_t)(open - text), line) && take_rest(open + digits + 2, line)) {
            return true;
        }
    }
    return false;
}

/* Interrupts off, rescheduling needed, in an interrupt, depths: trace_print_lat_fmt
 * (kernel/trace/trace_output.c) of all kernels. */
#define LATENCY_FLAGS ".#*0123456789abcdefBDHLNPSXZhlnpsxz"

/* Without brackets: "comm pid time:" of perf, "comm-pid 3d..1 time:" of the latency format. */
static bool read_bare(const char *text, struct trace_line *line)
{
    for (const char *at = text; *at; at += strcspn(at, " \t")) {
        at = skip_blanks(at);
        size_t cpu = strspn(at, "0123456789");
        size_t word = strcspn(at, " \t");
        const char *behind = at;
        bool flags = cpu > 0 && cpu <= 6 && word >= cpu + 3 && word <= cpu + 8 &&
                     strspn(at + cpu, LATENCY_FLAGS) == word - cpu;
        if (flags) {
            behind = skip_blanks(at + word);
        }
        if (take_time(&behind, &line->time_ns) && read_task(text, (size_t)(at - text), line) &&
            take_event(behind, line) && (line->pid || line->kind != TRACE_LINE_FOREIGN)) {
            return true;
        }
    }
    return false;
}

/* perf trace: "100.500 CPU 0/KVM/4711 kvm:kvm_guest_fault(ipa: 1073741824)", the time in ms, an
 * empty "(         ):" behind it where system calls are traced, too. */
static bool read_perf_trace(const char *text, struct trace_line *line)
{
    uint64_t whole, part;
    const char *at = skip_blanks(text);
    if (!isdigit((unsigned char)*at) || !take_number(&at, 10, &whole) || *at++ != '.' ||
        strspn(at, "0123456789") != 3 || !take_number(&at, 10, &part) || *at != ' ' ||
        whole > UINT64_MAX / 2000000) {
        return false;
    }
    at = skip_blanks(at);
    if (*at == '(' && strchr(at, ':')) {
        at = skip_blanks(strchr(at, ':') + 1);
    }
    const char *event = strstr(at, " kvm:");
    size_t length = event ? trimmed(at, (size_t)(event - at)) : 0;
    size_t first = digits_before(at, length);
    if (first < 2 || first == length || at[first - 1] != '/' ||
        !number_at(at + first, &line->pid) || !take_event(event, line)) {
        return false;
    }
    copy_comm(line, at, first - 1);
    line->time_ns = whole * 1000000 + part * 1000;
    return true;
}

/* No more than a CPU and a time before the event: "[003] 5891.897055: kvm_entry: ...", or behind
 * the kernel log's time, which is the event's then (tp_printk). */
static bool read_headless(const char *text, uint64_t log_ns, struct trace_line *line)
{
    const char *at = skip_blanks(text);
    size_t digits = *at == '[' ? strspn(at + 1, "0123456789") : 0;
    if (digits > 0 && at[1 + digits] == ']') {
        at = skip_blanks(at + digits + 2);
    }
    line->pid = line->tgid = 0;
    line->comm[0] = '\0';
    if (!take_time(&at, &line->time_ns)) {
        if (log_ns == 0) {
            return false;
        }
        line->time_ns = log_ns;
    }
    return take_event(at, line) && line->kind != TRACE_LINE_FOREIGN;
}

/* --- what others put before a line --- */

/* "> " of a mail, colours of a terminal, "<4>" of a kernel's log and "4,1234,5678,-;" of
 * /dev/kmsg. */
static const char *skip_marks(const char *text)
{
    for (const char *before = NULL; text != before;) {
        before = text;
        if (strncmp(text, "> ", 2) == 0) {
            text += 2;
        } else if (strncmp(text, "\x1b[", 2) == 0) {
            size_t length = strspn(text + 2, "0123456789;");
            text += isalpha((unsigned char)text[2 + length]) ? length + 3 : 0;
        } else if (*text == '<') {
            size_t length = strspn(text + 1, "0123456789");
            text += length > 0 && text[1 + length] == '>' ? length + 2 : 0;
        } else if (isdigit((unsigned char)*text)) {
            size_t length = strspn(text, "0123456789,");
            bool flags = length >= 6 && text[length - 1] == ',' && text[length] && /* -, c, + */
                         strchr("-c+", text[length]) && text[length + 1] == ';';
            text += flags ? length + 2 : 0;
        }
    }
    return text;
}

/* Behind the first "[  100.500000] ", and "[ T4711] " where the kernel's log has that, too, if no
 * event stands before it; *ns is its time. */
static const char *skip_stamp(const char *text, uint64_t *ns)
{
    const char *event = strstr(text, "kvm_");
    for (const char *open = strchr(text, '['); open && (!event || open < event);
         open = strchr(open + 1, '[')) {
        const char *at = skip_blanks(open + 1);
        size_t whole = strspn(at, "0123456789");
        size_t part = at[whole] == '.' ? strspn(at + whole + 1, "0123456789") : 0;
        if (whole == 0 || whole > 10 || part == 0 || part > 9 || at[whole + 1 + part] != ']') {
            continue;
        }
        char time[32];
        snprintf(time, sizeof time, "%.*s:", (int)(whole + 1 + part), at);
        const char *digits = time;
        (void)take_time(&digits, ns);
        at += whole + part + 2;
        const char *caller = skip_blanks(at);
        size_t blanks = *caller == '[' ? strspn(caller + 1, " ") : 0;
        const char *number = caller + 2 + blanks;
        if (*caller == '[' && strchr("TC", number[-1]) && isdigit((unsigned char)*number) &&
            number[strspn(number, "0123456789")] == ']') {
            at = number + strspn(number, "0123456789") + 1;
        }
        return at;
    }
    return text;
}

/* Behind a bracket of dmesg that is no plain time: "[Sun Nov 29 12:00:00 2026]" (-T), "[Nov30
 * 12:00]" and "[  +0.000012]" (-e), "[  100.500000 <    0.000012>]" (-d), whose first is the time.
 */
static const char *skip_bracket(const char *text, uint64_t *ns)
{
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    const char *at = skip_blanks(text + (close != NULL));
    size_t length = close ? (size_t)(close - text) : 0;
    bool date =
        isalpha((unsigned char)*at) && (length == 25 || length == 12) && memchr(text, ':', length);
    bool since = *at == '+' && at + 1 + strspn(at + 1, "0123456789.") == close;
    char time[32];
    size_t digits = strspn(at, "0123456789.");
    bool both = length > 0 && close[-1] == '>' && digits > 0 && digits < sizeof time - 1 &&
                *skip_blanks(at + digits) == '<';
    if (both) {
        snprintf(time, sizeof time, "%.*s:", (int)digits, at);
        const char *number = time;
        (void)take_time(&number, ns);
    }
    return date || since || both ? close + 1 : text;
}

/* Behind "2026-11-30T12:00:00,123456+00:00 ", or at it. */
static const char *skip_date(const char *text)
{
    size_t length = strcspn(text, " ");
    bool date = length >= 19 && text[4] == '-' && text[10] == 'T' &&
                strspn(text, "0123456789-T:,.+Z") == length;
    return date ? skip_blanks(text + length) : text;
}

/* Behind what a mail, a terminal, a kernel's log or a journal of it puts before each line:
 * "Nov 29 12:00:00 host kernel: [  100.500000] ", or the journal's JSON. */
static const char *skip_log(const char *text, uint64_t *ns)
{
    static const char words[] = " kernel: ", message[] = "\"MESSAGE\":\"";
    const char *json = *text == '{' ? strstr(text, message) : NULL;
    text = skip_marks(json ? json + sizeof message - 1 : text);
    const char *kernel = strstr(text, words), *event = strstr(text, "kvm_");
    if (kernel && (!event || kernel < event) && (isalnum((unsigned char)*text) || *text == '[')) {
        (void)skip_stamp(text, ns);
        text = kernel + sizeof words - 1;
    }
    const char *at = skip_date(text);
    const char *behind = skip_bracket(at, ns);
    return behind != at ? behind : skip_stamp(at, ns);
}

/* --- lines that are no events --- */

/* "CPU:1 [LOST 123 EVENTS]" (tracefs), "CPU:1 [123 EVENTS DROPPED]" (trace-cmd),
 * both also without the number. */
static bool read_lost(const char *text, struct trace_line *line)
{
    const char *open = strchr(text, '[');
    if (strncmp(text, "CPU:", 4) != 0 || !open ||
        (!strstr(open, "LOST") && !strstr(open, "DROPPED"))) {
        return false;
    }
    open += strcspn(open, "0123456789");
    line->kind = TRACE_LINE_LOST;
    line->n = 0;
    if (*open && !take_number(&open, 10, &line->n)) {
        line->n = 0;
    }
    return true;
}

/* "# entries-in-buffer/entries-written: 140080/250280   #P:4" */
static bool read_buffer(const char *text, struct trace_line *line)
{
    static const char words[] = "entries-in-buffer/entries-written:";
    const char *at = strstr(text, words);
    uint64_t kept, written;
    if (!at) {
        return false;
    }
    at = skip_blanks(at + sizeof words - 1);
    if (!take_number(&at, 10, &kept) || *at++ != '/' || !take_number(&at, 10, &written)) {
        return false;
    }
    line->kind = TRACE_LINE_BUFFER;
    line->n = written > kept ? written - kept : 0;
    return true;
}

static bool is_head(const char *text)
{
    static const char *const heads[] = {"#", "cpus=", "version =", "CPU ", "trace-cmd", "uname:"};
    if (*text == '\0') {
        return true;
    }
    for (size_t i = 0; !strstr(text, "kvm_") && i < sizeof heads / sizeof *heads; i++) {
        if (strncmp(text, heads[i], strlen(heads[i])) == 0) {
            return true;
        }
    }
    return false;
}

void kvmtrace_line(const char *text, size_t length, struct trace_line *line)
{
    memset(line, 0, sizeof *line);
    line->kind = TRACE_LINE_UNRECOGNIZED;
    if (strlen(text) != length) {
        return; /* a NUL in it */
    }
    uint64_t log_ns = 0;
    text = skip_log(text, &log_ns);
    if (read_bracketed(text, line) || read_perf_trace(text, line) ||
        read_headless(text, log_ns, line) || read_bare(text, line)) {
        return;
    }
    memset(line, 0, sizeof *line);
    line->kind = TRACE_LINE_UNRECOGNIZED;
    const char *start = skip_blanks(text);
    if (!read_lost(start, line) && !read_buffer(start, line)) {
        line->kind = is_head(start) ? TRACE_LINE_HEAD : TRACE_LINE_UNRECOGNIZED;
    }
}

/* --- syndromes --- */

struct trace_abort kvmtrace_abort(uint64_t esr)
{
    uint64_t status = esr & 0x3f, class = esr >> 26 & 0x3f;
    bool walk = esr & UINT64_C(1) << 7; /* of the guest's own tables */
    struct trace_abort abort = {
        .translation = (status & 0x3c) == 0x04 || (status & 0x3e) == 0x2a,
        .permission = (status & 0x3c) == 0x0c,
        .fetch = class == 0x20,
    };
    abort.fetch = abort.fetch && !walk;
    abort.write = walk ? abort.permission : class == 0x24 && esr & UINT64_C(1) << 6;
    return abort;
}
