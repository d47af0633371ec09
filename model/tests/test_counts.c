#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/counts/counts.h"
#include "core/error.h"

#define TABLE "bench/kvm/counts.csv"
#define INPUTS "kernel,cpu,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op"

/* A table of a test's own, in the folder that each test program gets. */
static const char *write_file(const char *text)
{
    static char path[4096];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/cases-%ld.csv", folder ? folder : "/tmp", (long)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static struct counts played(const char *path)
{
    struct counts counts;
    struct error err = {0};
    if (!counts_read(path, &counts, &err) || !counts_play(&counts, 2, &err)) {
        fail_msg("%s", err.text);
    }
    return counts;
}

static struct counts played_text(const char *text)
{
    const char *path = write_file(text);
    struct counts counts = played(path);
    assert_int_equal(unlink(path), 0);
    return counts;
}

static size_t column_of(const char *name)
{
    size_t i = 0;
    while (i < count_column_count && strcmp(count_columns[i].name, name) != 0) {
        i++;
    }
    assert_true(i < count_column_count);
    return i;
}

static void expect_count(const struct counts *counts, size_t row, const char *column,
                         uint64_t expected)
{
    uint64_t got = counts_of(counts, row, column_of(column));
    if (got != expected) {
        fail_msg("row %zu: %" PRIu64 " %s, expected %" PRIu64, row, got, column, expected);
    }
}

/* The text that counts_write or counts_compare produces. */
static char *written(const struct counts *counts)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    counts_write(counts, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static struct agreement compared(const struct counts *counts, char **text)
{
    size_t size = 0;
    FILE *out = open_memstream(text, &size);
    assert_non_null(out);
    struct agreement agreement = counts_compare(counts, out);
    assert_int_equal(fclose(out), 0);
    return agreement;
}

/* --- the recorded table --- */

static void expect_agreement(const char *path, size_t rows, uint64_t cells)
{
    struct error err = {0};
    char *text = NULL;
    struct counts counts = played(path);
    assert_true(counts_recorded(&counts, &err));
    struct agreement agreement = compared(&counts, &text);
    if (agreement.equal != agreement.compared) {
        fail_msg("%s", text);
    }
    assert_int_equal(agreement.rows_unsupported, 0);
    assert_int_equal(counts.table.rows, rows);
    assert_int_equal(agreement.compared, cells);
    free(text);
    counts_free(&counts);
}

static void the_model_counts_what_the_kernel_counts(void **state)
{
    (void)state;
    expect_agreement(TABLE, 933, 31283);
}

/* Recorded by the probe; the rules for these kernels come from their sources. */
static void the_model_predicted_later_kernels(void **state)
{
    (void)state;
    expect_agreement("bench/kvm/counts-6.12.117.csv", 430, 14190);
    expect_agreement("bench/kvm/counts-7.3.4.csv", 622, 20526);
    expect_agreement("bench/kvm/counts-hugetlb-shared.csv", 164, 5576);
    expect_agreement("bench/kvm/counts-vipt.csv", 293, 9669);
    expect_agreement("bench/kvm/counts-dic.csv", 522, 17226);
    expect_agreement("bench/kvm/counts-extended.csv", 711, 24174);
    expect_agreement("bench/kvm/counts-settles.csv", 60, 2040);
}

/* Every column of the recording is known, and all are claimed but one. */
static void one_column_is_unclaimed(void **state)
{
    size_t unclaimed = 0;
    struct csv table;
    struct error err = {0};
    (void)state;
    assert_true(csv_read(TABLE, &table, &err));
    for (size_t i = 10; i < table.columns; i++) {
        size_t column = column_of(table.header[i]);
        assert_int_equal(column, i - 10); /* in the same order */
        unclaimed += count_columns[column].unclaimed != NULL;
    }
    assert_int_equal(table.columns - 10, count_column_count);
    assert_int_equal(unclaimed, 1);
    csv_free(&table);
}

static void a_wrong_count_is_shown(void **state)
{
    char *text = NULL;
    (void)state;
    struct counts counts =
        played_text("kernel,cpu,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op,s2_faults,"
                    "map_4k,insns_kernel_bare\n"
                    "6.1,neoverse-n1,one,4k,4,0,1,first,w 0 1 8,10,9,77\n"
                    "6.1,neoverse-n1,one,4k,4,0,1,again,w 0 1 8,2,,77\n");
    struct agreement agreement = compared(&counts, &text);
    assert_int_equal(agreement.compared, 3);
    assert_int_equal(agreement.equal, 2);
    const char *line = strstr(text, "again ");
    assert_non_null(line);
    assert_non_null(strstr(line, "s2_faults"));
    assert_non_null(strstr(line, "           2            1\n"));
    assert_non_null(strstr(text, "insns_kernel_bare unclaimed: "));
    free(text);
    counts_free(&counts);
}

/* --- inputs alone --- */

static void inputs_alone_suffice(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS ",note\n"
                                              "6.1,max,a,4k,4,0,2,first,w 0 1 4,\"x, y\"\n"
                                              "6.1,max,a,4k,4,0,2,second,init,z\n");
    char *text = written(&counts);
    static const char *const lines[] = {
        INPUTS ",note,s2_faults,cmo_calls,",
        "\n6.1,max,a,4k,4,0,2,first,w 0 1 4,\"x, y\",6,0,0,0,1,5,0,4,4,0,0,0,1,1,5,64,",
        "\n6.1,max,a,4k,4,0,2,second,init,z,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!strstr(text, lines[i])) {
            fail_msg("no '%s' in:\n%s", lines[i], text);
        }
    }
    free(text);
    counts_free(&counts);
}

