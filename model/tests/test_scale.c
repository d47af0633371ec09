/* What a play costs grows with what it has, and no faster: VMs on one host, pieces of a timeline,
 * memory. Counted in steps of the engine and in what its calendar had to hold. */
#include "check.h"

#include "core/error.h"
#include "core/units.h"
#include "run/sim.h"

#define SLOT_IPA GIB
#define PAGE (4 * KIB)

struct play {
    struct timeline timeline;
    uint64_t steps, events, faults; /* what it came to */
};

static void begin(struct play *play, uint64_t bytes, bool serial)
{
    struct error err = {0};
    struct slot_shape slot = {.ipa = SLOT_IPA, .bytes = bytes, .backing = BACKING_4K};
    timeline_init(&play->timeline, "scale", serial, 1);
    play->timeline.vm.ipa_bits = 48;
    assert_true(vm_shape_slot(&play->timeline.vm, slot, &err));
}

static void add(struct play *play, uint32_t who, struct op op)
{
    timeline_add(&play->timeline, who, op);
}

static void add_touch(struct play *play, uint64_t bytes, uint64_t stride, uint64_t count)
{
    add(play, 0, (struct op){.kind = OP_ENTER});
    add(play, 0,
        (struct op){.kind = OP_TOUCH,
                    .access = TOUCH_WRITE,
                    .density = 64,
                    .ipa = SLOT_IPA,
                    .bytes = bytes,
                    .stride = stride,
                    .count = count});
}

static void end(struct play *play)
{
    static struct sim sim;
    struct error err = {0};
    struct platform platform;
    struct kernel kernel;
    double value[COSTS];
    assert_true(platform_load("neoverse-n1", &platform, &err));
    assert_true(kernel_resolve("6.12", &kernel, &err));
    platform_modes(&platform, value);
    platform.cores = 1024;
    struct point point = {.timeline = &play->timeline,
                          .platform = &platform,
                          .value = value,
                          .kernel = &kernel,
                          .strategy = strategy_find("unmap", &err)};
    sim_init(&sim, &point);
    assert_true(sim_run(&sim, &err));
    play->steps = sim.engine.steps;
    play->events = sim.engine.events;
    play->faults = sim_count(&sim, LEDGER_ALL, LEDGER_ALL, EV_map_calls);
    sim_free(&sim);
    timeline_free(&play->timeline);
}

/* Each VM's vCPU touches its memory, its VMM resets it, it touches it again. */
static struct play play_vms(uint32_t vms, uint64_t bytes)
{
    struct play play;
    begin(&play, bytes, false);
    play.timeline.vm.copies = vms;
    uint64_t used = timeline_signal(&play.timeline), reset = timeline_signal(&play.timeline);
    add_touch(&play, bytes, 0, 1);
    add(&play, 0, (struct op){.kind = OP_SIGNAL, .n = used});
    add(&play, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = used});
    add(&play, SCRIPT_VMM, (struct op){.kind = OP_REINIT});
    add(&play, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = reset});
    add(&play, 0, (struct op){.kind = OP_WAIT, .n = reset});
    add_touch(&play, bytes, 0, 1);
    end(&play);
    return play;
}

static double ratio(uint64_t a, uint64_t b)
{
    return (double)a / (double)b;
}

static void each_vm_of_a_host_takes_the_same_steps(void **state)
{
    (void)state;
    struct play few = play_vms(4, 256 * MIB), many = play_vms(127, 256 * MIB);
    print_message("steps of a VM among 4 and among 127: %.0f, %.0f; events %.0f, %.0f\n",
                  ratio(few.steps, 4), ratio(many.steps, 127), ratio(few.events, 4),
                  ratio(many.events, 127));
    assert_int_equal(many.faults, few.faults / 4 * 127);
    assert_true(ratio(many.steps, 127) < 1.25 * ratio(few.steps, 4));
    assert_true(ratio(many.events, 127) < 1.5 * ratio(few.events, 4));
    assert_true(many.steps < many.faults / 8);
}

