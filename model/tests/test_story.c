/* The stories that lead to old bytes: nothing in them can be spared, and they are enough. */
#include "core/rng.h"
#include "machine/story.h"
#include "play.h"

#define LINE 64
#define AT (16 * KIB)
#define CALLS 40
#define SEQUENCES 20000

struct hearing {
    struct oracle_log log;
    enum reader reader;
    enum outcome outcome;
    enum old_bytes old;
};

static void hear_call(struct oracle_log *log, const struct oracle_call *call)
{
    (void)log;
    (void)call;
}

static void hear_judged(struct oracle_log *log, const struct oracle_call *part,
                        enum outcome outcome, enum old_bytes old)
{
    struct hearing *hearing = (struct hearing *)log;
    if (part->reader == hearing->reader) {
        hearing->outcome = outcome;
        hearing->old = old;
    }
}

/* Whether the last step comes out as the story says; `without`: a step that is left out,
 * SIZE_MAX: none. */
static bool comes_out(const struct story *story, enum reader reader, struct oracle_traits traits,
                      bool core, size_t without)
{
    struct pool pool;
    struct oracle oracle;
    struct hearing hearing = {.log = {hear_call, hear_judged}, .reader = reader};
    interval_map_pool_init(&pool, 8);
    oracle_init(&oracle, &pool, traits);
    oracle.log = &hearing.log;
    for (size_t i = 0; i < story->count; i++) {
        oracle.judging = i + 1 == story->count;
        if (i != without && (!core || story->steps[i].core)) {
            oracle_do(&oracle, &story->steps[i].call);
        }
    }
    pool_free(&pool);
    return hearing.outcome == story->outcome && hearing.old == story->old;
}

/* The core by itself leads to the outcome, and no step of it can go; nor one of those that come
 * with the origin of the old bytes, where all are there. */
static void expect_minimal(const struct story *story, enum reader reader,
                           struct oracle_traits traits)
{
    assert_true(story->complete && story->count >= 1);
    assert_true(comes_out(story, reader, traits, true, SIZE_MAX));
    assert_true(comes_out(story, reader, traits, false, SIZE_MAX));
    for (size_t i = 0; i + 1 < story->count; i++) {
        const struct story_step *step = &story->steps[i];
        assert_true(step->origin || !comes_out(story, reader, traits, step->core, i));
    }
}

/* Whether fewer of the calls than the core has lead to the same: of all choices. */
static bool any_shorter(const struct oracle_call *calls, const struct story *story,
                        enum reader reader, struct oracle_traits traits)
{
    size_t core = 0, last = story->steps[story->count - 1].place;
    struct story tried = *story;
    struct story_step steps[CALLS];
    bool any = false;
    for (size_t i = 0; i < story->count; i++) {
        core += story->steps[i].core;
    }
    for (uint32_t chosen = 0; chosen < UINT32_C(1) << last && !any; chosen++) {
        tried.steps = steps;
        tried.count = 0;
        for (size_t i = 0; i <= last; i++) {
            if (i == last || chosen >> i & 1) {
                steps[tried.count++] = (struct story_step){.call = calls[i]};
            }
        }
        any = tried.count < core && comes_out(&tried, reader, traits, false, SIZE_MAX);
    }
    return any;
}

static bool has_origin(const struct story *story)
{
    bool has = false;
    for (size_t i = 0; i < story->count; i++) {
        has |= story->steps[i].origin;
    }
    return has;
}

/* Plays a workload under a strategy, twice; the caller frees both. */
static struct sim *stories_of(const struct point *point, struct stories *stories)
{
    struct error err = {0};
    struct sim *sim = malloc(sizeof *sim);
    assert_non_null(sim);
    sim_init(sim, point);
    stories_search(stories, &sim->memory.oracle, &sim->engine);
    assert_true(sim_run(sim, &err));
    sim_free(sim);
    sim_init(sim, point);
    stories_watch(stories, &sim->memory.oracle, &sim->engine);
    assert_true(sim_run(sim, &err));
    stories_reduce(stories);
    return sim;
}

static void expect_step(const struct timeline *timeline, const struct story_step *step,
                        enum operation operation, bool vcpu, const char *phase)
{
    assert_int_equal(step->call.operation, operation);
    assert_int_equal(step->actor->owner != NULL, vcpu);
    assert_string_equal(timeline->phases[step->phase], phase);
}

/* Data and fetches alike: the guest wrote what is old, the VMM copied the image over it in the
 * caches, the guest gets it past them. */
