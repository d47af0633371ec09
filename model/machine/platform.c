#include "machine/platform.h"

#include "core/alloc.h"
#include "core/choice.h"
#include "core/config.h"
#include "core/datadir.h"
#include "core/error.h"
#include "machine/misfit.h"
#include "machine/platform_names.h"
#include "machine/sockets.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLATFORM_DIR "model/machine/platforms"

const char *const cost_name[COSTS] = {
#define COST_NAME(name, unit, min, max, help) #name,
    COST_TABLE(COST_NAME)
#undef COST_NAME
};

const struct cost_entry cost_entry[COSTS] = {
#define COST_ENTRY(name, unit, min, max, help) {unit, min, max, help},
    COST_TABLE(COST_ENTRY)
#undef COST_ENTRY
};

#define AT(field) .section = "machine", .name = #field, OPTION_FIELD(struct platform, field)

const struct option_row platform_options[] = {
    {AT(name), .help = "the name in tables"},
    {AT(title), .help = "the name for people"},
    {AT(base), .fallback = "", .help = "the platform whose costs it has where it gives none"},
    {AT(caps_source), .fallback = "", .help = "where the capabilities come from"},
    {AT(caps_evidence), .fallback = "", .help = "how sure that is"},
    {AT(note), .fallback = "", .help = "a remark"},
    {AT(cores), .unit = UNIT_NONE, .low = 1, .high = 4096, .help = "cores"},
    {AT(sockets), .unit = UNIT_NONE, .low = 1, .high = SOCKETS_MAX, .fallback = "1",
     .help = "sockets, each with an equal part of the cores and of the cache"},
    {AT(clock_ghz), .unit = UNIT_GHZ, .low = 0.01, .high = 20, .help = "clock"},
    {AT(cache_bytes), .unit = UNIT_BYTES, .low = 0, .high = 1e12,
     .help = "cache in which a guest's line can sit before memory"},
    {AT(cache_ways), .unit = UNIT_NONE, .low = 1, .high = 1024, .fallback = "16",
     .help = "its associativity"},
    {AT(line_bytes), .unit = UNIT_BYTES, .low = 16, .high = 2048, .fallback = "64",
     .help = "CTR_EL0.DminLine"},
    {AT(fwb), .help = "FEAT_S2FWB"},
    {AT(dic), .help = "CTR_EL0.DIC"},
    {AT(idc), .fallback = "no",
     .help = "CTR_EL0.IDC; also yes where CLIDR_EL1.LoUU and LoUIS are 0"},
    {AT(tlbirange), .help = "FEAT_TLBIRANGE"},
    {AT(vhe), .help = "the host kernel runs at EL2"},
    {AT(lpa2), .fallback = "no", .help = "FEAT_LPA2"},
    {AT(erratum_4118414), .fallback = "no",
     .help = "kernels that know of it broadcast each TLB flush a third time"},
    {AT(vipt), .fallback = "no", .help = "CTR_EL0.L1Ip says VIPT: the I-cache may hold aliases"},
};
#define MACHINE_OPTIONS (sizeof platform_options / sizeof *platform_options)
const size_t platform_option_count = MACHINE_OPTIONS;

static bool copy_text(char *target, size_t size, const char *text, const struct source_location *at,
                      struct error *err)
{
    if (strlen(text) >= size) {
        return error_input(err, at, "found %zu characters, expected at most %zu", strlen(text),
                           size - 1);
    }
    memcpy(target, text, strlen(text) + 1);
    return true;
}

static bool known_evidence(const char *text, const struct source_location *at, struct error *err)
{
    static const char *const words[] = {"read",       "derived",  "inferred", "assumed",
                                        "unverified", "measured", "fitted"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, text, words, sizeof words / sizeof *words);
    return error_input(err, at, "unknown evidence '%.80s'%s", text, hint);
}

