#include "machine/price.h"

#include "core/invariant.h"

#include <math.h>

/* What the formulas of EVENT_TABLE are written in. */
#define FREE 0.0
#define COST(name) value[COST_##name]
#define PATH path_ns
#define CLOCK_GHZ platform->clock_ghz
/* 1 GB/s is one byte per nanosecond. */
#define KIB_AT(name) ((double)KIB / COST(name))
/* How far the model may be off. */
#define FACTOR_exact 1.0
#define FACTOR_path COST(path_misfit)
#define FACTOR_lines COST(lines_misfit)
#define FACTOR_tlbi COST(tlbi_misfit)
#define FACTOR_wait COST(wait_misfit)
#define FACTOR_access COST(access_misfit)
#define WITHOUT_DIC(ns) (platform->dic ? 0 : (ns))

void price_events_ns(const struct platform *platform, const double value[COSTS],
                     const double insns[EVENT_KINDS], double price[EVENT_KINDS])
{
    const double insn_ns = COST(kernel_cpi) / CLOCK_GHZ;
    double path_ns;
#define EVENT_PRICE(name, title, unit, part, sum, misfit, ns) \
    path_ns = insns[EV_##name] * insn_ns;                     \
    price[EV_##name] = FACTOR_##misfit * (ns);
    EVENT_TABLE(EVENT_PRICE)
#undef EVENT_PRICE
    (void)path_ns;
}

void price_events(const struct platform *platform, const double value[COSTS],
                  const double insns[EVENT_KINDS], ps_t price[EVENT_KINDS])
{
    double ns[EVENT_KINDS];
    price_events_ns(platform, value, insns, ns);
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        INVARIANT(!isnan(ns[kind]), "%s is priced by a path without a length", event_name[kind]);
        price[kind] = (ps_t)llround(ns[kind] * (double)PS_PER_NS);
    }
}

double price_cmo_path_ns(const double value[COSTS], uint64_t lines)
{
    return (double)lines * COST(cmo_path_ns) * COST(lines_misfit);
}

double price_writeback_ns(const double value[COSTS], uint64_t bytes)
{
    return (double)bytes / COST(writeback_gbps) * COST(lines_misfit);
}

double price_zero_path_ns(const double value[COSTS], uint64_t bytes)
{
    return (double)bytes / COST(zero_path_gbps) * COST(access_misfit);
}

ps_t price_tlbi_path(const double value[COSTS], ps_t alone_ps)
{
    return (ps_t)llround((double)alone_ps * COST(tlbi_path_ratio));
}

double price_cmo_weight(const double value[COSTS], uint64_t lines, uint64_t writeback_bytes,
                        ps_t alone_ps)
{
    if (alone_ps == 0) {
        return 0;
    }
    double lines_ns = price_cmo_path_ns(value, lines);
    double writeback_ns = price_writeback_ns(value, writeback_bytes);
    return fmax(lines_ns, writeback_ns) * (double)PS_PER_NS / (double)alone_ps;
}

double price_zero_weight(const double value[COSTS], uint64_t bytes, ps_t alone_ps)
{
    if (alone_ps == 0) {
        return 0;
    }
    return price_zero_path_ns(value, bytes) * (double)PS_PER_NS / (double)alone_ps;
}
