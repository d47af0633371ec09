/* Recorded boots: every recording that comes with the program, played and
 * compared, and what the reader makes of recordings that are wrong. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "check/counts/boots.h"
#include "core/datadir.h"
#include "core/error.h"
#include "core/units.h"
#include "guest/recording/recording.h"
#include "run/sim.h"

#define RECORDED "workloads/recorded/"

static void find(char *path, size_t size, const char *name)
{
    char relative[256];
    snprintf(relative, sizeof relative, RECORDED "%s.csv", name);
    assert_true(datadir_find(relative, path, size));
}

/* --- the golden comparison --- */

/* What the check prints; the caller frees it. */
static char *check(const char *recording, const char *phases, bool *agrees)
{
    char *text = NULL;
    size_t size = 0;
    struct error err = {0};
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    bool fine = boots_check(recording, phases, out, agrees, &err);
    fclose(out);
    if (!fine) {
        fail_msg("%s", err.text);
    }
    return text;
}

static void test_recording(void **state)
{
    char recording[4096], phases[4096];
    bool agrees = false;
    find(recording, sizeof recording, *state);
    find(phases, sizeof phases, "phases");
    char *text = check(recording, phases, &agrees);
    if (!agrees) {
        print_error("%s", text);
    }
    assert_true(agrees);
    assert_null(strstr(text, "!="));
    free(text);
}

static char *temporary(char *path, size_t size, const char *text)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, size, "%s/boots-XXXXXX", folder ? folder : "/tmp");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    return path;
}

#define PHASES_HEAD "run,phase,faults,dc_civac_lines\n"

/* One line of 64 bytes more or less is seen, and a run without rows is no
 * agreement. */
static void test_differences_show(void **state)
{
    char recording[4096], phases[256];
    bool agrees = true;
    struct error err;
    (void)state;
    find(recording, sizeof recording, "n1-q-256m-c1-2m-f128");
    temporary(phases, sizeof phases,
              PHASES_HEAD "n1-q-256m-c1-2m-f128,boot1,33,1212480\n"
                          "n1-q-256m-c1-2m-f128,reset1,0,3047487\n");
    char *text = check(recording, phases, &agrees);
    assert_false(agrees);
    assert_non_null(strstr(text, "1212480 =  3047487 != 3047488  1 of 2"));
    free(text);
    unlink(phases);
    temporary(phases, sizeof phases, PHASES_HEAD "other,boot1,33,1212480\n");
    assert_false(boots_check(recording, phases, stdout, &agrees, &err));
    assert_non_null(strstr(err.text, "no row of the run 'n1-q-256m-c1-2m-f128'"));
    unlink(phases);
}

/* --- under every strategy --- */

struct setup {
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
};

static void set_up(struct setup *setup)
{
    struct error err;
    assert_true(platform_load("neoverse-n1", &setup->platform, &err));
    platform_modes(&setup->platform, setup->value);
    assert_true(kernel_resolve("6.1", &setup->kernel, &err));
}

/* Plays a recording; returns DC lines and faults of the last phase. */
static void play(const struct setup *setup, const struct timeline *timeline,
                 const struct strategy *strategy, bool exact, uint64_t *lines, uint64_t *faults)
{
    struct error err;
    struct sim *sim = calloc(1, sizeof *sim);
    struct point point = {.timeline = timeline,
                          .platform = &setup->platform,
                          .value = setup->value,
                          .kernel = &setup->kernel,
                          .strategy = strategy,
                          .exact = exact};
    uint32_t last = timeline->phase_count - 2; /* boot2: use2 is begun and empty */
    assert_non_null(sim);
    sim_init(sim, &point);
    assert_true(sim_run(sim, &err));
    assert_string_equal(timeline->phases[last], "boot2");
    *lines = sim_count(sim, last, LEDGER_ALL, EV_line_absent) +
             sim_count(sim, last, LEDGER_ALL, EV_line_clean) +
             sim_count(sim, last, LEDGER_ALL, EV_line_dirty);
    *faults = sim_count(sim, last, LEDGER_ALL, EV_data_tr_w) +
              sim_count(sim, last, LEDGER_ALL, EV_data_tr_r) +
              sim_count(sim, last, LEDGER_ALL, EV_data_tr_x);
    sim_free(sim);
    free(sim);
}

