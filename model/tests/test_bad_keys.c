/* Every key of every option table with every kind of mistake: refused in one
 * line that names file, line, key, what was found and what would be right. */
#include "core/error.h"
#include "mistakes.h"
#include "study_files.h"

#include "core/datadir.h"
#include "guest/workload/workload.h"
#include "kvm/strategy.h"
#include "machine/platform.h"
#include "study/study.h"

/* A kind of file: a good one, and the table of the keys that are made bad in it. */
struct subject {
    const char *name;
    char *good; /* its text */
    const struct option_row *table;
    size_t count;
    const char *section; /* where the keys stand; NULL: in the row's own */
    bool (*read)(const char *path, struct error *err);
};

struct attempt {
    const struct subject *subject;
    struct tally *tally;
    char path[512];
};

static bool read_workload(const char *path, struct error *err)
{
    struct workload *workload = workload_read(path, err);
    bool good = workload != NULL;
    workload_free(workload);
    return good;
}

static bool read_platform(const char *path, struct error *err)
{
    struct platform platform;
    return platform_read(path, &platform, err);
}

static bool read_study_file(const char *path, struct error *err)
{
    struct study study;
    bool good = study_read(&study, path, &(struct study_changes){0}, err);
    study_free(&study);
    return good;
}

/* ---- Files with one line that is bad ---- */

static const char *section_of(const struct subject *subject, const struct option_row *row)
{
    return subject->section ? subject->section : row->section;
}

/* Writes the good text without that key of that section; returns its lines. */
static unsigned put_good(FILE *out, const char *text, const char *section, const char *key)
{
    char within[128] = "", line[2048];
    unsigned lines = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != '\0')) {
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        if (line[0] == '[') {
            snprintf(within, sizeof within, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
        }
        bool same = strcmp(within, section) == 0 && key && strncmp(line, key, strlen(key)) == 0 &&
                    strncmp(line + strlen(key), " =", 2) == 0;
        if (!same) {
            fprintf(out, "%s\n", line);
            lines++;
        }
    }
    return lines;
}

/* The file with `tail` below [section] at its end; the last line's number. */
static unsigned write_case(const struct attempt *trial, const char *section, const char *without,
                           const char *tail)
{
    FILE *out = fopen(trial->path, "w");
    assert_non_null(out);
    unsigned line = put_good(out, trial->subject->good, section, without);
    fprintf(out, "[%s]\n%s\n", section, tail);
    line++;
    for (const char *at = tail; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        line++;
    }
    assert_int_equal(fclose(out), 0);
    return line;
}

static void try_line(const struct attempt *trial, const char *section, const char *without,
                     const char *tail, const char *key, const char *found)
{
    struct error err = {0};
    unsigned line = write_case(trial, section, without, tail);
    bool accepted = trial->subject->read(trial->path, &err);
    struct expectation wanted = {trial->path, key, found, line};
    judge(trial->tally, trial->subject->name, accepted, &err, &wanted);
}

/* ---- Values ---- */

static void bad_value(void *context, const struct option_row *row, const char *text)
{
    const struct attempt *trial = context;
    char tail[MISTAKE_BYTES + 128];
    snprintf(tail, sizeof tail, "%s = %s", row->name, text);
    try_line(trial, section_of(trial->subject, row), row->name, tail, row->name, text);
}

static void bad_text(const struct attempt *trial, const struct option_row *row)
{
    char tail[4096];
    int used = snprintf(tail, sizeof tail, "%s = ", row->name);
    memset(tail + used, 'x', row->text_size);
    tail[(size_t)used + row->text_size] = '\0';
    struct error err = {0};
    unsigned line = write_case(trial, section_of(trial->subject, row), row->name, tail);
    bool accepted = trial->subject->read(trial->path, &err);
    bool too_long = strlen(tail) > 198; /* then the line is, and no key is read */
    struct expectation wanted = {trial->path, too_long ? NULL : row->name, NULL, line};
    judge(trial->tally, trial->subject->name, accepted, &err, &wanted);
}

/* ---- Keys ---- */

