/* The oracle against the reference of one line (reference_line.h): every sequence of
 * operations up to a length, random longer ones, and each rule of either side taken out.
 *
 * What either side makes of a sequence follows from the state that it has led to. So it
 * is enough to go once from each pair of states by each operation; how many sequences
 * that stands for is counted. */
#include "check.h"

#include "core/rng.h"

static int oracle_without = -1;
#define RULE(name) (oracle_without != RULE_##name)
#include "machine/oracle.c"
#include "reference_set.h"

#include <stdlib.h>
#include <string.h>

#define LINE UINT64_C(64)

static const char *const operation_name[] = {
#define LINE_OPERATION(name, route, reads, does, text) text,
    LINE_OPERATIONS(LINE_OPERATION)
#undef LINE_OPERATION
};

static const char *const oracle_rule_name[] = {
#define ORACLE_RULE(name, rule, source) #name,
    ORACLE_RULES(ORACLE_RULE)
#undef ORACLE_RULE
};

static const char *const line_rule_name[] = {
#define LINE_RULE(name, rule) #name,
    LINE_RULES(LINE_RULE)
#undef LINE_RULE
};

/* A machine, and what its workload says of resets. */
struct setting {
    struct line_hardware hw;
    bool still;
};

/* CTR_EL0.DIC implies IDC. */
static const struct setting settings[] = {
    {{.fwb = false}, true},
    {{.idc = true}, true},
    {{.idc = true, .dic = true}, true},
    {{.fwb = true}, true},
    {{.fwb = true, .idc = true, .dic = true}, true},
    {{.vipt = true}, true},
    {{.dc = true}, true},
    {{.fwb = false}, false},
    {{.fwb = true}, false},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static struct oracle_traits traits_of(const struct setting *setting)
{
    return (struct oracle_traits){.line_bytes = LINE,
                                  .dic = setting->hw.dic,
                                  .idc = setting->hw.idc,
                                  .vipt = setting->hw.vipt,
                                  .fwb = setting->hw.fwb,
                                  .dc = setting->hw.dc,
                                  .still = setting->still};
}

/* --- the oracle, told of an operation --- */

struct telling {
    enum line_operation operation;
    enum { TELL_WRITE, TELL_READ, TELL_MAINTENANCE, TELL_RUN } kind;
    int what; /* enum stage1, enum maintenance; of TELL_RUN how a vCPU fetches, -1: none runs */
    int more; /* enum reader, whether a DSB, whether others may */
};

static const struct telling tellings[] = {
    {LINE_GUEST_WRITES, TELL_WRITE, STAGE1_CACHEABLE, 0},
    {LINE_GUEST_WRITES_NC, TELL_WRITE, STAGE1_NONCACHEABLE, 0},
    {LINE_GUEST_WRITES_OFF, TELL_WRITE, STAGE1_OFF_DATA, 0},
    {LINE_GUEST_READS, TELL_READ, STAGE1_CACHEABLE, READER_GUEST_ON},
    {LINE_GUEST_READS_NC, TELL_READ, STAGE1_NONCACHEABLE, READER_GUEST_ON},
    {LINE_GUEST_READS_OFF, TELL_READ, STAGE1_OFF_DATA, READER_GUEST_OFF},
    {LINE_GUEST_FETCHES, TELL_READ, STAGE1_CACHEABLE, READER_FETCH},
    {LINE_GUEST_FETCHES_OFF, TELL_READ, STAGE1_OFF_FETCH, READER_FETCH},
    {LINE_GUEST_FETCHES_OFF_I, TELL_READ, STAGE1_OFF_FETCH_CACHED, READER_FETCH},
    {LINE_CLEANS_POC, TELL_MAINTENANCE, CLEAN_POC, true},
    {LINE_CLEANS_POU, TELL_MAINTENANCE, CLEAN_POU, true},
    {LINE_CLEANS_DROPS, TELL_MAINTENANCE, CLEAN_INVALIDATE, true},
    {LINE_CLEANS_DROPS_NO_DSB, TELL_MAINTENANCE, CLEAN_INVALIDATE, false},
    {LINE_GUEST_DROPS, TELL_MAINTENANCE, GUEST_INVALIDATE, true},
    {LINE_HOST_DROPS, TELL_MAINTENANCE, INVALIDATE, true},
    {LINE_ICACHE_VA, TELL_MAINTENANCE, ICACHE_VA, true},
    {LINE_ICACHE_OTHER_VA, TELL_MAINTENANCE, ICACHE_ALIAS, true},
    {LINE_ICACHE_WHOLE, TELL_MAINTENANCE, ICACHE_ALL, true},
    {LINE_ICACHE_NO_DSB, TELL_MAINTENANCE, ICACHE_ALL, false},
    {LINE_RESET_BEGINS, TELL_RUN, -1, true},
    {LINE_OTHER_ACTS, TELL_RUN, STAGE1_CACHEABLE, true},
    {LINE_RESET_ENDS, TELL_RUN, -1, false},
    {LINE_ENTERS, TELL_RUN, STAGE1_OFF_FETCH, false},
    {LINE_TURNS_ON, TELL_RUN, STAGE1_CACHEABLE, false},
};

static void tell_by(const struct telling *row, struct oracle *oracle, uint64_t start, uint64_t end)
{
    switch (row->kind) {
    case TELL_WRITE:
        oracle_write(oracle, start, end, oracle_path(oracle, (enum stage1)row->what), true);
        return;
    case TELL_READ:
        oracle_read(oracle, start, end, (end - start) / LINE, (enum reader)row->more,
                    oracle_path(oracle, (enum stage1)row->what));
        return;
    case TELL_MAINTENANCE:
        oracle_maintain(oracle, start, end, (enum maintenance)row->what, row->more);
        return;
    case TELL_RUN: {
        bool runs = row->what >= 0;
        enum path path = runs ? oracle_path(oracle, (enum stage1)row->what) : PATH_CACHED;
        oracle_run(oracle, start, end,
                   (struct oracle_vcpus){.cached = runs && path == PATH_CACHED,
                                         .past = path == PATH_UNCACHED,
                                         .others = row->more});
        return;
    }
    }
}

static void tell(struct oracle *oracle, enum line_operation operation, uint64_t start, uint64_t end)
{
    uint64_t lines = (end - start) / LINE;
    for (size_t i = 0; i < sizeof tellings / sizeof *tellings; i++) {
        if (tellings[i].operation == operation) {
            tell_by(&tellings[i], oracle, start, end);
            return;
        }
    }
    switch (operation) {
    case LINE_HOST_WRITES:
        oracle_write(oracle, start, end, PATH_CACHED, false);
        return;
    case LINE_HOST_WRITES_PAST:
        oracle_write(oracle, start, end, PATH_UNCACHED, false);
        return;
    case LINE_HOST_READS:
        oracle_read(oracle, start, end, lines, READER_HOST, PATH_CACHED);
        return;
    case LINE_HOST_READS_PAST:
        oracle_read(oracle, start, end, lines, READER_HOST, PATH_UNCACHED);
        return;
    case LINE_DEVICE_WRITES:
    case LINE_DEVICE_WRITES_PAST:
        oracle_device_write(oracle, start, end, operation == LINE_DEVICE_WRITES);
        return;
    case LINE_DEVICE_READS:
        oracle_read(oracle, start, end, lines, READER_DEVICE, PATH_CACHED);
        return;
    case LINE_DEVICE_READS_PAST:
        oracle_read(oracle, start, end, lines, READER_DEVICE, PATH_UNCACHED);
        return;
    case LINE_FRESH_PAGE:
        oracle_forget(oracle, start, end);
        return;
    case LINE_MAPS:
    case LINE_MAPS_CODE:
        oracle_map(oracle, start, end, operation == LINE_MAPS_CODE);
        return;
    case LINE_UNMAPS:
        oracle_unmap(oracle, start, end);
        return;
    case LINE_TLBI:
        oracle_tlbi(oracle, start, end);
        return;
    default:
        fail_msg("the oracle is not told of: %s", operation_name[operation]);
    }
}

/* --- pairs of states --- */

/* What a verdict tells apart: what may happen by itself. */
#define WORLDS 6
static const unsigned may_happen[WORLDS] = {
    0, MAY_FILL, MAY_FETCH, MAY_FILL | MAY_FETCH, MAY_RUN, MAY_RUN | MAY_FILL | MAY_FETCH};

/* A set of states in one of them, and where each operation leads from there. */
struct world {
    struct line_set set;
    unsigned may;
    int32_t next[LINE_OPERATION_COUNT]; /* index + 1; 0: not asked yet */
    bool old[LINE_OPERATION_COUNT];
};

struct node {
    int32_t world[WORLDS];
    uint64_t value; /* the oracle's */
    int32_t before; /* from where and by what it was reached first; -1: the start */
    enum line_operation by;
    double sequences, longer; /* that lead here: of the length looked at, of the next */
};

struct search {
    const struct setting *setting;
    struct world *worlds;
    struct node *nodes;
    int32_t world_count, world_room, node_count, node_room;
    int32_t *world_slots, *node_slots; /* hash tables of them: index + 1 */
    struct pool pool;
    struct oracle oracle;
    double sequences; /* covered */
    int32_t wrong; /* where the two differ first, by wrong_by; -1: nowhere */
    enum line_operation wrong_by;
};

#define SLOTS (1 << 18)

static uint64_t hash_of(const void *data, size_t size, uint64_t hash)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return rng_mix64(hash);
}