static void test_the_relocated_kernel(void **state)
{
    (void)state;
    struct stage stage;
    struct timeline timeline;
    struct stories stories;
    stage_init(&stage, "neoverse-n1", "6.1");
    struct workload *workload = workload_of("note-relocated-kernel");
    build(workload, &timeline);
    struct strategy none = strategy_row("none");
    for (int exact = 0; exact < 2; exact++) {
        struct point point = {.timeline = &timeline,
                              .platform = &stage.platform,
                              .value = stage.value,
                              .kernel = &stage.kernel,
                              .strategy = &none,
                              .exact = exact};
        struct sim *sim = stories_of(&point, &stories);
        static const enum reader readers[] = {READER_GUEST_OFF, READER_FETCH};
        for (size_t i = 0; i < 2; i++) {
            const struct story *story = &stories.of[readers[i]];
            assert_int_equal(story->outcome, STALE);
            assert_int_equal(story->line, sim->kvm.slots[0].area.start + 2 * MIB);
            assert_int_equal(story->count, 3);
            assert_true(story->steps[0].origin);
            expect_step(&timeline, &story->steps[0], DO_WRITE, true, "use1");
            expect_step(&timeline, &story->steps[1], DO_WRITE, false, "reset1");
            expect_step(&timeline, &story->steps[2], DO_READ, true, "boot2");
            assert_int_equal(story->steps[2].call.reader, readers[i]);
            assert_int_equal(story->old, OLD_IN_MEMORY);
            expect_minimal(story, readers[i], sim->memory.oracle.traits);
        }
        assert_int_equal(stories.of[READER_GUEST_ON].outcome, ONLY_IF);
        assert_int_equal(stories.of[READER_GUEST_ON].conditions, CONDITION_NO_FILL);
        stories_free(&stories);
        play_free(sim);
    }
    timeline_free(&timeline);
    workload_free(workload);
}

/* --- by hand --- */

#define WRITE                                   \
    {                                           \
        .operation = DO_WRITE, .by_guest = true \
    }
#define WRITE_PAST                                   \
    {                                                \
        .operation = DO_WRITE_PAST, .by_guest = true \
    }
#define READS(who, how)                                      \
    {                                                        \
        .operation = DO_READ, .reader = (who), .path = (how) \
    }
#define DOES(what)          \
    {                       \
        .operation = (what) \
    }

/* What is left of calls on one line, the last of which is the read. */
struct by_hand {
    struct oracle_call calls[7];
    size_t count;
    enum outcome outcome;
    bool origin;
    enum old_bytes old;
    size_t left_count, left[7]; /* indices of `calls` */
};

static const struct by_hand by_hand[] = {
    /* Without the clean the copy would be there for certain. */
    {{WRITE, DOES(DO_CLEAN_INVALIDATE), DOES(DO_CLEAN_POU), WRITE_PAST,
      READS(READER_GUEST_ON, PATH_CACHED)},
     5,
     ONLY_IF,
     true,
     OLD_IN_CACHE,
     4,
     {0, 1, 3, 4}},
    /* The page that the first write went to was given up. */
    {{WRITE, DOES(DO_FORGET), WRITE, READS(READER_GUEST_OFF, PATH_UNCACHED)},
     4,
     STALE,
     false,
     OLD_IN_MEMORY,
     2,
     {2, 3}},
    /* The copy is older than both writes. */
    {{READS(READER_GUEST_ON, PATH_CACHED), WRITE_PAST, WRITE_PAST,
      READS(READER_GUEST_ON, PATH_CACHED)},
     4,
     STALE,
     false,
     OLD_IN_CACHE,
     3,
     {0, 2, 3}},
    /* The first write's bytes go to memory over the second's. */
    {{WRITE, WRITE_PAST, DOES(DO_CLEAN_POC), READS(READER_GUEST_OFF, PATH_UNCACHED)},
     4,
     STALE,
     false,
     OLD_EVERYWHERE,
     4,
     {0, 1, 2, 3}},
    {{READS(READER_FETCH, PATH_CACHED), WRITE, DOES(DO_CLEAN_POU),
      READS(READER_FETCH, PATH_CACHED)},
     4,
     STALE,
     false,
     OLD_IN_ICACHE,
     4,
     {0, 1, 2, 3}},
    /* A fetch that ran ahead between the writes. */
    {{{.operation = DO_RUN, .vcpus = {.cached = true}},
      {.operation = DO_MAP, .executable = true},
      WRITE,
      WRITE,
      DOES(DO_CLEAN_POU),
      READS(READER_FETCH, PATH_CACHED)},
     6,
     ONLY_IF,
     true,
     OLD_IN_ICACHE,
     6,
     {0, 1, 2, 3, 4, 5}},
};

