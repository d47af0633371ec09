/* The figures of `plot`, for tables of all kinds: legible, and true to the rows. */
#include "check.h"
#include "legible.h"

#include "core/csv.h"
#include "core/error.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char long_name[] = "a-strategy-with-a-name-that-somebody-thought-about";
static const char *const machines[] = {
    "kunpeng-920", "a-machine-with-a-rather-long-name-of-its-own", "neoverse-n1"};
static const char *const backings[] = {"4k", "thp", "hugetlb-1g"};
static const char *const strategies[] = {"unmap", "eager", "reinit-lazy-vmall-toggle1", long_name,
                                         "none"};

/* A table in a file of its own, to be removed. */
static char folder[] = "/tmp/s2flush-pictures-XXXXXX";
static char path[128];

static FILE *open_table(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    return out;
}

/* What a picture makes of the table that was written last. */
static char *lay_out(void (*picture)(struct plot *, FILE *))
{
    struct csv table, also;
    struct error err;
    struct plot plot = {.table = &table};
    char *data = NULL, other[160];
    size_t size = 0;
    assert_true(csv_read(path, &table, &err));
    snprintf(other, sizeof other, "%s/breakeven.csv", folder);
    if (picture == picture_breakeven) {
        assert_true(csv_read(other, &also, &err));
        plot.also = &also;
    }
    FILE *out = open_memstream(&data, &size);
    assert_non_null(out);
    picture(&plot, out);
    assert_int_equal(fclose(out), 0);
    plot_free(&plot);
    if (plot.also) {
        csv_free(&also);
    }
    csv_free(&table);
    return data;
}

static void put_rows(size_t machines_used, size_t backings_used, size_t strategys_used)
{
    static const char *const parts[] = {
        "part_lines_unmap_ns", "part_lines_fault_ns", "part_lines_flush_ns", "part_tlbi_ns",
        "part_fault_path_ns",  "part_icache_ns",      "part_refetch_ns"};
    FILE *out = open_table("rows.csv");
    fputs(
        "study,machine,workload,kernel,backing,touched,footprint,strategy,metric,unit,n,mode,mean,"
        "p10,p50,p90,hypothetical,verdict\n",
        out);
    for (size_t i = 0; i < machines_used * backings_used * strategys_used * 4 * 4 * 9; i++) {
        size_t part = i % 9, touched = i / 9 % 4, footprint = i / 36 % 4;
        size_t strategy = i / 144 % strategys_used, rest = i / 144 / strategys_used;
        double cost = (double)(1 + strategy) * 1e8 * (1 + (double)touched) *
                      (double)(1 << (3 * footprint)) / (part < 2 ? 1 : 7);
        fprintf(out, "s,%s,generated-boot,7.3,%s,%g,%llu,%s,%s,ns,32,%g,%g,%g,%g,%g,no,%s\n",
                machines[rest % machines_used], backings[rest / machines_used],
                0.1 * (double)touched, (1ULL << 27) << (4 * footprint), strategies[strategy],
                part == 0   ? "added_boot_ns"
                : part == 1 ? "pause_ns"
                            : parts[part - 2],
                cost, cost, cost * 0.8, cost, cost * 1.3,
                strcmp(strategies[strategy], "none") == 0 ? "stale" : "coherent");
    }
    assert_int_equal(fclose(out), 0);
}

static void any_number_of_machines_leaves_and_strategies(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * 3 * 5; i++) {
        char name[64];
        size_t strategys_used = 1 + i / 9;
        put_rows(1 + i % 3, 1 + i / 3 % 3, strategys_used);
        snprintf(name, sizeof name, "curves-%zu", i);
        char *data = lay_out(picture_curves);
        /* The first is the cheapest here. */
        assert_non_null(strstr(data, "unmap adds least"));
        expect_legible(name, data);
        expect_legible("pause", lay_out(picture_pause));
        expect_legible("touched", lay_out(picture_touched));
        expect_legible("where", lay_out(picture_where));
        data = lay_out(picture_added_boot);
        assert_int_equal(strategys_used == 5, strstr(data, "stale bytes") != NULL);
        expect_legible("added-boot", data);
        expect_legible("cases", lay_out(picture_cases));
    }
}

