/* Every limit that model/README.md names: what is just within it is taken, one
 * more is refused with a line that says so. */
#include "core/error.h"
#include "play.h"

#include "check/counts/counts.h"
#include "check/published/published.h"
#include "core/config.h"
#include "core/csv.h"
#include "study/study.h"

/* --- files out of repeated parts --- */

struct text {
    char *bytes;
    size_t length;
    FILE *out;
};

static void begin(struct text *text)
{
    text->out = open_memstream(&text->bytes, &text->length);
    assert_non_null(text->out);
}

static const char *file_of(struct text *text)
{
    static char path[512];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.400s/limit-%d.ini", folder ? folder : "/tmp", (int)getpid());
    assert_int_equal(fclose(text->out), 0);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text->bytes, 1, text->length, out), text->length);
    assert_int_equal(fclose(out), 0);
    free(text->bytes);
    return path;
}

static void expect(bool good, bool within, const struct error *err, const char *words)
{
    if (good != within || (!within && !strstr(err->text, words))) {
        fail_msg("expected %s, got: %s", within ? "no error" : words, good ? "none" : err->text);
    }
}

static void expect_workload(struct text *text, bool within, const char *words)
{
    struct error err = {0};
    struct workload *workload = workload_read(file_of(text), &err);
    expect(workload != NULL, within, &err, words);
    workload_free(workload);
}

static void expect_study(struct text *text, bool within, const char *words)
{
    static struct study study;
    struct error err = {0};
    bool good = study_read(&study, file_of(text), NULL, &err);
    expect(good, within, &err, words);
    study_free(&study);
}

/* --- timelines --- */

#define VM "[vm]\nram = 4M\n[timeline]\nvcpu0 = enter\n"

static void operations(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        begin(&text);
        fputs(VM, text.out);
        for (int i = 0; i < 4; i++) {
            fputs("vcpu0 = read ram 4K every 0 times 1000000\n", text.out);
        }
        /* With the first line that makes 4 Mi. */
        fprintf(text.out, "vcpu0 = read ram 4K every 0 times %d\n", 194303 + over);
        expect_workload(&text, !over, "more than 4194304 operations");
    }
}

static void repeats_of_a_line(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        begin(&text);
        fprintf(text.out, VM "vcpu0 = read ram 4K every 0 times %d\n", 1000000 + over);
        expect_workload(&text, !over, "1 to 1000000 times");
    }
}

static void phases(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        begin(&text);
        fputs("[vm]\nram = 4M\n[timeline]\n", text.out);
        for (int i = 0; i < TIMELINE_PHASES + over; i++) {
            fprintf(text.out, "phase = p%d\n", i);
        }
        expect_workload(&text, !over, "4096 phases");
    }
}

static void signals(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        begin(&text);
        fputs(VM, text.out);
        for (int i = 0; i < 4096 + over; i++) {
            fprintf(text.out, "vmm = signal s%d\n", i);
        }
        expect_workload(&text, !over, "more than 4096 signals");
    }
}

static void slots(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        begin(&text);
        for (int i = 0; i < TIMELINE_SLOTS - 1 + over; i++) {
            fprintf(text.out, "[slot s%d]\nipa = %dM\nbytes = 1M\n", i, i);
        }
        fputs(VM, text.out);
        expect_workload(&text, !over, "more than 15 slots beside RAM");
    }
}

/* A generated boot has no lines to count. */
static void generated_operations(void **state)
{
    (void)state;
    struct text text;
    begin(&text);
    fputs("[boot]\nfootprint = 64G\ntouched = 100%\nextents = 4096\nlater_passes = 1000\n"
          "order = zipf\n",
          text.out);
    expect_workload(&text, true, "");
    begin(&text);
    fputs("[vm]\nvcpus = 2\n[boot]\nfootprint = 64G\ntouched = 100%\nextents = 4097\n", text.out);
    expect_workload(&text, false, "at most 4096");
}

/* --- keys --- */

static void ranges_of_keys(void **state)
{
    static const struct {
        const char *key, *most, *more;
    } rows[] = {{"vcpus", "512", "513"},
                {"copies", "127", "128"},
                {"density", "64", "65"},
                {"ram", "4096T", "4097T"},
                {"ipa_bits", "52", "53"},
                {"footprint", "4096T", "4097T"},
                {"extents", "4096", "4097"},
                {"later_passes", "1000", "1001"},
                {"insns_per_page", "1e12", "1.1e12"}};
    struct workload *workload = workload_of("generated-boot");
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        expect(workload_set(workload, rows[i].key, rows[i].most, NULL, &err), true, &err, "");
        expect(workload_set(workload, rows[i].key, rows[i].more, NULL, &err), false, &err,
               "at most");
    }
    workload_free(workload);
}

/* --- studies --- */

static void put_study(struct text *text, const char *keys)
{
    begin(text);
    fprintf(text->out,
            "[study]\n%s[axes]\nworkload = generated-boot\nmachine = neoverse-n1\n"
            "strategy = unmap\n",
            keys);
}

static void values_of_an_axis(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        put_study(&text, "");
        fprintf(text.out, "seed = 1..%d +1\n", 4096 + over);
        expect_study(&text, !over, "more than 4096 values");
    }
}

static void points(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        put_study(&text, "");
        fprintf(text.out, "seed = 1..500 +1\ninsns_per_page = 1..%d +1\n", 400 + over);
        expect_study(&text, !over, "more than 200000 points");
    }
}