static bool set_number(double *target, enum cost_id id, const char *text,
                       const struct source_location *at, struct error *err)
{
    const struct cost_entry *rule = &cost_entry[id];
    if (!unit_parse(text, rule->unit, target) || *target < rule->min || *target > rule->max) {
        const char *unit = unit_name(rule->unit);
        return error_input(err, at, "found '%.80s', expected %s from %g to %g", text,
                           unit[0] != '\0' ? unit : "a number", rule->min, rule->max);
    }
    return true;
}

/* The cost's name implies the unit; a file that says another means another number. */
static bool check_unit(enum cost_id id, const char *text, const struct source_location *at,
                       struct error *err)
{
    const char *right = unit_name(cost_entry[id].unit);
    bool wrong = right[0] != '\0' && strcmp(text, right) != 0;
    for (int unit = UNIT_NONE + 1; unit <= UNIT_INSNS && right[0] == '\0'; unit++) {
        wrong = wrong || strcmp(text, unit_name((enum unit)unit)) == 0;
    }
    return !wrong || error_input(err, at, "found '%.80s', expected %s", text,
                                 right[0] != '\0' ? right : "a plain number's, such as misses");
}

/* The keys of a cost; all before `unit` must be there. */
enum cost_key {
    KEY_LOW,
    KEY_MODE,
    KEY_HIGH,
    KEY_SOURCE,
    KEY_EVIDENCE,
    KEY_UNIT,
    KEY_BASIS,
    KEY_PRIOR
};
static const char *const cost_key[] = {
    [KEY_LOW] = "low",       [KEY_MODE] = "mode",         [KEY_HIGH] = "high",
    [KEY_SOURCE] = "source", [KEY_EVIDENCE] = "evidence", [KEY_UNIT] = "unit",
    [KEY_BASIS] = "basis",   [KEY_PRIOR] = "prior",
};
#define COST_KEYS (sizeof cost_key / sizeof *cost_key)
#define COST_KEYS_NEEDED KEY_UNIT

/* Two numbers, the lower one first and above 0. */
static bool set_prior(struct cost *cost, enum cost_id id, const char *text,
                      const struct source_location *at, struct error *err)
{
    char low[32], high[32], more;
    if (sscanf(text, "%31s %31s %c", low, high, &more) != 2) {
        return error_input(err, at, "found '%s', expected two numbers, low and high", text);
    }
    if (!set_number(&cost->prior_low, id, low, at, err) ||
        !set_number(&cost->prior_high, id, high, at, err)) {
        return false;
    }
    return (cost->prior_low > 0 && cost->prior_low < cost->prior_high) ||
           error_input(err, at, "found '%s', expected low above 0 and high above low", text);
}

static bool set_cost_key(struct cost *cost, enum cost_id id, enum cost_key key, const char *value,
                         const struct source_location *at, struct error *err)
{
    switch (key) {
    case KEY_LOW:
        return set_number(&cost->low, id, value, at, err);
    case KEY_MODE:
        return set_number(&cost->mode, id, value, at, err);
    case KEY_HIGH:
        return set_number(&cost->high, id, value, at, err);
    case KEY_SOURCE:
        return copy_text(cost->source, sizeof cost->source, value, at, err);
    case KEY_EVIDENCE:
        return known_evidence(value, at, err) &&
               copy_text(cost->evidence, sizeof cost->evidence, value, at, err);
    case KEY_UNIT:
        return check_unit(id, value, at, err);
    case KEY_BASIS:
        return copy_text(cost->basis, sizeof cost->basis, value, at, err);
    case KEY_PRIOR:
        return set_prior(cost, id, value, at, err);
    }
    return true;
}

