#include "kvm/strategy.h"

#include <stddef.h>
#include <string.h>

const struct strategy strategy_rows[] = {
    {.name = "unmap",
     .title = "unmap-and-fault, as Linux ships it",
     .reinit_unmap = true,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "unmap-lazy",
     .title = "unmap-and-fault, lines only at the fault",
     .caveat = "unsafe for file-backed or shared memory: clean, stale lines may be written to disk",
     .reinit_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "eager",
     .title = "eager clean+invalidate at the first run",
     .caveat = "needs that no line is filled speculatively between the flush and a guest's "
               "write with its MMU off",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "eager-toggle1",
     .title = "eager, flushed again at the first MMU-on",
     .caveat = "later vCPUs' writes with their MMU off are not covered",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_FIRST},
    {.name = "eager-naive",
     .title = "eager inside every re-init, toggles unchanged",
     .caveat = "flushes before the VMM rewrites memory: what it rewrites stays in the caches",
     .reinit_icache = true,
     .flush_at = FLUSH_EACH_INIT,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "fwb",
     .title = "FEAT_S2FWB hardware",
     .reinit_icache = true,
     .toggle = TOGGLE_NONE,
     .fwb = true},
    {.name = "none",
     .title = "nothing at re-init (control)",
     .caveat = "incoherent: a control that the verdict must catch",
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
};
const size_t strategy_count = sizeof strategy_rows / sizeof *strategy_rows;

const struct strategy strategy_ideal = {
    .name = "ideal",
    .title = "no maintenance (yardstick)",
    .toggle = TOGGLE_NONE,
    .fwb = true,
    .ideal = true,
};

static const char *const flush_choices[] = {"none", "each_init", "first_run", NULL};
static const char *const toggle_choices[] = {"every", "first", "none", NULL};

#define AT(field) .section = "strategy", .offset = offsetof(struct strategy, field)
const struct option strategy_options[] = {
    {.name = "title", .kind = OPTION_TEXT, AT(title), .text_size = sizeof strategy_ideal.title,
     .fallback = "", .help = "the name for people"},
    {.name = "caveat", .kind = OPTION_TEXT, AT(caveat),
     .text_size = sizeof strategy_ideal.caveat, .fallback = "",
     .help = "what to say beside its cost"},
    {.name = "reinit_unmap", .kind = OPTION_FLAG, AT(reinit_unmap), .fallback = "no",
     .help = "tear stage 2 down at re-init"},
    {.name = "reinit_icache", .kind = OPTION_FLAG, AT(reinit_icache), .fallback = "no",
     .help = "invalidate the whole I-cache at re-init"},
    {.name = "flush_at", .kind = OPTION_CHOICE, .choices = flush_choices, AT(flush_at),
     .fallback = "none", .help = "when everything mapped is cleaned and invalidated"},
    {.name = "cmo_at_unmap", .kind = OPTION_FLAG, AT(cmo_at_unmap), .fallback = "yes",
     .help = "clean+invalidate each leaf that is unmapped"},
    {.name = "cmo_at_fault", .kind = OPTION_FLAG, AT(cmo_at_fault), .fallback = "yes",
     .help = "clean+invalidate each leaf that is mapped"},
    {.name = "toggle", .kind = OPTION_CHOICE, .choices = toggle_choices, AT(toggle),
     .fallback = "every", .help = "whose MMU-on flushes everything mapped"},
    {.name = "fwb", .kind = OPTION_FLAG, AT(fwb), .fallback = "no",
     .help = "leans on FEAT_S2FWB"},
};
const size_t strategy_option_count = sizeof strategy_options / sizeof *strategy_options;

const struct strategy *strategy_find(const char *name, struct error *err)
{
    const char *names[32];
    for (size_t i = 0; i < strategy_count; i++) {
        if (strcmp(strategy_rows[i].name, name) == 0) {
            return &strategy_rows[i];
        }
        names[i] = strategy_rows[i].name;
    }
    char hint[512] = "";
    suggest(hint, sizeof hint, name, names, strategy_count);
    error_input(err, NULL, "no strategy '%s'%s", name, hint);
    return NULL;
}
