/* Every column of every table that is read with every kind of mistake, and
 * tables that are none. */
#include "core/error.h"
#include "measurements.h"
#include "mistakes.h"

#include "check/counts/counts.h"
#include "check/published/published.h"
#include "guest/recording/recording.h"

#define COLUMNS_MAX 24

/* What may stand in a column. */
struct column {
    struct option_row row;
    bool needed; /* the column has to be there */
    bool blank, hex, several; /* an empty cell, 0x10, and numbers between blanks are good */
};

/* A kind of table: its header, a row that is good, and what is checked of it. */
struct table {
    const char *name, *comment, *header, *good;
    const struct column *columns;
    size_t count;
    bool (*read)(const char *path, struct error *err);
};

struct trial {
    const struct table *table;
    const struct column *column;
    struct tally *tally;
    const char *path;
};

static const struct choice no_yes[] = {{.word = "no"}, {.word = "yes"}, {0}};
static const struct choice fit_predict[] = {{.word = "fit"}, {.word = "predict"}, {0}};
static const struct choice lazy_eager[] = {{.word = "lazy"}, {.word = "eager"}, {0}};
static const struct choice time_units[] = {
    {.word = "s"}, {.word = "ms"}, {.word = "us"}, {.word = "ns"}, {0}};
static const struct choice zero_one[] = {{.word = "0"}, {.word = "1"}, {0}};
static const struct choice pages[] = {
    {.word = "4k"}, {.word = "thp"}, {.word = "hugetlb"}, {.word = "shm"}, {0}};

#define NUMBER(column, low_, high_) \
    .row = {.name = (column), .kind = OPTION_WHOLE, .low = (low_), .high = (high_)}
#define REAL(column) \
    .row = {.name = (column), .kind = OPTION_REAL, .low = 0x1p-1074, .high = INFINITY}
#define BYTES(column) \
    .row = {.name = (column), .kind = OPTION_WHOLE, .unit = UNIT_BYTES, .high = 0x1p64}
#define CHOICE(column, list) .row = {.name = (column), .kind = OPTION_CHOICE, .choices = (list)}
#define TEXT(column) .row = {.name = (column), .kind = OPTION_TEXT}

/* ---- The tables ---- */

static bool read_counts(const char *path, struct error *err)
{
    struct counts counts;
    bool good = counts_read(path, &counts, err) && counts_recorded(&counts, err);
    counts_free(&counts);
    return good;
}

static const struct column counts_columns[] = {
    {CHOICE("fwb", zero_one), .blank = true},
    {CHOICE("page", pages), .needed = true},
    {NUMBER("mem_mib", 1, 1 << 20), .needed = true, .hex = true},
    {NUMBER("vcpus", 1, 512), .needed = true, .hex = true},
    {NUMBER("slot_offset_bytes", 0, 0x1p40), .needed = true, .hex = true},
    {NUMBER("s2_faults", 0, 0x1p64), .blank = true, .hex = true},
    {NUMBER("cmo_lines", 0, 0x1p64), .blank = true, .hex = true},
    {NUMBER("tlbi_calls", 0, 0x1p64), .blank = true, .hex = true},
    {NUMBER("walk_unmap", 0, 0x1p64), .blank = true, .hex = true},
    {TEXT("kernel"), .needed = true},
    {TEXT("cpu"), .needed = true},
    {TEXT("op"), .needed = true},
    {TEXT("case"), .needed = true, .blank = true},
    {TEXT("phase"), .needed = true, .blank = true},
};

static bool read_published(const char *path, struct error *err)
{
    struct published_set set = {0};
    bool good = published_read(path, &set, err);
    published_free(&set);
    return good;
}

static const struct column published_columns[] = {
    {CHOICE("role", fit_predict), .needed = true},
    {CHOICE("split", lazy_eager), .blank = true},
    {CHOICE("fwb", no_yes), .blank = true},
    {CHOICE("tlbirange", no_yes), .blank = true},
    {CHOICE("cmo", no_yes), .blank = true},
    {CHOICE("unit", time_units), .needed = true},
    {REAL("value"), .needed = true, .several = true},
    {BYTES("bytes"), .needed = true, .blank = true},
    {NUMBER("vcpus", 0, 0x1p64), .needed = true, .blank = true},
    {BYTES("stride"), .blank = true},
    {TEXT("table"), .needed = true},
    {TEXT("row"), .needed = true},
    {TEXT("benchmark"), .needed = true},
    {TEXT("host"), .needed = true},
};

static bool read_measurements(const char *path, struct error *err)
{
    struct measurements found;
    struct platform base = base_of("neoverse-n1");
    bool good = measurements_read(path, &base, NULL, false, &found, err);
    if (good) {
        measurements_free(&found);
    }
    return good;
}

static const struct column measurement_columns[] = {
    {NUMBER("cores", 0, 0x1p64), .needed = true, .blank = true, .hex = true},
    {NUMBER("bytes", 0, 0x1p64), .needed = true, .blank = true, .hex = true},
    {REAL("value"), .needed = true},
    {REAL("median"), .blank = true},
    {REAL("p10"), .blank = true},
    {REAL("p90"), .blank = true},
    {TEXT("state"), .needed = true, .blank = true},
};

