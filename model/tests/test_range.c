/* Unmaps and flushes of ranges, leaf by leaf and in steps: what each charges, and where. */
#include "kvm/range.h"
#include "logging.h"

#include <stdlib.h>

/* --- what is charged where --- */

struct charge {
    uint32_t kind;
    uint64_t at, bytes, n; /* `at` from the slot's start */
};

#define CHARGES_MAX 64

static struct heard {
    struct charge charge[CHARGES_MAX];
    size_t count;
} heard;

static void hear(const struct trace *trace, const struct actor *actor, uint32_t kind, uint64_t n)
{
    (void)trace;
    bool wanted = kind == EV_unmap_calls || kind == EV_unmap_leaves || kind == EV_unmap_bytes ||
                  kind == EV_flush_calls || kind == EV_flush_leaves || kind == EV_flush_bytes ||
                  kind == EV_wrprotect_leaves || kind == EV_s2_tables_free;
    if (wanted && n > 0 && heard.count < CHARGES_MAX) {
        heard.charge[heard.count++] =
            (struct charge){kind, actor->at - RIG_IPA, actor->at_bytes, n};
    }
}

static void pass(const struct trace *trace, const struct actor *actor, uint32_t class, ps_t ps)
{
    (void)trace;
    (void)actor;
    (void)class;
    (void)ps;
}

/* From here on; the engine frees it. */
static void listen(struct rig *rig)
{
    struct trace *trace = calloc(1, sizeof *trace);
    assert_non_null(trace);
    *trace = (struct trace){hear, pass};
    heard = (struct heard){.count = 0};
    engine_watch(&rig->engine)->trace = trace;
}

static void expect_heard(const struct charge *expected, size_t count)
{
    for (size_t i = 0; i < count && i < heard.count; i++) {
        const struct charge *own = &heard.charge[i], *other = &expected[i];
        if (own->kind != other->kind || own->at != other->at || own->bytes != other->bytes ||
            own->n != other->n) {
            fail_msg(
                "charge %zu: %llu %s at %#llx of %llu bytes, expected %llu %s at %#llx of %llu", i,
                (unsigned long long)own->n, event_name[own->kind], (unsigned long long)own->at,
                (unsigned long long)own->bytes, (unsigned long long)other->n,
                event_name[other->kind], (unsigned long long)other->at,
                (unsigned long long)other->bytes);
        }
    }
    assert_int_equal(heard.count, count);
}

/* --- acts --- */

static struct range_rule rule; /* of the acts below */

static void do_unmap_range(struct rig *rig, struct actor *actor, const struct act *act)
{
    range_unmap(actor, &rig->kvm, RIG_IPA + act->at, RIG_IPA + act->at + act->bytes, rule);
}

static void do_flush_range(struct rig *rig, struct actor *actor, const struct act *act)
{
    range_flush(actor, &rig->kvm, RIG_IPA + act->at, RIG_IPA + act->at + act->bytes, rule);
}

static void do_take(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    actor_lock(actor, &rig->kvm.mmu_lock, true);
}

static void do_give(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    actor_unlock(actor, &rig->kvm.mmu_lock);
}

static void do_listen(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)actor;
    (void)act;
    listen(rig);
}

/* A block at 0, pages 512, 513 and 515, nothing, a block at 6 MiB. */
static void map_mixed(struct rig *rig)
{
    static const struct leaves all[] = {
        {.start = 0, .end = 2 * MIB, .level = LEAF_BLOCK, .writable = true},
        {.start = 2 * MIB, .end = 2 * MIB + 8 * KIB, .level = LEAF_PAGE, .writable = true},
        {.start = 2 * MIB + 12 * KIB,
         .end = 2 * MIB + 16 * KIB,
         .level = LEAF_PAGE,
         .writable = true},
        {.start = 6 * MIB, .end = 8 * MIB, .level = LEAF_BLOCK, .writable = true}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct leaves own = all[i];
        own.start += RIG_IPA;
        own.end += RIG_IPA;
        (void)stage2_map(&rig->kvm.stage2, own);
    }
}