static void read_recording(const char *name, int backing, struct timeline *timeline,
                           struct recording_info *info)
{
    char path[4096];
    struct error err;
    struct recording_keys keys = {
        .density = 16, .off_access_share = 0.3, .vm_registers = 7, .backing = backing};
    find(path, sizeof path, name);
    if (!recording_read(path, &keys, timeline, info, &err)) {
        fail_msg("%s", err.text);
    }
}

/* Where re-init unmaps, the second boot faults everything in again; where it
 * does not, only what is new. Exact and fast play count the same. */
static void test_strategies(void **state)
{
    static const char *const names[] = {"n1-q-256m-c1-2m-f128", "n1-q-256m-c2-2m-f128-efi",
                                        "fwb-q-256m-c1-2m-f128"};
    struct setup setup;
    (void)state;
    set_up(&setup);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct timeline timeline;
        struct recording_info info;
        read_recording(names[i], BACKINGS, &timeline, &info);
        for (size_t k = 0; k < strategy_count; k++) {
            uint64_t lines, faults, fast_lines, fast_faults;
            play(&setup, &timeline, &strategy_rows[k], true, &lines, &faults);
            play(&setup, &timeline, &strategy_rows[k], false, &fast_lines, &fast_faults);
            assert_int_equal(lines, fast_lines);
            assert_int_equal(faults, fast_faults);
            if (i == 0) {
                assert_int_equal(faults, strategy_rows[k].reinit_unmap == UNMAP_ALL ? 33 : 0);
            }
        }
        timeline_free(&timeline);
    }
}

/* A boot recorded page by page faults block by block on huge pages, as the one
 * recorded there did. */
static void test_larger_leaves(void **state)
{
    struct setup setup;
    struct timeline timeline;
    struct recording_info info;
    uint64_t lines, faults;
    (void)state;
    set_up(&setup);
    read_recording("n1-q-256m-c1-4k-f128", BACKING_THP, &timeline, &info);
    assert_int_equal(info.backing, BACKING_4K);
    play(&setup, &timeline, strategy_find("unmap", NULL), true, &lines, &faults);
    assert_int_equal(faults, 33);
    timeline_free(&timeline);
}

/* --- the reader --- */

#define NAME "# name: x-q-4m-c2-4k-f0\n"
#define HOST "# host (L1): Linux (none) 6.12.1-arm64 #1; -cpu cortex-a72 (no FWB); THP never\n"
#define GUEST "# guest (L2): RAM 4 MiB at IPA 0x40000000, 2 vCPU; firmware: none\n"
#define COLUMNS "time_ns,actor,op,ipa,bytes,guest_insns,flags\n"
#define HEAD NAME HOST GUEST COLUMNS

static bool read_text(const char *text, struct timeline *timeline, struct recording_info *info,
                      struct error *err)
{
    char path[256];
    const struct recording_keys keys = {.density = 1, .backing = BACKINGS};
    temporary(path, sizeof path, text);
    bool fine = recording_read(path, &keys, timeline, info, err);
    unlink(path);
    return fine;
}

static const struct op *op_at(const struct timeline *timeline, uint32_t script, size_t index)
{
    assert_true(index < timeline->scripts[script].count);
    return &timeline->scripts[script].ops[index];
}

/* A vCPU enters, executes and touches; its re-init is the first, the other
 * vCPU's the second; a late row of the reset stays in it. */
