/* Keys that change nothing in what a workload plays, and the way out. */
#include "core/error.h"
#include "guest/workload/workload.h"
#include "guest/workload/workload_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- by what the keys are --- */

static bool is_recorded(const struct workload *workload)
{
    return workload->values.recording[0] != '\0';
}

static bool is_written(const struct workload *workload)
{
    return workload->timeline_line > 0;
}

static bool is_boot(const struct workload *workload)
{
    return workload->boot_line > 0;
}

static bool always(const struct workload *workload)
{
    (void)workload;
    return true;
}

static bool is_no_recording(const struct workload *workload)
{
    return !is_recorded(workload);
}

static bool is_not_written(const struct workload *workload)
{
    return !is_written(workload);
}

static bool has_one_vcpu(const struct workload *workload)
{
    return workload->values.vcpus == 1;
}

static bool caches_nothing(const struct workload *workload)
{
    return is_boot(workload) && workload->values.cached <= 0;
}

static bool executes_nothing(const struct workload *workload)
{
    return is_boot(workload) && workload->values.execute == 0;
}

static bool touches_nothing(const struct workload *workload)
{
    return is_boot(workload) && workload->values.touched <= 0;
}

static bool comes_back_to_none(const struct workload *workload)
{
    return workload->values.order != ORDER_ZIPF;
}

static bool draws_nothing(const struct workload *workload)
{
    return workload->values.order != ORDER_ZIPF && workload->values.order != ORDER_RANDOM;
}

static bool boots_first(const struct workload *workload)
{
    return is_boot(workload) && !workload->values.reset;
}

#define FIRST_BOOT \
    "changes nothing: nothing is used before a first boot (reset = no), expected reset = yes"
#define FOR_PEOPLE "changes nothing that is played, it is for people: expected it in the file"
#define RECORDED                                                                          \
    "changes nothing: the recording says it; expected a workload with a [boot], such as " \
    "workload=generated-boot"
#define ONE_VCPU "changes nothing: there is one vCPU (vcpus = 1), expected vcpus of 2 or more"
#define NO_TOUCH "changes nothing: no memory is touched, expected touched above 0"
static const struct {
    const char *key;
    bool (*idle)(const struct workload *workload);
    const char *why;
} idle_keys[] = {
    {"name", always, FOR_PEOPLE},
    {"title", always, FOR_PEOPLE},
    {"recording", is_no_recording,
     "this workload is no recording, expected one that is, such as workload=recorded-4k"},
    {"play", is_not_written,
     "changes nothing: it orders the lines of a [timeline], expected a workload that has one"},
    {"ram", is_recorded, RECORDED},
    {"ram_ipa", is_recorded, RECORDED},
    {"ram_misalign", is_recorded, RECORDED},
    {"granule", is_recorded, RECORDED},
    {"ipa_bits", is_recorded, RECORDED},
    {"vcpus", is_recorded, RECORDED},
    {"guest_maintenance", is_written,
     "changes nothing: a [timeline] says it itself, expected lines such as vcpu0 = clean IPA "
     "BYTES"},
    {"vm_registers", is_written,
     "changes nothing: a [timeline] says it itself, expected lines with vmregs N"},
    {"secondaries_after", has_one_vcpu, ONE_VCPU},
    {"secondaries_after_min", has_one_vcpu, ONE_VCPU},
    {"secondaries_after_max", has_one_vcpu, ONE_VCPU},
    {"cached", boots_first, FIRST_BOOT},
    {"dirty", boots_first, FIRST_BOOT},
    {"dirty_log", boots_first, FIRST_BOOT},
    {"dirty", caches_nothing,
     "changes nothing: nothing is in the caches (cached = 0), expected cached above 0"},
    {"execute_places", executes_nothing,
     "changes nothing: nothing is executed (execute = 0), expected execute above 0"},
    {"extents", touches_nothing, NO_TOUCH},
    {"order", touches_nothing, NO_TOUCH},
    {"write_share", touches_nothing, NO_TOUCH},
    {"execute", touches_nothing, NO_TOUCH},
    {"execute_places", touches_nothing, NO_TOUCH},
    {"insns_per_page", touches_nothing, NO_TOUCH},
    {"later_passes", touches_nothing, NO_TOUCH},
    {"zipf_exponent", comes_back_to_none,
     "changes nothing: expected order = zipf beside it, which alone uses it"},
    {"seed", draws_nothing,
     "changes nothing: expected order = random or order = zipf beside it, which alone use it"},
};