static void play_mixed(struct rig *rig, act_fn go, uint64_t at, uint64_t bytes)
{
    const struct act acts[] = {{.go = do_take},
                               {.go = do_listen},
                               {.go = go, .at = at, .bytes = bytes},
                               {.go = do_give},
                               {0}};
    rig_init(rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    map_mixed(rig);
    rig_alone(rig, acts);
}

/* --- leaf by leaf --- */

static void an_unmap_goes_leaf_by_leaf(void **state)
{
    static const uint64_t block = 2 * MIB, page = 4 * KIB;
    const struct charge expected[] = {
        {EV_unmap_calls, 0, 0, 1},
        {EV_unmap_leaves, 0, block, 1},
        {EV_unmap_bytes, 0, block, block},
        {EV_unmap_leaves, block, page, 1},
        {EV_unmap_bytes, block, page, page},
        {EV_unmap_leaves, block + page, page, 1},
        {EV_unmap_bytes, block + page, page, page},
        {EV_unmap_leaves, block + 3 * page, page, 1},
        {EV_unmap_bytes, block + 3 * page, page, page},
        {EV_s2_tables_free, block + 3 * page, page, 1},
        {EV_unmap_leaves, 3 * block, block, 1},
        {EV_unmap_bytes, 3 * block, block, block},
        {EV_s2_tables_free, 3 * block, block, 1},
    };
    struct rig rig;
    (void)state;
    rule = (struct range_rule){.tlbi = REINIT_TLBI_LEAF};
    play_mixed(&rig, do_unmap_range, 0, 8 * MIB);
    expect_heard(expected, sizeof expected / sizeof *expected);
    /* One for each leaf, and one for each table. */
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 5 + 2);
    assert_int_equal(rig_all(&rig, EV_tlbi_table), 2);
    assert_int_equal(rig.kvm.stage2.map.covered, 0);
    assert_int_equal(rig_all(&rig, EV_cmo_op_calls), 0);
    rig_free(&rig);
    /* Cleaned, each leaf has its call. */
    rule.cleans = true;
    play_mixed(&rig, do_unmap_range, 0, 8 * MIB);
    expect_heard(expected, sizeof expected / sizeof *expected);
    assert_int_equal(rig_all(&rig, EV_cmo_op_calls), 5);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), 2 * 32768 + 3 * 64);
    rig_free(&rig);
    /* Without invalidations of its own tables have none either. */
    rule = (struct range_rule){.tlbi = REINIT_TLBI_VM};
    play_mixed(&rig, do_unmap_range, 0, 8 * MIB);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 0);
    rig_free(&rig);
}

/* A range that begins or ends inside a block takes all of it; one that skips a size walks over it.
 */