/* What is written can be read and compared again. */
static void output_is_input(void **state)
{
    char *report = NULL;
    struct error err = {0};
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "6.12,max,a,thp,4,4096,2,first,r 0 7 9\n"
                                              "6.12,max,b,hugetlb,3,0,1,first,r 0 1 2\n"
                                              "6.12,max,a,thp,4,4096,2,second,pop\n");
    char *text = written(&counts);
    counts_free(&counts);
    counts = played_text(text);
    assert_true(counts_recorded(&counts, &err));
    struct agreement agreement = compared(&counts, &report);
    assert_int_equal(agreement.compared, 2 * (count_column_count - 1));
    assert_int_equal(agreement.equal, agreement.compared);
    assert_int_equal(agreement.rows_unsupported, 1);
    assert_non_null(strstr(report, "unsupported: 6.12 max b: page: hugetlb"));
    free(report);
    free(text);
    counts_free(&counts);
}

/* A VM is what kernel, cpu and case say, wherever its rows stand. */
static void rows_of_one_vm_need_not_be_neighbours(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "6.1,max,a,4k,4,0,1,p,w 0 1 4\n"
                                              "7.3,max,a,4k,4,0,1,p,w 0 1 4\n"
                                              "6.1,max,a,4k,4,0,1,p,w 0 1 5\n");
    assert_int_equal(counts.vm_count, 2);
    expect_count(&counts, 0, "data_tr_w", 4);
    expect_count(&counts, 1, "data_tr_w", 4);
    expect_count(&counts, 2, "data_tr_w", 1);
    counts_free(&counts);
}

/* A core's FWB may be hidden from the kernel. */
static void the_fwb_cell_overrides_the_cpu(void **state)
{
    (void)state;
    struct counts counts =
        played_text("kernel,cpu,fwb,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op\n"
                    "6.1,max,1,a,4k,4,0,1,p,w 0 1 4\n"
                    "6.1,max,0,b,4k,4,0,1,p,w 0 1 4\n"
                    "6.1,max,,c,4k,4,0,1,p,w 0 1 4\n");
    expect_count(&counts, 0, "cmo_lines", 0);
    expect_count(&counts, 1, "cmo_lines", 320);
    expect_count(&counts, 2, "cmo_lines", 0);
    counts_free(&counts);
}

/* --- mechanisms that no recorded row shows --- */

