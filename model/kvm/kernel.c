#include "kvm/kernel.h"

#include "core/choice.h"
#include "core/error.h"
#include "core/units.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST 5010

const char *const kernel_switch_name[KERNEL_SWITCHES] = {
#define KERNEL_SWITCH(which, name) [which] = (name),
    KERNEL_SWITCH_TABLE(KERNEL_SWITCH)
#undef KERNEL_SWITCH
};

/* The newest row of a switch that is no newer than the kernel counts, wherever it stands. */
const struct kernel_rule kernel_rules[] = {
    {SWITCH_FAULT_LOCK, "spin", FAULT_LOCK_SPIN, OLDEST, "source 5.10, 5.17: spin_lock"},
    {SWITCH_FAULT_LOCK, "write", FAULT_LOCK_WRITE, 5018, "rwlock; 5.18 unverified"},
    {SWITCH_FAULT_LOCK, "read", FAULT_LOCK_READ, 6002, "commit 1577cb5823ce"},
    {SWITCH_CMO_PLACE, "every_racer", CMO_EVERY_RACER, OLDEST, "source 5.10, 5.13: user_mem_abort"},
    {SWITCH_CMO_PLACE, "installer", CMO_INSTALLER, 5014, "commit 25aa28691bb9"},
    {SWITCH_CHUNK, "root_entry", CHUNK_ROOT_ENTRY, OLDEST, "source 5.10"},
    {SWITCH_CHUNK, "block", CHUNK_BLOCK, 6001, "mail of 2022-10-07; source 6.1"},
    {SWITCH_IC_CLAMP, "no", 0, OLDEST, "source 6.1; counts"},
    {SWITCH_IC_CLAMP, "yes", 1, 6007, "commit 909b583f81b5; source 6.12"},
    {SWITCH_TLBI_DEFER, "no", 0, OLDEST, "source 6.1; counts"},
    {SWITCH_TLBI_DEFER, "yes", 1, 6006, "commit 7657ea920c54; counts of 7.3"},
    {SWITCH_LPA2, "no", 0, OLDEST, "source 6.1"},
    {SWITCH_LPA2, "yes", 1, 6008, "commit bd412e2a310c; which recordings used it is unverified"},
    {SWITCH_MAP_POST, "yes", 1, OLDEST, "source 5.10, 6.1; counts"},
    {SWITCH_MAP_POST, "no", 0, 6002, "commit 5c359cca1faf; counts of 7.3"},
    {SWITCH_SET_SPTE, "yes", 1, OLDEST, "source 5.10, 6.1; counts"},
    {SWITCH_SET_SPTE, "no", 0, 6010, "commit f3b65bbaed7c; counts of 7.3"},
    {SWITCH_HUGE_ZERO, "split", HUGE_ZERO_SPLIT, OLDEST, "source 6.1, 6.12; counts"},
    {SWITCH_HUGE_ZERO, "alloc", HUGE_ZERO_ALLOC, 6013, "commit 1ced09e0331f; 6.13 inferred"},
    {SWITCH_RELAX_LOCAL, "no", 0, OLDEST, "source 6.1"},
    {SWITCH_RELAX_LOCAL, "yes", 1, 6005, "commit a12ab1378a88; source 6.5"},
    {SWITCH_HUGETLB_DROP, "refused", HUGETLB_DROP_REFUSED, OLDEST, "source 5.10: EINVAL"},
    {SWITCH_HUGETLB_DROP, "twice", HUGETLB_DROP_TWICE, 5018, "source 6.1; 5.18 unverified"},
    {SWITCH_HUGETLB_DROP, "once", HUGETLB_DROP_ONCE, 6002, "commit 369258ce41c6"},
    {SWITCH_TLBI_THIRD, "no", 0, OLDEST, "before June 2026"},
    {SWITCH_TLBI_THIRD, "yes", 1, 7002,
     "erratum 4118414, CVE-2025-10263; also in 7.1, 7.0, 6.18, 6.12, 6.6, 6.1 and 5.10 stable"},
    {SWITCH_EAGER_SPLIT, "no", 0, OLDEST, "source 6.1: no KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE"},
    {SWITCH_EAGER_SPLIT, "yes", 1, 6005, "commit 2f440b72e852; counts of 6.16 and 7.2"},
};
const size_t kernel_rule_count = sizeof kernel_rules / sizeof *kernel_rules;

