/* Where the time of an explained run's window goes. */
#include "core/alloc.h"
#include "report/explain_parts.h"
#include "report/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHAT_BYTES 128
#define KINDS_SHOWN 10 /* of the kinds, unless all are asked for */
#define SMALL_SHARE 0.001 /* parts below it stand in one line, unless all are asked for */

/* A part of the window. */
struct share {
    const char *name;
    char what[WHAT_BYTES]; /* what it is spent on, with how many there are */
    ps_t here, ideal;
    double added_ps;
};

/* --- what a part is spent on --- */

/* "45,915 TLB invalidations" */
static void put_count(char what[WHAT_BYTES], uint64_t count, const char *one, const char *more)
{
    char digits[32], text[48];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, count), used = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
    snprintf(what, WHAT_BYTES, "%s %s", text, count == 1 ? one : more);
}

static uint64_t count_of(const struct trial *played, enum event_kind kind)
{
    uint64_t sum = 0;
    for (int site = 0; site < SITES; site++) {
        sum = u64_add(sum, trial_count(played, (enum site)site, kind), "event count");
    }
    return sum;
}

static void put_bytes(char what[WHAT_BYTES], const char *verb, uint64_t bytes, const char *when)
{
    char size[32];
    snprintf(what, WHAT_BYTES, "%s %s %s", verb, unit_format_bytes(bytes, size, sizeof size), when);
}

/* "63 flushes of 2 GiB at MMU-on" */
static void put_flushes(char what[WHAT_BYTES], const struct trial *played, const enum site *sites,
                        size_t site_count, const char *when)
{
    uint64_t calls = 0, bytes = 0;
    char size[32];
    for (size_t i = 0; i < site_count; i++) {
        calls += trial_count(played, sites[i], EV_flush_vm_calls);
        bytes += trial_count(played, sites[i], EV_flush_bytes);
    }
    unit_format_bytes(calls > 0 ? bytes / calls : 0, size, sizeof size);
    snprintf(what, WHAT_BYTES, "%" PRIu64 " %s of %s%s %s", calls, calls == 1 ? "flush" : "flushes",
             size, calls == 1 ? "" : " on average", when);
}

static void put_what(char what[WHAT_BYTES], const struct trial *played, enum part_id part)
{
    static const enum site toggle[] = {SITE_TOGGLE, SITE_SETWAY}, flush[] = {SITE_FLUSH};
    uint64_t faults = trial_count(played, SITE_FAULT, EV_exits);
    switch (part) {
    case PART_lines_unmap:
        put_bytes(what, "cleaning", count_of(played, EV_unmap_bytes), "as it is unmapped");
        return;
    case PART_lines_fault:
        put_bytes(what, "cleaning", count_of(played, EV_map_bytes), "as faults map it");
        return;
    case PART_lines_flush:
        put_flushes(what, played, flush, 1, "by the strategy");
        return;
    case PART_lines_toggle:
        put_flushes(what, played, toggle, 2,
                    trial_count(played, SITE_SETWAY, EV_flush_vm_calls) > 0
                        ? "at MMU-on or for set/way operations"
                        : "at MMU-on");
        return;
    case PART_tlbi:
        put_count(what,
                  count_of(played, EV_tlbi_calls) + count_of(played, EV_tlbi_local) +
                      count_of(played, EV_tlbi_range) + count_of(played, EV_tlbi_vmid),
                  "TLB invalidation", "TLB invalidations");
        return;
    case PART_fault_path:
        put_count(what, faults, "stage-2 fault", "stage-2 faults");
        return;
    case PART_unmap_path:
        put_count(what, count_of(played, EV_unmap_leaves), "unmapped leaf", "unmapped leaves");
        return;
    case PART_flush_path:
        put_count(what, count_of(played, EV_flush_leaves), "flushed leaf", "flushed leaves");
        return;
    case PART_icache:
        put_count(what, count_of(played, EV_ic_ialluis) + count_of(played, EV_icache_lines),
                  "I-cache invalidation", "I-cache invalidations");
        return;
    case PART_refetch:
        put_count(what, count_of(played, EV_guest_misses) + count_of(played, EV_guest_remote),
                  "line that the guest fetches from memory",
                  "lines that the guest fetches from memory");
        return;
    case PART_uncached:
        put_count(what, count_of(played, EV_uncached), "guest access past the caches",
                  "guest accesses past the caches");
        return;
    case PART_traps:
        put_count(what, count_of(played, EV_toggle_traps) + count_of(played, EV_setway_traps),
                  "trapped register write or set/way operation",
                  "trapped register writes and set/way operations");
        return;
    case PART_walks:
        put_count(what, count_of(played, EV_walk_reads), "table read of the hardware walker",
                  "table reads of the hardware walker");
        return;
    case PART_other:
        snprintf(what, WHAT_BYTES, "the guest's own work, what the VMM writes");
        return;
    case PARTS:
    case PART_BY_SITE_LINES:
    case PART_BY_SITE_WALK:
        break;
    }
    what[0] = '\0';
}

