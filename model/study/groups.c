#include "study/groups.h"

#include "core/error.h"

#include <stdio.h>
#include <string.h>

const struct axis *groups_axis(const struct study *study, const char *name)
{
    for (size_t i = 0; i < study->axis_count; i++) {
        if (strcmp(study->axes[i].name, name) == 0) {
            return &study->axes[i];
        }
    }
    return NULL;
}

bool groups_has(const struct groups *groups, const struct axis *axis)
{
    return axis->role != AXIS_STRATEGY && axis != groups->out[0] && axis != groups->out[1];
}

void groups_init(struct groups *groups, const struct study *study, const struct axis *first,
                 const struct axis *second)
{
    *groups = (struct groups){.study = study, .out = {first, second}, .count = 1};
    for (size_t i = 0; i < study->axis_count; i++) {
        groups->count *= groups_has(groups, &study->axes[i]) ? study->axes[i].values.count : 1;
    }
}

size_t groups_point(const struct groups *groups, size_t group)
{
    const struct study *study = groups->study;
    size_t point = 0;
    for (size_t i = study->axis_count; i-- > 0;) {
        const struct axis *axis = &study->axes[i];
        if (groups_has(groups, axis)) {
            point += group % axis->values.count * axis->stride;
            group /= axis->values.count;
        }
    }
    return point;
}

void groups_spell(const struct axis *axis, const char *text, char *buf, size_t size)
{
    double value;
    if (axis->kind.number && unit_parse(text, UNIT_NONE, &value)) {
        unit_format(value, axis->kind.unit, buf, size);
    } else {
        snprintf(buf, size, "%s", text);
    }
}

void groups_text(const struct groups *groups, size_t group, char *text, size_t size)
{
    const struct study *study = groups->study;
    size_t point = groups_point(groups, group), used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        char value[64];
        if (!groups_has(groups, axis) || axis->values.count == 1 || used >= size) {
            continue;
        }
        groups_spell(axis, axis->values.text[study_digit(axis, point)], value, sizeof value);
        used += (size_t)snprintf(text + used, size - used, "%s%s=%s", used ? "; " : "", axis->name,
                                 value);
    }
}

bool groups_strategy(const struct study *study, const char *option, const char *name, size_t length,
                     size_t *index, struct error *err)
{
    const struct values *values = &study->role[AXIS_STRATEGY]->values;
    char hint[512] = "", word[64];
    struct source_location at = {.key = option};
    for (size_t i = 0; i < values->count; i++) {
        if (strlen(values->text[i]) == length && memcmp(values->text[i], name, length) == 0) {
            *index = i;
            return true;
        }
    }
    snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), name);
    error_suggest(hint, sizeof hint, word, (const char *const *)values->text, values->count);
    return error_input(err, &at, "the study has no strategy '%s'%s", word, hint);
}

bool groups_pair(const struct study *study, const char *option, const char *pair, size_t *a,
                 size_t *b, struct error *err)
{
    const char *comma = strchr(pair, ',');
    if (!comma) {
        return error_input(err, NULL, "%s: found '%.80s', expected two strategies: A,B", option,
                           pair);
    }
    if (!groups_strategy(study, option, pair, (size_t)(comma - pair), a, err) ||
        !groups_strategy(study, option, comma + 1, strlen(comma + 1), b, err)) {
        return false;
    }
    return *a != *b ||
           error_input(err, NULL, "%s: found '%.80s', expected two that differ", option, pair);
}
