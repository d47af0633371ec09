/* What import finds in a trace: reboots, the size of leaves, what each fault was. */
#include "boottrace.h"

static size_t rows_of(const struct import *import, enum import_op op)
{
    size_t count = 0;
    for (size_t i = 0; i < import->row_count; i++) {
        count += import->rows[i].op == op;
    }
    return count;
}

static void a_reboot_is_found(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_two_boots(&text, 2 * MIB);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.backing, BACKING_THP);
    assert_int_equal(import.ram_start, GIB);
    assert_int_equal(import.ram_bytes, 64 * MIB);
    assert_int_equal(import.vcpus, 1);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_X), 2);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_W), 19 + 9);
    assert_int_equal(rows_of(&import, IMPORT_MMU_ON), 2);
    assert_int_equal(rows_of(&import, IMPORT_REINIT), 1);
    assert_int_equal(import.counts.vm_registers, 2);
    import_free(&import);
}

static void small_leaves_are_found(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_two_boots(&text, 4 * KIB);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.backing, BACKING_4K);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_W), 19 + 9);
    import_free(&import);
}

static void leaves_in_between_are_asked_for(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_two_boots(&text, 512 * KIB);
    expect_refused(&text, &usual, "--backing");
    struct import_options told = usual;
    told.backing = BACKING_4K;
    text_begin(&text);
    put_two_boots(&text, 512 * KIB);
    expect_taken(&text, &told, &import);
    assert_int_equal(import.reinit_count, 1);
    import_free(&import);
}

/* Without system events a burst of faults in mapped memory tells. */
static void a_burst_is_a_reboot(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_boot(&text, 0, 2 * MIB, 20);
    put_boot(&text, 2000000, 2 * MIB, 10);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.events[import.reinits[0]].ipa, GIB);
    import_free(&import);
}

static void a_time_is_taken(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    struct import_options told = usual;
    told.reinit_count = 1;
    told.reinit_ns[0] = UINT64_C(100001500000);
    put_boot(&text, 0, 2 * MIB, 20);
    put_boot(&text, 2000000, 2 * MIB, 3);
    expect_taken(&text, &told, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.events[import.reinits[0]].time_ns, UINT64_C(100002000000));
    import_free(&import);
}

/* Taken back by the host, or a lost race: which of them a notifier decides. */
static void a_single_refault_is_no_reboot(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_boot(&text, 0, 2 * MIB, 20);
    put_fault(text.out, TOOL_TRACE, 0, 900000, GIB + 4 * MIB, ESR_DATA | 7u, UINT64_MAX);
    put_other(
        text.out, TOOL_TRACE, 0, 910000,
        "kvm_unmap_hva_range: mmu notifier unmap range: 0x00ffff8c000000 -- 0x00ffff8c200000");
    put_fault(text.out, TOOL_TRACE, 0, 920000, GIB + 6 * MIB, ESR_DATA | 7u, UINT64_MAX);
    put_reset(&text, 1000000);
    put_boot(&text, 2000000, 2 * MIB, 10);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.counts.races, 1);
    assert_int_equal(import.counts.taken_back, 1);
    assert_int_equal(rows_of(&import, IMPORT_NOTIFIER), 1);
    import_free(&import);
}

static void each_fault_is_what_it_is(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    for (int i = 0; i < 5; i++) {
        put_fault(text.out, TOOL_TRACE, 0, 0, 0x8000000, ESR_DATA | 7u, 0x40000000);
        put_other(text.out, TOOL_TRACE, 0, 0, "kvm_mmio: mmio write len 4 gpa 0x8000128 val 0x1");
    }
    put_two_boots(&text, 2 * MIB);
    put_fault(text.out, TOOL_TRACE, 0, 3000000, GIB, ESR_DATA | ESR_ACCESS_FLAG, UINT64_MAX);
    put_fault(text.out, TOOL_TRACE, 0, 3000001, GIB + 2 * MIB, esr_of("perm_x"), UINT64_MAX);
    put_fault(text.out, TOOL_TRACE, 0, 3000002, GIB + 2 * MIB, esr_of("perm_w"), UINT64_MAX);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.counts.devices, 5);
    assert_int_equal(import.counts.other_faults, 1);
    assert_int_equal(rows_of(&import, IMPORT_PERM_X), 1);
    assert_int_equal(rows_of(&import, IMPORT_PERM_W), 1);
    assert_int_equal(import.ram_start, GIB);
    assert_false(import.uefi);
    import_free(&import);
}

/* Blocks are told and smaller leaves were mapped: the others are inside. */
static void faults_inside_a_leaf_are_counted(void **state)
{
    (void)state;
    struct text text;
    struct import import;
    struct import_options told = usual;
    told.backing = BACKING_HUGETLB;
    text_begin(&text);
    put_two_boots(&text, MIB);
    expect_taken(&text, &told, &import);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_W) + rows_of(&import, IMPORT_FAULT_X), 10 + 5);
    assert_int_equal(import.counts.inside, 10 + 5);
    assert_int_equal(import.counts.races, 0);
    import_free(&import);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reboot_is_found),
        cmocka_unit_test(small_leaves_are_found),
        cmocka_unit_test(leaves_in_between_are_asked_for),
        cmocka_unit_test(a_burst_is_a_reboot),
        cmocka_unit_test(a_time_is_taken),
        cmocka_unit_test(a_single_refault_is_no_reboot),
        cmocka_unit_test(each_fault_is_what_it_is),
        cmocka_unit_test(faults_inside_a_leaf_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