static bool is_key(const struct subject *subject, const char *name)
{
    for (size_t i = 0; i < subject->count; i++) {
        if (strcmp(subject->table[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void bad_name(const struct attempt *trial, const struct option_row *row, const char *name)
{
    char tail[256];
    if (!is_key(trial->subject, name) && name[0] != '\0') {
        snprintf(tail, sizeof tail, "%s = 1", name);
        try_line(trial, section_of(trial->subject, row), row->name, tail, name, NULL);
    }
}

static void bad_names(const struct attempt *trial, const struct option_row *row)
{
    char name[128];
    snprintf(name, sizeof name, "%sx", row->name);
    bad_name(trial, row, name);
    snprintf(name, sizeof name, "%s", row->name + 1);
    bad_name(trial, row, name);
    snprintf(name, sizeof name, "%.*s", (int)strlen(row->name) - 1, row->name);
    bad_name(trial, row, name);
    snprintf(name, sizeof name, "%s", row->name);
    name[0] = row->name[1];
    name[1] = row->name[0];
    bad_name(trial, row, name);
    snprintf(name, sizeof name, "%s", row->name);
    for (char *at = name; *at; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    bad_name(trial, row, name);
    snprintf(name, sizeof name, "%s %s", row->name, row->name);
    bad_name(trial, row, name);
}

/* Any value that is good: the key then stands once too often. */
static const char *good_value(const struct option_row *row, char *text, size_t size)
{
    if (row->kind == OPTION_CHOICE) {
        return row->choices[0].word;
    }
    if (row->kind == OPTION_FLAG) {
        return "yes";
    }
    return row->kind == OPTION_TEXT || !isfinite(row->high)
               ? "x"
               : unit_format(row->low, row->unit, text, size);
}

static void bad_lines(const struct attempt *trial, const struct option_row *row)
{
    const char *section = section_of(trial->subject, row);
    char value[64], tail[256];
    const char *good = good_value(row, value, sizeof value);
    snprintf(tail, sizeof tail, "%s = %s\n%s = %s", row->name, good, row->name, good);
    try_line(trial, section, row->name, tail, row->name, NULL);
    snprintf(tail, sizeof tail, "%s %s", row->name, good);
    try_line(trial, section, row->name, tail, NULL, tail);
    snprintf(tail, sizeof tail, " %s = %s", row->name, good);
    try_line(trial, section, row->name, tail, NULL, tail);
    snprintf(tail, sizeof tail, "= %s", good);
    try_line(trial, section, row->name, tail, NULL, tail);
    snprintf(tail, sizeof tail, "[sectoin]\n%s = %s", row->name, good);
    try_line(trial, section, row->name, tail, row->name, NULL);
}

/* Each choice is set and spelled as its own word, and no other has its value. */
static void try_choices(const struct option_row *row)
{
    for (const struct choice *choice = row->choices; choice && choice->word; choice++) {
        struct error err;
        char spelled[64];
        int value = -1;
        struct option_row alone = *row;
        alone.offset = 0;
        assert_true(option_set(&alone, choice->word, &value, NULL, &err));
        assert_int_equal(value, choice->value);
        assert_string_equal(option_format(&alone, &value, spelled, sizeof spelled), choice->word);
        assert_true(choice->help[0] != '\0');
    }
}

static void try_subject(const struct subject *subject)
{
    struct tally tally = {0};
    struct attempt trial = {.subject = subject, .tally = &tally};
    struct error err = {0};
    write_file("case.ini", subject->good, trial.path, sizeof trial.path);
    if (!subject->read(trial.path, &err)) {
        fail_msg("%s: the good file is refused: %s", subject->name, err.text);
    }
    for (size_t i = 0; i < subject->count; i++) {
        const struct option_row *row = &subject->table[i];
        try_choices(row);
        each_mistake(row, bad_value, &trial);
        each_list(row, bad_value, &trial);
        if (row->kind == OPTION_TEXT) {
            bad_text(&trial, row);
        }
        bad_names(&trial, row);
        bad_lines(&trial, row);
    }
    tally_end(subject->name, &tally);
}

/* ---- The kinds of file ---- */

static char good_workload[] = "[workload]\ntitle = t\n[boot]\nfootprint = 4M\nrewrite = 1M\n";

static void workload_keys(void **state)
{
    (void)state;
    struct subject subject = {"workload", good_workload, workload_options, workload_option_count,
                              NULL,       read_workload};
    try_subject(&subject);
}

static void slot_keys(void **state)
{
    (void)state;
    char good[512];
    snprintf(good, sizeof good, "%s[slot extra]\nipa = 64G\nbytes = 64M\n", good_workload);
    struct subject subject = {
        "slot",       good,         workload_slot_options, workload_slot_option_count,
        "slot extra", read_workload};
    try_subject(&subject);
}

static char *study_text(char *text, size_t size)
{
    snprintf(text, size,
             "[study]\ntitle = t\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
             "[strategy own]\ntitle = t\n",
             small_workload());
    return text;
}

static void study_keys(void **state)
{
    (void)state;
    char good[1024];
    struct subject subject = {"study",       study_text(good, sizeof good),
                              study_options, study_option_count,
                              "study",       read_study_file};
    try_subject(&subject);
}

static void strategy_keys(void **state)
{
    (void)state;
    char good[1024];
    /* Not `base`, which has a place of its own (test_study). */
    const struct option_row *own = strategy_options + 1;
    assert_string_equal(strategy_options[0].name, "base");
    struct subject subject = {"strategy",
                              study_text(good, sizeof good),
                              own,
                              strategy_option_count - 1,
                              "strategy own",
                              read_study_file};
    try_subject(&subject);
}

static char *platform_text(void)
{
    char path[4096];
    struct platform platform;
    struct error err;
    char *text = NULL;
    size_t length = 0;
    assert_true(datadir_find("model/machine/platforms/neoverse-n1.ini", path, sizeof path));
    assert_true(platform_read(path, &platform, &err));
    FILE *out = open_memstream(&text, &length);
    platform_write(&platform, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void machine_keys(void **state)
{
    (void)state;
    char *text = platform_text();
    struct subject subject = {"platform", text,         platform_options, platform_option_count,
                              "machine",  read_platform};
    try_subject(&subject);
    free(text);
}

/* A cost's numbers as rows of a table. */
static void cost_keys(void **state)
{
    static const struct option_row costs[] = {
#define COST_ROW(cost, unit_, least, most, text) \
    {.section = "cost " #cost,                   \
     .name = "mode",                             \
     .kind = OPTION_REAL,                        \
     .unit = (unit_),                            \
     .low = (least),                             \
     .high = (most),                             \
     .help = (text)},
        COST_TABLE(COST_ROW)
#undef COST_ROW
    };
    (void)state;
    char *text = platform_text();
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        static const char *const keys[] = {"low", "mode", "high"};
        struct option_row rows[3];
        for (size_t key = 0; key < 3; key++) {
            rows[key] = costs[i];
            rows[key].name = keys[key];
        }
        struct subject subject = {costs[i].section, text, rows, 3, costs[i].section, read_platform};
        try_subject(&subject);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workload_keys), cmocka_unit_test(slot_keys),
        cmocka_unit_test(study_keys),    cmocka_unit_test(strategy_keys),
        cmocka_unit_test(machine_keys),  cmocka_unit_test(cost_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