static void *room_for_one(void *array, int32_t count, int32_t *room, size_t size)
{
    if (count == *room) {
        *room = *room ? *room * 2 : 1024;
        array = realloc(array, (size_t)*room * size);
        assert_non_null(array);
    }
    return array;
}

static bool same_set(const struct line_set *a, const struct line_set *b)
{
    const struct reach *r = &a->reach, *s = &b->reach;
    return memcmp(a->states, b->states, sizeof a->states) == 0 && r->mapped == s->mapped &&
           r->code == s->code && r->left == s->left && r->left_code == s->left_code &&
           r->running == s->running && r->past == s->past && r->others == s->others;
}

static int32_t world_of(struct search *search, const struct line_set *set, unsigned may)
{
    const struct reach *r = &set->reach;
    bool flags[] = {r->mapped, r->code, r->left, r->left_code, r->running, r->past, r->others};
    uint64_t at = hash_of(set->states, sizeof set->states, hash_of(flags, sizeof flags, may));
    for (;; at++) {
        int32_t *slot = &search->world_slots[at % SLOTS];
        if (*slot == 0) {
            search->worlds = room_for_one(search->worlds, search->world_count, &search->world_room,
                                          sizeof *search->worlds);
            search->worlds[search->world_count] = (struct world){.set = *set, .may = may};
            *slot = ++search->world_count;
            return *slot - 1;
        }
        const struct world *world = &search->worlds[*slot - 1];
        if (world->may == may && same_set(&world->set, set)) {
            return *slot - 1;
        }
    }
}

