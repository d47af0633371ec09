#include "check.h"

#include <string.h>

#include "core/error.h"
#include "core/units.h"
#include "guest/benchmark/kvmcase.h"

static const struct source_location here = {"cases.csv", 7, "op"};

static struct kvmcase_op parsed(const char *text)
{
    struct kvmcase_op op;
    struct error err = {0};
    assert_true(kvmcase_parse(text, &op, &here, &err));
    return op;
}

static void expect_pages(const char *text, enum kvmcase_verb verb, uint64_t first, uint64_t stride,
                         uint64_t count, uint64_t vcpu)
{
    struct kvmcase_op op = parsed(text);
    assert_int_equal(op.verb, verb);
    assert_int_equal(op.first, first);
    assert_int_equal(op.stride, stride);
    assert_int_equal(op.count, count);
    assert_int_equal(op.vcpu, vcpu);
}

static void every_operation_is_read(void **state)
{
    (void)state;
    expect_pages("w 0 1 1024", KVMCASE_WRITE, 0, 1, 1024, 0);
    expect_pages("r 5 512 3 2", KVMCASE_READ, 5, 512, 3, 2);
    expect_pages("  e  1\t0 7 1 ", KVMCASE_CALL, 1, 0, 7, 1);
    expect_pages("x", KVMCASE_EXIT, 0, 0, 0, 0);
    expect_pages("x 3", KVMCASE_EXIT, 0, 0, 0, 3);
    expect_pages("mon 1", KVMCASE_MMU_ON, 0, 0, 0, 1);
    expect_pages("moff", KVMCASE_MMU_OFF, 0, 0, 0, 0);
    expect_pages("cisw 100", KVMCASE_SETWAY, 0, 0, 100, 0);
    expect_pages("init 15", KVMCASE_INIT, 0, 0, 0, 15);
    expect_pages("pop", KVMCASE_FILL, 0, 0, 0, 0);
    expect_pages("drop", KVMCASE_DROP, 0, 0, 0, 0);
    expect_pages("destroy", KVMCASE_DESTROY, 0, 0, 0, 0);
}

static void expect_refused(const char *text, const char *word)
{
    struct kvmcase_op op;
    struct error err = {0};
    assert_false(kvmcase_parse(text, &op, &here, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "cases.csv:7: op: "));
    if (!strstr(err.text, word)) {
        fail_msg("'%s' does not say '%s'", err.text, word);
    }
}

static void what_is_no_operation_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {"", "found nothing"},
        {"   ", "found nothing"},
        {"cisv 3", "did you mean cisw?"},
        {"V 0 1 2", "unknown operation 'V'"},
        {"W 0 1", "expected 'W FIRST STRIDE COUNT [VCPU]'"},
        {"dropr 1", "expected 'dropr FIRST COUNT'"},
        {"dlog", "expected 'dlog 1|0'"},
        {"sdel 1 2", "expected 'sdel 1|2'"},
        {"w", "expected 'w FIRST STRIDE COUNT [VCPU]'"},
        {"w 0 1", "expected 'w FIRST STRIDE COUNT [VCPU]'"},
        {"w 0 1 2 3 4", "expected 'w FIRST"},
        {"w 0 1 2 3 4 5 6 7 8 9", "expected 'w FIRST"},
        {"r -1 1 2", "found 'r -1 1 2'"},
        {"r 0 1.5 2", "whole numbers"},
        {"r 0 1 99999999999999999999", "whole numbers"},
        {"r 0 1 2k", "whole numbers"},
        {"pop 1", "expected 'pop'"},
        {"drop 0", "expected 'drop'"},
        {"destroy 0", "expected 'destroy'"},
        {"cisw", "expected 'cisw N'"},
        {"init 0 1", "expected 'init [VCPU]'"},
        {"mon on", "expected 'mon [VCPU]'"},
        {"w 0 1 2 and so on and so on and so on and so on and so on and so on and so on and so on "
         "and so on and so on and so on and so on and so on",
         "expected an operation"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_refused(bad[i][0], bad[i][1]);
    }
}