/* --- parts --- */

static int by_added(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    return x->added_ps != y->added_ps ? (x->added_ps < y->added_ps) - (x->added_ps > y->added_ps)
                                      : strcmp(x->name, y->name);
}

/* Most added first; returns how many. */
static size_t find_shares(const struct account *account, struct share shares[PARTS])
{
    size_t count = 0;
    for (int part = 0; part < PARTS; part++) {
        ps_t here = account->times[0].part[part], ideal = account->times[1].part[part];
        if (here > 0 || ideal > 0) {
            struct share *share = &shares[count++];
            *share = (struct share){.name = part_name[part],
                                    .here = here,
                                    .ideal = ideal,
                                    .added_ps = (double)here - (double)ideal};
            put_what(share->what, &account->played[0], (enum part_id)part);
        }
    }
    qsort(shares, count, sizeof *shares, by_added);
    return count;
}

static void write_share(const struct account *account, const struct share *share)
{
    char own[EXPLAIN_TIME_BYTES], yard[EXPLAIN_TIME_BYTES], more[EXPLAIN_TIME_BYTES + 1];
    bool less = share->here < share->ideal;
    explain_us(less ? share->ideal - share->here : share->here - share->ideal, more + 1);
    more[0] = less ? '-' : ' ';
    fprintf(account->out, "  %-12s %16s %16s %17s%s%s\n", share->name, explain_us(share->here, own),
            explain_us(share->ideal, yard), more, share->what[0] ? "  " : "", share->what);
}

static void add_share(struct share *sum, const struct share *share)
{
    sum->here = u64_add(sum->here, share->here, "simulated time");
    sum->ideal = u64_add(sum->ideal, share->ideal, "simulated time");
    sum->added_ps += share->added_ps;
}

static void write_parts(const struct account *account, const struct share *shares, size_t count)
{
    struct share all = {.name = "all parts"}, small = {.name = "..."};
    const struct times *times = account->times;
    size_t hidden = 0;
    double changed_ps = 0;
    for (size_t i = 0; i < count; i++) {
        changed_ps += fabs(shares[i].added_ps);
        add_share(&all, &shares[i]);
    }
    const char *window = account->sim->reinit_ps == UINT64_MAX
                             ? "the whole run, which has no re-init"
                         : account->timeline->window ? "from the operation `window` to the end"
                                                     : "from the first re-init call to the end";
    fprintf(account->out, "\nWindow: %s\n  %-12s %16s %16s %17s\n", window, "part", "time [us]",
            "yardstick [us]", "added [us]");
    for (size_t i = 0; i < count; i++) {
        if (account->full || changed_ps <= 0 ||
            fabs(shares[i].added_ps) > SMALL_SHARE * changed_ps) {
            write_share(account, &shares[i]);
        } else {
            add_share(&small, &shares[i]);
            hidden++;
        }
    }
    if (hidden > 0) {
        snprintf(small.what, sizeof small.what, "%zu parts of which little or nothing is added",
                 hidden);
        write_share(account, &small);
    }
    write_share(account, &all);
    write_share(account, &(struct share){"window", "", times[0].window_ps, times[1].window_ps, 0});
    if (all.here != times->window_ps) {
        fprintf(account->out, "  Parts are busy times of all actors; waiting, idling and what went "
                              "on side by side\n  make the difference to the window.\n");
    }
}

/* --- the sentence --- */