static int32_t world_after(struct search *search, int32_t index, enum line_operation operation)
{
    const struct line_hardware *hw = &search->setting->hw;
    if (search->worlds[index].next[operation] == 0) {
        struct line_set set = search->worlds[index].set;
        unsigned may = search->worlds[index].may;
        search->worlds[index].old[operation] =
            line_reads(operation) && line_set_reads_old(&set, operation, hw);
        line_set_step(&set, operation, hw, may);
        int32_t next = world_of(search, &set, may);
        search->worlds[index].next[operation] = next + 1;
    }
    return search->worlds[index].next[operation] - 1;
}

static int32_t node_of(struct search *search, const int32_t world[WORLDS], uint64_t value,
                       int32_t before, enum line_operation by)
{
    uint64_t at = hash_of(world, WORLDS * sizeof *world, value);
    for (;; at++) {
        int32_t *slot = &search->node_slots[at % SLOTS];
        if (*slot == 0) {
            assert_true(search->node_count < SLOTS / 2);
            search->nodes = room_for_one(search->nodes, search->node_count, &search->node_room,
                                         sizeof *search->nodes);
            struct node *node = &search->nodes[search->node_count];
            *node = (struct node){.value = value, .before = before, .by = by};
            memcpy(node->world, world, sizeof node->world);
            *slot = ++search->node_count;
            return *slot - 1;
        }
        const struct node *node = &search->nodes[*slot - 1];
        if (node->value == value && memcmp(node->world, world, sizeof node->world) == 0) {
            return *slot - 1;
        }
    }
}

