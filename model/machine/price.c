#include "machine/price.h"

#include <math.h>
#include <string.h>

static ps_t whole_ps(double ns)
{
    return (ps_t)llround(ns * (double)PS_PER_NS);
}

/* 1 GB/s is one byte per nanosecond. */
static double kib_ns(double gbps)
{
    return (double)KIB / gbps;
}

static void price_hardware(const struct platform *platform, const double value[COSTS],
                           uint64_t answering_cores, double ns[EVENT_KINDS])
{
    double further = answering_cores > 1 ? (double)(answering_cores - 1) : 0;
    double clean_ns = value[COST_dc_absent_ns] * value[COST_dc_clean_ratio];
    ns[EV_exits] = value[COST_exit_ns];
    ns[EV_toggle_traps] = value[COST_exit_ns];
    ns[EV_setway_traps] = value[COST_exit_ns];
    ns[EV_hyp_calls] = value[COST_hvc_ns];
    ns[EV_line_absent] = value[COST_dc_absent_ns];
    ns[EV_line_clean] = clean_ns;
    ns[EV_line_dirty] = clean_ns * value[COST_dc_dirty_ratio];
    ns[EV_cmo_calls] = value[COST_dsb_ns];
    ns[EV_icache_lines] = value[COST_ic_line_ns];
    ns[EV_ic_ialluis] = platform->dic ? 0 : value[COST_ic_all_ns];
    ns[EV_tlbi_calls] = value[COST_tlbi_ns] + further * value[COST_tlbi_core_ns];
    ns[EV_tlbi_vmid] = ns[EV_tlbi_calls];
    ns[EV_tlbi_range] = value[COST_tlbi_range_ns] + further * value[COST_tlbi_core_ns];
    ns[EV_tlbi_local] = value[COST_tlbi_local_ns];
    ns[EV_walk_reads] = value[COST_walk_read_ns];
    ns[EV_guest_misses] = value[COST_memory_ns] / value[COST_overlap];
    ns[EV_uncached] = value[COST_uncached_ns];
    ns[EV_zero_bytes] = kib_ns(value[COST_zero_gbps]);
    ns[EV_vmm_bytes] = kib_ns(value[COST_copy_gbps]);
    ns[EV_guest_insns] = value[COST_guest_cpi] / platform->clock_ghz;
    ns[EV_lock_handovers] = value[COST_lock_handover_ns];
    ns[EV_lock_updates] = value[COST_line_move_ns];
    ns[EV_line_moves] = value[COST_line_move_ns];
    ns[EV_lock_yields] = 2 * value[COST_line_move_ns];
}

void price_events_ns(const struct platform *platform, const double value[COSTS],
                     const double insns[EVENT_KINDS], uint64_t answering_cores,
                     double price[EVENT_KINDS])
{
    double insn_ns = value[COST_kernel_cpi] / platform->clock_ghz;
    memset(price, 0, EVENT_KINDS * sizeof *price);
    price_hardware(platform, value, answering_cores, price);
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        price[kind] += insns[kind] * insn_ns;
    }
    price[EV_compute_ps] = 1.0 / (double)PS_PER_NS;
}

void price_events(const struct platform *platform, const double value[COSTS],
                  const double insns[EVENT_KINDS], uint64_t answering_cores,
                  ps_t price[EVENT_KINDS])
{
    double ns[EVENT_KINDS];
    price_events_ns(platform, value, insns, answering_cores, ns);
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        price[kind] = whole_ps(ns[kind]);
    }
    price[EV_compute_ps] = 1;
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