static void backings_are_those_of_the_format(void **state)
{
    enum backing backing;
    struct error err = {0};
    (void)state;
    assert_true(kvmcase_backing("shm", &backing, &here, &err));
    assert_int_equal(backing, BACKING_SHARED);
    assert_false(kvmcase_backing("hugetbl", &backing, &here, &err));
    assert_non_null(strstr(err.text, "did you mean hugetlb?"));
    assert_false(kvmcase_backing("hugetlb-1g", &backing, &here, &err));
}

/* --- shapes --- */

static const struct kvmcase_shape usual = {.backing = BACKING_4K, .mem_mib = 16, .vcpus = 2};

static void expect_shape_refused(struct kvmcase_shape shape, const char *column)
{
    struct error err = {0};
    assert_false(kvmcase_check(&shape, &here, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, column)) {
        fail_msg("'%s' does not name %s", err.text, column);
    }
}

static void shapes_that_cannot_be_are_refused(void **state)
{
    struct error err = {0};
    struct kvmcase_shape shape = usual;
    (void)state;
    assert_true(kvmcase_check(&shape, &here, &err));
    shape.mem_mib = TIB / MIB - KVMCASE_RAM_IPA / MIB;
    assert_true(kvmcase_check(&shape, &here, &err));
    shape.mem_mib++;
    expect_shape_refused(shape, "mem_mib");
    shape.mem_mib = UINT64_MAX;
    expect_shape_refused(shape, "mem_mib");
    shape.mem_mib = 0;
    expect_shape_refused(shape, "mem_mib");
    shape = usual;
    shape.slot_offset_bytes = 2048;
    expect_shape_refused(shape, "slot_offset_bytes");
    shape.slot_offset_bytes = UINT64_MAX - 4095;
    expect_shape_refused(shape, "slot_offset_bytes");
    shape = usual;
    shape.vcpus = 0;
    expect_shape_refused(shape, "vcpus");
    shape.vcpus = KVMCASE_VCPUS + 1;
    expect_shape_refused(shape, "vcpus");
}

static void half_a_hugetlb_page_is_unsupported(void **state)
{
    struct kvmcase_shape shape = {.backing = BACKING_HUGETLB, .mem_mib = 16, .vcpus = 1};
    (void)state;
    assert_null(kvmcase_unsupported(&shape));
    shape.mem_mib = 15;
    assert_non_null(kvmcase_unsupported(&shape));
    shape.backing = BACKING_THP;
    assert_null(kvmcase_unsupported(&shape));
}

/* --- timelines --- */

struct built {
    struct timeline timeline;
    struct kvmcase kvmcase;
};

static void built_init(struct built *built, const struct kvmcase_shape *shape)
{
    kvmcase_begin(&built->kvmcase, shape, &built->timeline, "case");
}

static bool add(struct built *built, const char *text, struct error *err)
{
    struct kvmcase_op op = parsed(text);
    uint32_t phase;
    *err = (struct error){0};
    return kvmcase_add(&built->kvmcase, text, &op, &phase, &here, err);
}

static void rows_must_stay_within_the_vm(void **state)
{
    static const char *const good[] = {"w 4095 1 1", "r 0 4095 2", "e 0 0 99999999",
                                       "w 0 1 4096", "w 9999 1 0", "r 4095 18446744073709551615 1",
                                       "init 1",     "x 1"};
    static const char *const bad[] = {
        "w 4096 1 1", "r 0 4096 2", "w 1 1 4096", "r 1 18446744073709551615 2",
        "w 0 3 1367", "init 2",     "w 0 1 1 2"};
    struct built built;
    struct error err;
    (void)state;
    built_init(&built, &usual);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(add(&built, good[i], &err));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(add(&built, bad[i], &err));
        assert_int_equal(err.status, EXIT_INPUT);
        assert_non_null(strstr(err.text, "cases.csv:7: op: found "));
    }
    assert_true(add(&built, "destroy", &err));
    assert_false(add(&built, "x", &err));
    assert_non_null(strstr(err.text, "after 'destroy'"));
    timeline_free(&built.timeline);
}