static bool read_recording(const char *path, struct error *err)
{
    struct recording_keys keys = {.density = 32, .backing = BACKINGS};
    struct recording_info info;
    struct timeline timeline;
    bool good = recording_read(path, &keys, &timeline, &info, err);
    if (good) {
        timeline_free(&timeline);
    }
    return good;
}

static const struct column recording_columns[] = {
    {NUMBER("time_ns", 0, 0x1p64), .needed = true, .blank = true, .hex = true},
    {NUMBER("ipa", 0, 0x1p52), .needed = true, .hex = true},
    {NUMBER("bytes", 1, 1 << 30), .needed = true, .hex = true},
    {NUMBER("guest_insns", 0, 0x1p64), .needed = true, .blank = true, .hex = true},
    {TEXT("actor"), .needed = true},
    {TEXT("op"), .needed = true},
};

#define TABLE(title, start, head, row, list, reader)                                             \
    {                                                                                            \
        .name = (title), .comment = (start), .header = (head), .good = (row), .columns = (list), \
        .count = sizeof(list) / sizeof *(list), .read = (reader)                                 \
    }

static const struct table tables[] = {
    TABLE("counts", "",
          "kernel,cpu,fwb,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op,s2_faults,cmo_lines,"
          "tlbi_calls,walk_unmap",
          "6.1,neoverse-n1,0,c1,4k,4,0,1,first,w 0 1 4,5,320,1,0", counts_columns, read_counts),
    TABLE("published", "",
          "table,row,benchmark,phase,host,kernel,overrides,backing,bytes,vcpus,stride,split,fwb,"
          "tlbirange,cmo,value,unit,role,source",
          "t,r,page_table,create,kunpeng-920,5.11,,4k,1G,1,4K,lazy,no,no,yes,0.8,s,fit,me",
          published_columns, read_published),
    TABLE("measurements", "", "quantity,state,cores,bytes,value,unit,n,median,p10,p90",
          "dc_civac,absent,1,1073741824,6.2,ns,9,6.2,6.1,6.3", measurement_columns,
          read_measurements),
    TABLE("recording",
          "# name: n1-q-256m-c1-4k-f0\n"
          "# host (L1): Linux (none) 6.1.0-54-arm64; qemu -cpu neoverse-n1, 1 CPU; THP never\n"
          "# guest (L2): RAM 256 MiB at IPA 0x40000000, 1 vCPU; firmware: none\n",
          "time_ns,actor,op,ipa,bytes,guest_insns", "1000,vcpu0,fault_w,0x40000000,4096,10",
          recording_columns, read_recording),
};

/* ---- A table with one cell that is bad ---- */

static size_t cut_cells(const char *text, char cells[COLUMNS_MAX][MISTAKE_BYTES])
{
    size_t count = 0;
    for (const char *at = text;; at += strcspn(at, ",") + 1) {
        snprintf(cells[count++], MISTAKE_BYTES, "%.*s", (int)strcspn(at, ","), at);
        if (!strchr(at, ',')) {
            return count;
        }
    }
}

static void put_cells(FILE *out, char cells[COLUMNS_MAX][MISTAKE_BYTES], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",\"" : "\"", out);
        for (const char *at = cells[i]; *at; at++) {
            fputs(*at == '"' ? "\"\"" : (char[]){*at, '\0'}, out);
        }
        fputc('"', out);
    }
    fputc('\n', out);
}