static void search_begin(struct search *search, const struct setting *setting)
{
    struct line_set rest;
    int32_t world[WORLDS];
    *search = (struct search){.setting = setting, .wrong = -1};
    search->world_slots = calloc(SLOTS, sizeof *search->world_slots);
    search->node_slots = calloc(SLOTS, sizeof *search->node_slots);
    assert_true(search->world_slots && search->node_slots);
    interval_map_pool_init(&search->pool, 64);
    oracle_init(&search->oracle, &search->pool, traits_of(setting));
    search->oracle.judging = true;
    for (int i = 0; i < WORLDS; i++) {
        unsigned may = may_happen[i] | (setting->still ? 0 : MAY_RUN);
        line_set_rest(&rest, &setting->hw, may);
        world[i] = world_of(search, &rest, may);
    }
    node_of(search, world, 0, -1, 0);
    search->nodes[0].sequences = 1;
}

static void search_end(struct search *search)
{
    pool_free(&search->pool);
    free(search->worlds);
    free(search->nodes);
    free(search->world_slots);
    free(search->node_slots);
}

/* --- what each side says --- */

/* The verdict on a read that may be old in those worlds: which of what may happen by
 * itself has to be kept from happening. */
static struct verdict right_verdict(const bool old[WORLDS], bool still)
{
    bool fill = old[1], fetch = old[2], both = old[3] && !fill && !fetch;
    struct verdict verdict = {.outcome = old[0] ? STALE : old[3] ? ONLY_IF : COHERENT};
    if (verdict.outcome == STALE) {
        return verdict;
    }
    verdict.conditions = (fill ? CONDITION_NO_FILL : 0) | (fetch ? CONDITION_NO_FETCH : 0) |
                         (both ? CONDITION_NOT_BOTH : 0);
    if (still && (old[4] || (old[5] && !old[3]))) {
        verdict.conditions |= CONDITION_STILL;
    }
    return verdict;
}

/* What the oracle says of a read, and its value after any operation. */
static uint64_t oracle_after(struct search *search, uint64_t value, enum line_operation operation,
                             struct verdict *said)
{
    struct oracle *oracle = &search->oracle;
    uint64_t end;
    interval_map_set(&oracle->state, 0, LINE, 0);
    if (value != 0) {
        interval_map_set(&oracle->state, 0, LINE, value);
    }
    memset(oracle->verdict, 0, sizeof oracle->verdict);
    tell(oracle, operation, 0, LINE);
    *said = (struct verdict){.outcome = NOT_READ};
    for (int i = 0; i < READERS; i++) {
        *said = oracle->verdict[i].outcome != NOT_READ ? oracle->verdict[i] : *said;
    }
    return interval_map_value(&oracle->state, 0, &end);
}

/* What is right to say of an operation on a line; the line then is as after it. */
static struct verdict reference_after(struct search *search, int32_t world[WORLDS],
                                      enum line_operation operation)
{
    bool old[WORLDS];
    for (int i = 0; i < WORLDS; i++) {
        int32_t before = world[i];
        world[i] = world_after(search, before, operation);
        old[i] = search->worlds[before].old[operation];
    }
    return line_reads(operation) ? right_verdict(old, search->setting->still)
                                 : (struct verdict){.outcome = NOT_READ};
}

/* Where an operation leads from a node; false where the two sides differ. */
static bool go(struct search *search, int32_t from, enum line_operation operation, int32_t *to)
{
    struct node node = search->nodes[from];
    struct verdict said, right = reference_after(search, node.world, operation);
    uint64_t value = oracle_after(search, node.value, operation, &said);
    *to = node_of(search, node.world, value, from, operation);
    return said.outcome == right.outcome && said.conditions == right.conditions;
}

/* All sequences that are longer by one operation, up to the first on which the two differ. */
static void search_longer(struct search *search)
{
    int32_t known = search->node_count;
    for (int32_t from = 0; from < known && search->wrong < 0; from++) {
        double sequences = search->nodes[from].sequences;
        for (int op = 0; sequences > 0 && op < LINE_OPERATION_COUNT; op++) {
            int32_t to;
            if (!go(search, from, (enum line_operation)op, &to) && search->wrong < 0) {
                search->wrong = from;
                search->wrong_by = (enum line_operation)op;
            }
            search->nodes[to].longer += sequences;
        }
    }
    for (int32_t i = 0; i < search->node_count; i++) {
        search->nodes[i].sequences = search->nodes[i].longer;
        search->nodes[i].longer = 0;
        search->sequences += search->nodes[i].sequences;
    }
}