static void expect_by_hand(const struct by_hand *row, struct oracle *oracle)
{
    struct engine engine = {.now = 0};
    struct stories stories;
    enum reader reader = row->calls[row->count - 1].reader;
    stories_search(&stories, oracle, &engine);
    stories.of[reader] = (struct story){.outcome = row->outcome, .line = AT};
    stories_watch(&stories, oracle, &engine);
    for (size_t i = 0; i < row->count; i++) {
        struct oracle_call call = row->calls[i];
        call.start = AT;
        call.end = AT + LINE;
        oracle->judging = i + 1 == row->count;
        oracle_do(oracle, &call);
    }
    stories_reduce(&stories);
    const struct story *story = &stories.of[reader];
    assert_int_equal(story->count, row->left_count);
    assert_int_equal(has_origin(story), row->origin);
    assert_int_equal(story->old, row->old);
    for (size_t i = 0; i < story->count; i++) {
        assert_int_equal(story->steps[i].place, row->left[i]);
    }
    expect_minimal(story, reader, oracle->traits);
    stories_free(&stories);
}

static void test_stories_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        struct pool pool;
        struct oracle oracle;
        interval_map_pool_init(&pool, 8);
        oracle_init(&oracle, &pool, (struct oracle_traits){.line_bytes = LINE, .still = true});
        expect_by_hand(&by_hand[i], &oracle);
        pool_free(&pool);
    }
}

/* --- at random --- */

static uint64_t below(uint64_t bound)
{
    static uint64_t stream = 7;
    return rng_mix64(++stream) % bound;
}

static struct oracle_call random_call(void)
{
    struct oracle_call call = {.operation = (enum operation)below(DO_FORGET + 1)};
    /* Ranges that hold the line, or not, or more than it. */
    call.start = AT + LINE * below(3) - LINE;
    call.end = call.start + LINE * (1 + below(3));
    call.by_guest = below(2);
    call.cleaned = below(2);
    call.executable = below(2);
    call.vcpus = (struct oracle_vcpus){below(2), below(2), below(4) == 0};
    call.reader = (enum reader)below(READERS);
    call.path = below(2) ? PATH_CACHED : PATH_UNCACHED;
    call.path = call.operation == DO_SHARED ? PATH_CACHED : call.path;
    call.lines = (call.end - call.start) / LINE;
    return call;
}

/* Reads are judged from one of the calls on. */
static void play_calls(struct oracle *oracle, const struct oracle_call *calls, size_t count,
                       size_t judged_from)
{
    for (size_t i = 0; i < count; i++) {
        oracle->judging = i >= judged_from;
        oracle_do(oracle, &calls[i]);
    }
}

/* The stories of those calls; the caller frees them. */
static void find_stories(struct stories *stories, const struct oracle_call *calls, size_t count,
                         size_t judged_from, struct oracle_traits traits)
{
    struct engine engine = {.now = 0};
    struct pool pool;
    struct oracle first, second;
    interval_map_pool_init(&pool, 64);
    oracle_init(&first, &pool, traits);
    stories_search(stories, &first, &engine);
    play_calls(&first, calls, count, judged_from);
    oracle_init(&second, &pool, traits);
    stories_watch(stories, &second, &engine);
    play_calls(&second, calls, count, judged_from);
    stories_reduce(stories);
    for (int reader = 0; reader < READERS; reader++) {
        assert_int_equal(stories->of[reader].outcome, first.verdict[reader].outcome);
    }
    pool_free(&pool);
}

static struct oracle_traits random_traits(void)
{
    return (struct oracle_traits){
        .line_bytes = LINE, .dic = below(2), .idc = below(2), .still = below(2)};
}

static bool touches_bytes(enum operation operation)
{
    return operation != DO_MAP && operation != DO_UNMAP && operation != DO_TLBI &&
           operation != DO_RUN;
}