static void parts_of_leaves_and_sizes(void **state)
{
    static const struct {
        uint64_t at, bytes;
        bool skip_pages, skip_blocks;
        uint64_t leaves, unmapped;
    } cases[] = {
        {4 * KIB, 4 * KIB, false, false, 1, 2 * MIB},
        {2 * MIB - 4 * KIB, 8 * KIB, false, false, 2, 2 * MIB + 4 * KIB},
        {2 * MIB, 4 * MIB, false, false, 3, 12 * KIB},
        {2 * MIB + 8 * KIB, 4 * KIB, false, false, 0, 0},
        {2 * MIB + 4 * KIB, 16 * KIB, false, false, 2, 8 * KIB},
        {0, 8 * MIB, true, false, 2, 4 * MIB},
        {0, 8 * MIB, false, true, 3, 12 * KIB},
        {0, 8 * MIB, true, true, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        rule = (struct range_rule){.skip_pages = cases[i].skip_pages,
                                   .skip_blocks = cases[i].skip_blocks};
        play_mixed(&rig, do_unmap_range, cases[i].at, cases[i].bytes);
        assert_int_equal(rig_all(&rig, EV_unmap_leaves), cases[i].leaves);
        assert_int_equal(rig_all(&rig, EV_unmap_bytes), cases[i].unmapped);
        assert_int_equal(rig.kvm.stage2.map.covered, 4 * MIB + 12 * KIB - cases[i].unmapped);
        assert_int_equal(rig.kvm.last_unmapped_bytes, cases[i].unmapped);
        rig_free(&rig);
        play_mixed(&rig, do_flush_range, cases[i].at, cases[i].bytes);
        assert_int_equal(rig_all(&rig, EV_flush_leaves), cases[i].leaves);
        assert_int_equal(rig_all(&rig, EV_flush_bytes), cases[i].unmapped);
        assert_int_equal(rig_all(&rig, EV_cmo_op_calls), cases[i].leaves);
        assert_int_equal(rig_lines(&rig, LEDGER_ALL), cases[i].unmapped / 64);
        rig_free(&rig);
    }
}

static void a_flush_goes_leaf_by_leaf(void **state)
{
    static const uint64_t block = 2 * MIB, page = 4 * KIB;
    const struct charge expected[] = {
        {EV_flush_calls, 0, 0, 1},
        {EV_flush_leaves, 0, block, 1},
        {EV_flush_bytes, 0, block, block},
        {EV_flush_leaves, block, page, 1},
        {EV_flush_bytes, block, page, page},
        {EV_flush_leaves, block + page, page, 1},
        {EV_flush_bytes, block + page, page, page},
        {EV_flush_leaves, block + 3 * page, page, 1},
        {EV_flush_bytes, block + 3 * page, page, page},
        {EV_flush_leaves, 3 * block, block, 1},
        {EV_flush_bytes, 3 * block, block, block},
    };
    struct rig rig;
    (void)state;
    rule = (struct range_rule){0};
    play_mixed(&rig, do_flush_range, 0, 8 * MIB);
    expect_heard(expected, sizeof expected / sizeof *expected);
    assert_int_equal(rig.kvm.stage2.map.covered, 4 * MIB + 12 * KIB);
    rig_free(&rig);
}

/* In the block at 0 the VMM wrote 4 KiB that are not its first, the guest wrote page 513, in the
 * block at 6 MiB both wrote 4 KiB, the guest the last ones. */
static void do_write_parts(struct rig *rig, struct actor *actor, const struct act *act)
{
    static const uint64_t block = 2 * MIB, page = 4 * KIB;
    const struct {
        uint64_t at;
        bool by_guest;
    } writes[] = {{MIB + page, false},
                  {block + page, true},
                  {3 * block + 2 * page, false},
                  {4 * block - page, true}};
    (void)actor;
    (void)act;
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        uint64_t start = RIG_HVA + writes[i].at;
        oracle_do(&rig->memory.oracle, &(struct oracle_call){.operation = DO_WRITE,
                                                             .start = start,
                                                             .end = start + page,
                                                             .lines = page / 64,
                                                             .by_guest = writes[i].by_guest});
    }
}

static void expect_flushed(enum flush_record record, const struct charge *expected, size_t count)
{
    static const struct act acts[] = {
        {.go = do_write_parts}, {.go = do_take},
        {.go = do_listen},      {.go = do_flush_range, .bytes = 8 * MIB},
        {.go = do_give},        {0}};
    struct rig rig;
    rule = (struct range_rule){.record = record};
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    map_mixed(&rig);
    rig_alone(&rig, acts);
    expect_heard(expected, count);
    rig_free(&rig);
    rule = (struct range_rule){0};
}