static void search_to(struct search *search, int length)
{
    for (int depth = 0; depth < length && search->wrong < 0; depth++) {
        search_longer(search);
    }
}

static void print_setting(const struct setting *setting)
{
    const struct line_hardware *hw = &setting->hw;
    print_message("%s%s%s%s%s%s", hw->fwb ? "FWB " : "", hw->dc ? "DC " : "", hw->idc ? "IDC " : "",
                  hw->dic ? "DIC " : "", hw->vipt ? "VIPT " : "",
                  setting->still ? "" : "running on ");
}

static void print_wrong(const struct search *search)
{
    enum line_operation by[64];
    int count = 0;
    for (int32_t at = search->wrong; at > 0 && count < 64; at = search->nodes[at].before) {
        by[count++] = search->nodes[at].by;
    }
    print_setting(search->setting);
    while (count > 0) {
        print_message("| %s ", operation_name[by[--count]]);
    }
    print_message("| %s\n", operation_name[search->wrong_by]);
}

/* --- tests --- */

static bool all_cases(void)
{
    const char *cases = getenv("S2FLUSH_CASES");
    return cases && strcmp(cases, "all") == 0;
}

static void all_sequences_agree(void **state)
{
    (void)state;
    double sequences = 0;
    int length = all_cases() ? 7 : 4;
    for (size_t i = 0; i < SETTINGS; i++) {
        struct search search;
        search_begin(&search, &settings[i]);
        search_to(&search, length);
        print_setting(&settings[i]);
        print_message("%.0f sequences, %d pairs of states, %d sets\n", search.sequences,
                      search.node_count, search.world_count);
        if (search.wrong >= 0) {
            print_wrong(&search);
        }
        assert_int_equal(search.wrong, -1);
        sequences += search.sequences;
        search_end(&search);
    }
    print_message("all %.0f sequences of up to %d of %d operations agree\n", sequences, length,
                  LINE_OPERATION_COUNT);
}

/* --- two lines --- */

/* What happens to a whole VM happens to both. */
static bool of_the_vm(enum line_operation operation)
{
    return operation >= LINE_RESET_BEGINS;
}

/* One operation on one or both of two lines, the first at 0; true where the two agree. */
static bool step_two(struct search *search, int32_t world[2][WORLDS], enum line_operation operation,
                     unsigned scope)
{
    struct oracle *oracle = &search->oracle;
    uint64_t stale = 0, conditional = 0;
    unsigned conditions = 0;
    enum outcome outcome = NOT_READ;
    struct verdict said = {.outcome = NOT_READ};
    scope = of_the_vm(operation) ? 3 : scope;
    for (unsigned i = 0; i < 2; i++) {
        if (scope >> i & 1) {
            struct verdict right = reference_after(search, world[i], operation);
            outcome = right.outcome > outcome ? right.outcome : outcome;
            conditions |= right.conditions;
            stale += right.outcome == STALE;
            conditional += right.outcome == ONLY_IF;
        }
    }
    memset(oracle->verdict, 0, sizeof oracle->verdict);
    tell(oracle, operation, scope & 1 ? 0 : LINE, scope & 2 ? 2 * LINE : LINE);
    for (int i = 0; i < READERS; i++) {
        said = oracle->verdict[i].outcome != NOT_READ ? oracle->verdict[i] : said;
    }
    return said.outcome == outcome && said.conditions == conditions && said.lines_stale == stale &&
           said.lines_conditional == conditional;
}

/* Two lines and the oracle's values of them. */
struct two {
    int32_t world[2][WORLDS];
    uint64_t value[2];
};

static void two_begin(struct search *search, struct two *two)
{
    for (int i = 0; i < 2; i++) {
        memcpy(two->world[i], search->nodes[0].world, sizeof two->world[i]);
        two->value[i] = 0;
    }
}

/* All sequences that go on from there, at the first operation but for which of the two lines
 * is which. Returns how many. */