/* What is stale or needs hardware never wins, and the line below a title says what hardware would
 * come to. */
static void what_may_not_be_had_does_not_win(void **state)
{
    (void)state;
    FILE *out = open_table("rows.csv");
    fputs("study,machine,footprint,strategy,metric,n,mode,p10,p50,p90,hypothetical,verdict\n", out);
    for (unsigned i = 0; i < 4; i++) {
        unsigned long long size = (1ULL << 30) << i;
        fprintf(out, "s,m,%llu,none,added_boot_ns,8,1,1,1,1,no,stale\n", size);
        fprintf(out, "s,m,%llu,fwb,added_boot_ns,8,2000,2000,2000,2000,if it had FWB,coherent\n",
                size);
        fprintf(out, "s,m,%llu,unmap,added_boot_ns,8,4e6,4e6,4e6,4e6,no,coherent\n", size);
        fprintf(out, "s,m,%llu,eager,added_boot_ns,8,1e6,1e6,1e6,1e6,no,coherent\n", size);
    }
    assert_int_equal(fclose(out), 0);
    char *data = lay_out(picture_curves);
    assert_non_null(strstr(data, "eager adds least at every size"));
    assert_non_null(strstr(data, "4.0 times as much"));
    assert_non_null(strstr(data, "2.0 us"));
    assert_null(strstr(data, "none"));
    expect_legible("had", data);
}

/* A finding for each leaf size is too long a title: who wins is all of it, and nothing is cut. */
static void a_long_finding_becomes_a_brief_one(void **state)
{
    (void)state;
    for (unsigned leaves = 1; leaves <= 2; leaves++) {
        FILE *out = open_table("rows.csv");
        fputs("study,machine,backing,touched,footprint,strategy,metric,n,mode,p10,p50,p90,"
              "hypothetical,verdict\n",
              out);
        for (unsigned i = 0; i < 4 * leaves; i++) {
            static const char *const backing[] = {"4k", "thp"};
            const char *row = backing[i / 4];
            unsigned long long size = (1ULL << 30) << i % 4;
            unsigned lazy = i < 4 ? 5 : i == 4 ? 2 : 1;
            fprintf(out, "s,m,%s,0.1,%llu,unmap,pause_ns,0,%ue6,,,,no,coherent\n", row, size,
                    4 + i);
            fprintf(out, "s,m,%s,0.1,%llu,unmap-lazy,pause_ns,0,%ue5,,,,no,coherent\n", row, size,
                    10 * lazy);
            fprintf(out, "s,m,%s,0.1,%llu,eager,pause_ns,0,15e5,,,,no,coherent\n", row, size);
        }
        assert_int_equal(fclose(out), 0);
        char *data = lay_out(picture_pause);
        assert_null(strstr(data, "..."));
        assert_int_equal(leaves == 1, strstr(data, "Of these 3: eager holds mmu_lock") != NULL);
        assert_int_equal(leaves == 1, strstr(data, "times as") != NULL);
        assert_int_equal(leaves == 2, strstr(data, "Of these 3, eager holds") != NULL);
        assert_int_equal(leaves == 2, strstr(data, "in 3 of 4") != NULL);
        expect_legible("long", data);
    }
}