static void a_flush_by_a_record_takes_what_it_names(void **state)
{
    static const uint64_t block = 2 * MIB, page = 4 * KIB;
    const struct charge leaves[] = {
        {EV_flush_calls, 0, 0, 1},
        {EV_flush_leaves, 0, block, 1},
        {EV_flush_bytes, 0, block, block},
        {EV_flush_leaves, block + page, page, 1},
        {EV_flush_bytes, block + page, page, page},
        {EV_flush_leaves, 3 * block, block, 1},
        {EV_flush_bytes, 3 * block, block, block},
    };
    const struct charge ranges[] = {
        {EV_flush_calls, 0, 0, 1},
        {EV_flush_leaves, MIB + page, block, 1},
        {EV_flush_bytes, MIB + page, block, page},
        {EV_flush_leaves, block + page, page, 1},
        {EV_flush_bytes, block + page, page, page},
        {EV_flush_leaves, 3 * block + 2 * page, block, 1},
        {EV_flush_bytes, 3 * block + 2 * page, block, page},
        {EV_flush_leaves, 4 * block - page, block, 1},
        {EV_flush_bytes, 4 * block - page, block, page},
    };
    const struct charge loader[] = {
        {EV_flush_calls, 0, 0, 1},
        {EV_flush_leaves, MIB + page, block, 1},
        {EV_flush_bytes, MIB + page, block, page},
        {EV_flush_leaves, 3 * block + 2 * page, block, 1},
        {EV_flush_bytes, 3 * block + 2 * page, block, page},
    };
    (void)state;
    expect_flushed(RECORD_LEAVES, leaves, sizeof leaves / sizeof *leaves);
    expect_flushed(RECORD_RANGES, ranges, sizeof ranges / sizeof *ranges);
    expect_flushed(RECORD_LOADER, loader, sizeof loader / sizeof *loader);
}

static void logging_protects_where_the_leaves_are(void **state)
{
    static const uint64_t block = 2 * MIB, page = 4 * KIB;
    const struct charge expected[] = {
        {EV_wrprotect_leaves, 0, block, 1},
        {EV_wrprotect_leaves, block, page, 2},
        {EV_wrprotect_leaves, block + 3 * page, page, 1},
        {EV_wrprotect_leaves, 3 * block, block, 1},
    };
    static const struct act acts[] = {{.go = do_listen}, LOG_ON, {0}};
    struct rig rig;
    (void)state;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    map_mixed(&rig);
    rig_alone(&rig, acts);
    expect_heard(expected, sizeof expected / sizeof *expected);
    rig_free(&rig);
}

/* --- in chunks --- */

/* A call for each chunk that the range meets, at its first byte; by chunks of a strategy's own the
 * lock is given up behind each but the last. */
