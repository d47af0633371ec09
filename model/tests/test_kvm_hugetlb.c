/* Fresh hugetlb pages are cleared under a mutex, one for each page. */
#include "rig.h"

/* What two vCPUs wait at mutexes where both first write at these places at once. */
static ps_t waited(uint64_t first_at, uint64_t second_at)
{
    const struct act first[] = {{.go = do_write, .at = first_at, .bytes = 64}, {0}};
    const struct act second[] = {{.go = do_write, .at = second_at, .bytes = 64}, {0}};
    const struct act *acts[] = {first, second};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_HUGETLB});
    rig_play(&rig, acts, 2);
    assert_int_equal(rig_all(&rig, EV_host_alloc),
                     first_at / (2 * MIB) == second_at / (2 * MIB) ? 1 : 2);
    ps_t sum = ledger_waited(&rig.ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_HUGETLB);
    rig_free(&rig);
    return sum;
}

static void whoever_faults_on_the_page_waits(void **state)
{
    (void)state;
    assert_true(waited(0, 4 * KIB) > 0);
}

static void whoever_faults_on_another_page_does_not(void **state)
{
    (void)state;
    assert_int_equal(waited(0, 2 * MIB), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_faults_on_the_page_waits),
        cmocka_unit_test(whoever_faults_on_another_page_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
