/* s2flush import: a workload from a trace of a real host. */
#include "cli/cli.h"
#include "cli/trace_file.h"
#include "core/choice.h"
#include "core/error.h"
#include "core/units.h"
#include "guest/import/import.h"
#include "guest/recording/recording.h"
#include "report/output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *trace, *out;
    struct import_options import;
};

static bool take_pid(void *field, const char *text, struct error *err)
{
    struct import_options *options = field;
    uint64_t pid;
    if (options->pid_count == IMPORT_PIDS) {
        return error_input(err, NULL, "more than %d --pid", IMPORT_PIDS);
    }
    if (!cli_whole("--pid", text, 1, INT32_MAX, &pid, err)) {
        return false;
    }
    options->pids[options->pid_count++] = (uint32_t)pid;
    return true;
}

static bool take_backing(void *field, const char *text, struct error *err)
{
    struct import_options *options = field;
    char hint[128] = "";
    options->backing = (int)choice_index(backing_name, BACKINGS, text);
    if (options->backing < BACKINGS) {
        return true;
    }
    error_suggest(hint, sizeof hint, text, backing_name, BACKINGS);
    return error_input(err, NULL, "--backing: unknown '%.40s'%s", text, hint);
}

static bool take_bytes(const char *option, const char *text, uint64_t step, uint64_t *bytes,
                       struct error *err)
{
    if (unit_parse_whole(text, UNIT_ADDRESS, bytes) && *bytes % step == 0 &&
        *bytes <= UINT64_C(1) << 51) {
        return true;
    }
    return error_input(
        err, NULL, "%s: found '%.40s', expected whole pieces of %llu KiB such as 1G or 0x40000000",
        option, text, (unsigned long long)(step / KIB));
}

/* "6.1", with anything behind it but a space. */
static bool take_kernel(void *field, const char *text, struct error *err)
{
    struct import_options *options = field;
    size_t major = strspn(text, "0123456789");
    bool fits = major > 0 && text[major] == '.' && text[major + 1] >= '0' &&
                text[major + 1] <= '9' && strlen(text) < 32 && !strpbrk(text, " \t\n,;#");
    options->kernel = text;
    return fits ||
           error_input(err, NULL, "--kernel: found '%.40s', expected a version such as 6.1", text);
}

/* Seconds as the trace prints them: digits, a point, at most nine digits. */
static bool take_time(void *field, const char *text, struct error *err)
{
    struct import_options *options = field;
    char *end;
    double seconds = strtod(text, &end);
    if (options->reinit_count == IMPORT_REINITS) {
        return error_input(err, NULL, "more than %d --reinit-at", IMPORT_REINITS);
    }
    if (end == text || *end || !(seconds >= 0 && seconds < 9e9)) {
        return error_input(err, NULL, "--reinit-at: found '%.40s', expected seconds such as 5891.9",
                           text);
    }
    uint64_t ns = (uint64_t)(seconds * 1e9 + 0.5);
    if (options->reinit_count > 0 && options->reinit_ns[options->reinit_count - 1] >= ns) {
        return error_input(err, NULL, "--reinit-at: expected one time after the other");
    }
    options->reinit_ns[options->reinit_count++] = ns;
    return true;
}

static bool take_memory(void *field, const char *text, struct error *err)
{
    return take_bytes("--memory", text, 2 * MIB, field, err);
}

static bool take_ipa(void *field, const char *text, struct error *err)
{
    return take_bytes("--ram-ipa", text, 2 * MIB, field, err);
}

static bool take_rewrite(void *field, const char *text, struct error *err)
{
    return take_bytes("--rewrite", text, 4 * KIB, field, err);
}

#define AT(field) CLI_FIELD(struct arguments, field)
#define TAKE(function, field) .take = (function), .offset = offsetof(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "NAME", "the workload to write: NAME.ini and NAME.csv", AT(out)},
    {"pid", 0, "PID", "a thread or thread group of the VM, where there are several",
     TAKE(take_pid, import), .repeatable = true},
    {"memory", 0, "SIZE", "the guest's RAM (else assumed from the faults)",
     TAKE(take_memory, import.ram_bytes)},
    {"ram-ipa", 0, "ADDRESS", "where RAM begins (else assumed from the faults)",
     TAKE(take_ipa, import.ram_ipa)},
    {"backing", 0, "NAME", "4k, thp, hugetlb, hugetlb-1g, shm (else assumed from the faults)",
     TAKE(take_backing, import)},
    {"reinit-at", 0, "SECONDS",
     "the trace's time of a reboot (else where mapped memory faults again)",
     TAKE(take_time, import), .repeatable = true},
    {"rewrite", 0, "SIZE", "what the VMM writes into RAM before each boot (0)",
     TAKE(take_rewrite, import.rewrite_bytes)},
    {"kernel", 'k', "VERSION", "the host's Linux, for the record (6.1)", TAKE(take_kernel, import)},
    {"restored", 0, NULL, "the VM comes from a snapshot or another host; it need not reboot",
     AT(import.restored)},
    {"allow-lost", 0, NULL, "go on where events are missing", AT(import.allow_lost)},
    {0},
};

