#include "check.h"

#include <string.h>

#include "core/ledger.h"

/* The reference: a list of everything that was booked. */
struct booking {
    uint32_t actor, phase, site, kind, resource;
    uint64_t n;
    ps_t wait, idle;
};

#define BOOKINGS 200

struct book {
    struct booking list[BOOKINGS];
    size_t count;
};

static bool fits(uint32_t wanted, uint32_t index)
{
    return wanted == LEDGER_ALL || wanted == index;
}

static bool in_slice(const struct booking *b, struct ledger_slice s)
{
    return fits(s.actor, b->actor) && fits(s.phase, b->phase) && fits(s.site, b->site) &&
           fits(s.kind, b->kind);
}

static const struct ledger_slice everything = {LEDGER_ALL, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};

static void expect_slice(const struct ledger *ledger, const struct book *book,
                         struct ledger_slice slice)
{
    uint64_t count = 0;
    ps_t busy = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct booking *b = &book->list[i];
        if (in_slice(b, slice)) {
            count += b->n;
            busy += b->n * ledger->price[b->kind];
        }
    }
    assert_int_equal(ledger_count(ledger, slice), count);
    assert_int_equal(ledger_busy(ledger, slice), busy);
}

static void expect_delays(const struct ledger *ledger, const struct book *book, uint32_t actor,
                          uint32_t phase, uint32_t resource)
{
    ps_t wait = 0, idle = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct booking *b = &book->list[i];
        bool here = fits(actor, b->actor) && fits(phase, b->phase);
        wait += here && fits(resource, b->resource) ? b->wait : 0;
        idle += here ? b->idle : 0;
    }
    assert_int_equal(ledger_waited(ledger, actor, phase, resource), wait);
    assert_int_equal(ledger_idled(ledger, actor, phase), idle);
}

/* Counts 0, 1, ..., size - 1, LEDGER_ALL; false when through. */
static bool next_choice(uint32_t *choice, uint32_t size)
{
    if (*choice == LEDGER_ALL) {
        *choice = 0;
        return false;
    }
    *choice = *choice + 1 < size ? *choice + 1 : LEDGER_ALL;
    return true;
}

static void expect_all_slices(const struct ledger *ledger, const struct book *book)
{
    const struct ledger_shape *shape = &ledger->shape;
    struct ledger_slice slice = {0, 0, 0, 0};
    do {
        expect_slice(ledger, book, slice);
    } while (next_choice(&slice.actor, shape->actors) || next_choice(&slice.phase, shape->phases) ||
             next_choice(&slice.site, shape->sites) || next_choice(&slice.kind, shape->kinds));
}

static void expect_all_delays(const struct ledger *ledger, const struct book *book)
{
    uint32_t actor = 0, phase = 0, resource = 0;
    do {
        expect_delays(ledger, book, actor, phase, resource);
    } while (next_choice(&actor, ledger->shape.actors) ||
             next_choice(&phase, ledger->shape.phases) ||
             next_choice(&resource, ledger->shape.resources));
}

static void expect_vector(const struct ledger *ledger, const struct book *book)
{
    uint64_t want[64] = {0}, got[64];
    size_t width = (size_t)ledger->shape.sites * ledger->shape.kinds;
    for (size_t i = 0; i < book->count; i++) {
        const struct booking *b = &book->list[i];
        want[b->site * ledger->shape.kinds + b->kind] += b->n;
    }
    memset(got, 0xa5, sizeof got);
    ledger_vector(ledger, got);
    assert_memory_equal(got, want, width * sizeof got[0]);
}

static uint32_t roll32(struct dice *dice, uint32_t bound)
{
    return (uint32_t)roll(dice, bound);
}

static void book_one(struct dice *dice, struct ledger *ledger, struct book *book)
{
    const struct ledger_shape *s = &ledger->shape;
    struct booking *b = &book->list[book->count++];
    *b = (struct booking){.actor = roll32(dice, s->actors),
                          .phase = roll32(dice, s->phases),
                          .site = roll32(dice, s->sites),
                          .kind = roll32(dice, s->kinds),
                          .resource = roll32(dice, s->resources),
                          .n = roll(dice, 1000),
                          .wait = roll(dice, 1000000),
                          .idle = roll(dice, 1000000)};
    ps_t ps = ledger_charge(ledger, b->actor, b->phase, b->site, b->kind, b->n);
    assert_int_equal(ps, b->n * ledger->price[b->kind]);
    ledger_wait(ledger, b->actor, b->phase, b->resource, b->wait);
    ledger_idle(ledger, b->actor, b->phase, b->idle);
}

static void play_case(uint64_t seed)
{
    struct dice dice = dice_of(seed);
    struct ledger_shape shape = {1 + roll32(&dice, 4), 1 + roll32(&dice, 3), 1 + roll32(&dice, 3),
                                 1 + roll32(&dice, 4), 1 + roll32(&dice, 3)};
    ps_t price[4] = {roll(&dice, 100000), 0, 1, roll(&dice, 100000)};
    struct ledger ledger;
    struct book book = {.count = 0};
    ledger_init(&ledger, shape, price);
    for (size_t i = roll(&dice, BOOKINGS); i > 0; i--) {
        book_one(&dice, &ledger, &book);
    }
    expect_all_slices(&ledger, &book);
    expect_all_delays(&ledger, &book);
    expect_vector(&ledger, &book);
    ledger_free(&ledger);
}

static void any_sum_equals_the_sum_of_bookings(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        play_case(seed);
    }
}

static const ps_t two_prices[] = {7, 1000};
static const struct ledger_shape small = {2, 2, 2, 2, 2};

