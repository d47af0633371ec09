#include "script.h"

#include <math.h>
#include <stdlib.h>

/* --- locks --- */

static void a_free_lock_costs_nothing(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[] = {WORK(3), WRITE(0), WORK(5),   UNLOCK(0),
                                 READ(0), WORK(2),  UNLOCK(0), END};
    world_init(&world, 1);
    world_add(&world, 0, moves);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 10);
    assert_int_equal(world.locks[0].contended, 0);
    assert_int_equal(events_of(&world, 0, KIND_HANDOVER), 0);
    assert_int_equal(waited_for(&world, 0, LEDGER_ALL), 0);
    assert_int_equal(world.locks[0].longest_write_ps, 5);
    assert_int_equal(world.locks[0].longest_read_ps, 2);
    world_free(&world);
}

static void a_waiter_pays_wait_and_handover(void **state)
{
    (void)state;
    static struct world world;
    const struct move holder[] = {WRITE(1), WORK(100), UNLOCK(1), END};
    const struct move waiter[] = {WORK(10), PHASE(1), WRITE(1), WORK(7), UNLOCK(1), END};
    world_init(&world, 2);
    world_add(&world, 0, holder);
    world_add(&world, 1, waiter);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 100);
    assert_int_equal(world.players[1].at[3], 100 + HANDOVER_PS);
    assert_int_equal(end_of(&world, 1), 107 + HANDOVER_PS);
    assert_int_equal(ledger_waited(&world.ledger, 1, 1, AT_LOCK_1), 90);
    assert_int_equal(waited_for(&world, LEDGER_ALL, LEDGER_ALL), 90);
    assert_int_equal(events_of(&world, 1, KIND_HANDOVER), 1);
    assert_int_equal(events_of(&world, 0, KIND_HANDOVER), 0);
    assert_int_equal(world.locks[1].contended, 1);
    assert_int_equal(world.locks[1].longest_write_ps, 100);
    world_free(&world);
}

/* When each of `count` actors that play {WORK(10 * i), lock, work, unlock} got
 * its lock, in picoseconds. */
static void expect_got(const struct world *world, const ps_t *want, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(world->players[i].at[2], want[i]);
    }
}

static void writers_are_served_in_order(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[4][5] = {{WORK(0), WRITE(0), WORK(100), UNLOCK(0), END},
                                     {WORK(30), WRITE(0), WORK(20), UNLOCK(0), END},
                                     {WORK(20), WRITE(0), WORK(20), UNLOCK(0), END},
                                     {WORK(10), WRITE(0), WORK(20), UNLOCK(0), END}};
    world_init(&world, 4);
    for (uint32_t i = 0; i < 4; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    const ps_t third = 100 + HANDOVER_PS, second = third + 20 + HANDOVER_PS;
    const ps_t got[] = {0, second + 20 + HANDOVER_PS, second, third};
    expect_got(&world, got, 4);
    assert_int_equal(world.locks[0].contended, 3);
    world_free(&world);
}

static void readers_share(void **state)
{
    (void)state;
    static struct world world;
    const struct move early[] = {WORK(0), READ(0), WORK(100), UNLOCK(0), END};
    const struct move late[] = {WORK(10), READ(0), WORK(200), UNLOCK(0), END};
    world_init(&world, 2);
    world_add(&world, 0, early);
    world_add(&world, 1, late);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 100);
    assert_int_equal(end_of(&world, 1), 210);
    assert_int_equal(world.locks[0].contended, 0);
    assert_int_equal(world.locks[0].longest_read_ps, 200);
    assert_int_equal(world.locks[0].longest_write_ps, 0);
    world_free(&world);
}

