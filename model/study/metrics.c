#include "study/metrics.h"

#include "core/error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const metric_name[METRICS] = {
#define METRIC_NAME(name, unit, kind, value, help) #name,
    METRIC_TABLE(METRIC_NAME)
#undef METRIC_NAME
};

const char *const metric_unit[METRICS] = {
#define METRIC_UNIT(name, unit, kind, value, help) unit,
    METRIC_TABLE(METRIC_UNIT)
#undef METRIC_UNIT
};

const char *const metric_help[METRICS] = {
#define METRIC_HELP(name, unit, kind, value, help) help,
    METRIC_TABLE(METRIC_HELP)
#undef METRIC_HELP
};

static const enum metric_kind {
    METRIC_TIME,
    METRIC_ADDED,
    METRIC_PART,
    METRIC_TAIL,
    METRIC_COUNT
} metric_kind[METRICS] = {
#define METRIC_KIND(name, unit, kind, value, help) METRIC_##kind,
    METRIC_TABLE(METRIC_KIND)
#undef METRIC_KIND
};

/* --- names --- */

static bool select_one(const char *name, bool wanted[METRICS], const struct source_location *at,
                       struct error *err)
{
    bool known = false, parts = strcmp(name, "parts") == 0;
    char in_ns[80]; /* a time may be named without its unit */
    snprintf(in_ns, sizeof in_ns, "%.70s_ns", name);
    for (int i = 0; i < METRICS; i++) {
        bool named = strcmp(metric_name[i], name) == 0 || strcmp(metric_name[i], in_ns) == 0 ||
                     (parts && metric_kind[i] == METRIC_PART);
        wanted[i] |= named;
        known |= named;
    }
    if (known) {
        return true;
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, in_ns, metric_name, METRICS);
    return error_input(err, at, "no metric '%.80s'%s", name,
                       hint[0] ? hint : ", expected one of `s2flush list metrics`");
}

bool metric_select(const char *list, bool wanted[METRICS], const struct source_location *at,
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

bool metric_one(const char *text, const struct source_location *at, enum metric *metric,
                struct error *err)
{
    bool wanted[METRICS];
    if (strchr(text, ',') || text[0] == '\0') {
        return error_input(err, at, "found '%.80s', expected one metric", text);
    }
    if (!metric_select(text, wanted, at, err)) {
        return false;
    }
    for (int i = 0; i < METRICS; i++) {
        *metric = wanted[i] ? (enum metric)i : *metric;
    }
    return !metric_is_count(*metric) ||
           error_input(err, at, "%s is no time: it is the same whatever things cost", text);
}

/* --- values --- */

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

static double events_in_window(const struct trial *played, enum event_sum sum)
{
    uint64_t total = 0;
    for (size_t i = 0; i < played->count; i++) {
        const struct event_count *count = &played->counts[i];
        total = event_sum[count->kind] == sum ? u64_add(total, count->n, "event count") : total;
    }
    return (double)total;
}

/* What the values of METRIC_TABLE are written in. */
#define NS(time) ns_between(times->time, 0)
#define IF_EVER_NS(time) (times->time == UINT64_MAX ? (double)NAN : NS(time))
#define LESS_IDEAL_NS(time) ns_between(times->time, ideal->time)
#define EVENTS(sum) events_in_window(played, SUM_##sum)
#define LEAVES(level) ((double)played->leaves[LEAF_##level])

double metric_value(enum metric metric, const struct trial *played, const struct times *times,
                    const struct times *ideal)
{
    switch (metric) {
#define METRIC_VALUE(name, unit, kind, value, help) \
    case METRIC_##name:                             \
        return value;
        METRIC_TABLE(METRIC_VALUE)
#undef METRIC_VALUE
    case METRICS:
        break;
    }
    return NAN;
}

bool metric_known(enum metric metric, const struct trial *played, const struct times *times)
{
    return metric_kind[metric] != METRIC_TAIL ||
           (times->has_tail && !isnan(metric_value(metric, played, times, times)));
}

bool metric_needs_ideal(enum metric metric)
{
    return metric_kind[metric] == METRIC_ADDED || metric_kind[metric] == METRIC_PART;
}

bool metric_is_tail(enum metric metric)
{
    return metric_kind[metric] == METRIC_TAIL;
}

bool metric_is_count(enum metric metric)
{
    return metric_kind[metric] == METRIC_COUNT;
}

enum unit metric_quantity(enum metric metric)
{
    return strcmp(metric_unit[metric], "ns") == 0      ? UNIT_NS
           : strcmp(metric_unit[metric], "bytes") == 0 ? UNIT_BYTES
                                                       : UNIT_NONE;
}