static void test_operations(void **state)
{
    struct timeline timeline;
    struct recording_info info;
    struct error err;
    (void)state;
    bool fine = read_text(HEAD "0,vcpu1,fault_w,0x40001000,4096,10,\n"
                               "1,vcpu1,mmu_on,,4096,30,\n"
                               "2,vcpu1,ready,,4096,40,\n"
                               "3,vcpu1,system_event,,4096,50,\n"
                               "4,vmm,reinit,,4096,50,\n"
                               "5,vmm,reinit,,0,70,\n"
                               "6,vmm,vmm_write,0x40000000,8192,70,\n"
                               "7,vcpu0,fault_x,0x40000000,4096,75,c\n",
                          &timeline, &info, &err);
    assert_true(fine);
    assert_string_equal(info.cpu, "cortex-a72");
    assert_string_equal(info.kernel, "6.12");
    assert_int_equal(info.vcpus, 2);
    assert_int_equal(op_at(&timeline, 2, 0)->kind, OP_ENTER);
    assert_int_equal(op_at(&timeline, 2, 1)->n, 10);
    assert_int_equal(op_at(&timeline, 2, 2)->kind, OP_TOUCH);
    assert_int_equal(op_at(&timeline, 2, 2)->access, TOUCH_WRITE);
    assert_int_equal(op_at(&timeline, 2, 3)->n, 20);
    assert_int_equal(op_at(&timeline, 2, 4)->kind, OP_MMU);
    /* What it wrote before is used with the MMU on. */
    assert_int_equal(op_at(&timeline, 2, 5)->kind, OP_TOUCH);
    assert_int_equal(op_at(&timeline, 2, 5)->access, TOUCH_READ);
    /* 20 instructions after the system event are executed before the re-init. */
    assert_int_equal(op_at(&timeline, 2, 8)->n, 20);
    assert_string_equal(timeline.phases[op_at(&timeline, 2, 8)->phase], "reset1");
    assert_int_equal(op_at(&timeline, 0, 1)->kind, OP_REINIT);
    assert_int_equal(op_at(&timeline, 0, 1)->n, 0);
    assert_int_equal(op_at(&timeline, 0, 2)->n, 1);
    assert_int_equal(op_at(&timeline, 0, 3)->kind, OP_FILL);
    assert_int_equal(op_at(&timeline, 1, 1)->kind, OP_ENTER);
    assert_int_equal(op_at(&timeline, 1, 2)->n, 5);
    assert_int_equal(op_at(&timeline, 1, 3)->access, TOUCH_FETCH);
    assert_string_equal(timeline.phases[op_at(&timeline, 1, 3)->phase], "boot2");
    timeline_free(&timeline);
}

/* What the VMM writes when the guest has executed more than right after the last re-init is of
 * the boot, not of the reset. */
static void test_late_writes(void **state)
{
    struct timeline timeline;
    struct recording_info info;
    struct error err;
    (void)state;
    assert_true(read_text(HEAD "0,vcpu0,fault_w,0x40001000,4096,10,\n"
                               "1,vcpu0,ready,,4096,40,\n"
                               "2,vcpu0,perm_x,0x40002000,4096,45,\n"
                               "3,vmm,reinit,,4096,50,\n"
                               "4,vmm,vmm_write,0x40000000,8192,50,\n"
                               "5,vmm,vmm_write,0x40000000,4096,60,\n"
                               "6,vcpu0,fault_x,0x40000000,4096,75,c\n",
                          &timeline, &info, &err));
    assert_int_equal(op_at(&timeline, 0, 2)->bytes, 8192);
    assert_string_equal(timeline.phases[op_at(&timeline, 0, 2)->phase], "reset1");
    const struct script *vmm = &timeline.scripts[0];
    const struct op *last = &vmm->ops[vmm->count - 1];
    for (size_t i = 0; i < vmm->count; i++) {
        last = vmm->ops[i].kind == OP_FILL ? &vmm->ops[i] : last;
    }
    assert_int_equal(last->bytes, 4096);
    assert_string_equal(timeline.phases[last->phase], "boot2");
    assert_int_equal(info.last_perm_x_bytes[0], 4096);
    timeline_free(&timeline);
}

/* A notifier that an access of the same thread brings about is the model's own
 * to repeat; one alone is the host's doing. */
static void test_notifiers(void **state)
{
    struct timeline timeline;
    struct recording_info info;
    struct error err;
    (void)state;
    assert_true(read_text(HEAD "0,vcpu0,notifier,0x40000000,4096,0,\n"
                               "0,vcpu0,unmap,0x40000000,0,0,\n"
                               "0,vcpu0,map_other,0x40000000,4096,0,\n"
                               "1,vcpu0,fault_w,0x40001000,4096,0,\n"
                               "2,vcpu0,notifier,0x40002000,4096,0,\n"
                               "3,vcpu0,fault_w,0x40002000,4096,0,\n"
                               "4,vcpu0,fault_none,0x40002000,0,0,\n"
                               "5,vcpu0,fault_none,0x30000000,0,0,\n",
                          &timeline, &info, &err));
    assert_int_equal(op_at(&timeline, 1, 0)->kind, OP_NOTIFY);
    assert_true(op_at(&timeline, 1, 0)->on);
    assert_int_equal(op_at(&timeline, 1, 1)->kind, OP_ENTER);
    assert_int_equal(op_at(&timeline, 1, 2)->kind, OP_MMU); /* no mmu_on row: on at entry */
    assert_int_equal(timeline.scripts[1].count, 6);
    assert_int_equal(info.retries, 1);
    timeline_free(&timeline);
}