static uint64_t go_on_two(struct search *search, const struct two *from, int length, bool first)
{
    struct interval_map *state = &search->oracle.state;
    uint64_t sequences = 0, end;
    for (int choice = 0; choice < 3 * LINE_OPERATION_COUNT; choice++) {
        enum line_operation operation = (enum line_operation)(choice / 3);
        unsigned scope = (unsigned)choice % 3 + 1;
        if (scope != 3 && (of_the_vm(operation) || (first && scope == 2))) {
            continue;
        }
        struct two to = *from;
        for (int i = 0; i < 2; i++) {
            interval_map_set(state, (uint64_t)i * LINE, (uint64_t)(i + 1) * LINE, from->value[i]);
        }
        if (!step_two(search, to.world, operation, scope)) {
            fail_msg("on two lines, %d operations before the end: %s", length - 1,
                     operation_name[operation]);
        }
        for (int i = 0; i < 2; i++) {
            to.value[i] = interval_map_value(state, (uint64_t)i * LINE, &end);
        }
        sequences += length > 1 ? go_on_two(search, &to, length - 1, false) : 1;
    }
    return sequences;
}

static void two_lines_agree(void **state)
{
    (void)state;
    int length = all_cases() ? 4 : 3;
    struct search search;
    struct two two;
    search_begin(&search, &settings[0]);
    two_begin(&search, &two);
    uint64_t sequences = go_on_two(&search, &two, length, true);
    print_message("all %llu sequences of %d operations on two lines agree\n",
                  (unsigned long long)sequences, length);
    search_end(&search);
}

/* Long sequences: every setting, seeded. */
static void random_sequences_agree(void **state)
{
    (void)state;
    const int sequences = all_cases() ? 20000 : 400;
    uint64_t seed = 1;
    for (size_t k = 0; k < SETTINGS; k++) {
        struct search search;
        search_begin(&search, &settings[k]);
        for (int n = 0; n < sequences; n++) {
            struct two two;
            two_begin(&search, &two);
            interval_map_set(&search.oracle.state, 0, 2 * LINE, 0);
            for (int i = 0; i < 30; i++) {
                uint64_t draw = rng_mix64(seed++);
                enum line_operation operation = (enum line_operation)(draw % LINE_OPERATION_COUNT);
                if (!step_two(&search, two.world, operation, (unsigned)(draw >> 32) % 3 + 1)) {
                    print_setting(&settings[k]);
                    fail_msg("random sequence %d, at its operation %d: %s", n, i,
                             operation_name[operation]);
                }
            }
        }
        search_end(&search);
    }
    print_message("%zu random sequences of 30 operations on two lines agree\n",
                  SETTINGS * (size_t)sequences);
}

/* --- rules --- */

/* Whether a rule that is taken out makes the two differ, and on which sequence. */
static bool differ(const char *rule)
{
    for (int length = 3; length <= 5; length++) {
        for (size_t i = 0; i < SETTINGS; i++) {
            struct search search;
            search_begin(&search, &settings[i]);
            search_to(&search, length);
            bool found = search.wrong >= 0;
            if (found) {
                print_message("without %s: ", rule);
                print_wrong(&search);
            }
            search_end(&search);
            if (found) {
                return true;
            }
        }
    }
    return false;
}

static void each_rule_of_the_oracle_is_needed(void **state)
{
    (void)state;
    for (oracle_without = 0; oracle_without < ORACLE_RULE_COUNT; oracle_without++) {
        assert_true(differ(oracle_rule_name[oracle_without]));
    }
    print_message("each of the oracle's %d rules is needed\n", ORACLE_RULE_COUNT);
    oracle_without = -1;
}

static void each_rule_of_the_reference_is_needed(void **state)
{
    (void)state;
    for (line_without = 0; line_without < LINE_RULE_COUNT; line_without++) {
        assert_true(differ(line_rule_name[line_without]));
    }
    print_message("each of the reference's %d rules is needed\n", LINE_RULE_COUNT);
    line_without = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sequences_agree),
        cmocka_unit_test(two_lines_agree),
        cmocka_unit_test(random_sequences_agree),
        cmocka_unit_test(each_rule_of_the_oracle_is_needed),
        cmocka_unit_test(each_rule_of_the_reference_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