static bool set_cost(struct cost *cost, enum cost_id id, const char *name, const char *value,
                     const struct source_location *at, struct error *err)
{
    cost->line = at->line;
    for (unsigned key = 0; key < COST_KEYS; key++) {
        if (strcmp(name, cost_key[key]) == 0) {
            cost->given |= 1u << key;
            return set_cost_key(cost, id, (enum cost_key)key, value, at, err);
        }
    }
    return error_input(err, at,
                       "unknown key '%s', expected low, mode, high, unit, source, "
                       "evidence, basis or prior",
                       name);
}

enum cost_id cost_find(const char *name)
{
    return (enum cost_id)choice_index(cost_name, COSTS, name);
}

const char *platform_former_cost(const char *name)
{
    return strcmp(name, "tlbi_core_ns") == 0
               ? "is no longer a cost, expected tlbi_ns alone: all cores of the machine answer a "
                 "broadcast, and what they take is in it"
               : NULL;
}

static bool unknown_cost(const char *name, const struct source_location *at, struct error *err)
{
    char hint[512] = "";
    const char *instead = platform_former_cost(name);
    if (instead) {
        return error_input(err, at, "%s %s", name, instead);
    }
    error_suggest(hint, sizeof hint, name, cost_name, COSTS);
    return error_input(err, at, "unknown cost '%.80s'%s", name,
                       hint[0] ? hint : ", expected one of `s2flush list costs`");
}

static bool machine_line(struct platform *platform, const char *section, const char *name,
                         const char *value, const struct source_location *at, struct error *err)
{
    const struct option_row *row = option_find(platform_options, MACHINE_OPTIONS, section, name);
    if (!option_assign(platform_options, MACHINE_OPTIONS, section, name, value, platform, at,
                       err)) {
        return false;
    }
    if (platform->line_bytes & (platform->line_bytes - 1)) {
        return error_input(err, at, "found '%s', expected a power of two", value);
    }
    platform->given |= UINT32_C(1) << (row - platform_options);
    return true;
}

static bool platform_line(void *context, const char *section, const char *name, const char *value,
                          const struct source_location *at, struct error *err)
{
    struct platform *platform = context;
    if (strncmp(section, "cost ", 5) != 0) {
        return machine_line(platform, section, name, value, at, err);
    }
    enum cost_id id = cost_find(section + 5);
    if (id == COSTS) {
        return unknown_cost(section + 5, at, err);
    }
    return set_cost(&platform->cost[id], id, name, value, at, err);
}

static bool check_cost(const char *path, const struct platform *platform, enum cost_id id,
                       struct error *err)
{
    const struct cost *cost = &platform->cost[id];
    struct source_location at = {.file = path, .line = cost->line, .key = cost_name[id]};
    if (cost->given == 0 && misfit_is(id)) {
        return true; /* misfit_complete's */
    }
    if (cost->given == 0) {
        return error_input(err, &at, "missing: expected a section [cost %s]", cost_name[id]);
    }
    for (unsigned key = 0; key < COST_KEYS_NEEDED; key++) {
        if (!(cost->given & 1u << key)) {
            return error_input(err, &at, "missing: expected a key %s", cost_key[key]);
        }
    }
    if (cost->low > cost->mode || cost->mode > cost->high) {
        return error_input(err, &at, "found low %g, mode %g, high %g, expected them in order",
                           cost->low, cost->mode, cost->high);
    }
    return true;
}

static bool check_platform(const char *path, const struct platform *platform, struct error *err)
{
    for (size_t i = 0; i < MACHINE_OPTIONS; i++) {
        struct source_location at = {.file = path, .key = platform_options[i].name};
        if (!platform_options[i].fallback && !(platform->given & UINT32_C(1) << i)) {
            return error_input(err, &at, "missing: expected a key of [machine]");
        }
    }
    for (int i = 0; i < COSTS; i++) {
        if (!check_cost(path, platform, (enum cost_id)i, err)) {
            return false;
        }
    }
    return true;
}

