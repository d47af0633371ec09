/* A calibration as a platform, and for people. */
#include "check/calibrate/calibrate.h"

#include <math.h>
#include <string.h>

/* A residual beyond that is no matter of noise. */
#define WIDE_PCT 50

/* The file's name without folders, and without what a platform file would take for
 * a comment or could not hold. */
static void plain_name(const char *path, char *text, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(text, size, "%s", slash ? slash + 1 : path);
    for (char *at = text; *at; at++) {
        if (*at == ';' || *at == '#' || (unsigned char)*at < ' ' || *at == 0x7f) {
            *at = '_';
        }
    }
}

static void apply_cost(const struct calibration *fit, const struct measurements *found,
                       const struct platform *base, size_t i, struct cost *cost)
{
    char file[100];
    plain_name(found->path, file, sizeof file);
    cost->low = fit->low[i];
    cost->mode = fit->value[i];
    cost->high = fit->high[i];
    snprintf(cost->source, sizeof cost->source, "%s, %zu costs fitted to %zu rows", file,
             fit->costs, fit->rows);
    snprintf(cost->evidence, sizeof cost->evidence, "%s", found->probe ? "measured" : "fitted");
    if (fit->direct[i]) {
        snprintf(cost->basis, sizeof cost->basis,
                 "10th and 90th percentile of the samples, widened to two standard deviations");
    } else {
        snprintf(cost->basis, sizeof cost->basis,
                 "standard error %.2g %%, two of them either way, the other costs as on %s",
                 100 * fit->standard_error[i], base->name);
    }
}

static void limit(struct cost *cost, double low, double high, const char *file)
{
    if (cost->low >= low && cost->high <= high) {
        return;
    }
    cost->low = fmin(fmax(cost->low, low), high);
    cost->mode = fmin(fmax(cost->mode, low), high);
    cost->high = fmin(fmax(cost->high, low), high);
    snprintf(cost->source, sizeof cost->source, "%s", file);
    snprintf(cost->evidence, sizeof cost->evidence, "derived");
    snprintf(cost->basis, sizeof cost->basis,
             "the base's range as far as many cores' flushes allow it");
}

/* A path that was not fitted cannot be narrower than what came through. */
static void apply_limits(const struct calibration *fit, const struct measurements *found,
                         const char *file, struct platform *result)
{
    bool path = true, writeback = true;
    for (size_t i = 0; i < fit->costs; i++) {
        path &= fit->id[i] != COST_cmo_path_ns;
        writeback &= fit->id[i] != COST_writeback_gbps;
    }
    if (path && found->cmo_path_max_ns > 0) {
        limit(&result->cost[COST_cmo_path_ns], 0, found->cmo_path_max_ns, file);
    }
    if (writeback && found->writeback_min_gbps > 0) {
        limit(&result->cost[COST_writeback_gbps], found->writeback_min_gbps, INFINITY, file);
    }
}

/* A VM's phases were played with what its CPU can do. */
static void apply_capabilities(const struct measurements *found, const char *file,
                               struct platform *result)
{
    if (!found->machine) {
        return;
    }
    const struct platform *machine = &found->machine->platform;
    result->fwb = machine->fwb;
    result->dic = machine->dic;
    result->tlbirange = machine->tlbirange;
    result->vhe = machine->vhe;
    result->lpa2 = machine->lpa2;
    result->idc = machine->idc;
    result->vipt = machine->vipt;
    result->line_bytes = machine->line_bytes;
    if (found->machine->recorded) {
        snprintf(result->caps_source, sizeof result->caps_source,
                 "cpus.ini for %.47s, FWB as %.80s says", machine->name, file);
    }
}