static void any_number_of_cases(void **state)
{
    (void)state;
    for (size_t cases = 1; cases <= 13; cases++) {
        FILE *out = open_table("breakeven.csv");
        fputs("case,a,b,status,at,p10,p50,p90\n", out);
        for (size_t i = 0; i < cases; i++) {
            fprintf(out, "vcpus=%zu; backing=thp,unmap,eager,crossing,0.4,0.3,0.45,0.6\n", i);
        }
        assert_int_equal(fclose(out), 0);
        out = open_table("breakeven-curves.csv");
        fputs("study,metric,case,axis,x,strategy,mode,p10,p50,p90\n", out);
        for (size_t i = 0; i < cases * 4; i++) {
            const size_t place = i / 4;
            for (int x = 0; x < 3; x++) {
                fprintf(out, "s,added_boot_ns,vcpus=%zu; backing=thp,touched,%g,%s,1,%g,%g,%g\n",
                        place, 0.5 * x, strategies[i % 4],
                        (9e8 + 2e8 * x * (double)(i % 4)) * (1 + 0.1 * (double)place),
                        (1e9 + 2e8 * x * (double)(i % 4)) * (1 + 0.1 * (double)place),
                        (1.1e9 + 3e8 * x * (double)(i % 4)) * (1 + 0.1 * (double)place));
            }
        }
        assert_int_equal(fclose(out), 0);
        char *data = lay_out(picture_breakeven);
        char said[64];
        snprintf(said, sizeof said, "%zu of %zu pairs of strategies cross", cases < 12 ? cases : 12,
                 cases < 12 ? cases : 12);
        assert_non_null(strstr(data, said));
        expect_legible("breakeven", data);

        out = open_table("map.csv");
        fputs("case,x_key,x,y_key,y,n,winner,letter,decided,verdict\n", out);
        for (size_t i = 0; i < cases * 12; i++) {
            fprintf(out,
                    "machine=neoverse-n1; backing=4k; "
                    "granule=%zu,touched,%g,vcpus,%zu,32,%s,%c,%s,%s\n",
                    i / 12, 0.1 * (double)(i % 4), i / 4 % 3 + 1, strategies[i % 4],
                    (char)('A' + (int)(i % 4)), i % 5 ? "yes" : "no",
                    i % 7 ? "coherent" : "only-if");
        }
        assert_int_equal(fclose(out), 0);
        expect_legible("map", lay_out(picture_map));

        out = open_table("sensitivity.csv");
        fputs("metric,case,a,b,cost,at_modes,at_low,at_high,total\n", out);
        for (size_t i = 0; i < cases * 7; i++) {
            fprintf(out,
                    "added_boot_ns,machine=kunpeng-920; backing=4k; "
                    "vcpus=%zu,%s,unmap,cost_%zu_ns,-2e9,-3e9,%g,0.%zu\n",
                    i / 7, long_name, i % 7, -1e9 * (double)(i % 7), i % 7);
        }
        assert_int_equal(fclose(out), 0);
        data = lay_out(picture_tornado);
        assert_non_null(strstr(data, "\tkunpeng-920, 4 KiB leaves, 0 vCPUs\n"));
        expect_legible("tornado", data);

        out = open_table("advise.csv");
        fputs("metric,case,situation,hardware,changes,strategy,keys,rung,mode,p10,p50,p90\n", out);
        for (size_t i = 0; i < cases * 4; i++) {
            fprintf(
                out, "added_boot_ns,c%zu,\"4 KiB leaves, %zu vCPUs\",,%zu,%s,%s,%s,1,%g,%g,%g\n",
                i / 4, i / 4, i % 4, i % 4 == 2 ? "" : strategies[i % 4], "reinit_unmap_cleans=no",
                i % 4 == 0 ? "upstream" : "coherent", 5e8 / (double)(1 + i % 4),
                1e9 / (double)(1 + i % 4), 2e9 / (double)(1 + i % 4));
        }
        assert_int_equal(fclose(out), 0);
        data = lay_out(picture_advise);
        assert_non_null(strstr(data, "3 changes of the kernel: 4.0 times"));
        expect_legible("advise", data);
    }
}

static void tables_without_rows(void **state)
{
    (void)state;
    FILE *out = open_table("breakeven.csv");
    fputs("case,a,b,status,at,p10,p50,p90\n", out);
    assert_int_equal(fclose(out), 0);
    out = open_table("rows.csv");
    fputs("case,metric,winner,x,y\n", out);
    assert_int_equal(fclose(out), 0);
    char *data = lay_out(picture_breakeven);
    assert_non_null(strstr(data, "No two strategies are coherent"));
    free(data);
    data = lay_out(picture_map);
    assert_non_null(strstr(data, "No coherent strategy exists"));
    free(data);
    data = lay_out(picture_tornado);
    assert_non_null(strstr(data, "No cost decides"));
    free(data);
    data = lay_out(picture_advise);
    assert_non_null(strstr(data, "No change of the kernel"));
    free(data);
}

