#include "shadow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HAS(name) SHADOW_HAS(name)
#define VCPUS 16

int shadow_without = -1;
uint64_t shadow_code_changes = 1;

/* What may be so of a line. */
enum {
    DIRTY = 1, /* in data caches, and newer than memory */
    OLD_DIRTY = 2, /* in data caches, dirty, and older than memory */
    COPY = 4, /* in data caches */
    OLD_COPY = 8, /* older than memory */
    LOST = 16, /* the newest bytes are nowhere */
    UNCLEAN = 32, /* they have not reached the PoU */
    CODE = 64, /* in an I-cache */
};

struct line {
    uint8_t may[2]; /* by accesses alone; by speculation as well */
    uint8_t who, vcpu; /* who wrote last */
    uint32_t written; /* how often */
    uint32_t icache_era; /* CODE and newer[] are of this one */
    uint16_t newer[2]; /* the words of CODE that are old */
    uint16_t lags; /* the words of DIRTY or UNCLEAN that may be */
    uint64_t pc;
};

static struct line *lines;
static uint64_t *pages; /* when each was last fetched ahead: shadow_code_changes and `past` */
static uint64_t ram_base, ram_bytes;
static bool has_idc, has_dic;
static uint32_t icache_era;

struct pending {
    enum shadow_op op;
    uint64_t address;
    uint32_t written;
};

static struct {
    struct pending *ops;
    size_t count, room;
} queues[VCPUS];

static const char *const rule_name[] = {
#define SHADOW_RULE(name, rule) #name,
    SHADOW_RULES(SHADOW_RULE)
#undef SHADOW_RULE
};

bool shadow_leave_out(const char *name)
{
    for (int i = 0; i < SHADOW_RULE_COUNT; i++) {
        if (strcmp(rule_name[i], name) == 0) {
            shadow_without = i;
            return true;
        }
    }
    return false;
}

void shadow_caches(bool idc, bool dic)
{
    has_idc = idc;
    has_dic = dic;
}

