/* Platforms written as the files they are read from. */
#include "machine/misfit.h"
#include "machine/platform.h"

#include <inttypes.h>
#include <stdlib.h>

/* As few digits as read back to the same number. */
static void put_number(const char *key, double value, FILE *out)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    fprintf(out, "%s = %s\n", key, text);
}

static void put_text(const char *key, const char *text, FILE *out)
{
    if (text[0] != '\0') {
        fprintf(out, "%s = %s\n", key, text);
    }
}

static void put_flag(const char *key, bool flag, FILE *out)
{
    fprintf(out, "%s = %s\n", key, flag ? "yes" : "no");
}

static void put_machine(const struct platform *platform, FILE *out)
{
    fputs("[machine]\n", out);
    put_text("name", platform->name, out);
    put_text("title", platform->title, out);
    fprintf(out, "cores = %" PRIu64 "\n", platform->cores);
    if (platform->sockets > 1) {
        fprintf(out, "sockets = %" PRIu64 "\n", platform->sockets);
    }
    put_number("clock_ghz", platform->clock_ghz, out);
    fprintf(out, "cache_bytes = %" PRIu64 "\n", platform->cache_bytes);
    fprintf(out, "cache_ways = %" PRIu64 "\n", platform->cache_ways);
    fprintf(out, "line_bytes = %" PRIu64 "\n", platform->line_bytes);
    put_flag("fwb", platform->fwb, out);
    put_flag("dic", platform->dic, out);
    put_flag("idc", platform->idc, out);
    put_flag("tlbirange", platform->tlbirange, out);
    put_flag("vhe", platform->vhe, out);
    put_flag("lpa2", platform->lpa2, out);
    put_flag("vipt", platform->vipt, out);
    put_flag("erratum_4118414", platform->erratum_4118414, out);
    put_text("note", platform->note, out);
    put_text("caps_source", platform->caps_source, out);
    put_text("caps_evidence", platform->caps_evidence, out);
}

void platform_write(const struct platform *platform, FILE *out)
{
    put_machine(platform, out);
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &platform->cost[id];
        if (cost->given == 0 && misfit_is((enum cost_id)id)) {
            continue; /* the model's error is no property of a machine */
        }
        fprintf(out, "\n[cost %s]\n", cost_name[id]);
        put_number("low", cost->low, out);
        put_number("mode", cost->mode, out);
        put_number("high", cost->high, out);
        if (cost->prior_low > 0) {
            fprintf(out, "prior = %.17g %.17g\n", cost->prior_low, cost->prior_high);
        }
        put_text("unit", unit_name(cost_entry[id].unit), out);
        put_text("source", cost->source, out);
        put_text("evidence", cost->evidence, out);
        put_text("basis", cost->basis, out);
    }
}