/* What was fitted to the base's own measurements is carried over from there. */
static struct cost inherited_cost(const struct cost *cost, const char *base)
{
    struct cost carried = *cost;
    if (strcmp(cost->evidence, "fitted") == 0) {
        snprintf(carried.evidence, sizeof carried.evidence, "inferred");
        snprintf(carried.source, sizeof carried.source, "%s, fitted there", base);
        snprintf(carried.basis, sizeof carried.basis, "as on that machine");
        carried.prior_low = carried.prior_high = 0;
    }
    return carried;
}

/* The file alone, without what it inherits. */
static bool read_file(const char *path, struct platform *platform, struct error *err)
{
    *platform = (struct platform){0};
    option_defaults(platform_options, MACHINE_OPTIONS, platform);
    return config_read(path, NULL, platform_line, platform, err);
}

static bool read_base(const struct platform *platform, const struct source_location *at,
                      struct platform *base, struct error *err)
{
    char relative[256], path[4096];
    snprintf(relative, sizeof relative, PLATFORM_DIR "/%s.ini", platform->base);
    if (!datadir_find(relative, path, sizeof path)) {
        return error_input(err, at, "found '%s', expected a platform of `s2flush list platforms`",
                           platform->base);
    }
    return read_file(path, base, err) &&
           (base->base[0] == '\0' ||
            error_input(err, at, "found '%s', which has a base itself, expected one that has none",
                        platform->base));
}

static bool inherit_costs(const char *path, struct platform *platform, struct error *err)
{
    struct platform base;
    struct source_location at = {.file = path, .key = "base"};
    if (platform->base[0] == '\0') {
        return true;
    }
    if (!read_base(platform, &at, &base, err)) {
        return false;
    }
    for (int id = 0; id < COSTS; id++) {
        if (platform->cost[id].given == 0) {
            platform->cost[id] = inherited_cost(&base.cost[id], platform->base);
        }
    }
    return true;
}

bool platform_read(const char *path, struct platform *platform, struct error *err)
{
    return read_file(path, platform, err) && inherit_costs(path, platform, err) &&
           misfit_complete(platform, err) && check_platform(path, platform, err);
}

static bool unknown_platform(const char *name, const struct platform_aliases *aliases,
                             struct error *err)
{
    char hint[512] = "";
    char *names[64];
    const char *machines[64]; /* cpus.ini is none */
    size_t known = datadir_names(PLATFORM_DIR, ".ini", names, 0, sizeof names / sizeof *names),
           count = 0;
    for (size_t i = 0; i < known; i++) {
        if (strcmp(names[i], "cpus") != 0) {
            machines[count++] = names[i];
        }
    }
    if (known == 0) {
        return datadir_nowhere(PLATFORM_DIR, err);
    }
    /* What is near is one of all names; what is far is told the platforms alone. */
    const char *all[64 + PLATFORM_ALIASES_MAX], *near = NULL;
    size_t all_count = count;
    memcpy(all, machines, count * sizeof *all);
    for (unsigned i = 0; i < aliases->count; i++) {
        if (platform_alias_fits(&aliases->alias[i])) {
            all[all_count++] = aliases->alias[i].name;
        }
    }
    near = error_nearest(name, all, all_count);
    if (near) {
        snprintf(hint, sizeof hint, " (did you mean %s?)", near);
    } else {
        error_suggest(hint, sizeof hint, name, machines, count);
    }
    for (size_t i = 0; i < known; i++) {
        free(names[i]);
    }
    return error_input(err, NULL, "no platform '%s'%s", name, hint);
}