static void a_huge_zero_page_gives_way_at_once_since_6_13(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "7.3,neoverse-n1,a,thp,16,0,1,r,r 0 1 4096\n"
                                              "7.3,neoverse-n1,a,thp,16,0,1,w,w 0 1 4096\n"
                                              "6.12,neoverse-n1,a,thp,16,0,1,r,r 0 1 4096\n"
                                              "6.12,neoverse-n1,a,thp,16,0,1,w,w 0 1 4096\n");
    expect_count(&counts, 1, "s2_faults", 17);
    expect_count(&counts, 1, "data_perm_w", 8);
    expect_count(&counts, 1, "map_2m", 8);
    expect_count(&counts, 1, "gfn_unmap", 8);
    expect_count(&counts, 1, "cmo_lines", 524288);
    expect_count(&counts, 3, "data_perm_w", 8);
    expect_count(&counts, 3, "data_tr_w", 8184);
    expect_count(&counts, 3, "gfn_unmap", 4104);
    expect_count(&counts, 3, "map_4k", 4096);
    counts_free(&counts);
}

static void a_private_hugetlb_page_is_taken_over_in_place(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "6.1,neoverse-n1,a,hugetlb,16,0,1,r,r 0 1 4096\n"
                                              "6.1,neoverse-n1,a,hugetlb,16,0,1,w,w 0 512 8\n"
                                              "6.1,neoverse-n1,a,hugetlb,16,0,1,d,drop\n");
    expect_count(&counts, 0, "map_2m", 8);
    expect_count(&counts, 1, "data_perm_w", 8);
    expect_count(&counts, 1, "relax_calls", 8);
    expect_count(&counts, 1, "gfn_unmap", 0);
    expect_count(&counts, 1, "cmo_lines", 0);
    expect_count(&counts, 2, "gfn_unmap", 2);
    counts_free(&counts);
}

/* change_pte leaves a read-only leaf over a page that can be written: a fetch
 * then gives both permissions. */
static void a_relaxation_gives_what_the_host_allows(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "6.1,neoverse-n1,a,4k,4,0,1,r,r 0 1 1024\n"
                                              "6.1,neoverse-n1,a,4k,4,0,1,p,pop\n"
                                              "6.1,neoverse-n1,a,4k,4,0,1,e,e 0 1 1024\n"
                                              "6.1,neoverse-n1,a,4k,4,0,1,w,w 0 1 1024\n");
    expect_count(&counts, 1, "set_spte", 1024);
    expect_count(&counts, 2, "data_other", 1024);
    expect_count(&counts, 2, "icache_lines", 65536);
    expect_count(&counts, 3, "s2_faults", 1);
    counts_free(&counts);
}

static void trapping_ends_with_the_first_write_that_finds_caches_on(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "6.1,cortex-a72,a,4k,4,0,1,a,mon\n"
                                              "6.1,cortex-a72,a,4k,4,0,1,b,cisw 5\n"
                                              "6.1,cortex-a72,a,4k,4,0,1,c,mon\n"
                                              "6.1,cortex-a72,a,4k,4,0,1,d,moff\n"
                                              "6.1,cortex-a72,a,4k,4,0,1,e,init\n"
                                              "6.1,cortex-a72,a,4k,4,0,1,f,mon\n");
    expect_count(&counts, 0, "toggle_traps", 4);
    expect_count(&counts, 1, "setway_traps", 5);
    expect_count(&counts, 1, "flush_vm_calls", 1);
    expect_count(&counts, 2, "toggle_traps", 1);
    expect_count(&counts, 2, "flush_vm_calls", 0);
    expect_count(&counts, 3, "toggle_traps", 0);
    expect_count(&counts, 5, "toggle_traps", 4);
    counts_free(&counts);
}

/* A notifier for a huge page of the host meets two chunks where the slot is
 * misaligned; ranges that don't start at 64 KiB begin with single pages. */
static void misaligned_ranges_are_cut(void **state)
{
    (void)state;
    struct counts counts = played_text(INPUTS "\n"
                                              "7.3,max,a,thp,2,804257792,1,r,r 0 1 512\n"
                                              "7.3,max,a,thp,2,804257792,1,w,w 5 1 1\n"
                                              "7.3,max,b,4k,2,4096,1,w,w 5 1 1\n"
                                              "7.3,max,b,4k,2,4096,1,d,drop\n");
    expect_count(&counts, 0, "map_4k", 513);
    expect_count(&counts, 1, "gfn_unmap", 1);
    expect_count(&counts, 1, "unmap_calls", 2);
    expect_count(&counts, 3, "tlbi_range", 2);
    expect_count(&counts, 3, "tlbi_calls", 18);
    counts_free(&counts);
}