/* The calls that come to the story's line, on it alone, up to the read that ends it. */
static size_t log_of(const struct story *story, const struct oracle_call *calls,
                     struct oracle_call *log)
{
    size_t count = 0, last = story->steps[story->count - 1].place;
    for (size_t i = 0; count <= last; i++) {
        if (calls[i].start <= story->line && story->line < calls[i].end) {
            log[count] = calls[i];
            log[count].start = story->line;
            log[count].end = story->line + LINE;
            log[count++].lines = 1;
        }
    }
    return count;
}

/* Who wrote last before the core's first step on the line's bytes, where the core writes once and
 * the page was not given up since; SIZE_MAX: nobody. */
static size_t writer_before(const struct story *story, const struct oracle_call *log)
{
    size_t writes = 0, first = SIZE_MAX, writer = SIZE_MAX;
    for (size_t i = 0; i < story->count; i++) {
        const struct story_step *step = &story->steps[i];
        writes += step->core && story_writes(step);
        if (step->core && first == SIZE_MAX && touches_bytes(step->call.operation)) {
            first = step->place;
        }
    }
    for (size_t i = 0; i < first; i++) {
        const struct story_step step = {.call = log[i]};
        if (log[i].operation == DO_FORGET) {
            writer = SIZE_MAX;
        } else if (story_writes(&step)) {
            writer = i;
        }
    }
    return writes == 1 ? writer : SIZE_MAX;
}

/* The origin is that writer; none is named only where nobody is it, or where the core with all
 * that came behind it is judged otherwise. */
static void expect_origin(const struct story *story, enum reader reader,
                          const struct oracle_call *calls, struct oracle_traits traits)
{
    struct oracle_call log[CALLS];
    size_t count = log_of(story, calls, log), writer = writer_before(story, log), named = SIZE_MAX;
    bool core[CALLS] = {false};
    for (size_t i = 0; i < story->count; i++) {
        named = story->steps[i].origin ? story->steps[i].place : named;
        core[story->steps[i].place] = story->steps[i].core;
    }
    if (named != SIZE_MAX || writer == SIZE_MAX) {
        assert_int_equal(named, writer);
        return;
    }
    struct story_step steps[CALLS];
    struct story longer = *story;
    longer.steps = steps;
    longer.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (core[i] || i >= writer) {
            steps[longer.count++] = (struct story_step){.call = log[i]};
        }
    }
    assert_false(comes_out(&longer, reader, traits, false, SIZE_MAX));
}

static void test_random_calls(void **state)
{
    (void)state;
    size_t found = 0, with_origin = 0;
    for (int sequence = 0; sequence < SEQUENCES; sequence++) {
        struct oracle_call calls[CALLS];
        struct oracle_traits traits = random_traits();
        struct stories stories;
        for (size_t i = 0; i < CALLS; i++) {
            calls[i] = random_call();
        }
        find_stories(&stories, calls, CALLS, CALLS / 2, traits);
        for (int reader = 0; reader < READERS; reader++) {
            const struct story *story = &stories.of[reader];
            if (story_is(story)) {
                expect_minimal(story, (enum reader)reader, traits);
                expect_origin(story, (enum reader)reader, calls, traits);
                found++;
                with_origin += has_origin(story);
            }
        }
        stories_free(&stories);
    }
    print_message("%zu stories, %zu with the origin of the old bytes\n", found, with_origin);
    assert_true(found > SEQUENCES / 2 && with_origin > 0);
}

/* Short logs of one line, against all choices of their calls. */
static void test_none_is_shorter(void **state)
{
    (void)state;
    enum { SHORT = 12 };
    size_t found = 0;
    for (int sequence = 0; sequence < SEQUENCES / 10; sequence++) {
        struct oracle_call calls[SHORT];
        struct oracle_traits traits = random_traits();
        struct stories stories;
        for (size_t i = 0; i < SHORT; i++) {
            calls[i] = random_call();
            calls[i].operation = i + 1 == SHORT ? DO_READ : calls[i].operation;
            calls[i].start = AT;
            calls[i].end = AT + LINE;
            calls[i].lines = 1;
        }
        find_stories(&stories, calls, SHORT, SHORT - 1, traits);
        enum reader reader = calls[SHORT - 1].reader;
        if (story_is(&stories.of[reader])) {
            assert_false(any_shorter(calls, &stories.of[reader], reader, traits));
            found++;
        }
        stories_free(&stories);
    }
    print_message("%zu shortest stories\n", found);
    assert_true(found > SEQUENCES / 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_relocated_kernel),
        cmocka_unit_test(test_stories_by_hand),
        cmocka_unit_test(test_random_calls),
        cmocka_unit_test(test_none_is_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