/* The queue behind a writer is: reader, reader, writer, reader. */
static void neighbouring_readers_enter_together(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[5][5] = {{WORK(0), WRITE(0), WORK(100), UNLOCK(0), END},
                                     {WORK(10), READ(0), WORK(30), UNLOCK(0), END},
                                     {WORK(20), READ(0), WORK(50), UNLOCK(0), END},
                                     {WORK(30), WRITE(0), WORK(7), UNLOCK(0), END},
                                     {WORK(40), READ(0), WORK(1), UNLOCK(0), END}};
    world_init(&world, 5);
    for (uint32_t i = 0; i < 5; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    const ps_t readers = 100 + HANDOVER_PS, writer = readers + 50 + HANDOVER_PS;
    const ps_t got[] = {0, readers, readers, writer, writer + 7 + HANDOVER_PS};
    expect_got(&world, got, 5);
    assert_int_equal(world.locks[0].contended, 4);
    assert_int_equal(world.locks[0].longest_read_ps, 50 + HANDOVER_PS);
    world_free(&world);
}

static void nobody_barges_past_a_waiter(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[3][5] = {{WORK(0), READ(0), WORK(100), UNLOCK(0), END},
                                     {WORK(10), WRITE(0), WORK(20), UNLOCK(0), END},
                                     {WORK(20), READ(0), WORK(20), UNLOCK(0), END}};
    world_init(&world, 3);
    for (uint32_t i = 0; i < 3; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    const ps_t got[] = {0, 100 + HANDOVER_PS, 120 + 2 * HANDOVER_PS};
    expect_got(&world, got, 3);
    assert_int_equal(waited_for(&world, 2, AT_LOCK), 100 + HANDOVER_PS);
    world_free(&world);
}

/* Who gives a lock and asks for it again in the same moment comes last too. */
static void giving_and_taking_again_is_no_barging(void **state)
{
    (void)state;
    static struct world world;
    const struct move greedy[] = {WRITE(0), WORK(50), UNLOCK(0), WRITE(0), WORK(1), UNLOCK(0), END};
    const struct move waiter[] = {WORK(10), WRITE(0), WORK(30), UNLOCK(0), END};
    world_init(&world, 2);
    world_add(&world, 0, greedy);
    world_add(&world, 1, waiter);
    world_run(&world);
    assert_int_equal(world.players[1].at[2], 50 + HANDOVER_PS);
    assert_int_equal(world.players[0].at[4], 80 + 2 * HANDOVER_PS);
    world_free(&world);
}

static void probe_step(struct actor *actor, struct frame *frame)
{
    struct world *world = actor->owner;
    struct lock *lock = &world->locks[0];
    switch (frame->state++) {
    case 0:
        actor_lock(actor, lock, true);
        break;
    case 1:
        assert_false(lock_contended(lock));
        actor_charge(actor, KIND_WORK, 50);
        break;
    case 2:
        assert_true(lock_contended(lock));
        actor_unlock(actor, lock);
        break;
    default:
        assert_false(lock_contended(lock));
        actor_return(actor, 0);
        break;
    }
}

static void a_holder_sees_whether_somebody_waits(void **state)
{
    (void)state;
    static struct world world;
    const struct move waiter[] = {WORK(20), READ(0), WORK(1), UNLOCK(0), END};
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "probe", &world, probe_step);
    world_add(&world, 1, waiter);
    world_run(&world);
    assert_int_equal(waited_for(&world, 1, AT_LOCK), 30);
    world_free(&world);
}

static void run_pair(const struct move *first, const struct move *second)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 2);
    world_add(&world, 0, first);
    world_add(&world, 1, second);
    (void)engine_run(&world.engine, &stuck);
    world_free(&world);
}

static void give_a_free_lock(void)
{
    const struct move gives[] = {UNLOCK(0), END};
    const struct move nothing[] = {END};
    run_pair(gives, nothing);
}

static void give_the_lock_of_another(void)
{
    const struct move holds[] = {WRITE(0), WORK(100), UNLOCK(0), END};
    const struct move gives[] = {WORK(50), UNLOCK(0), END};
    run_pair(holds, gives);
}

static void init_a_ninth_flow(void)
{
    static struct world world;
    static struct flow more[7];
    world_init(&world, 1);
    for (int i = 0; i < 7; i++) {
        flow_init(&more[i], &world.engine, "one more", AT_FLOW);
    }
}

static void misuse_aborts(void **state)
{
    (void)state;
    expect_abort(give_a_free_lock);
    expect_abort(give_the_lock_of_another);
    expect_abort(init_a_ninth_flow);
}