/* --- bad input --- */

static void expect_refused(const char *text, const char *const *words)
{
    struct counts counts;
    struct error err = {0};
    const char *path = write_file(text);
    assert_false(counts_read(path, &counts, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_null(strchr(err.text, '\n'));
    for (; *words; words++) {
        if (!strstr(err.text, *words)) {
            fail_msg("'%s' does not say '%s'", err.text, *words);
        }
    }
    assert_int_equal(unlink(path), 0);
}

#define REFUSED(text, ...) expect_refused(text, (const char *const[]){__VA_ARGS__, NULL})

static void bad_tables_are_refused(void **state)
{
    (void)state;
    REFUSED("kernel,cpu,case\n6.1,max,a\n", "page", "missing");
    REFUSED(INPUTS "\n", "no rows");
    REFUSED(INPUTS "\n5.4,max,a,4k,4,0,1,p,pop\n", ".csv:2: kernel: found '5.4'", "5.10");
    REFUSED(INPUTS "\nlinux,max,a,4k,4,0,1,p,pop\n", "kernel: found 'linux'");
    REFUSED(INPUTS "\n6.1,neoverse-n3,a,4k,4,0,1,p,pop\n", ":2: cpu: ", "did you mean neoverse-n");
    REFUSED(INPUTS "\n6.1,max,a,4kb,4,0,1,p,pop\n", ":2: page: ", "did you mean 4k?");
    REFUSED(INPUTS "\n6.1,max,a,4k,,0,1,p,pop\n", ":2: mem_mib: found nothing");
    REFUSED(INPUTS "\n6.1,max,a,4k,4.5,0,1,p,pop\n", ":2: mem_mib: found '4.5'");
    REFUSED(INPUTS "\n6.1,max,a,4k,4,1,1,p,pop\n", ":2: slot_offset_bytes: found 1");
    REFUSED(INPUTS "\n6.1,max,a,4k,4,0,0,p,pop\n", ":2: vcpus: found 0");
    REFUSED(INPUTS "\n6.1,max,a,4k,4,0,1,p,pop\n6.1,max,a,4k,8,0,1,p,pop\n",
            ":3: mem_mib: found '8', expected '4' as in line 2");
    REFUSED(INPUTS "\n6.1,max,a,4k,4,0,1,p,w 0 1 1025\n", ":2: op: found 1025 pages");
    REFUSED(INPUTS "\n6.1,max,a,4k,4,0,1,p,init 1\n", ":2: op: found vCPU 1");
    REFUSED("fwb," INPUTS "\n2,6.1,max,a,4k,4,0,1,p,pop\n", ":2: fwb: found '2'");
}

static void recorded_counts_must_be_numbers(void **state)
{
    struct error err = {0};
    (void)state;
    struct counts counts = played_text(INPUTS ",map_2m\n6.1,max,a,4k,4,0,1,p,pop,many\n");
    assert_false(counts_recorded(&counts, &err));
    assert_non_null(strstr(err.text, ":2: map_2m: found 'many'"));
    counts_free(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_counts_what_the_kernel_counts),
        cmocka_unit_test(the_model_predicted_later_kernels),
        cmocka_unit_test(one_column_is_unclaimed),
        cmocka_unit_test(a_wrong_count_is_shown),
        cmocka_unit_test(inputs_alone_suffice),
        cmocka_unit_test(output_is_input),
        cmocka_unit_test(rows_of_one_vm_need_not_be_neighbours),
        cmocka_unit_test(the_fwb_cell_overrides_the_cpu),
        cmocka_unit_test(a_huge_zero_page_gives_way_at_once_since_6_13),
        cmocka_unit_test(a_private_hugetlb_page_is_taken_over_in_place),
        cmocka_unit_test(a_relaxation_gives_what_the_host_allows),
        cmocka_unit_test(trapping_ends_with_the_first_write_that_finds_caches_on),
        cmocka_unit_test(misaligned_ranges_are_cut),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(recorded_counts_must_be_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