/* A VM of four times the memory has no more parts to take, but for the reset's chunks. */
static void a_vm_among_others_takes_steps_by_its_parts(void **state)
{
    (void)state;
    struct play small = play_vms(8, 256 * MIB), large = play_vms(8, 4 * GIB);
    print_message("steps of 8 VMs of 256 MiB and of 4 GiB: %.0f, %.0f\n", (double)small.steps,
                  (double)large.steps);
    assert_int_equal(large.faults, 16 * small.faults);
    assert_true(large.steps < 2 * small.steps);
}

static uint64_t steps_of_pieces(uint64_t pieces)
{
    struct play play;
    begin(&play, pieces * 2 * PAGE, true);
    add_touch(&play, PAGE, 2 * PAGE, pieces);
    end(&play);
    assert_int_equal(play.faults, pieces);
    return play.steps;
}

static void each_piece_of_a_timeline_takes_the_same_steps(void **state)
{
    (void)state;
    uint64_t few = steps_of_pieces(300), many = steps_of_pieces(30000);
    print_message("steps of a piece among 300 and among 30,000: %.3f, %.3f\n", ratio(few, 300),
                  ratio(many, 30000));
    assert_true(ratio(many, 30000) <= ratio(few, 300));
}

#define CROWD 32

/* Many vCPUs touch memory of their own; the VMM has invalidated some of it before, and does so
 * again behind them or not. */
static uint64_t steps_behind_a_writer(bool again)
{
    struct play play;
    struct error err = {0};
    struct slot_shape slot = {.ipa = SLOT_IPA, .bytes = GIB, .backing = BACKING_4K};
    struct op notify = {.kind = OP_NOTIFY, .ipa = SLOT_IPA, .bytes = 64 * KIB};
    timeline_init(&play.timeline, "scale", false, CROWD);
    assert_true(vm_shape_slot(&play.timeline.vm, slot, &err));
    uint64_t go = timeline_signal(&play.timeline);
    add(&play, SCRIPT_VMM, notify);
    add(&play, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = go});
    for (uint32_t vcpu = 0; vcpu < CROWD; vcpu++) {
        uint64_t done = timeline_signal(&play.timeline);
        add(&play, vcpu, (struct op){.kind = OP_WAIT, .n = go});
        add(&play, vcpu,
            (struct op){.kind = OP_TOUCH,
                        .access = TOUCH_WRITE,
                        .density = 64,
                        .ipa = SLOT_IPA + vcpu * GIB / CROWD,
                        .bytes = GIB / CROWD,
                        .count = 1});
        add(&play, vcpu, (struct op){.kind = OP_SIGNAL, .n = done});
        add(&play, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    }
    if (again) {
        add(&play, SCRIPT_VMM, notify);
    }
    end(&play);
    return play.steps;
}

static void steps_are_short_only_where_a_writer_may_come(void **state)
{
    (void)state;
    uint64_t none = steps_behind_a_writer(false), more = steps_behind_a_writer(true);
    print_message("steps behind the last writer and behind the last but one: %.0f, %.0f\n",
                  (double)none, (double)more);
    assert_true(none < more * 19 / 20);
}

static uint64_t steps_of_memory(uint64_t bytes)
{
    struct play play;
    begin(&play, bytes, true);
    add_touch(&play, bytes, 0, 1);
    add(&play, SCRIPT_VMM, (struct op){.kind = OP_REINIT});
    add_touch(&play, bytes, 0, 1);
    end(&play);
    return play.steps;
}

/* One vCPU alone takes all at once; a reset goes by chunks of 1 GiB from some size on. */
static void memory_costs_no_more_than_its_chunks(void **state)
{
    (void)state;
    uint64_t gib = steps_of_memory(GIB), tib = steps_of_memory(1024 * GIB),
             most = steps_of_memory(64 * 1024 * GIB);
    print_message("steps of 1 GiB, 1 TiB and 64 TiB: %.0f, %.0f, %.0f\n", (double)gib, (double)tib,
                  (double)most);
    assert_true(tib < gib + UINT64_C(8) * 1024);
    assert_true(most <= 64 * tib + gib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vm_of_a_host_takes_the_same_steps),
        cmocka_unit_test(a_vm_among_others_takes_steps_by_its_parts),
        cmocka_unit_test(each_piece_of_a_timeline_takes_the_same_steps),
        cmocka_unit_test(steps_are_short_only_where_a_writer_may_come),
        cmocka_unit_test(memory_costs_no_more_than_its_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