static const char *idle_by_rule(const struct workload *workload, const struct option_row *row)
{
    if (strcmp(row->section, "boot") == 0 && !is_boot(workload)) {
        return is_recorded(workload)
                   ? RECORDED
                   : "changes nothing: the [timeline] says what happens; expected a workload with "
                     "a [boot], such as workload=generated-boot";
    }
    for (size_t i = 0; i < sizeof idle_keys / sizeof *idle_keys; i++) {
        if (strcmp(idle_keys[i].key, row->name) == 0 && idle_keys[i].idle(workload)) {
            return idle_keys[i].why;
        }
    }
    return NULL;
}

bool workload_says(const struct workload *workload, const char *key)
{
    bool says = is_boot(workload) || strcmp(workload_key(key)->section, "boot") != 0;
    for (size_t i = 0; i < sizeof idle_keys / sizeof *idle_keys; i++) {
        bool (*idle)(const struct workload *) = idle_keys[i].idle;
        bool by_kind = idle == is_recorded || idle == is_no_recording || idle == is_written ||
                       idle == is_not_written;
        says &= !by_kind || strcmp(idle_keys[i].key, key) != 0 || !idle(workload);
    }
    return says;
}

/* --- by what other values of it play --- */

struct probe {
    const struct workload *workload;
    const struct option_row *row;
    struct timeline played;
    bool differs;
};

static void try_value(struct probe *probe, const char *text)
{
    struct timeline other;
    struct error err;
    if (probe->differs) {
        return;
    }
    struct workload *changed = workload_copy(probe->workload);
    if (workload_set(changed, probe->row->name, text, NULL, &err) &&
        workload_build(changed, &other, &err)) {
        probe->differs = !timeline_same(&probe->played, &other);
        timeline_free(&other);
    }
    workload_free(changed);
}

static void try_number(struct probe *probe, double value)
{
    char text[64];
    const struct option_row *row = probe->row;
    if (value < row->low || value > row->high) {
        return;
    }
    if (row->kind == OPTION_WHOLE) {
        snprintf(text, sizeof text, "%" PRIu64, (uint64_t)value);
    } else {
        snprintf(text, sizeof text, "%.17g", value);
    }
    try_value(probe, text);
}

#define PAGE_MAX 65536 /* what is given in whole pages goes up by as much with any of them */
static void try_numbers(struct probe *probe)
{
    const char *field = (const char *)&probe->workload->values + probe->row->offset;
    double value = probe->row->kind == OPTION_WHOLE ? (double)*(const uint64_t *)field
                                                    : *(const double *)field;
    const double tried[] = {value * 2,        value / 2,       value + 1,
                            value + PAGE_MAX, probe->row->low, probe->row->high};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        try_number(probe, tried[i]);
    }
}

static bool idle_by_trial(const struct workload *workload, const struct option_row *row)
{
    struct probe probe = {.workload = workload, .row = row};
    struct error err;
    if (!workload_build(workload, &probe.played, &err)) {
        return false;
    }
    switch (row->kind) {
    case OPTION_REAL:
    case OPTION_WHOLE:
        try_numbers(&probe);
        break;
    case OPTION_CHOICE:
        for (size_t i = 0; row->choices[i].word; i++) {
            try_value(&probe, row->choices[i].word);
        }
        break;
    case OPTION_FLAG:
        try_value(&probe, "yes");
        try_value(&probe, "no");
        break;
    case OPTION_TEXT:
        probe.differs = true;
        break;
    }
    timeline_free(&probe.played);
    return !probe.differs;
}

const char *workload_without_effect(const struct workload *workload, const char *key)
{
    const struct option_row *row = workload_key(key);
    const char *why = idle_by_rule(workload, row);
    bool range = strcmp(key, "secondaries_after_min") == 0 ||
                 strcmp(key, "secondaries_after_max") == 0; /* of draws, not of what is played */
    if (!why && !range && !is_recorded(workload) && idle_by_trial(workload, row)) {
        why = "changes nothing beside the other keys: expected it to be left out";
    }
    return why;
}