/* Reference for any arrivals at one lock: grants follow from the order of
 * arrival alone. Arrivals differ modulo 64 while all else is a multiple of 64,
 * so that nobody ever arrives just when another one leaves. */
struct visit {
    bool write;
    ps_t arrival, hold;
    ps_t grant, got, leave;
};

struct lock_totals {
    uint64_t contended;
    ps_t longest_write, longest_read;
};

static void raise_to(ps_t *to, ps_t value)
{
    *to = value > *to ? value : *to;
}

static int by_arrival(const void *a, const void *b)
{
    ps_t x = ((const struct visit *)a)->arrival, y = ((const struct visit *)b)->arrival;
    return x < y ? -1 : x > y;
}

static struct lock_totals refer_lock(struct visit *visits, uint32_t count)
{
    struct lock_totals totals = {0, 0, 0};
    ps_t writers_left = 0, all_left = 0, last_grant = 0;
    qsort(visits, count, sizeof visits[0], by_arrival);
    for (uint32_t i = 0; i < count; i++) {
        struct visit *v = &visits[i];
        v->grant = v->arrival;
        raise_to(&v->grant, v->write ? all_left : writers_left);
        raise_to(&v->grant, last_grant);
        bool waited = v->grant > v->arrival;
        v->got = v->grant + (waited ? HANDOVER_PS : 0);
        v->leave = v->got + v->hold;
        totals.contended += waited;
        last_grant = v->grant;
        raise_to(&all_left, v->leave);
        raise_to(v->write ? &writers_left : &all_left, v->leave);
        raise_to(v->write ? &totals.longest_write : &totals.longest_read, v->leave - v->grant);
    }
    return totals;
}

static void play_visits(struct world *world, struct dice *dice, struct visit *visits,
                        struct move moves[PLAYERS_MAX][6], uint32_t count)
{
    uint64_t write_percent = roll(dice, 101), spread = 1 + roll(dice, 100);
    world_init(world, count);
    for (uint32_t i = 0; i < count; i++) {
        struct visit *v = &visits[i];
        *v = (struct visit){.write = chance(dice, write_percent),
                            .arrival = 64 * roll(dice, spread) + i,
                            .hold = 64 * roll(dice, 20)};
        const struct move script[6] = {
            SLEEP(v->arrival), READ(0), WORK(v->hold), UNLOCK(0), END, END,
        };
        memcpy(moves[i], script, sizeof script);
        moves[i][1].kind = v->write ? MOVE_WRITE : MOVE_READ;
        world_add(world, i, moves[i]);
    }
    world_run(world);
}

static void play_lock_case(uint64_t seed)
{
    static struct world world;
    static struct move moves[PLAYERS_MAX][6];
    struct visit visits[PLAYERS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, PLAYERS_MAX);
    play_visits(&world, &dice, visits, moves, count);
    struct lock_totals totals = refer_lock(visits, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct visit *v = &visits[i];
        uint32_t actor = (uint32_t)(v->arrival % 64);
        assert_int_equal(world.players[actor].at[2], v->got);
        assert_int_equal(world.players[actor].at[4], v->leave);
        assert_int_equal(waited_for(&world, actor, AT_LOCK), v->grant - v->arrival);
        assert_int_equal(events_of(&world, actor, KIND_HANDOVER), v->grant > v->arrival);
    }
    assert_int_equal(world.locks[0].contended, totals.contended);
    assert_int_equal(world.locks[0].longest_write_ps, totals.longest_write);
    assert_int_equal(world.locks[0].longest_read_ps, totals.longest_read);
    world_free(&world);
}

static void any_arrivals_at_a_lock_equal_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        play_lock_case(seed);
    }
}

/* --- servers --- */

