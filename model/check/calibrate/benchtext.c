#include "check/calibrate/benchtext.h"

#include "check/calibrate/benchtext_parts.h"
#include "core/alloc.h"
#include "core/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- which --- */

#define KVM_STAT                                                                                   \
    "output of `perf kvm stat`, whose times begin behind the switch to the host, hold the "        \
    "tracepoints' own, and put page faults together with emulated accesses: no cost follows from " \
    "them"

/* What tells an output, and what is made of it. */
static const struct form {
    const char *mark;
    bool (*line)(struct benchtext *reader, char *line); /* NULL: nothing is, for this reason: */
    const char *why;
} forms[] = {
    {"KVM_CREATE_MAPPINGS: total execution time", benchtext_selftest, NULL},
    {"Enabling dirty logging time", benchtext_selftest, NULL},
    {"dirty memory time:", benchtext_selftest, NULL},
    {"avg ns", benchtext_micro_bench, NULL},
    {"single random read / dual random read", benchtext_tinymembench, NULL},
    {"standard memcpy ", benchtext_tinymembench, NULL},
    {"memset: ", benchtext_tinymembench, NULL},
    {"\"stride=", benchtext_lmbench, NULL},
    {"\"libc bcopy", benchtext_lmbench, NULL},
    {"Memory bzero bandwidth", benchtext_lmbench, NULL},
    {"bw_mem ", benchtext_lmbench, NULL},
    {"VM-EXIT ", NULL, KVM_STAT},
    {"Analyze events for", NULL, KVM_STAT},
    {"Mean Time (ns)", NULL, KVM_STAT},
    {"L M B E N C H", NULL,
     "the summary of lmbench, whose main memory is that of a stride that is fetched ahead: no cost "
     "follows from it, but from the results that it is made of (results/ARCH/HOST.0)"},
    {"performance with ", NULL,
     "output of memslot_perf_test, whose times hold the test's own: no cost follows from them"},
    {"Overall demand paging rate", NULL,
     "output of demand_paging_test, whose times hold those of its page supplier: no cost follows "
     "from them"},
    {"Best Rate MB/s", NULL,
     "output of STREAM, which runs on all cores at once: no cost of one core follows from it"},
    {"Method: MCBLOCK", NULL,
     "output of mbw, which does not say what its copies do to the caches: no cost follows from it"},
    {"# Running 'mem/", NULL,
     "output of `perf bench mem`, whose size says whether it is memory or a cache that was "
     "measured: no cost follows from it"},
    {"1xPTR", NULL,
     "output of ramlat, which does not say what its pages are: no cost follows from it, but from "
     "tinymembench's, which sbc-bench prints beside it"},
    {"Writing to populated memory", NULL,
     "output of access_tracking_perf_test, whose times hold the marking of idle pages: no cost "
     "follows from them"},
    {"Performance counter stats for", NULL,
     "output of `perf stat`, which counts events and times none of what has a cost here"},
};
#define FORMS (sizeof forms / sizeof *forms)

#define KNOWN                                                                               \
    "the output of kvm_page_table_test, dirty_log_perf_test, kvm-unit-tests' micro-bench, " \
    "tinymembench, sbc-bench or lmbench"

static const struct form *form_of(const char *text)
{
    for (size_t i = 0; i < FORMS; i++) {
        if (strstr(text, forms[i].mark)) {
            return &forms[i];
        }
    }
    return NULL;
}

#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* The first line that is no comment. */
static const char *first_line(const char *text)
{
    text += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (*text == '#' || *text == '\n') {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return text;
}

/* Names with commas between them, in quotes or not. Of a table as others write it, with blanks or
 * other marks, a column is known. */
static bool is_header(const char *line)
{
    static const char *const columns[] = {"benchmark", "quantity", "median_ns"};
    size_t length = strcspn(line, "\r\n");
    bool known = false;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const char *at = strstr(line, columns[i]);
        known |= at && at < line + length;
    }
    const char *marks = known ? ",;\t" : ",";
    return strspn(line, known ? NAME "\", ;\t" : NAME "\",") == length &&
           strcspn(line, marks) < length;
}

bool benchtext_is(const char *text)
{
    return !is_header(first_line(text));
}

/* --- what the forms share --- */

bool benchtext_number(struct benchtext *reader, const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    struct source_location at = {reader->path, reader->line, NULL};
    if (end[0] == ',' && isdigit((unsigned char)end[1])) {
        return error_input(reader->err, &at,
                           "found '%.40s', expected a number with a decimal point and no other "
                           "mark",
                           text + strspn(text, " \t"));
    }
    if (end != text && *value > 0 && *value < 1e15) {
        return true;
    }
    return error_input(reader->err, &at, "found '%.40s', expected a number above 0", text);
}

