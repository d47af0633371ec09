/* The ledger of an explained run, in full. */
#include "report/explain_parts.h"

#include <inttypes.h>

char *explain_us(ps_t ps, char buf[EXPLAIN_TIME_BYTES])
{
    snprintf(buf, EXPLAIN_TIME_BYTES, "%" PRIu64 ".%03" PRIu64, ps / PS_PER_US,
             ps % PS_PER_US / PS_PER_NS);
    return buf;
}

static void write_kind(const struct account *account, struct ledger_slice slice, const char *phase,
                       const char *actor)
{
    uint64_t count = ledger_count(&account->sim->ledger, slice);
    char time[EXPLAIN_TIME_BYTES], each[EXPLAIN_TIME_BYTES];
    if (count == 0) {
        return;
    }
    ps_t price = account->sim->price[slice.kind];
    snprintf(each, sizeof each, "%" PRIu64 ".%03" PRIu64, price / PS_PER_NS, price % PS_PER_NS);
    fprintf(account->out, "  %-10.10s %-9s %-15s %15" PRIu64 " %12s %16s  %s [%s]\n", phase, actor,
            event_name[slice.kind], count, price ? each : "-",
            price ? explain_us(ledger_busy(&account->sim->ledger, slice), time) : "-",
            event_title[slice.kind], event_unit[slice.kind]);
}

static void write_waits(const struct account *account, uint32_t actor, uint32_t phase,
                        const char *phase_name, const char *name)
{
    char time[EXPLAIN_TIME_BYTES];
    for (uint32_t resource = 0; resource < RESOURCES; resource++) {
        ps_t waited = ledger_waited(&account->sim->ledger, actor, phase, resource);
        if (waited > 0) {
            fprintf(account->out, "  %-10.10s %-9s %-15s %15s %12s %16s  waited for it\n",
                    phase_name, name, resource_name[resource], "", "", explain_us(waited, time));
        }
    }
    ps_t idle = ledger_idled(&account->sim->ledger, actor, phase);
    if (idle > 0) {
        fprintf(account->out, "  %-10.10s %-9s %-15s %15s %12s %16s  nothing to do\n", phase_name,
                name, "idle", "", "", explain_us(idle, time));
    }
}

void explain_ledger(const struct account *account)
{
    const struct ledger_shape *shape = &account->sim->ledger.shape;
    char name[32];
    fprintf(account->out, "\nLedger\n  %-10s %-9s %-15s %15s %12s %16s\n", "phase", "actor", "kind",
            "count", "each [ns]", "time [us]");
    for (uint32_t phase = 0; phase < shape->phases; phase++) {
        const char *phase_name = account->timeline->phases[phase];
        for (uint32_t actor = 0; actor < shape->actors; actor++) {
            const char *who = sim_actor_name(account->sim, actor, name, sizeof name);
            for (uint32_t kind = 0; kind < shape->kinds; kind++) {
                struct ledger_slice slice = {actor, phase, LEDGER_ALL, kind};
                write_kind(account, slice, phase_name, who);
            }
            write_waits(account, actor, phase, phase_name, who);
        }
    }
}