static void a_server_takes_one_after_another(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[3][4] = {{WORK(20), SERVE(100), SERVE(10), END},
                                     {WORK(10), SERVE(50), END, END},
                                     {WORK(500), SERVE(5), END, END}};
    world_init(&world, 3);
    for (uint32_t i = 0; i < 3; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    assert_int_equal(end_of(&world, 1), 60);
    assert_int_equal(world.players[0].at[2], 160);
    assert_int_equal(end_of(&world, 0), 170);
    assert_int_equal(end_of(&world, 2), 505);
    assert_int_equal(waited_for(&world, 0, AT_SERVER), 40);
    assert_int_equal(waited_for(&world, LEDGER_ALL, LEDGER_ALL), 40);
    assert_int_equal(world.server.free_at, 505);
    world_free(&world);
}

static void play_server_case(uint64_t seed)
{
    static struct world world;
    struct move moves[PLAYERS_MAX][3];
    struct visit visits[PLAYERS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, PLAYERS_MAX);
    world_init(&world, count);
    for (uint32_t i = 0; i < count; i++) {
        visits[i] = (struct visit){.arrival = 64 * roll(&dice, 60) + i, .hold = roll(&dice, 300)};
        const struct move script[3] = {SLEEP(visits[i].arrival), SERVE(visits[i].hold), END};
        memcpy(moves[i], script, sizeof script);
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    ps_t free_at = 0;
    qsort(visits, count, sizeof visits[0], by_arrival);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t actor = (uint32_t)(visits[i].arrival % 64);
        raise_to(&free_at, visits[i].arrival);
        assert_int_equal(waited_for(&world, actor, AT_SERVER), free_at - visits[i].arrival);
        free_at += visits[i].hold;
        assert_int_equal(end_of(&world, actor), free_at);
    }
    world_free(&world);
}

static void any_arrivals_at_a_server_equal_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        play_server_case(seed);
    }
}

/* --- flows --- */

struct work {
    ps_t start, alone;
    double weight;
    ps_t end; /* expected */
};

/* Times are rounded up to whole picoseconds, once per end of a neighbour. */
static void expect_near(ps_t got, ps_t want, ps_t off)
{
    assert_in_range(got, want > off ? want - off : 0, want + off);
}

/* Also: an outdated appointment of a path must not make new ones, or the number
 * of events would grow with the square of the number of users. An actor needs
 * five: its start, waking up, two for the path, going on. */