bool shadow_init(uint64_t base, uint64_t bytes)
{
    lines = mmap(NULL, bytes / LINE_BYTES * sizeof *lines, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    pages = calloc(bytes / PAGE_BYTES, sizeof *pages);
    ram_base = base;
    ram_bytes = bytes;
    return lines != MAP_FAILED && pages;
}

bool shadow_holds(uint64_t address)
{
    return address - ram_base < ram_bytes;
}

static struct line *line_at(uint64_t address)
{
    struct line *line = &lines[(address - ram_base) / LINE_BYTES];
    if (line->icache_era != icache_era) {
        line->icache_era = icache_era;
        for (int ahead = 0; ahead < 2; ahead++) {
            line->may[ahead] &= (uint8_t)~CODE;
            line->newer[ahead] = 0;
        }
    }
    return line;
}

/* A bit for each instruction that bytes are part of. */
static uint16_t words(uint64_t address, uint64_t bytes)
{
    uint64_t first = address % LINE_BYTES / 4, last = (address % LINE_BYTES + bytes - 1) / 4;
    return (uint16_t)((UINT32_C(2) << last) - (UINT32_C(1) << first));
}

/* --- accesses --- */

static void write_through(uint8_t *may)
{
    *may &= (uint8_t) ~(OLD_DIRTY | OLD_COPY | LOST);
    *may |= (HAS(MEMORY_LAGS) ? DIRTY : 0) | (HAS(POU_LAGS) ? UNCLEAN : 0) | COPY;
}

static void write_past(uint8_t *may, bool ahead)
{
    bool copy = (*may & COPY) || (ahead && HAS(FILL));
    bool dirty = (*may & (DIRTY | OLD_DIRTY)) && HAS(WRITE_BACK);
    *may &= (uint8_t) ~(DIRTY | OLD_DIRTY | OLD_COPY | LOST | UNCLEAN);
    *may |= (copy && HAS(OLD_COPY) ? OLD_COPY : 0) | (dirty ? OLD_DIRTY | OLD_COPY : 0);
}

void shadow_write(uint64_t address, uint64_t bytes, bool past, struct shadow_writer writer)
{
    struct line *line = line_at(address);
    for (int ahead = 0; ahead < 2; ahead++) {
        uint8_t *may = &line->may[ahead];
        if ((*may & CODE) && HAS(OLD_CODE)) {
            line->newer[ahead] |= words(address, bytes);
        }
        if (past) {
            write_past(may, ahead);
        } else {
            write_through(may);
        }
        shadow_code_changes += *may & CODE ? 1 : 0;
    }
    line->lags = past ? 0 : line->lags | words(address, bytes);
    line->written++;
    line->pc = writer.pc;
    line->who = writer.who;
    line->vcpu = writer.vcpu;
}

/* The words that an access may get old which does not find them in an I-cache, and where. */
static uint16_t old_words(const struct line *line, int ahead, bool past, bool fetch,
                          enum shadow_where *where)
{
    uint8_t may = line->may[ahead];
    if (may & (past ? LOST | OLD_DIRTY : LOST | OLD_COPY)) {
        *where = may & LOST ? NOWHERE : past ? IN_MEMORY : IN_DATA_CACHE;
        return 0xffff;
    }
    *where = past ? IN_MEMORY : AT_POU;
    bool lags = past ? may & DIRTY : fetch && !has_idc && (may & UNCLEAN);
    return lags ? line->lags : 0;
}

static struct shadow_answer answer(const struct line *line, bool past, uint16_t fetched)
{
    struct shadow_answer answer = {.found = FOUND_NEW, .writer = {line->pc, line->who, line->vcpu}};
    uint16_t wanted = fetched ? fetched : 0xffff;
    for (int ahead = 1; ahead >= 0; ahead--) {
        enum shadow_where where;
        bool kept = !has_dic && (line->newer[ahead] & fetched);
        if ((old_words(line, ahead, past, fetched, &where) & wanted) || kept) {
            answer.found = ahead ? FOUND_OLD_AHEAD : FOUND_OLD;
            answer.where = kept ? IN_ICACHE : where;
        }
    }
    return answer;
}

struct shadow_answer shadow_read(uint64_t address, bool past)
{
    struct line *line = line_at(address);
    uint8_t both = line->may[0] & line->may[1], either = line->may[0] | line->may[1];
    if (!past && (both & COPY) && !(either & (LOST | OLD_COPY))) { /* most reads */
        return (struct shadow_answer){.found = FOUND_NEW};
    }
    struct shadow_answer found = answer(line, past, 0);
    for (int ahead = 0; ahead < 2 && !past && HAS(COPY); ahead++) {
        line->may[ahead] |= COPY;
    }
    return found;
}

/* What is there now comes into an I-cache: old, if that may be. */
static void keep_code(struct line *line, bool past, int ahead)
{
    enum shadow_where where;
    if (HAS(CODE)) {
        line->may[ahead] |= CODE;
        line->newer[ahead] |= old_words(line, ahead, past, true, &where);
    }
}

/* The whole page, by speculation. Again only where something has changed since: what changes a line
 * that an I-cache holds is counted. */
static void keep_page(uint64_t page, bool past)
{
    uint64_t now = shadow_code_changes * 2 + past;
    uint64_t *kept = &pages[(page - ram_base) / PAGE_BYTES];
    for (uint64_t at = page; at < page + PAGE_BYTES && *kept != now; at += LINE_BYTES) {
        keep_code(line_at(at), past, 1);
    }
    *kept = now;
}

struct shadow_answer shadow_fetch(uint64_t address, uint64_t bytes, bool past)
{
    struct line *line = line_at(address);
    struct shadow_answer found = answer(line, past, words(address, bytes));
    for (int ahead = 0; ahead < 2; ahead++) {
        line->may[ahead] |= !past && HAS(COPY) ? COPY : 0;
        keep_code(line, past, ahead);
    }
    if (HAS(CODE_AHEAD)) {
        keep_page(address & ~(PAGE_BYTES - 1), past);
    }
    return found;
}

/* --- maintenance --- */

static void clean(uint8_t *may)
{
    if (HAS(CLEAN)) {
        *may |= *may & OLD_DIRTY ? LOST : 0;
        *may &= (uint8_t) ~(DIRTY | OLD_DIRTY | UNCLEAN);
    }
}

static void drop(uint8_t *may)
{
    if (HAS(DROP)) {
        *may |= *may & (DIRTY | OLD_DIRTY) ? LOST : 0;
        *may &= (uint8_t) ~(COPY | OLD_COPY | OLD_DIRTY | DIRTY | UNCLEAN);
    }
}

static void maintain_line(struct line *line, enum shadow_op op)
{
    line->lags = (op == DO_CLEAN_POC || op == DO_CLEAN_DROP) && HAS(CLEAN) ? 0 : line->lags;
    for (int ahead = 0; ahead < 2; ahead++) {
        uint8_t *may = &line->may[ahead];
        switch (op) {
        case DO_CLEAN_POC:
            clean(may);
            break;
        case DO_CLEAN_POU:
            *may &= (uint8_t) ~(HAS(CLEAN_POU) ? UNCLEAN : 0);
            break;
        case DO_CLEAN_DROP:
            clean(may);
            drop(may);
            break;
        case DO_DROP:
            drop(may);
            break;
        case DO_ICACHE_LINE:
            *may &= (uint8_t) ~(HAS(ICACHE) ? CODE : 0);
            line->newer[ahead] &= HAS(ICACHE) ? 0 : 0xffff;
            break;
        case DO_ICACHE_ALL:
            break;
        }
    }
}

static void perform(const struct pending *next)
{
    shadow_code_changes++;
    if (next->op == DO_ICACHE_ALL) {
        icache_era += HAS(ICACHE) ? 1 : 0;
        return;
    }
    struct line *line = line_at(next->address);
    if (line->written == next->written) { /* what was written since, it may have missed */
        maintain_line(line, next->op);
    }
}

void shadow_maintain(unsigned vcpu, enum shadow_op op, uint64_t address)
{
    struct pending next = {op, address, op == DO_ICACHE_ALL ? 0 : line_at(address)->written};
    if (!HAS(DSB)) {
        perform(&next);
        return;
    }
    if (queues[vcpu].count == queues[vcpu].room) {
        queues[vcpu].room = queues[vcpu].room ? 2 * queues[vcpu].room : 1024;
        queues[vcpu].ops = realloc(queues[vcpu].ops, queues[vcpu].room * sizeof *queues[vcpu].ops);
        if (!queues[vcpu].ops) {
            abort();
        }
    }
    queues[vcpu].ops[queues[vcpu].count++] = next;
}

void shadow_dsb(unsigned vcpu)
{
    for (size_t i = 0; i < queues[vcpu].count; i++) {
        perform(&queues[vcpu].ops[i]);
    }
    queues[vcpu].count = 0;
}