static size_t index_of(const struct table *table, const char *column)
{
    char names[COLUMNS_MAX][MISTAKE_BYTES];
    size_t count = cut_cells(table->header, names), i = 0;
    while (i < count && strcmp(names[i], column) != 0) {
        i++;
    }
    assert_true(i < count);
    return i;
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* Reads what was written and judges the message. */
static void judge_table(const struct trial *trial, const char *key, const char *found,
                        unsigned line)
{
    struct error err = {0};
    bool accepted = trial->table->read(trial->path, &err);
    struct expectation wanted = {trial->path, key, found, line};
    judge(trial->tally, trial->table->name, accepted, &err, &wanted);
}

static void bad_cell(void *context, const struct option_row *row, const char *text)
{
    const struct trial *trial = context;
    const struct table *table = trial->table;
    char cells[COLUMNS_MAX][MISTAKE_BYTES];
    if ((text[0] == '\0' && trial->column->blank) ||
        (trial->column->hex && strncasecmp(text, "0x", 2) == 0) ||
        (trial->column->several && strcmp(text, "1 2") == 0)) {
        return;
    }
    size_t count = cut_cells(table->good, cells);
    snprintf(cells[index_of(table, row->name)], MISTAKE_BYTES, "%s", text);
    FILE *out = fopen(trial->path, "w");
    assert_non_null(out);
    fprintf(out, "%s%s\n", table->comment, table->header);
    put_cells(out, cells, count);
    assert_int_equal(fclose(out), 0);
    /* Of an operation the message may quote one word only, of a word too long its length. */
    bool words = strcmp(row->name, "op") == 0 || (strcmp(row->name, "unit") == 0 && text[0]);
    judge_table(trial, row->name, words ? NULL : text, lines_of(table->comment) + 2);
}

/* ---- Headers and rows ---- */

static void whole_table(const struct trial *trial, const char *header, const char *rows,
                        unsigned line)
{
    FILE *out = fopen(trial->path, "w");
    assert_non_null(out);
    fprintf(out, "%s%s\n%s\n", trial->table->comment, header, rows);
    assert_int_equal(fclose(out), 0);
    judge_table(trial, NULL, NULL, line ? line + lines_of(trial->table->comment) : 0);
}

static void bad_header(const struct trial *trial)
{
    const struct table *table = trial->table;
    char names[COLUMNS_MAX][MISTAKE_BYTES], header[1024];
    size_t count = cut_cells(table->header, names), own = index_of(table, trial->column->row.name);
    for (int wrong = 0; wrong < 2; wrong++) { /* a column is missing, and then twice */
        size_t used = 0;
        for (size_t i = 0; i < count; i++) {
            const char *name = i != own ? names[i] : wrong ? names[own ? 0 : 1] : "none";
            used +=
                (size_t)snprintf(header + used, sizeof header - used, "%s%s", i ? "," : "", name);
        }
        if (wrong || trial->column->needed) {
            whole_table(trial, header, table->good, wrong ? 1 : 0);
        }
    }
}

static void bad_rows(const struct trial *trial)
{
    const struct table *table = trial->table;
    char rows[2048];
    whole_table(trial, "", "", 0);
    whole_table(trial, table->header, "", 0);
    whole_table(trial, "not a table", "of this kind", 0);
    snprintf(rows, sizeof rows, "%s,", table->good);
    whole_table(trial, table->header, rows, 2);
    snprintf(rows, sizeof rows, "%.*s", (int)(strrchr(table->good, ',') - table->good),
             table->good);
    whole_table(trial, table->header, rows, 2);
    snprintf(rows, sizeof rows, "\"%s", table->good);
    whole_table(trial, table->header, rows, 2);
    snprintf(rows, sizeof rows, "\"a\"b,%s", table->good);
    whole_table(trial, table->header, rows, 2);
    snprintf(rows, sizeof rows, "a\rb,%s", table->good);
    whole_table(trial, table->header, rows, 2);
}

static void wrong_words(const struct trial *trial)
{
    static const char *const kernels[] = {"",     "2.6", "6",   "six",   "6.",        "6.1x",
                                          "-6.1", "6,1", "5.9", "0x6.1", "linux-six", "99999.1"};
    static const char *const ops[] = {
        "",          "fault",   "w",         "w 0 1", "w 0 1 x",           "w -1 1 1",
        "destroyed", "W 0 1 1", "w 0 1 1 7", "cisw",  "w 0 1 99999999999", "?"};
    static const char *const actors[] = {"",    "vcpu",   "vcpu9", "vcpu-1",
                                         "VMM", "vcpu0x", "0",     "nan"};
    static const char *const names[] = {"", "neoverse-n", "no-such-machine-at-all"};
    const char *name = trial->column->row.name;
    const char *const *words = strcmp(name, "kernel") == 0  ? kernels
                               : strcmp(name, "op") == 0    ? ops
                               : strcmp(name, "actor") == 0 ? actors
                               : strcmp(name, "cpu") == 0   ? names
                                                            : (const char *const[]){""};
    size_t count = words == kernels  ? sizeof kernels / sizeof *kernels
                   : words == ops    ? sizeof ops / sizeof *ops
                   : words == actors ? sizeof actors / sizeof *actors
                   : words == names  ? sizeof names / sizeof *names
                                     : 1;
    for (size_t i = 0; i < count; i++) {
        bad_cell((void *)trial, &trial->column->row, words[i]);
    }
}

static void try_table(const struct table *table)
{
    struct tally tally = {0};
    struct error err = {0};
    struct trial trial = {.table = table, .tally = &tally, .path = path_of("bad.csv")};
    FILE *out = fopen(trial.path, "w");
    assert_non_null(out);
    fprintf(out, "%s%s\n%s\n", table->comment, table->header, table->good);
    assert_int_equal(fclose(out), 0);
    if (!table->read(trial.path, &err)) {
        fail_msg("%s: the good table is refused: %s", table->name, err.text);
    }
    for (size_t i = 0; i < table->count; i++) {
        trial.column = &table->columns[i];
        each_mistake(&trial.column->row, bad_cell, &trial);
        each_list(&trial.column->row, bad_cell, &trial);
        if (trial.column->row.kind == OPTION_TEXT) {
            wrong_words(&trial);
        }
        bad_header(&trial);
    }
    bad_rows(&trial);
    assert_int_equal(remove(trial.path), 0);
    tally_end(table->name, &tally);
}

static void every_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        try_table(&tables[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
