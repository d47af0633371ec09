#include "study/metrics.h"

#include <stdio.h>
#include <string.h>

const char *const metric_name[METRICS] = {
#define METRIC_NAME(name, unit, kind, help) #name,
    METRIC_TABLE(METRIC_NAME)
#undef METRIC_NAME
};

const char *const metric_unit[METRICS] = {
#define METRIC_UNIT(name, unit, kind, help) unit,
    METRIC_TABLE(METRIC_UNIT)
#undef METRIC_UNIT
};

const char *const metric_help[METRICS] = {
#define METRIC_HELP(name, unit, kind, help) help,
    METRIC_TABLE(METRIC_HELP)
#undef METRIC_HELP
};

enum metric_kind { METRIC_IS_TIME, METRIC_IS_PART, METRIC_IS_COUNT };

static const enum metric_kind metric_kind[METRICS] = {
#define METRIC_KIND(name, unit, kind, help) METRIC_IS_##kind,
    METRIC_TABLE(METRIC_KIND)
#undef METRIC_KIND
};

#define FIRST_PART METRIC_part_lines_unmap_ns
_Static_assert((int)FIRST_PART + (int)PARTS == (int)METRIC_window_ns, "a metric for every part");

static bool select_one(const char *name, bool wanted[METRICS], const struct place *at,
                       struct error *err)
{
    bool known = false, parts = strcmp(name, "parts") == 0;
    for (int i = 0; i < METRICS; i++) {
        bool named =
            strcmp(metric_name[i], name) == 0 || (parts && metric_kind[i] == METRIC_IS_PART);
        wanted[i] |= named;
        known |= named;
    }
    if (known) {
        return true;
    }
    char hint[256] = "";
    suggest(hint, sizeof hint, name, metric_name, METRICS);
    return error_input(err, at, "no metric '%.80s'%s", name,
                       hint[0] ? hint : ", expected one of `s2flush list metrics`");
}

bool metric_select(const char *list, bool wanted[METRICS], const struct place *at,
                   struct error *err)
{
    static const char blanks[] = ", \t";
    bool all = list[strspn(list, blanks)] == '\0';
    for (int i = 0; i < METRICS; i++) {
        wanted[i] = all;
    }
    for (const char *word = list + strspn(list, blanks); *word;) {
        char name[64];
        size_t length = strcspn(word, blanks);
        snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), word);
        if (!select_one(name, wanted, at, err)) {
            return false;
        }
        word += length;
        word += strspn(word, blanks);
    }
    return true;
}

bool metric_one(const char *text, const struct place *at, enum metric *metric, struct error *err)
{
    bool wanted[METRICS] = {false};
    char name[80];
    struct error unused;
    snprintf(name, sizeof name, "%.70s_ns", text);
    if (strchr(text, ',') || text[0] == '\0') {
        return error_input(err, at, "found '%.80s', expected one metric", text);
    }
    if (!metric_select(name, wanted, at, &unused) && !metric_select(text, wanted, at, err)) {
        return false;
    }
    for (int i = 0; i < METRICS; i++) {
        *metric = wanted[i] ? (enum metric)i : *metric;
    }
    return !metric_is_count(*metric) ||
           error_input(err, at, "%s is no time: it is the same whatever things cost", text);
}

bool metric_is_count(enum metric metric)
{
    return metric_kind[metric] == METRIC_IS_COUNT;
}

bool metric_known(enum metric metric, const struct times *times)
{
    if (metric >= METRIC_pause_ns && metric <= METRIC_stall_max_ns) {
        return times->replayed;
    }
    return metric != METRIC_first_insn_ns ||
           (times->replayed && times->first_insn_ps != UINT64_MAX);
}

/* Times use all 64 bits, so their difference needs one more. */
__extension__ typedef __int128 ps_difference;

/* Exact as long as a double holds the difference: up to two hours. */
static double ns_between(ps_t time, ps_t less)
{
    return (double)((ps_difference)time - (ps_difference)less) / (double)PS_PER_NS;
}

static double waits_ns(const struct times *times, const struct times *ideal)
{
    ps_difference rest = (ps_difference)times->window_ps - (ps_difference)ideal->window_ps;
    for (int part = 0; part < PARTS; part++) {
        rest -= (ps_difference)times->part[part] - (ps_difference)ideal->part[part];
    }
    return (double)rest / (double)PS_PER_NS;
}

/* A time that is not one of the parts. */
static double time_value(enum metric metric, const struct times *times, const struct times *ideal)
{
    switch (metric) {
    case METRIC_added_boot_ns:
        return ns_between(times->window_ps, ideal->window_ps);
    case METRIC_window_ns:
        return ns_between(times->window_ps, 0);
    case METRIC_cpu_ns:
        return ns_between(times->cpu_ps, 0);
    case METRIC_pause_ns:
        return ns_between(times->tail.pause_ps, 0);
    case METRIC_stall_p50_ns:
        return ns_between(times->tail.stall_p50_ps, 0);
    case METRIC_stall_p99_ns:
        return ns_between(times->tail.stall_p99_ps, 0);
    case METRIC_stall_max_ns:
        return ns_between(times->tail.stall_max_ps, 0);
    default:
        return ns_between(times->first_insn_ps, 0);
    }
}

static uint64_t in_window(const struct trial *played, enum event_kind first, enum event_kind last)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TRIAL_CELLS; i++) {
        bool inside = i % EVENT_KINDS >= first && i % EVENT_KINDS <= last;
        sum = inside ? add_checked(sum, played->window[i], "event count") : sum;
    }
    return sum;
}

static uint64_t count_value(enum metric metric, const struct trial *played)
{
    switch (metric) {
    case METRIC_writeback_bytes:
        return in_window(played, EV_writeback_bytes, EV_writeback_bytes);
    case METRIC_lines:
        return in_window(played, EV_line_absent, EV_line_dirty);
    case METRIC_tlbi:
        return in_window(played, EV_tlbi_calls, EV_tlbi_local) +
               in_window(played, EV_tlbi_range, EV_tlbi_vmid);
    case METRIC_faults:
        return in_window(played, EV_data_tr_w, EV_code_faults);
    default:
        return played->leaves[metric - METRIC_leaves_4k];
    }
}

double metric_value(enum metric metric, const struct trial *played, const struct times *times,
                    const struct times *ideal)
{
    if (metric_is_count(metric)) {
        return (double)count_value(metric, played);
    }
    if (metric == METRIC_part_waits_ns) {
        return waits_ns(times, ideal);
    }
    if (metric_kind[metric] == METRIC_IS_PART) {
        int part = (int)metric - (int)FIRST_PART;
        return ns_between(times->part[part], ideal->part[part]);
    }
    return time_value(metric, times, ideal);
}