void benchtext_use(struct benchtext *reader, const char *use)
{
    struct measurements *found = reader->found;
    found->uses = alloc_checked(realloc(found->uses, (found->use_count + 1) * sizeof *found->uses),
                                "measurements");
    struct measurements_use *kept = &found->uses[found->use_count++];
    *kept = (struct measurements_use){.line = reader->line};
    snprintf(kept->what, sizeof kept->what, "%s", reader->text);
    snprintf(kept->use, sizeof kept->use, "%s", use);
}

void benchtext_keep(struct benchtext *reader, struct benchtext_pick *pick, double value,
                    double spread)
{
    *pick = (struct benchtext_pick){.value = value, .spread = spread, .line = reader->line};
    snprintf(pick->text, sizeof pick->text, "%s", reader->text);
}

/* Best of a run: it is not known better than that. */
#define LEAST_SPREAD 0.05
#define Z10 1.2816 /* standard deviations from the median to the 10th or 90th percentile */

static void add_pick(struct benchtext *reader, const struct benchtext_pick *pick,
                     enum observed kind, const char *use)
{
    if (pick->value <= 0) {
        return;
    }
    double spread = pick->spread > LEAST_SPREAD ? pick->spread : LEAST_SPREAD;
    struct observation *seen = measurements_row(reader->found);
    *seen = (struct observation){.measured = pick->value,
                                 .p10 = pick->value / (1 + Z10 * spread),
                                 .p90 = pick->value * (1 + Z10 * spread),
                                 .off = spread,
                                 .kind = kind,
                                 .cores = 1,
                                 .line_bytes = 64};
    snprintf(seen->name, sizeof seen->name, "line %u", pick->line);
    measurements_note_noise(reader->found, seen);
    reader->line = pick->line;
    snprintf(reader->text, sizeof reader->text, "%s", pick->text);
    benchtext_use(reader, use);
}

/* The line without what mail and TAP put in front of it, and without blanks around it. */
static char *bare(char *line)
{
    line += strspn(line, " \t#>\r");
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r", line[length - 1])) {
        line[--length] = '\0';
    }
    return line;
}

static bool nothing_found(struct benchtext *reader)
{
    struct source_location at = {.file = reader->path};
    return error_input(reader->err, &at, "found no line that a cost follows from in %s",
                       "this output, expected " KNOWN " as it was printed, whole");
}

/* Whether something is made of such an output; else what it is. */
static bool known_form(const struct form *form, const char *path, struct error *err)
{
    struct source_location at = {.file = path};
    return (form && form->line) ||
           error_input(err, &at, "found %s; expected " KNOWN ", or a table with a column %s",
                       form ? form->why : "no known output of a benchmark and no table",
                       "benchmark (bench/published/README.md), quantity or median_ns "
                       "(bench/kvm/PROBE.md)");
}

bool benchtext_check(const char *path, const char *text, struct error *err)
{
    return known_form(form_of(text), path, err);
}

bool benchtext_read(const char *path, char *text, const struct platform *base, const char *kernel,
                    struct measurements *found, struct error *err)
{
    const struct form *form = form_of(text);
    if (!known_form(form, path, err)) {
        return false;
    }
    struct benchtext reader = {
        .path = path, .base = base, .kernel = kernel, .found = found, .err = err};
    reader.has_page_table = strstr(text, "KVM_CREATE_MAPPINGS: total execution time") != NULL;
    bool good = true;
    for (char *next = text; good && next;) {
        char *line = strsep(&next, "\n");
        reader.line++;
        line = bare(line);
        snprintf(reader.text, sizeof reader.text, "%s", line);
        good = form->line(&reader, line);
    }
    if (!good) {
        return false;
    }
    add_pick(&reader, &reader.exit, PROBE_EXIT, "exit_ns: a trap to the host and back");
    add_pick(&reader, &reader.latency[reader.latency[1].value > 0], PROBE_LATENCY,
             "memory_ns: the largest block");
    add_pick(&reader, &reader.write, PROBE_WRITE, "zero_gbps: one core writes");
    add_pick(&reader, &reader.copy, PROBE_COPY, "copy_gbps: one core copies");
    found->probe = found->published.count == 0;
    found->selftest = found->published.count > 0;
    for (size_t i = 0; i < found->published.count; i++) {
        *measurements_row(found) = published_observation(&found->published.rows[i]);
    }
    return found->count > 0 || nothing_found(&reader);
}