static void a_new_ledger_is_zero(void **state)
{
    (void)state;
    struct ledger ledger;
    struct book nothing = {.count = 0};
    ledger_init(&ledger, small, two_prices);
    expect_all_slices(&ledger, &nothing);
    expect_all_delays(&ledger, &nothing);
    expect_vector(&ledger, &nothing);
    ledger_free(&ledger);
}

static void a_charge_returns_its_own_time(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, small, two_prices);
    assert_int_equal(ledger_charge(&ledger, 1, 0, 1, 0, 3), 21);
    assert_int_equal(ledger_charge(&ledger, 1, 0, 1, 0, 1), 7);
    assert_int_equal(ledger_charge(&ledger, 0, 1, 0, 1, 2), 2000);
    assert_int_equal(ledger_charge(&ledger, 0, 1, 0, 1, 0), 0);
    assert_int_equal(ledger_count(&ledger, everything), 6);
    assert_int_equal(ledger_busy(&ledger, everything), 2028);
    ledger_free(&ledger);
}

/* Time is count times price, so other prices need no other run. */
static void a_vector_can_be_priced_again(void **state)
{
    (void)state;
    const ps_t others[] = {11, 5};
    struct ledger first, second;
    struct dice a = dice_of(5), b = dice_of(5);
    struct book book = {.count = 0}, same = {.count = 0};
    uint64_t vector[4];
    ledger_init(&first, small, two_prices);
    ledger_init(&second, small, others);
    for (int i = 0; i < 50; i++) {
        book_one(&a, &first, &book);
        book_one(&b, &second, &same);
    }
    ledger_vector(&first, vector);
    uint64_t again = (vector[0] + vector[2]) * others[0] + (vector[1] + vector[3]) * others[1];
    assert_int_equal(again, ledger_busy(&second, everything));
    ledger_free(&first);
    ledger_free(&second);
}

static void charge_small(uint32_t actor, uint32_t phase, uint32_t site, uint32_t kind)
{
    struct ledger ledger;
    ledger_init(&ledger, small, two_prices);
    ledger_charge(&ledger, actor, phase, site, kind, 1);
    ledger_free(&ledger);
}

static void charge_inside(void)
{
    charge_small(1, 1, 1, 1);
}

static void charge_strange_actor(void)
{
    charge_small(2, 0, 0, 0);
}

static void charge_strange_phase(void)
{
    charge_small(0, 2, 0, 0);
}

static void charge_strange_site(void)
{
    charge_small(0, 0, 2, 0);
}

static void charge_strange_kind(void)
{
    charge_small(0, 0, 0, 2);
}

static void charges_outside_abort(void **state)
{
    (void)state;
    expect_exit(charge_inside, 0);
    expect_abort(charge_strange_actor);
    expect_abort(charge_strange_phase);
    expect_abort(charge_strange_site);
    expect_abort(charge_strange_kind);
}

static struct ledger limit_ledger;

static void overflow_a_count(void)
{
    static const ps_t free_price[] = {0, 0};
    limit_ledger.price = free_price;
    ledger_charge(&limit_ledger, 0, 0, 0, 0, UINT64_MAX);
    ledger_charge(&limit_ledger, 0, 0, 0, 0, 1);
}

static void overflow_a_time(void)
{
    ledger_charge(&limit_ledger, 0, 0, 0, 1, UINT64_MAX / 999);
}

static void overflow_a_wait(void)
{
    ledger_wait(&limit_ledger, 0, 0, 0, UINT64_MAX);
    ledger_wait(&limit_ledger, 0, 0, 0, 1);
}

static void overflow_an_idle_time(void)
{
    ledger_idle(&limit_ledger, 0, 0, UINT64_MAX);
    ledger_idle(&limit_ledger, 0, 0, 1);
}

static void overflow_a_busy_sum(void)
{
    ledger_charge(&limit_ledger, 0, 0, 0, 1, UINT64_MAX / 1000);
    ledger_charge(&limit_ledger, 1, 0, 0, 1, UINT64_MAX / 1000);
    (void)ledger_busy(&limit_ledger, everything);
}

static void overflow_a_waited_sum(void)
{
    ledger_wait(&limit_ledger, 0, 0, 0, UINT64_MAX);
    ledger_wait(&limit_ledger, 1, 1, 1, 1);
    (void)ledger_waited(&limit_ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL);
}

static void overflow_an_idled_sum(void)
{
    ledger_idle(&limit_ledger, 0, 0, UINT64_MAX);
    ledger_idle(&limit_ledger, 1, 1, 1);
    (void)ledger_idled(&limit_ledger, LEDGER_ALL, LEDGER_ALL);
}

/* A number that does not fit ends the run, it never wraps. */
static void overflow_ends_the_run(void **state)
{
    (void)state;
    ledger_init(&limit_ledger, small, two_prices);
    expect_exit(overflow_a_count, 1);
    expect_exit(overflow_a_time, 1);
    expect_exit(overflow_a_wait, 1);
    expect_exit(overflow_an_idle_time, 1);
    expect_exit(overflow_a_busy_sum, 1);
    expect_exit(overflow_a_waited_sum, 1);
    expect_exit(overflow_an_idled_sum, 1);
    ledger_free(&limit_ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_ledger_is_zero),
        cmocka_unit_test(a_charge_returns_its_own_time),
        cmocka_unit_test(any_sum_equals_the_sum_of_bookings),
        cmocka_unit_test(a_vector_can_be_priced_again),
        cmocka_unit_test(charges_outside_abort),
        cmocka_unit_test(overflow_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
