#include "study/advise_bound.h"

#include "core/units.h"
#include "study/policy_space.h"

#include <math.h>

static bool is_line(enum event_kind kind)
{
    return kind == EV_line_absent || kind == EV_line_clean || kind == EV_line_dirty;
}

static bool is_lines(enum event_kind kind)
{
    return is_line(kind) || kind == EV_cmo_calls || kind == EV_range_cmo_calls ||
           kind == EV_range_cmo_kib;
}

static bool is_tlbi(enum event_kind kind)
{
    return kind == EV_tlbi_calls || kind == EV_tlbi_local || kind == EV_tlbi_range ||
           kind == EV_tlbi_vmid || kind == EV_hyp_calls;
}

/* What an event may be spared with; ADVISE_SPARES: it is in none. */
static enum advise_spare spare_of(enum site site, enum event_kind kind)
{
    if (kind == EV_ic_ialluis || kind == EV_icache_lines) {
        return site == SITE_REINIT || site == SITE_FLUSH ? SPARE_ICACHE : ADVISE_SPARES;
    }
    switch (site) {
    case SITE_FLUSH:
        return SPARE_FLUSH;
    case SITE_TOGGLE:
        return SPARE_TOGGLE;
    case SITE_REINIT:
        return is_lines(kind) ? SPARE_REINIT_CLEANS : is_tlbi(kind) ? SPARE_TLBI : ADVISE_SPARES;
    case SITE_NOTIFIER:
    case SITE_SLOT:
        return is_lines(kind) ? SPARE_NOTIFIER_CLEANS : ADVISE_SPARES;
    case SITE_FAULT:
        return is_lines(kind) ? SPARE_FAULT_CLEANS : ADVISE_SPARES;
    case SITE_GUEST:
    case SITE_SETWAY:
    case SITE_VMM:
    case SITES:
        break;
    }
    return ADVISE_SPARES;
}

/* By how much the lines that a count cleans would cost less if they were absent. */
static double over_absent_ns(const struct trial *trial, const struct event_count *count)
{
    ps_t price = trial->price[count->kind], absent = trial->price[EV_line_absent];
    bool more = is_line(count->kind) && price > absent;
    return more ? (double)count->n * (double)(price - absent) / (double)PS_PER_NS : 0;
}

struct advise_spares advise_spares_of(const struct trial *trial)
{
    struct advise_spares spares = {{0}};
    double lines[ADVISE_SPARES] = {0}, misses = 0, miss_ns = 0;
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_count *count = &trial->counts[i];
        enum advise_spare spare = spare_of(count->site, count->kind);
        double n = (double)count->n;
        if (count->kind == EV_guest_misses || count->kind == EV_guest_remote) {
            misses += n;
            miss_ns = fmax(miss_ns, (double)trial->price[count->kind] / (double)PS_PER_NS);
        }
        spares.ns[SPARE_STATES] += over_absent_ns(trial, count);
        if (spare < ADVISE_SPARES) {
            spares.ns[spare] += n * (double)trial->price[count->kind] / (double)PS_PER_NS;
            lines[spare] += is_line(count->kind) ? n : 0;
        }
    }
    for (int site = 0; site < SITES; site++) {
        enum advise_spare spare = spare_of((enum site)site, EV_line_absent);
        if (spare < ADVISE_SPARES) {
            lines[spare] += (double)trial->cleaned_before[site];
        }
    }
    /* The guest misses a line that was dropped once. */
    for (int spare = 0; spare < ADVISE_SPARES; spare++) {
        spares.ns[spare] += fmin(lines[spare], misses) * miss_ns;
    }
    return spares;
}

double advise_cheaper_by(const struct strategy *strategy, const struct advise_spares *spares,
                         const struct strategy *other)
{
    const bool spared[ADVISE_SPARES] = {
        [SPARE_REINIT_CLEANS] = strategy->reinit_unmap_cleans && !other->reinit_unmap_cleans,
        [SPARE_NOTIFIER_CLEANS] = strategy->notifier_unmap_cleans && !other->notifier_unmap_cleans,
        [SPARE_FAULT_CLEANS] = strategy->fault_cleans && !other->fault_cleans,
        [SPARE_TOGGLE] = !policy_toggles_all_of(other, strategy),
        [SPARE_ICACHE] = strategy->reinit_icache && !other->reinit_icache,
        [SPARE_TLBI] = strategy->reinit_tlbi != other->reinit_tlbi,
        [SPARE_FLUSH] = !policy_flushes_all_of(other, strategy),
        [SPARE_STATES] = (other->fault_cleans && !strategy->fault_cleans) ||
                         (other->notifier_unmap_cleans && !strategy->notifier_unmap_cleans) ||
                         !policy_toggles_all_of(strategy, other) ||
                         (other->workers > 1 && !policy_flushes_all_of(strategy, other))};
    double sum = 0;
    if (strategy->reinit_unmap != other->reinit_unmap || strategy->flush_by != other->flush_by ||
        strategy->recreate != other->recreate || strategy->chunk != other->chunk ||
        strategy->fwb != other->fwb) {
        return INFINITY;
    }
    for (int spare = 0; spare < ADVISE_SPARES; spare++) {
        sum += spared[spare] ? spares->ns[spare] : 0;
    }
    return sum;
}

static double events_ns(const struct trial *trial, const ps_t price[EVENT_KINDS])
{
    double sum = 0;
    for (size_t i = 0; i < trial->count; i++) {
        sum += (double)trial->counts[i].n * (double)price[trial->counts[i].kind];
    }
    return sum / (double)PS_PER_NS;
}

double advise_events_over(const struct trial *one, const struct trial *other,
                          const ps_t price[EVENT_KINDS])
{
    return events_ns(one, price) - events_ns(other, price);
}