/* The second slot is there where the VM has one, and slots go and come. */
static void a_second_slot_is_one_of_two(void **state)
{
    static const char *const none[] = {"W 0 1 1", "pop2", "drop2", "sdel 2", "sadd 1"};
    static const char *const good[] = {"W 511 1 1", "R 0 511 2", "E 0 1 512", "pop2",
                                       "drop2",     "sdel 2",    "sadd 2",    "sdel 1",
                                       "dlog 1",    "dlog 0",    "sadd 1",    "dropr 4095 1"};
    static const char *const bad[] = {"W 512 1 1", "sdel 0",       "sdel 3",   "sadd 2",
                                      "dlog 2",    "dropr 4095 2", "W 0 1 1 2"};
    struct kvmcase_shape two = usual;
    struct built built;
    struct error err;
    (void)state;
    built_init(&built, &usual);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(add(&built, none[i], &err));
        assert_int_equal(err.status, EXIT_INPUT);
    }
    timeline_free(&built.timeline);
    two.mem2_mib = 2;
    built_init(&built, &two);
    assert_int_equal(built.timeline.vm.slot_count, 3);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(add(&built, good[i], &err));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(add(&built, bad[i], &err));
        assert_int_equal(err.status, EXIT_INPUT);
        assert_non_null(strstr(err.text, "cases.csv:7: op: found "));
    }
    timeline_free(&built.timeline);
}

/* How many operations of a kind an actor has. */
static size_t count_ops(const struct built *built, uint32_t script, enum op_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < built->timeline.scripts[script].count; i++) {
        count += built->timeline.scripts[script].ops[i].kind == kind;
    }
    return count;
}

static void a_walk_reads_the_tables_while_the_mmu_is_on(void **state)
{
    struct built built;
    struct error err;
    (void)state;
    built_init(&built, &usual);
    assert_true(add(&built, "x 1", &err)); /* code, exit */
    assert_int_equal(count_ops(&built, 2, OP_TOUCH), 2);
    assert_true(add(&built, "mon 1", &err)); /* code, tables, exit */
    assert_int_equal(count_ops(&built, 2, OP_TOUCH), 5);
    assert_true(add(&built, "x 1", &err)); /* tables, code, exit */
    assert_int_equal(count_ops(&built, 2, OP_TOUCH), 8);
    assert_true(add(&built, "init 1", &err));
    assert_true(add(&built, "x 1", &err)); /* code, exit */
    assert_int_equal(count_ops(&built, 2, OP_TOUCH), 10);
    assert_int_equal(count_ops(&built, 1, OP_TOUCH), 0);
    assert_int_equal(count_ops(&built, 0, OP_REINIT), 1);
    timeline_free(&built.timeline);
}

static void rows_are_phases(void **state)
{
    struct built built;
    struct error err;
    struct kvmcase_op op = parsed("pop");
    uint32_t phase;
    (void)state;
    built_init(&built, &usual);
    assert_int_equal(built.timeline.phase_count, 1);
    assert_true(kvmcase_add(&built.kvmcase, "one", &op, &phase, &here, &err));
    assert_int_equal(phase, 1);
    assert_true(kvmcase_add(&built.kvmcase, "one", &op, &phase, &here, &err));
    assert_int_equal(phase, 2);
    assert_string_equal(built.timeline.phases[2], "one");
    timeline_free(&built.timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_read),
        cmocka_unit_test(what_is_no_operation_is_refused),
        cmocka_unit_test(backings_are_those_of_the_format),
        cmocka_unit_test(shapes_that_cannot_be_are_refused),
        cmocka_unit_test(half_a_hugetlb_page_is_unsupported),
        cmocka_unit_test(rows_must_stay_within_the_vm),
        cmocka_unit_test(a_second_slot_is_one_of_two),
        cmocka_unit_test(a_walk_reads_the_tables_while_the_mmu_is_on),
        cmocka_unit_test(rows_are_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