static void axes(void **state)
{
    static const char *const keys[] = {
        "ram_ipa", "density", "vcpus",  "s1_levels", "footprint",      "rewrite", "touched",
        "extents", "execute", "cached", "dirty",     "insns_per_page", "exit_ns"};
    size_t most = STUDY_AXES - 4; /* four that every study has, of which the file gives three */
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct text text;
        put_study(&text, "");
        fputs("kernel = 6.1\n", text.out);
        for (size_t i = 0; i < most + over; i++) {
            bool share = strcmp(keys[i], "touched") == 0 || strcmp(keys[i], "cached") == 0 ||
                         strcmp(keys[i], "dirty") == 0;
            fprintf(text.out, "%s = %s\n", keys[i],
                    share                               ? "0.5"
                    : strcmp(keys[i], "ram_ipa") == 0   ? "1G"
                    : strcmp(keys[i], "footprint") == 0 ? "64M"
                    : strcmp(keys[i], "rewrite") == 0   ? "1M"
                                                        : "3");
        }
        expect_study(&text, !over, "more than 16 axes");
    }
}

static void draws(void **state)
{
    struct text text;
    (void)state;
    put_study(&text, "draws = 65536\nshifts = 8\n");
    expect_study(&text, true, "");
    put_study(&text, "draws = 65544\nshifts = 8\n");
    expect_study(&text, false, "at most 65536");
}

static void strategies(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        put_study(&text, "");
        for (int i = 0; i < STUDY_STRATEGIES + over; i++) {
            fprintf(text.out, "[strategy s%d]\nfwb = no\n", i);
        }
        expect_study(&text, !over, "more than 32 strategies");
    }
}

/* --- tables --- */

static void columns(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        struct csv table;
        struct error err = {0};
        begin(&text);
        for (int i = 1; i < CSV_COLUMNS_MAX + over; i++) {
            fputc(',', text.out);
        }
        bool good = csv_read(file_of(&text), &table, &err);
        expect(good, !over, &err, "more than 1024 columns");
        if (good) {
            csv_free(&table);
        }
    }
}

static void comments(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        struct csv table;
        struct error err = {0};
        begin(&text);
        for (int i = 0; i < CSV_COMMENTS_MAX + over; i++) {
            fputs("#\n", text.out);
        }
        fputs("a,b\n", text.out);
        bool good = csv_read(file_of(&text), &table, &err);
        expect(good, !over, &err, "more than 65536 lines of comment");
        if (good) {
            csv_free(&table);
        }
    }
}

static void published_rows(void **state)
{
    (void)state;
    struct text text;
    struct published_set set = {0};
    struct error err = {0};
    begin(&text);
    fputs("table,row,benchmark,phase,host,kernel,backing,bytes,vcpus,value,unit,role,source\n",
          text.out);
    for (int i = 0; i < PUBLISHED_ROWS + 1; i++) {
        fprintf(text.out, "t,%d,x,,neoverse-n1,6.1,4k,1G,1,1,s,fit,x\n", i);
    }
    expect(published_read(file_of(&text), &set, &err), false, &err, "at most 10000");
    published_free(&set);
}

static void counts_rows(void **state)
{
    (void)state;
    struct text text;
    struct counts counts;
    struct error err = {0};
    begin(&text);
    fputs("kernel,cpu,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op\n", text.out);
    for (int i = 0; i < COUNTS_ROWS + 1; i++) {
        fputs("6.1,neoverse-n1,a,4k,4,0,1,p,init 0\n", text.out);
    }
    expect(counts_read(file_of(&text), &counts, &err), false, &err, "at most 100000");
}

static void rows_of_one_vm(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        struct counts counts;
        struct error err = {0};
        begin(&text);
        fputs("kernel,cpu,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op\n", text.out);
        for (int i = 0; i < TIMELINE_PHASES - 1 + over; i++) {
            fputs("6.1,neoverse-n1,a,4k,4,0,1,p,init 0\n", text.out);
        }
        bool good = counts_read(file_of(&text), &counts, &err);
        expect(good, !over, &err, "4096 phases");
        if (good) {
            counts_free(&counts);
        }
    }
}

/* --- files --- */

static bool nothing(void *context, const char *section, const char *name, const char *value,
                    const struct source_location *at, struct error *err)
{
    (void)context, (void)section, (void)name, (void)value, (void)at, (void)err;
    return true;
}

static void bytes_of_a_file(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text text;
        struct error err = {0};
        begin(&text);
        for (int i = 0; i < (4 << 20) + over; i++) {
            fputc('\n', text.out);
        }
        expect(config_read(file_of(&text), NULL, nothing, NULL, &err), !over, &err,
               "at most 4194304");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),     cmocka_unit_test(repeats_of_a_line),
        cmocka_unit_test(phases),         cmocka_unit_test(signals),
        cmocka_unit_test(slots),          cmocka_unit_test(generated_operations),
        cmocka_unit_test(ranges_of_keys), cmocka_unit_test(values_of_an_axis),
        cmocka_unit_test(points),         cmocka_unit_test(axes),
        cmocka_unit_test(draws),          cmocka_unit_test(strategies),
        cmocka_unit_test(columns),        cmocka_unit_test(comments),
        cmocka_unit_test(published_rows), cmocka_unit_test(counts_rows),
        cmocka_unit_test(rows_of_one_vm), cmocka_unit_test(bytes_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
