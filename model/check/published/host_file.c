#include "check/published/host_file.h"

#include <math.h>
#include <string.h>

#define MOVED 0.1 /* standard errors */

struct host_file_cost host_file_cost(const struct host_fit *fit, size_t cost)
{
    double value = fit->value[cost], error = fit->standard_error[cost];
    double stands = fit->row[0].row->platform->cost[fit->id[cost]].mode;
    return (struct host_file_cost){.low = value / exp(2 * error),
                                   .mode = value,
                                   .high = value * exp(2 * error),
                                   .moved = fabs(log(value / stands)) > MOVED * error};
}

size_t host_file_moved(const struct host_fit *fit)
{
    size_t moved = 0;
    for (size_t i = 0; i < fit->costs; i++) {
        moved += host_file_cost(fit, i).moved;
    }
    return moved;
}

/* The cost whose section begins in this line, or `before`; fit->costs: none that is fitted. */
static size_t section_of(const char *line, const struct host_fit *fit, size_t before)
{
    char name[64];
    if (line[0] != '[') {
        return before;
    }
    if (sscanf(line, "[cost %63[^] ]", name) != 1) {
        return fit->costs;
    }
    size_t cost = 0;
    while (cost < fit->costs && strcmp(cost_name[fit->id[cost]], name) != 0) {
        cost++;
    }
    return cost;
}

/* The value that the fit has for the line's key; NULL: the line is not about one. */
static const double *value_of(const char *line, const struct host_file_cost *cost)
{
    const struct {
        const char *key;
        const double *value;
    } keys[] = {{"low", &cost->low}, {"mode", &cost->mode}, {"high", &cost->high}};
    size_t length = strcspn(line, " =\n");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strlen(keys[i].key) == length && memcmp(line, keys[i].key, length) == 0) {
            return keys[i].value;
        }
    }
    return NULL;
}

void host_file_write(const char *text, const struct host_fit *fit, FILE *out)
{
    size_t cost = fit->costs;
    while (*text) {
        size_t length = strcspn(text, "\n");
        length += text[length] == '\n';
        cost = section_of(text, fit, cost);
        struct host_file_cost now = {.moved = false};
        if (cost < fit->costs) {
            now = host_file_cost(fit, cost);
        }
        const double *value = now.moved ? value_of(text, &now) : NULL;
        if (value) {
            fprintf(out, "%.*s = %.4g\n", (int)strcspn(text, " =\n"), text, *value);
        } else {
            fwrite(text, 1, length, out);
        }
        text += length;
    }
}