/* "6.1", "v6.1.55-amd64", "linux-6.1.y". */
static bool parse_version(const char *text, uint32_t *version)
{
    static const char *const before[] = {"linux-", "Linux-", "v"};
    const char *at = text;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t length = strlen(before[i]);
        at += strncmp(at, before[i], length) == 0 ? length : 0;
    }
    char *end;
    if (!isdigit((unsigned char)*at)) {
        return false;
    }
    unsigned long major = strtoul(at, &end, 10);
    if (*end != '.' || !isdigit((unsigned char)end[1])) {
        return false;
    }
    unsigned long minor = strtoul(end + 1, &end, 10);
    *version = (uint32_t)(major * 1000 + minor);
    bool more =
        *end == '-' || strcmp(end, ".y") == 0 || (*end == '.' && isdigit((unsigned char)end[1]));
    return major < 100 && minor < 1000 && (*end == '\0' || more);
}

/* The kernels of releases that people name in their place; what distributions change in theirs is
 * for people to say. */
static const struct {
    const char *name, *version;
} releases[] = {
    {"bullseye", "5.10"}, {"debian11", "5.10"}, {"bookworm", "6.1"}, {"debian12", "6.1"},
    {"trixie", "6.12"},   {"debian13", "6.12"}, {"jammy", "5.15"},   {"noble", "6.8"},
    {"rhel9", "5.14"},    {"rhel10", "6.12"},   {"mainline", "7.3"}, {"latest", "7.3"},
    {"upstream", "7.3"},
};

static bool unknown_version(const char *text, struct error *err)
{
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        if (strcmp(releases[i].name, text) == 0) {
            return error_input(err, NULL, "kernel: found '%s', expected its version, which is %s",
                               text, releases[i].version);
        }
    }
    return error_input(err, NULL,
                       "kernel: found '%s', expected a version from 5.10 on, such as 6.1", text);
}

bool kernel_resolve(const char *text, struct kernel *kernel, struct error *err)
{
    *kernel = (struct kernel){0};
    if (strlen(text) >= sizeof kernel->name || !parse_version(text, &kernel->version)) {
        return unknown_version(text, err);
    }
    if (kernel->version < OLDEST) {
        return error_input(err, NULL, "kernel: found '%s', expected 5.10 or later", text);
    }
    snprintf(kernel->name, sizeof kernel->name, "%s", text);
    uint32_t since[KERNEL_SWITCHES] = {0};
    for (size_t i = 0; i < kernel_rule_count; i++) {
        const struct kernel_rule *rule = &kernel_rules[i];
        if (rule->since <= kernel->version && rule->since > since[rule->which]) {
            since[rule->which] = rule->since;
            kernel->value[rule->which] = rule->code;
        }
    }
    return true;
}

static bool unknown_switch(const char *name, const struct source_location *at, struct error *err)
{
    char hint[512] = "";
    error_suggest(hint, sizeof hint, name, kernel_switch_name, KERNEL_SWITCHES);
    return error_input(err, at, "unknown kernel switch '%s'%s", name, hint);
}

static bool override_one(struct kernel *kernel, char *word, const struct source_location *at,
                         struct error *err)
{
    char *equals = strchr(word, '=');
    if (!equals) {
        return error_input(err, at, "found '%s', expected switch=value", word);
    }
    *equals = '\0';
    int which = (int)choice_index(kernel_switch_name, KERNEL_SWITCHES, word);
    if (which == KERNEL_SWITCHES) {
        return unknown_switch(word, at, err);
    }
    const char *values[8];
    size_t known = 0;
    for (size_t i = 0; i < kernel_rule_count; i++) {
        if ((int)kernel_rules[i].which != which) {
            continue;
        }
        if (strcmp(kernel_rules[i].value, equals + 1) == 0) {
            kernel->value[which] = kernel_rules[i].code;
            return true;
        }
        values[known++] = kernel_rules[i].value;
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, equals + 1, values, known);
    return error_input(err, at, "%s: no value '%s'%s", word, equals + 1, hint);
}

bool kernel_override(struct kernel *kernel, const char *text, const struct source_location *at,
                     struct error *err)
{
    char words[512], *rest = NULL;
    if (strlen(text) >= sizeof words) {
        return error_input(err, at, "found %zu characters, expected at most %zu", strlen(text),
                           sizeof words - 1);
    }
    snprintf(words, sizeof words, "%s", text);
    for (char *word = strtok_r(words, " ,\t", &rest); word; word = strtok_r(NULL, " ,\t", &rest)) {
        if (!override_one(kernel, word, at, err)) {
            return false;
        }
    }
    return true;
}