void calibration_apply(const struct calibration *fit, const struct measurements *found,
                       const struct platform *base, const char *name, struct platform *result)
{
    char file[80];
    plain_name(found->path, file, sizeof file);
    *result = *base;
    plain_name(name, result->name, sizeof result->name);
    if (!strstr(base->title, ", calibrated")) {
        snprintf(result->title, sizeof result->title, "%.80s, calibrated", base->title);
    }
    snprintf(result->note, sizeof result->note, "%s with what %s tells%s", base->name, file,
             found->clock_ghz > 0 ? ", also of cores, clock and line size" : "");
    apply_capabilities(found, file, result);
    result->clock_ghz = found->clock_ghz > 0 ? found->clock_ghz : base->clock_ghz;
    result->cores = found->cores > 0 ? found->cores : base->cores;
    result->line_bytes = found->line_bytes > 0 ? found->line_bytes : base->line_bytes;
    for (size_t i = 0; i < fit->costs; i++) {
        apply_cost(fit, found, base, i, &result->cost[fit->id[i]]);
    }
    apply_limits(fit, found, file, result);
}

static void print_correlations(const struct calibration *fit, FILE *out)
{
    fputs("\ncorrelations\n", out);
    for (size_t i = 0; i < fit->costs; i++) {
        fprintf(out, "  %-18s", cost_name[fit->id[i]]);
        for (size_t k = 0; k <= i; k++) {
            fprintf(out, " %6.2f", fit->correlation[i][k]);
        }
        fputc('\n', out);
    }
}

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

static void print_machine(const struct measurements *found, FILE *out)
{
    if (!found->machine) {
        return;
    }
    const struct platform *machine = &found->machine->platform;
    fprintf(out, "\nplayed as %s: fwb %s, dic %s, tlbirange %s, vhe %s%s\n", machine->name,
            yes_no(machine->fwb), yes_no(machine->dic), yes_no(machine->tlbirange),
            yes_no(machine->vhe),
            found->machine->recorded ? ""
                                     : " (no record of this CPU: as the base, fwb as measured)");
    if (machine->fwb) {
        fputs("with FWB no line of a guest is cleaned, so that no row tells of dc_*\n", out);
    }
}

void calibration_print(const struct calibration *fit, const struct measurements *found,
                       const struct platform *base, FILE *out)
{
    fprintf(out, "%zu costs fitted to %zu rows, %zu rows passed over; the others as on %s\n",
            fit->costs, fit->rows, found->passed_over, base->name);
    fprintf(out, "largest residual %.1f%% (%s)%s\n\n", fit->max_pct, found->rows[fit->max_row].name,
            fit->max_pct > WIDE_PCT ? ": no such costs explain that row" : "");
    fprintf(out, "  %-18s %10s %10s %8s %10s %10s\n", "cost", "before", "now", "s.e.", "low",
            "high");
    for (size_t i = 0; i < fit->costs; i++) {
        fprintf(out, "  %-18s %10.4g %10.4g %7.2f%% %10.4g %10.4g\n", cost_name[fit->id[i]],
                fit->before[i], fit->value[i], 100 * fit->standard_error[i], fit->low[i],
                fit->high[i]);
    }
    print_machine(found, out);
    if (fit->costs > 1) {
        print_correlations(fit, out);
    }
    if (fit->left_count > 0) {
        fputs("\nnot fitted, as on the base within what is said here\n", out);
    }
    for (size_t i = 0; i < fit->left_count; i++) {
        fprintf(out, "  %s\n", fit->left[i]);
    }
    if (found->noisy > 0) {
        fprintf(
            out,
            "\nthe machine was not quiet: of %zu rows the 90th percentile is far above the 10th "
            "(%s: %.2g times);\nranges are as wide as that\n",
            found->noisy, found->noisiest, found->noisiest_times);
    }
    if (found->use_count > 0) {
        fputs("\nwhat lines were used for\n", out);
    }
    for (size_t i = 0; i < found->use_count; i++) {
        const struct measurements_use *use = &found->uses[i];
        fprintf(out, "  line %u: %s: %s\n", use->line, use->what, use->use);
    }
    if (found->refusal[0] != '\0') {
        fprintf(out, "\nnot expressed by the model: %s\n", found->refusal);
    }
}
