/* s2flush counts: exact event counts of real KVM against the model's. */
#include "check/counts/boots.h"
#include "check/counts/counts.h"
#include "cli/cli.h"
#include "core/error.h"
#include "report/output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct arguments {
    const char *cases, *out, *boot, *phases;
    uint64_t jobs; /* 0: not given */
    bool check;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "OUT.csv", "write the table with the model's counts here (- for stdout)",
     AT(out)},
    {"check", 0, NULL, "compare with the recorded counts; status 1 if a claimed one differs",
     AT(check)},
    {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 4096},
    {"boot", 0, "RECORDING.csv", "play a recorded boot instead of a table, and compare", AT(boot)},
    {"phases", 0, "PHASES.csv", "what was counted in the phases of recorded boots", AT(phases)},
    {0},
};

static bool check_arguments(const struct arguments *given, struct error *err)
{
    if (!given->boot != !given->phases) {
        return error_input(err, NULL, "found only one of --boot and --phases, expected both");
    }
    if (!given->cases == !given->boot) {
        return error_input(err, NULL, "expected either CASES.csv or --boot RECORDING.csv");
    }
    if (given->out && given->out[0] == '\0') {
        return error_input(err, NULL, "--output: found '', expected a file's name");
    }
    if (given->boot && given->out) {
        return error_input(err, NULL, "-o writes a table of cases, expected none with --boot");
    }
    return true;
}

/* --- writing --- */

/* A device or a pipe can only be written as it is. */
static bool write_special(const struct counts *counts, const char *path, struct error *err)
{
    FILE *out = fopen(path, "w");
    bool written = out != NULL;
    if (out) {
        counts_write(counts, out);
        written = !ferror(out) && fflush(out) == 0;
        written = fclose(out) == 0 && written;
    }
    return written || error_run(err, "%s: %s", path, strerror(errno));
}

/* Either the whole table is there in the end, or what was there before. */
static bool write_table(const struct counts *counts, const char *path, struct error *err)
{
    struct stat there;
    struct output output;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        return write_special(counts, path, err);
    }
    if (!output_open_path(&output, path, err)) {
        return false;
    }
    counts_write(counts, output.file);
    return output_end(&output, true, err);
}

static bool put_table(const struct counts *counts, const struct arguments *arguments,
                      struct error *err)
{
    if (arguments->out && strcmp(arguments->out, "-") != 0) {
        return write_table(counts, arguments->out, err);
    }
    if (arguments->out || !arguments->check) {
        counts_write(counts, stdout);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return error_run(err, "stdout: %s", strerror(errno));
    }
    return true;
}

/* --- comparing --- */

/* Whether all that was compared is equal. */
static bool check(const struct counts *counts, FILE *out)
{
    struct agreement agreement = counts_compare(counts, out);
    uint64_t different = agreement.compared - agreement.equal;
    fprintf(out, "\n%" PRIu64 " of %" PRIu64 " claimed counts equal, in %zu rows of %zu VMs",
            agreement.equal, agreement.compared, counts->table.rows, counts->vm_count);
    if (agreement.rows_unsupported > 0) {
        fprintf(out, " (%" PRIu64 " rows unsupported)", agreement.rows_unsupported);
    }
    fputc('\n', out);
    if (agreement.compared == 0) {
        fputs("s2flush: nothing to compare: no row that was played has a recorded count\n", stderr);
    }
    return agreement.compared > 0 && different == 0;
}

/* Without --check the report's place is taken by the table; what could not be
 * played is then said on stderr. */
static void warn_unsupported(const struct counts *counts)
{
    for (size_t i = 0; i < counts->vm_count; i++) {
        const struct counts_vm *vm = &counts->vms[i];
        if (vm->unsupported) {
            fprintf(stderr, "s2flush: line %u: unsupported: %s\n",
                    counts->table.lines[vm->first_row], vm->unsupported);
        }
    }
}

static bool play_cases(const struct arguments *arguments, bool *agrees, struct error *err)
{
    struct counts counts;
    if (!counts_read(arguments->cases, &counts, err)) {
        return false;
    }
    bool good = (!arguments->check || counts_recorded(&counts, err)) &&
                counts_play(&counts, (unsigned)arguments->jobs, err) &&
                put_table(&counts, arguments, err);
    if (good && arguments->check) {
        bool taken = arguments->out && strcmp(arguments->out, "-") == 0;
        *agrees = check(&counts, taken ? stderr : stdout);
    } else if (good) {
        warn_unsupported(&counts);
    }
    counts_free(&counts);
    return good;
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    bool agrees = true;
    if (!check_arguments(given, err) ||
        !(given->boot ? boots_check(given->boot, given->phases, stdout, &agrees, err)
                      : play_cases(given, &agrees, err))) {
        return false;
    }
    err->status = agrees ? EXIT_DONE : EXIT_RUN;
    return agrees;
}

const struct cli_command cmd_counts = {
    .name = "counts",
    .summary = "the model's event counts against recorded ones",
    .options = options,
    .words = "CASES.csv | --boot RECORDING.csv --phases PHASES.csv",
    .word = {AT(cases)},
    .help = "Play operation sequences, or a boot, on which real KVM was counted, and compare.",
    .more = "CASES.csv needs the columns kernel, cpu, case, page, mem_mib, slot_offset_bytes, "
            "vcpus, phase and op. The table with the model's counts goes to stdout unless -o or "
            "--check is given.",
    .size = sizeof(struct arguments),
    .run = run,
};