static void write_sentence(const struct account *account, const struct share *shares, size_t count)
{
    char all[QUANTITY_TEXT], part[QUANTITY_TEXT], busy[QUANTITY_TEXT];
    const struct times *times = account->times;
    double window_ps = (double)times[0].window_ps - (double)times[1].window_ps, busy_ps = 0;
    for (size_t i = 0; i < count; i++) {
        busy_ps += shares[i].added_ps;
    }
    if (window_ps <= 0 || count == 0) {
        fprintf(account->out, "Nothing is added to the yardstick, which cleans nothing.\n");
        return;
    }
    double waits_ps = window_ps - busy_ps;
    const struct share *first = &shares[0];
    quantity_value(window_ps / (double)PS_PER_NS, UNIT_NS, all);
    quantity_value(busy_ps / (double)PS_PER_NS, UNIT_NS, busy);
    fprintf(account->out, "%s is added to the window of the yardstick, which cleans nothing.\n",
            all);
    if (waits_ps > first->added_ps) {
        quantity_value(waits_ps / (double)PS_PER_NS, UNIT_NS, part);
        fprintf(account->out, "Most of it, %s, is waiting.\n", part);
        return;
    }
    quantity_value(first->added_ps / (double)PS_PER_NS, UNIT_NS, part);
    bool overlap = busy_ps > window_ps * (1 + SMALL_SHARE);
    bool less = first->added_ps > busy_ps; /* other parts save something */
    fprintf(account->out, "%s goes to %s: %s%s%s%s.\n",
            first->added_ps > busy_ps / 2 ? "Most" : "The largest part", first->what, part,
            less ? "" : " of ",
            less      ? ""
            : overlap ? busy
                      : all,
            overlap && !less ? " that actors are busy for it" : "");
}

/* --- kinds --- */

struct kind_sum {
    enum site site;
    enum event_kind kind;
    uint64_t count;
    ps_t time, ideal;
};

static int by_time(const void *a, const void *b)
{
    const struct kind_sum *x = a, *y = b;
    double more = ((double)y->time - (double)y->ideal) - ((double)x->time - (double)x->ideal);
    return more != 0            ? (more > 0) - (more < 0)
           : x->site != y->site ? (x->site > y->site) - (x->site < y->site)
                                : (x->kind > y->kind) - (x->kind < y->kind);
}

static void write_kinds(const struct account *account)
{
    const struct trial *played = &account->played[0];
    const ps_t *price = account->sim->price;
    struct kind_sum *sums =
        alloc_checked(calloc(played->count + 1, sizeof *sums), "a table of kinds");
    size_t count = 0;
    for (size_t i = 0; i < played->count; i++) {
        const struct event_count *one = &played->counts[i];
        if (price[one->kind] > 0) {
            uint64_t ideal = trial_count(&account->played[1], one->site, one->kind);
            sums[count++] = (struct kind_sum){one->site, one->kind, one->n,
                                              one->n * price[one->kind], ideal * price[one->kind]};
        }
    }
    qsort(sums, count, sizeof *sums, by_time);
    size_t shown = account->full || count < KINDS_SHOWN ? count : KINDS_SHOWN;
    fprintf(account->out,
            "\nCharged in the window, what is added most first\n"
            "  %-20s %-15s %15s %12s %16s\n",
            "where", "kind", "count", "each [ns]", "time [us]");
    for (size_t i = 0; i < shown; i++) {
        char time[EXPLAIN_TIME_BYTES];
        ps_t each = price[sums[i].kind];
        fprintf(account->out, "  %-20s %-15s %15" PRIu64 " %8" PRIu64 ".%03" PRIu64 " %16s  %s\n",
                site_title[sums[i].site], event_name[sums[i].kind], sums[i].count, each / PS_PER_NS,
                each % PS_PER_NS, explain_us(sums[i].time, time), event_title[sums[i].kind]);
    }
    if (shown < count) {
        fprintf(account->out, "  and %zu more: --full has all, by phase and actor\n",
                count - shown);
    }
    free(sums);
}

void explain_window(const struct account *account)
{
    struct share shares[PARTS];
    size_t count = find_shares(account, shares);
    write_sentence(account, shares, count);
    write_parts(account, shares, count);
    write_kinds(account);
}