/* The platform that stands for a machine of that name. */
static bool load_alias(const char *name, struct platform *platform, struct error *err)
{
    char relative[256], path[4096];
    struct platform_aliases *aliases = alloc_zeroed(1, sizeof *aliases, "names of machines");
    struct error own;
    const struct platform_alias *alias =
        platform_aliases_read(aliases, &own) ? platform_alias_find(aliases, name) : NULL;
    snprintf(relative, sizeof relative, PLATFORM_DIR "/%s.ini", alias ? alias->platform : "");
    bool good;
    if (alias && !platform_alias_fits(alias)) {
        good = error_input(err, NULL,
                           "no platform stands for %s (%s): expected a platform file that "
                           "`s2flush calibrate` makes of measurements there, or one of `s2flush "
                           "list machines`",
                           alias->name, alias->remark);
    } else {
        good = alias && datadir_find(relative, path, sizeof path)
                   ? platform_read(path, platform, err)
                   : unknown_platform(name, aliases, err);
    }
    free(aliases);
    return good;
}

bool platform_load(const char *name, struct platform *platform, struct error *err)
{
    char spelling[128], relative[256], path[4096];
    if (strchr(name, '/') || strstr(name, ".ini")) {
        return platform_read(name, platform, err);
    }
    platform_spelling(name, spelling, sizeof spelling);
    snprintf(relative, sizeof relative, PLATFORM_DIR "/%s.ini", spelling);
    if (strcmp(spelling, "cpus") == 0 || !datadir_find(relative, path, sizeof path)) {
        return load_alias(name, platform, err);
    }
    return platform_read(path, platform, err);
}

bool platform_override(struct platform *platform, const char *name, const char *text,
                       const struct source_location *at, struct error *err)
{
    enum cost_id id = cost_find(name);
    if (id == COSTS) {
        return unknown_cost(name, at, err);
    }
    double value;
    if (!set_number(&value, id, text, at, err)) {
        return false;
    }
    struct cost *cost = &platform->cost[id];
    cost->low = cost->mode = cost->high = value;
    snprintf(cost->source, sizeof cost->source, "given with --set");
    snprintf(cost->evidence, sizeof cost->evidence, "assumed");
    return true;
}

void platform_modes(const struct platform *platform, double value[COSTS])
{
    for (int i = 0; i < COSTS; i++) {
        value[i] = platform->cost[i].mode;
    }
}

/* What cpus.ini says of one CPU; keys that only people need are passed over. */
struct cpu_search {
    const char *cpu;
    struct platform *platform;
    bool found;
    char names[64][48];
    size_t count;
};

static void remember_name(struct cpu_search *search, const char *section)
{
    if (search->count > 0 && strcmp(search->names[search->count - 1], section) == 0) {
        return;
    }
    if (search->count < 64) {
        snprintf(search->names[search->count++], sizeof search->names[0], "%s", section);
    }
}

static bool cpu_line(void *context, const char *section, const char *name, const char *value,
                     const struct source_location *at, struct error *err)
{
    struct cpu_search *search = context;
    remember_name(search, section);
    if (strcmp(section, search->cpu) != 0 || strcmp(name, "source") == 0 ||
        strcmp(name, "evidence") == 0 || strcmp(name, "note") == 0) {
        return true;
    }
    search->found = true;
    return option_assign(platform_options, MACHINE_OPTIONS, "machine", name, value,
                         search->platform, at, err);
}

bool platform_as_cpu(const char *cpu, const struct platform *base, struct platform *platform,
                     struct error *err)
{
    char path[4096];
    *platform = *base;
    struct cpu_search search = {.cpu = cpu, .platform = platform};
    if (!datadir_find(PLATFORM_DIR "/cpus.ini", path, sizeof path)) {
        return error_run(err, "cannot find " PLATFORM_DIR "/cpus.ini");
    }
    if (!config_read(path, NULL, cpu_line, &search, err)) {
        return false;
    }
    if (!search.found) {
        const char *names[64];
        char hint[512] = "";
        for (size_t i = 0; i < search.count; i++) {
            names[i] = search.names[i];
        }
        error_suggest(hint, sizeof hint, cpu, names, search.count);
        return error_input(err, NULL, "no capability record for cpu '%s'%s", cpu, hint);
    }
    snprintf(platform->name, sizeof platform->name, "%.47s", cpu);
    return true;
}