static void expect_ends(const struct work *works, uint32_t count, ps_t off)
{
    static struct world world;
    struct move moves[PLAYERS_MAX][3];
    world_init(&world, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct work *w = &works[i];
        const struct move script[3] = {SLEEP(w->start), FLOW(0, w->alone, w->weight), END};
        memcpy(moves[i], script, sizeof script);
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    assert_true(world.engine.events <= UINT64_C(5) * count);
    for (uint32_t i = 0; i < count; i++) {
        expect_near(end_of(&world, i), works[i].end, off);
        assert_int_equal(waited_for(&world, i, AT_FLOW),
                         end_of(&world, i) - works[i].start - works[i].alone);
        assert_int_equal(waited_for(&world, i, LEDGER_ALL), waited_for(&world, i, AT_FLOW));
    }
    world_free(&world);
}

static void one_that_fits_goes_at_its_own_speed(void **state)
{
    (void)state;
    const struct work light[] = {{70, 1000, 0.3, 1070}};
    const struct work full[] = {{0, 1000, 1.0, 1000}};
    expect_ends(light, 1, 0);
    expect_ends(full, 1, 0);
}

/* The second of each pair makes the first join the path the long way, with an
 * event on the calendar, which must take as long. */
static void one_that_is_too_wide_is_slowed_down(void **state)
{
    (void)state;
    const struct work twice[] = {{0, 1000, 2.0, 2000}};
    const struct work wide[] = {{5, 1000, 1.25, 1255}};
    const struct work watched[] = {{0, 1000, 2.0, 2000}, {2500, 0, 0.5, 2500}};
    const struct work disturbed[] = {{0, 1000, 2.0, 2000}, {500, 0, 0.5, 500}};
    expect_ends(twice, 1, 0);
    expect_ends(wide, 1, 0);
    expect_ends(watched, 2, 0);
    expect_ends(disturbed, 2, 0);
}

static void two_of_equal_weight_share(void **state)
{
    (void)state;
    const struct work fit[] = {{0, 1000, 0.5, 1000}, {0, 1000, 0.5, 1000}};
    const struct work full[] = {{0, 1000, 1, 2000}, {0, 1000, 1, 2000}};
    const struct work uneven[] = {{0, 1000, 1, 1500}, {0, 500, 1, 1000}};
    const struct work late[] = {{0, 1000, 1, 1500}, {500, 1000, 1, 2000}};
    expect_ends(fit, 2, 0);
    expect_ends(full, 2, 0);
    expect_ends(uneven, 2, 0);
    expect_ends(late, 2, 0);
}

/* 0.25 and 1: the light one gets all it needs, the other 0.75 until 1000 and
 * then everything. 0.5 and 2: half each; the wide one goes at a quarter of its
 * speed until 1000 and at half from then on. */
static void two_of_unequal_weight_are_max_min_fair(void **state)
{
    (void)state;
    const struct work light[] = {{0, 1000, 0.25, 1000}, {0, 1000, 1, 1250}};
    const struct work wide[] = {{0, 1000, 2, 2500}, {0, 1000, 0.5, 1000}};
    const struct work both[] = {{0, 1000, 2, 4000}, {0, 1000, 4, 6000}};
    expect_ends(light, 2, 0);
    expect_ends(wide, 2, 0);
    expect_ends(both, 2, 0);
}

/* The light ones get the 0.125 and 0.25 that they need, the two of weight 1 get
 * 0.3125 each until 1600, then 0.4375 until 3200, then half: 500, 700 and 400
 * of their 1600. */
static void many_are_max_min_fair(void **state)
{
    (void)state;
    struct work equal[8];
    const struct work mixed[] = {
        {0, 1600, 1, 4000}, {0, 3200, 0.125, 3200}, {0, 1600, 0.25, 1600}, {0, 1600, 1, 4000}};
    for (int i = 0; i < 8; i++) {
        equal[i] = (struct work){0, 1000, 1, 8000};
    }
    expect_ends(equal, 8, 0);
    expect_ends(mixed, 4, 0);
}

/* Ten tenths fill a path exactly and slow nobody down; rounding may cost 1 ps. */
static void weights_of_one_in_sum_slow_nobody(void **state)
{
    (void)state;
    struct work tenths[10];
    for (int i = 0; i < 10; i++) {
        tenths[i] = (struct work){0, 1000000, 0.1, 1000000};
    }
    expect_ends(tenths, 10, 1);
}

static void paths_are_independent(void **state)
{
    (void)state;
    static struct world world;
    const struct move one[] = {FLOW(0, 1000, 1), END};
    const struct move other[] = {FLOW(1, 1000, 1), END};
    world_init(&world, 2);
    world_add(&world, 0, one);
    world_add(&world, 1, other);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 1000);
    assert_int_equal(end_of(&world, 1), 1000);
    world_free(&world);
}

/* The share that nobody's need or equal part exceeds, found by halving: the
 * largest s for which the sum of min(weight, s) is at most 1. */
static double fair_share(const struct work *works, const double *left, uint32_t count, double now)
{
    double low = 0, high = 8;
    for (int step = 0; step < 60; step++) {
        double share = (low + high) / 2, sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool active = left[i] > 0 && (double)works[i].start <= now;
            sum += active ? fmin(works[i].weight, share) : 0;
        }
        *(sum <= 1 ? &low : &high) = share;
    }
    return low;
}

/* Moves the reference on to the next start or end; false when all are done. */
static bool refer_step(struct work *works, double *left, uint32_t count, double *now)
{
    double share = fair_share(works, left, count, *now), step = INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        double rate = fmin(1, share / works[i].weight);
        double start = (double)works[i].start;
        if (left[i] > 0) {
            step = fmin(step, start > *now ? start - *now : left[i] / rate);
        }
    }
    for (uint32_t i = 0; i < count && isfinite(step); i++) {
        if (left[i] > 0 && (double)works[i].start <= *now) {
            left[i] -= step * fmin(1, share / works[i].weight);
            left[i] = left[i] < 1e-3 ? 0 : left[i];
            works[i].end = left[i] > 0 ? 0 : (ps_t)llround(*now + step);
        }
    }
    *now += step;
    return isfinite(step);
}

/* An end may come early by half a picosecond of work, which takes longer the
 * more a path is shared; 100 ps are 0.1 % of the shortest work here. */
