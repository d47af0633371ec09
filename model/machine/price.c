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
#define WITHOUT_DIC(ns) (platform->dic ? 0 : (ns))

void price_events_ns(const struct platform *platform, const double value[COSTS],
                     const double insns[EVENT_KINDS], double price[EVENT_KINDS])
{
    const double insn_ns = COST(kernel_cpi) / CLOCK_GHZ;
    double path_ns;
#define EVENT_PRICE(name, title, unit, part, sum, ns) \
    path_ns = insns[EV_##name] * insn_ns;             \
    price[EV_##name] = ns;
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

double price_cmo_weight(const double value[COSTS], uint64_t lines, uint64_t writeback_bytes,
                        ps_t alone_ps)
{
    if (alone_ps == 0) {
        return 0;
    }
    double lines_ns = (double)lines * value[COST_cmo_path_ns];
    double writeback_ns = (double)writeback_bytes / value[COST_writeback_gbps];
    return fmax(lines_ns, writeback_ns) * (double)PS_PER_NS / (double)alone_ps;
}

double price_zero_weight(const double value[COSTS], uint64_t bytes, ps_t alone_ps)
{
    if (alone_ps == 0) {
        return 0;
    }
    return (double)bytes / value[COST_zero_path_gbps] * (double)PS_PER_NS / (double)alone_ps;
}