static void chunks_are_calls(void **state)
{
    static const struct {
        uint64_t at, bytes, chunk, calls;
    } cases[] = {
        {0, 8 * MIB, 2 * MIB, 4},         {0, 8 * MIB, MIB, 6}, /* a leaf of 2 MiB ends one */
        {MIB, 6 * MIB, 2 * MIB, 4},       {4 * MIB, 2 * MIB, 64 * KIB, 32},
        {0, 8 * MIB, 8 * MIB, 1},         {4 * KIB, 8 * MIB - 8 * KIB, 8 * MIB, 1},
        {2 * MIB, 64 * KIB, 4 * KIB, 16}, {2 * MIB, 64 * KIB, 1, 16}, /* a page at least */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int flush = 0; flush < 2; flush++) {
            const struct act acts[] = {{.go = do_take},
                                       {.go = flush ? do_flush_range : do_unmap_range,
                                        .at = cases[i].at,
                                        .bytes = cases[i].bytes},
                                       {.go = do_give},
                                       {0}};
            struct strategy own = *strategy_find("unmap", &(struct error){0});
            struct rig rig;
            own.chunk = cases[i].chunk;
            rule = (struct range_rule){0};
            rig_init(&rig, &(struct rig_setup){
                               .kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
            rig.kvm.strategy = &own;
            map_mixed(&rig);
            rig_alone(&rig, acts);
            uint64_t calls = rig_all(&rig, flush ? EV_flush_calls : EV_unmap_calls);
            if (calls != cases[i].calls) {
                fail_msg("case %zu: %llu calls", i, (unsigned long long)calls);
            }
            assert_int_equal(rig_all(&rig, EV_lock_yields), cases[i].calls - 1);
            rig_free(&rig);
        }
    }
}

/* The kernel's own chunks: of 1 GiB from 6.1 on, before that what a root entry maps. */
static void the_kernels_own_chunks(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
    assert_int_equal(range_chunk_bytes(&rig.kvm), GIB);
    rig_free(&rig);
    rig_init(&rig, &(struct rig_setup){.kernel = "5.10", .strategy = "unmap"});
    assert_int_equal(range_chunk_bytes(&rig.kvm), rig.kvm.stage2.geometry.root_span);
    rig_free(&rig);
}

/* --- in steps --- */

/* Fast takes all leaves of a size that stand together in one step where no other is at work. */
static void alone_leaves_are_taken_together(void **state)
{
    static const uint64_t block = 2 * MIB, page = 4 * KIB;
    const struct charge expected[] = {
        {EV_flush_calls, 0, 0, 1},
        {EV_flush_leaves, 0, block, 1},
        {EV_flush_bytes, 0, block, block},
        {EV_flush_leaves, block, page, 2},
        {EV_flush_bytes, block, page, 2 * page},
        {EV_flush_leaves, block + 3 * page, page, 1},
        {EV_flush_bytes, block + 3 * page, page, page},
        {EV_flush_leaves, 3 * block, block, 1},
        {EV_flush_bytes, 3 * block, block, block},
    };
    static const struct act acts[] = {{.go = do_take},
                                      {.go = do_listen},
                                      {.go = do_flush_range, .at = 0, .bytes = 8 * MIB},
                                      {.go = do_give},
                                      {0}};
    struct rig rig;
    (void)state;
    rule = (struct range_rule){0};
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    rig.kvm.steps = 64;
    map_mixed(&rig);
    rig_alone(&rig, acts);
    expect_heard(expected, sizeof expected / sizeof *expected);
    rig_free(&rig);
}

/* Beside another actor each step takes the share of what is mapped that the steps say: of 2,048
 * pages in 16 steps 128. */
static void beside_others_it_goes_in_steps(void **state)
{
    static const struct act first[] = {{.go = do_take},
                                       {.go = do_listen},
                                       {.go = do_flush_range, .at = 0, .bytes = 8 * MIB},
                                       {.go = do_give},
                                       {0}};
    static const struct act second[] = {{.go = do_wait, .n = PS_PER_S}, {0}};
    static const struct act *const acts[] = {first, second};
    struct rig rig;
    (void)state;
    rule = (struct range_rule){0};
    rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
    rig.kvm.steps = 16;
    (void)stage2_map(
        &rig.kvm.stage2,
        (struct leaves){.start = RIG_IPA, .end = RIG_IPA + 8 * MIB, .level = LEAF_PAGE});
    rig_play(&rig, acts, 2);
    assert_int_equal(heard.count, 1 + 2 * 16);
    for (size_t i = 0; i < 16; i++) {
        const struct charge *leaves = &heard.charge[1 + 2 * i];
        assert_int_equal(leaves->kind, EV_flush_leaves);
        assert_int_equal(leaves->n, 128);
        assert_int_equal(leaves->at, i * 512 * KIB);
    }
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unmap_goes_leaf_by_leaf),
        cmocka_unit_test(parts_of_leaves_and_sizes),
        cmocka_unit_test(a_flush_goes_leaf_by_leaf),
        cmocka_unit_test(a_flush_by_a_record_takes_what_it_names),
        cmocka_unit_test(logging_protects_where_the_leaves_are),
        cmocka_unit_test(chunks_are_calls),
        cmocka_unit_test(the_kernels_own_chunks),
        cmocka_unit_test(alone_leaves_are_taken_together),
        cmocka_unit_test(beside_others_it_goes_in_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
