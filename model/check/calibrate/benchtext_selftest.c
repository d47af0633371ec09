/* Lines of KVM's selftests. */
#include "check/calibrate/benchtext_parts.h"
#include "core/error.h"
#include "core/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* vm_mem_backing_src_alias of tools/testing/selftests/kvm/lib/test_util.c. */
static const struct {
    const char *name;
    enum backing backing;
} sources[] = {{"anonymous", BACKING_4K},
               {"anonymous_thp", BACKING_THP},
               {"anonymous_hugetlb_2mb", BACKING_HUGETLB},
               {"anonymous_hugetlb_1gb", BACKING_HUGETLB_1G},
               {"shmem", BACKING_SHARED},
               {"shared_hugetlb", BACKING_HUGETLB_SHARED}};
#define SOURCES (sizeof sources / sizeof *sources)

static bool refused(struct benchtext *reader, const char *found, const char *expected)
{
    struct source_location at = {reader->path, reader->line, NULL};
    return error_input(reader->err, &at, "found %.80s, expected %s", found, expected);
}

static bool take_source(struct benchtext *reader, const char *name)
{
    for (size_t i = 0; i < SOURCES; i++) {
        if (strcmp(sources[i].name, name) == 0) {
            reader->shape.backing = sources[i].backing;
            return true;
        }
    }
    return refused(reader, name,
                   "anonymous, anonymous_thp, anonymous_hugetlb_2mb, anonymous_hugetlb_1gb, shmem "
                   "or shared_hugetlb as memory");
}

/* What stands behind a beginning of the line; NULL: it begins otherwise. */
static const char *behind(const char *line, const char *start)
{
    size_t length = strlen(start);
    return strncmp(line, start, length) == 0 ? line + length + strspn(line + length, " ") : NULL;
}

/* A time of the present line becomes a row that costs may be fitted to. */
static bool add_time(struct benchtext *reader, enum benchmark_phase phase, const char *text)
{
    struct published_set *set = &reader->found->published;
    struct published row = {.role = ROLE_FIT, .unit = "s", .unit_ps = (double)PS_PER_S};
    if (!reader->kernel) {
        return refused(
            reader, "a time of a selftest",
            "--kernel VERSION beside it: its output does not say on which kernel it ran");
    }
    if (!benchtext_number(reader, text, &row.value)) {
        return false;
    }
    row.benchmarked = reader->shape;
    row.benchmarked.phase = phase;
    row.bytes = reader->shape.bytes;
    row.vcpus = reader->shape.vcpus;
    if (!benchmark_check(&row.benchmarked, reader->err) ||
        !published_take(set, &row, reader->base, reader->kernel, reader->err)) {
        return false;
    }
    struct published *kept = &set->rows[set->count - 1];
    snprintf(kept->table, sizeof kept->table, "%s", benchmark_name[reader->shape.kind]);
    snprintf(kept->row, sizeof kept->row, "%s, line %u", benchmark_phase_name[phase], reader->line);
    benchtext_use(reader, "a time that is played and fitted to");
    return true;
}

/* --- kvm_page_table_test ---
 *
 *   Testing memory backing src type: anonymous
 *   Testing memory backing src granularity: 0x1000
 *   Testing memory size(aligned): 0x40000000
 *   Number of testing vCPUs: 1
 *   KVM_CREATE_MAPPINGS: total execution time: 0.200919330s
 */

/* Each of the guest's pages is touched once. */
static bool guest_pages(struct benchtext *reader, const char *mode)
{
    return strstr(mode, " 4K pages") ||
           refused(reader, mode, "a guest with 4K pages: what others touch is not known");
}

static bool granularity(struct benchtext *reader, const char *text)
{
    uint64_t bytes = strtoull(text, NULL, 16);
    struct benchmark *shape = &reader->shape;
    bool small = shape->backing == BACKING_4K || shape->backing == BACKING_SHARED;
    if (small && bytes != 4 * KIB) {
        return refused(reader, text, "pages of 0x1000: tables are of hosts with pages of 4 KiB");
    }
    if (reader->by_granularity && bytes == GIB) {
        shape->backing = BACKING_HUGETLB_1G;
    } else if (reader->by_granularity && bytes != 2 * MIB) {
        return refused(reader, text, "huge pages of 0x200000 or 0x40000000");
    }
    return true;
}