/* A leaf's size is that of the case's granule; where one panel has several it is not said. */
static void leaves_are_as_large_as_the_granule_has_them(void **state)
{
    FILE *out = open_table("map.csv");
    (void)state;
    fputs("case,x_key,x,y_key,y,n,winner,letter,decided,verdict\n"
          "granule=16K; backing=thp,touched,0.1,dirty,1,32,unmap,A,yes,coherent\n"
          "backing=thp; granule=64K,touched,0.1,dirty,1,32,unmap,A,yes,coherent\n"
          "backing=thp,touched,0.1,dirty,1,32,unmap,A,yes,coherent\n",
          out);
    assert_int_equal(fclose(out), 0);
    char *data = lay_out(picture_map);
    assert_non_null(strstr(data, "\t16K granule, 32 MiB leaves\n"));
    assert_non_null(strstr(data, "\t512 MiB leaves, 64K granule\n"));
    assert_non_null(strstr(data, "\t2 MiB leaves\n"));
    expect_legible("granules", data);
    out = open_table("map.csv");
    fputs("case,x_key,x,y_key,y,n,winner,letter,decided,verdict\n"
          "backing=thp,touched,0.1,granule,4K,32,unmap,A,yes,coherent\n"
          "backing=4k,touched,0.1,granule,64K,32,unmap,A,yes,coherent\n",
          out);
    assert_int_equal(fclose(out), 0);
    data = lay_out(picture_map);
    assert_non_null(strstr(data, "\tthp backing\n"));
    assert_null(strstr(data, "leaves"));
    expect_legible("granule-axis", data);
}

/* What no axis says stands in the run's settings; what workloads differ in is not one value. */
static void settings_of_the_run_are_said(void **state)
{
    static const char run[] =
        "{\"study\":{\"axes\":[{\"name\":\"touched\"}]},\"configuration\":{\"workloads\":{"
        "\"a\":{\"workload\":{\"recording\":\"%s\"},\"vm\":{\"vcpus\":\"8\",\"backing\":"
        "\"as-recorded\"},\"boot\":{\"footprint\":\"1G\",\"touched\":\"0.1\"}},"
        "\"b\":{\"vm\":{\"vcpus\":\"8\",\"backing\":\"4k\"},\"boot\":{\"footprint\":"
        "\"2G\"}}}}}";
    (void)state;
    for (int recorded = 0; recorded < 2; recorded++) {
        FILE *out = open_table("run.json");
        fprintf(out, run, recorded ? "x.csv" : "");
        assert_int_equal(fclose(out), 0);
        out = open_table("map.csv");
        fputs("case,x_key,x,y_key,y,n,winner,letter,decided,verdict\n"
              "kernel=7.3,touched,0.1,dirty,1,32,unmap,A,yes,coherent\n"
              "kernel=7.3,touched,0.5,dirty,1,32,unmap,A,yes,coherent\n",
              out);
        assert_int_equal(fclose(out), 0);
        char *data = lay_out(picture_map);
        assert_int_equal(strstr(data, "8 vCPUs, 4 KiB leaves") != NULL, !recorded);
        assert_non_null(strstr(data, "as each workload"));
        assert_null(strstr(data, "GiB in use"));
        expect_legible("settings", data);
    }
    snprintf(path, sizeof path, "%s/run.json", folder);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_machines_leaves_and_strategies),
        cmocka_unit_test(what_may_not_be_had_does_not_win),
        cmocka_unit_test(a_long_finding_becomes_a_brief_one),
        cmocka_unit_test(any_number_of_cases),
        cmocka_unit_test(tables_without_rows),
        cmocka_unit_test(leaves_are_as_large_as_the_granule_has_them),
        cmocka_unit_test(settings_of_the_run_are_said),
    };
    if (!mkdtemp(folder)) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const names[] = {"rows.csv", "breakeven.csv",   "breakeven-curves.csv",
                                        "map.csv",  "sensitivity.csv", "advise.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    return failed;
}