static void test_bad_input(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {HOST GUEST "time_ns,actor,op,ipa,bytes\n", "guest_insns"},
        {HEAD, "without rows"},
        {NAME GUEST COLUMNS, "names the kernel"},
        {NAME "# host: Linux 6.1.0\n" GUEST COLUMNS, "names the CPU"},
        {NAME HOST COLUMNS, "says what the VM is"},
        {NAME HOST "# guest: RAM 0 MiB at IPA 0x40000000, 2 vCPU\n" COLUMNS, "0 MiB"},
        {NAME HOST "# guest: RAM 4 MiB at IPA 0x40000000, 9999 vCPU\n" COLUMNS, "9999 vCPUs"},
        {HEAD "0,vcpu0,fault_q,0x40000000,4096,0,\n", ":5: op: unknown operation 'fault_q'"},
        {HEAD "0,vcpu2,fault_w,0x40000000,4096,0,\n", ":5: actor: found 'vcpu2'"},
        {HEAD "0,vcpu0,fault_w,0x40000000,4096,0,\n0,vmm,fault_w,0x40000000,4096,0,\n",
         ":6: actor: found 'vmm', expected a vCPU for 'fault_w'"},
        {HEAD "0,vcpu0,fault_w,,4096,0,\n", ":5: ipa: found '', expected an address for 'fault_w'"},
        {HEAD "0,vcpu0,fault_w,0x40000800,4096,0,\n",
         ":5: ipa: found 0x40000800, expected a multiple"},
        {HEAD "0,vcpu0,fault_w,0x40000000,5000,0,\n", ":5: bytes: found 5000, expected a leaf's"},
        {HEAD "0,vcpu0,fault_w,zz,4096,0,\n", ":5: ipa"},
        {HEAD "0,vcpu0,fault_w,0x40000000,4096,-1,\n", ":5: guest_insns"},
        {HEAD "0,vmm,vmm_write,0x403ff000,8192,0,\n", "in no memory slot"},
        {HEAD "0,vmm,vmm_write,0x40000000,0,0,\n", ":5: bytes: found 0, expected a range that"},
        {HEAD "0,vmm,memslot,0x10000000,0,0,\n", "no memory slot starts at 0x10000000"},
        {HEAD "0,vmm,memslot,0x40000000,4096,0,\n", "changes its size"},
        {HEAD "0,vcpu0,fault_w,0xfffffffffff000,4096,0,\n", "within 52 bits"},
        {HEAD "0,vcpu0,fault_w,0xff00000000000,4096,0,\n", "within 40 bits"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct timeline timeline;
        struct recording_info info;
        struct error err = {0};
        assert_false(read_text(cases[i].text, &timeline, &info, &err));
        assert_int_equal(err.status, EXIT_INPUT);
        if (!strstr(err.text, cases[i].says)) {
            fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
        }
    }
}

static void test_smaller_leaves_refused(void **state)
{
    char path[4096];
    struct timeline timeline;
    struct recording_info info;
    struct error err;
    const struct recording_keys keys = {.density = 1, .backing = BACKING_4K};
    (void)state;
    find(path, sizeof path, "n1-q-256m-c1-2m-f128");
    assert_false(recording_read(path, &keys, &timeline, &info, &err));
    assert_non_null(
        strstr(err.text, "cannot be played on '4k', expected backing = thp or as-recorded"));
}

int main(void)
{
    static char names[][32] = {
        "n1-q-256m-c1-4k-f128",     "n1-q-256m-c1-2m-f128",  "n1-q-256m-c2-4k-f0",
        "n1-q-256m-c2-2m-f128-efi", "n1-q-1024m-c1-2m-f768", "n1-q-4096m-c1-2m-f3072",
        "fwb-q-256m-c1-4k-f128",    "fwb-q-256m-c1-2m-f128",
    };
    const struct CMUnitTest tests[] = {
        {names[0], test_recording, NULL, NULL, names[0]},
        {names[1], test_recording, NULL, NULL, names[1]},
        {names[2], test_recording, NULL, NULL, names[2]},
        {names[3], test_recording, NULL, NULL, names[3]},
        {names[4], test_recording, NULL, NULL, names[4]},
        {names[5], test_recording, NULL, NULL, names[5]},
        {names[6], test_recording, NULL, NULL, names[6]},
        {names[7], test_recording, NULL, NULL, names[7]},
        cmocka_unit_test(test_differences_show),
        cmocka_unit_test(test_strategies),
        cmocka_unit_test(test_larger_leaves),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_late_writes),
        cmocka_unit_test(test_notifiers),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_smaller_leaves_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