static void play_flow_case(uint64_t seed)
{
    struct work works[PLAYERS_MAX];
    double left[PLAYERS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, 24);
    double now = 0;
    for (uint32_t i = 0; i < count; i++) {
        double weight = (double)(1 + roll(&dice, 100)) / (chance(&dice, 30) ? 40 : 400);
        works[i] = (struct work){roll(&dice, 3000000), 100000 + roll(&dice, 2000000), weight, 0};
        left[i] = (double)works[i].alone;
    }
    while (refer_step(works, left, count, &now)) {}
    expect_ends(works, count, 100);
}

static void any_work_on_a_path_equals_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        play_flow_case(seed);
    }
}

static void flow_past_64_bits_alone(void)
{
    const struct move wide[] = {FLOW(0, UINT64_C(1) << 63, 4), END};
    const struct move nothing[] = {END};
    run_pair(nothing, wide);
}

static void flow_past_64_bits_shared(void)
{
    const struct move wide[] = {FLOW(0, UINT64_C(1) << 63, 1), END};
    run_pair(wide, wide);
}

static void overflow_ends_the_run(void **state)
{
    (void)state;
    expect_exit(flow_past_64_bits_alone, 1);
    expect_exit(flow_past_64_bits_shared, 1);
}

/* --- everything at once --- */

static struct move roll_move(struct dice *dice, bool may_wait)
{
    const double weights[] = {0.1, 0.5, 0.9, 1, 1.5, 3};
    uint32_t which = (uint32_t)roll(dice, 2);
    switch (roll(dice, may_wait ? 7 : 6)) {
    case 0:
        return (struct move)SERVE(roll(dice, 300));
    case 1:
        return (struct move)FLOW(which, roll(dice, 3000), weights[roll(dice, 6)]);
    case 2:
        return (struct move)SLEEP(roll(dice, 20000));
    case 3:
        return (struct move)PHASE(which);
    case 6:
        return (struct move)WAIT((uint32_t)roll(dice, 4));
    default:
        return (struct move)CHARGE((uint32_t)roll(dice, KINDS), roll(dice, 20));
    }
}

/* Takes one of the locks around some moves. */
static uint32_t roll_locked(struct dice *dice, struct move *moves)
{
    uint32_t at = 0, which = (uint32_t)roll(dice, 2);
    moves[at++] = chance(dice, 50) ? (struct move)READ(which) : (struct move)WRITE(which);
    for (uint64_t inside = 1 + roll(dice, 2); inside > 0; inside--) {
        moves[at++] = roll_move(dice, false);
    }
    moves[at++] = (struct move)UNLOCK(which);
    return at;
}

/* Actor 0 raises all signals and never waits for one, and nobody waits for one
 * with a lock in hand, so that everybody gets to the end. */
static void roll_script(struct dice *dice, struct move *moves, bool raises)
{
    uint32_t at = 0, raised = 0;
    while (at < MOVES_MAX - 12) {
        if (chance(dice, 40)) {
            at += roll_locked(dice, &moves[at]);
        } else {
            moves[at++] = roll_move(dice, !raises);
        }
        if (raises && raised < 4) {
            moves[at++] = (struct move)RAISE(raised++);
        }
    }
    moves[at] = (struct move)END;
}

static void play_scenario(struct world *world, uint64_t seed)
{
    static struct move moves[PLAYERS_MAX][MOVES_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, 12);
    world_init(world, count);
    for (uint32_t i = 0; i < count; i++) {
        roll_script(&dice, moves[i], i == 0);
        world_add(world, i, moves[i]);
    }
    world_run(world);
}

static void expect_same_ledger(const struct ledger *a, const struct ledger *b)
{
    const struct ledger_shape *s = &a->shape;
    size_t rows = (size_t)s->actors * s->phases;
    assert_memory_equal(a->counts, b->counts, rows * s->sites * s->kinds * sizeof a->counts[0]);
    assert_memory_equal(a->waits, b->waits, rows * s->resources * sizeof a->waits[0]);
    assert_memory_equal(a->idle, b->idle, rows * sizeof a->idle[0]);
}