static bool page_table(struct benchtext *reader, char *line)
{
    static const struct {
        const char *start;
        enum benchmark_phase phase;
    } times[] = {{"KVM_CREATE_MAPPINGS: total execution time:", BENCHMARK_CREATE},
                 {"KVM_UPDATE_MAPPINGS: total execution time:", BENCHMARK_UPDATE},
                 {"KVM_ADJUST_MAPPINGS: total execution time:", BENCHMARK_ADJUST}};
    struct benchmark *shape = &reader->shape;
    const char *rest;
    if ((rest = behind(line, "Testing memory backing src type:"))) {
        *shape = (struct benchmark){.kind = BENCHMARK_PAGE_TABLE, .stride = 4 * KIB};
        reader->page_table = true;
        /* Of the host's default size. */
        reader->by_granularity = strcmp(rest, "anonymous_hugetlb") == 0;
        return take_source(reader, reader->by_granularity ? "anonymous_hugetlb_2mb" : rest);
    }
    if ((rest = behind(line, "Testing memory backing src granularity:"))) {
        return granularity(reader, rest);
    }
    if ((rest = behind(line, "Testing memory size(aligned):"))) {
        shape->bytes = strtoull(rest, NULL, 16);
    } else if ((rest = behind(line, "Number of testing vCPUs:"))) {
        shape->vcpus = (uint32_t)strtoul(rest, NULL, 10);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if ((rest = behind(line, times[i].start))) {
            return (reader->page_table && shape->bytes > 0 && shape->vcpus > 0) ||
                           refused(reader, "a time without the lines above it",
                                   "the whole output, with 'Testing memory size' and 'Number of "
                                   "testing vCPUs'")
                       ? add_time(reader, times[i].phase, rest)
                       : false;
        }
    }
    return true;
}

/* --- dirty_log_perf_test ---
 *
 *   $ ./dirty_log_perf_test -v 96 -s anonymous_hugetlb_1gb
 *   Test iterations: 2
 *   Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages
 *   Populate memory time: 4.972184425s
 *   Enabling dirty logging time: 0.001943807s
 *   Iteration 1 dirty memory time: 0.061862112s
 *
 * How many vCPUs there are and what their memory is stands in the command alone. */

static bool take_option(struct benchtext *reader, char letter, const char *value)
{
    uint64_t number = 0;
    switch (letter) {
    case 'v':
        if (!unit_parse_whole(value, UNIT_NONE, &number) || number == 0 || number > 512) {
            return refused(reader, value, "1 to 512 vCPUs (-v)");
        }
        reader->shape.vcpus = (uint32_t)number;
        return true;
    case 'b':
        return unit_parse_whole(value, UNIT_BYTES, &reader->shape.bytes) ||
               refused(reader, value, "bytes of each vCPU (-b) such as 1G");
    case 's':
        return take_source(reader, value);
    case 'f':
    case 'w':
    case 'a':
    case 'o':
    case 'x':
        return refused(reader, "an option that changes what is written",
                       "a run without -a, -f, -o, -w and -x");
    }
    return true;
}

/* Defaults as of the test: one vCPU, 1 GiB of anonymous memory. Its options have a value, but for
 * -a, -e, -g, -h, -n and -o. */
static bool take_command(struct benchtext *reader, char *line)
{
    reader->command = true;
    reader->shape = (struct benchmark){.kind = BENCHMARK_DIRTY_LOG,
                                       .backing = BACKING_4K,
                                       .bytes = GIB,
                                       .vcpus = 1,
                                       .stride = 4 * KIB};
    for (char *word; (word = strsep(&line, " \t"));) {
        if (word[0] != '-' || word[1] == '\0') {
            continue;
        }
        bool flag = strchr("aeghno", word[1]);
        const char *value = flag ? "" : word[2] ? word + 2 : line ? strsep(&line, " \t") : "";
        if (!take_option(reader, word[1], value ? value : "")) {
            return false;
        }
    }
    return true;
}

static bool dirty_log(struct benchtext *reader, char *line)
{
    const char *rest;
    const char *on = behind(line, "Enabling dirty logging time:");
    if (!on && !(rest = behind(line, "Iteration 1 dirty memory time:"))) {
        reader->found->passed_over += strstr(line, " time: ") != NULL;
        return true;
    }
    return reader->command
               ? add_time(reader, on ? BENCHMARK_PROTECT : BENCHMARK_DIRTY, on ? on : rest)
               : refused(reader, "output of dirty_log_perf_test without its command",
                         "a line above it such as './dirty_log_perf_test -v 8 -b 1G -s anonymous'");
}

/* A log may hold both. Beside times of the one, those of the other without its command are passed
 * over. */
bool benchtext_selftest(struct benchtext *reader, char *line)
{
    char *command = strstr(line, "dirty_log_perf_test");
    const char *mode = behind(line, "Testing guest mode:");
    if (mode) {
        return guest_pages(reader, mode);
    }
    if (command && !strstr(line, "selftests: ")) {
        reader->page_table = false;
        return take_command(reader, command);
    }
    if (behind(line, "Testing memory") || behind(line, "Number of testing vCPUs:") ||
        behind(line, "KVM_")) {
        reader->command = false;
        return page_table(reader, line);
    }
    if (!reader->command && reader->has_page_table) {
        reader->found->passed_over += strstr(line, " time: ") != NULL;
        return true;
    }
    return dirty_log(reader, line);
}