/* --- names --- */

struct names {
    char folder[OUTPUT_PATH], base[200];
};

static bool split(const char *out, struct names *names, struct error *err)
{
    const char *base = output_split(out, names->folder);
    size_t length = strlen(base);
    length -= length > 4 && strcmp(base + length - 4, ".ini") == 0 ? 4 : 0;
    if (length == 0 || length > 80 || base[0] == '.' || strlen(out) >= OUTPUT_PATH ||
        base[strcspn(base, ";#\"'\\\n")] != '\0') {
        return error_input(
            err, NULL,
            "-o: found '%.80s', expected a name of 1 to 80 characters without quotes, "
            "';' or '#'",
            out);
    }
    snprintf(names->base, sizeof names->base, "%.*s", (int)length, base);
    return true;
}

/* --- files --- */

/* What was written must play. */
static bool check_plays(const char *path, struct error *err)
{
    struct recording_keys keys = {.density = 32, .vm_registers = 10, .backing = BACKINGS};
    struct timeline timeline;
    struct recording_info info;
    struct error reason;
    if (!recording_read(path, &keys, &timeline, &info, &reason)) {
        return error_input(err, NULL, "the trace makes no workload: %.600s", reason.text);
    }
    timeline_free(&timeline);
    return true;
}

static bool fill_files(const struct import *import, const struct names *names,
                       struct outputs *files, struct error *err)
{
    char rows[sizeof names->base + 8], workload[sizeof names->base + 8];
    snprintf(rows, sizeof rows, "%s.csv", names->base);
    snprintf(workload, sizeof workload, "%s.ini", names->base);
    FILE *out = outputs_add(files, names->folder, rows, err);
    if (!out) {
        return false;
    }
    import_write_rows(import, names->base, out);
    if (fflush(out) == 0 && !check_plays(files->output[0].temporary, err)) {
        return false;
    }
    out = outputs_add(files, names->folder, workload, err);
    if (out) {
        import_write_workload(import, rows, out);
    }
    return out;
}

static bool write_files(const struct import *import, const struct names *names, struct error *err)
{
    struct outputs files = {0};
    bool good = output_folder_make(names->folder, err) && fill_files(import, names, &files, err);
    bool replaced = good && access(files.output[1].path, F_OK) == 0;
    good = outputs_end(&files, good, err);
    if (good) {
        printf("%s and %s%s\n", files.output[1].path, files.output[0].path,
               replaced ? ", in place of what was there" : "");
    }
    return good;
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    struct names names;
    struct import import = {0};
    if (!given->out) {
        return error_input(err, NULL, "import: expected -o NAME");
    }
    if (!split(given->out, &names, err) || !output_folder_check(names.folder, err)) {
        return false;
    }
    struct trace_file file;
    if (!trace_file_open(given->trace, &file, err)) {
        return false;
    }
    bool good = import_read(file.text, given->trace, &given->import, &import, err);
    good = trace_file_close(&file, good, err) && write_files(&import, &names, err);
    if (good) {
        import_print(&import, "  ", stdout);
    }
    import_free(&import);
    return good;
}

const struct cli_command cmd_import = {
    .name = "import",
    .summary = "a workload from a trace of a real host",
    .options = options,
    .words = "TRACE -o NAME",
    .word = {AT(trace)},
    .missing = "a trace",
    .help = "Make a workload of a trace of KVM's events from a real host: what `trace-cmd "
            "report`, tracefs' trace and trace_pipe, `perf script` or `perf trace` print, or a "
            "trace.dat or perf.data that trace-cmd or perf can read here.",
    .more =
        "TRACE is a file, or - for stdin. It has to begin before the VM does and to hold at "
        "least one reboot, or with --restored a restore; workloads/README.md says how to record "
        "it and what is assumed.",
    .size = sizeof(struct arguments),
    .defaults =
        &(const struct arguments){
            .import = {.backing = BACKINGS, .ram_ipa = UINT64_MAX, .kernel = "6.1"}},
    .run = run,
};