static void expect_same_world(const struct world *a, const struct world *b)
{
    assert_int_equal(a->engine.now, b->engine.now);
    assert_int_equal(a->engine.steps, b->engine.steps);
    assert_int_equal(a->engine.events, b->engine.events);
    assert_int_equal(a->engine.overlapped, b->engine.overlapped);
    assert_int_equal(a->trace_count, b->trace_count);
    assert_memory_equal(a->trace, b->trace, a->trace_count * sizeof a->trace[0]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(a->locks[i].contended, b->locks[i].contended);
        assert_int_equal(a->locks[i].longest_write_ps, b->locks[i].longest_write_ps);
        assert_int_equal(a->locks[i].longest_read_ps, b->locks[i].longest_read_ps);
    }
    expect_same_ledger(&a->ledger, &b->ledger);
}

/* From when to when a player had a lock in hand. */
struct holding {
    uint32_t lock;
    bool write;
    ps_t from, to;
};

static uint32_t list_holdings(const struct world *world, struct holding *list)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < world->engine.actor_count; p++) {
        const struct player *player = &world->players[p];
        for (uint32_t i = 0; player->moves[i].kind != MOVE_END; i++) {
            const struct move *move = &player->moves[i];
            if (move->kind != MOVE_READ && move->kind != MOVE_WRITE) {
                continue;
            }
            uint32_t give = i + 1;
            while (player->moves[give].kind != MOVE_UNLOCK ||
                   player->moves[give].which != move->which) {
                give++;
            }
            list[count++] = (struct holding){move->which, move->kind == MOVE_WRITE,
                                             player->at[i + 1], player->at[give]};
        }
    }
    return count;
}

static void expect_exclusion(const struct world *world)
{
    static struct holding list[TRACE_MAX];
    uint32_t count = list_holdings(world, list);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct holding *a = &list[i], *b = &list[j];
            if (a->lock == b->lock && (a->write || b->write)) {
                assert_true(a->to <= b->from || b->to <= a->from);
            }
        }
    }
}

/* No path carries more than its capacity: work times weight fits the time. */
static void expect_capacity(const struct world *world)
{
    double carried[2] = {0, 0};
    for (uint32_t p = 0; p < world->engine.actor_count; p++) {
        for (const struct move *move = world->players[p].moves; move->kind != MOVE_END; move++) {
            if (move->kind == MOVE_FLOW) {
                carried[move->which] += (double)move->n * move->weight;
            }
        }
    }
    double most = (double)world->engine.now + 0.5 * world->trace_count;
    assert_true(carried[0] <= most && carried[1] <= most);
}

static void any_scenario_adds_up_and_repeats(void **state)
{
    (void)state;
    static struct world first, second;
    for (uint64_t seed = 0; seed < 300; seed++) {
        play_scenario(&first, seed);
        expect_exclusion(&first);
        expect_capacity(&first);
        play_scenario(&second, seed);
        expect_same_world(&first, &second);
        world_free(&first);
        world_free(&second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_lock_costs_nothing),
        cmocka_unit_test(a_waiter_pays_wait_and_handover),
        cmocka_unit_test(writers_are_served_in_order),
        cmocka_unit_test(readers_share),
        cmocka_unit_test(neighbouring_readers_enter_together),
        cmocka_unit_test(nobody_barges_past_a_waiter),
        cmocka_unit_test(giving_and_taking_again_is_no_barging),
        cmocka_unit_test(a_holder_sees_whether_somebody_waits),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(any_arrivals_at_a_lock_equal_the_reference),
        cmocka_unit_test(a_server_takes_one_after_another),
        cmocka_unit_test(any_arrivals_at_a_server_equal_the_reference),
        cmocka_unit_test(one_that_fits_goes_at_its_own_speed),
        cmocka_unit_test(one_that_is_too_wide_is_slowed_down),
        cmocka_unit_test(two_of_equal_weight_share),
        cmocka_unit_test(two_of_unequal_weight_are_max_min_fair),
        cmocka_unit_test(many_are_max_min_fair),
        cmocka_unit_test(weights_of_one_in_sum_slow_nobody),
        cmocka_unit_test(paths_are_independent),
        cmocka_unit_test(any_work_on_a_path_equals_the_reference),
        cmocka_unit_test(overflow_ends_the_run),
        cmocka_unit_test(any_scenario_adds_up_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
