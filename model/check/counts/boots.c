#include "check/counts/boots.h"

#include "check/counts/boots_columns.h"
#include "core/alloc.h"
#include "core/csv.h"
#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PHASES 16
#define CELL 96

/* What one phase says of one column. */
enum mark { MARK_NONE, MARK_SAME, MARK_SHIFTED, MARK_DIFFERS };
struct cell {
    char recorded[CELL], played[CELL];
    enum mark mark;
};

struct comparison {
    const struct csv *table;
    size_t row[MAX_PHASES]; /* of the table, by phase */
    uint32_t phases;
    struct cell cell[BOOT_COLUMNS][MAX_PHASES];
    bool shifted;
    uint32_t compared, same;
};

/* --- comparing --- */

/* Numbers are recorded with as many decimals as they show. */
static bool same_text(const char *recorded, const char *played)
{
    char *end_recorded, *end_played;
    double a = strtod(recorded, &end_recorded), b = strtod(played, &end_played);
    if (*recorded == '\0' || *end_recorded != '\0' || *end_played != '\0') {
        return strcmp(recorded, played) == 0;
    }
    return fabs(a - b) <= (strchr(recorded, '.') ? 0.00501 : 0);
}

static bool find_rows(struct comparison *comparison, const char *name, struct error *err)
{
    const struct csv *table = comparison->table;
    int run = csv_column(table, "run");
    struct source_location at = {.file = table->path};
    if (!csv_needs(table, (const char *const[]){"run", "phase", NULL}, err)) {
        return false;
    }
    for (size_t i = 0; i < table->rows; i++) {
        if (strcmp(csv_cell(table, i, run), name) != 0) {
            continue;
        }
        if (comparison->phases == MAX_PHASES) {
            at.line = table->lines[i];
            return error_input(err, &at, "more than %d phases of '%s'", MAX_PHASES, name);
        }
        comparison->row[comparison->phases++] = i;
    }
    return comparison->phases > 0 || error_input(err, &at, "has no row of the run '%s'", name);
}

static const char *phase_name(const struct comparison *comparison, uint32_t phase)
{
    const struct csv *table = comparison->table;
    return csv_cell(table, comparison->row[phase], csv_column(table, "phase"));
}

static void compare(struct comparison *comparison, const struct boots_played *played)
{
    const struct csv *table = comparison->table;
    for (uint32_t column = 0; column < BOOT_COLUMNS; column++) {
        int index = csv_column(table, boot_columns[column].name);
        for (uint32_t phase = 0; index >= 0 && phase < comparison->phases; phase++) {
            struct cell *cell = &comparison->cell[column][phase];
            uint32_t at = boots_phase(played, phase_name(comparison, phase));
            snprintf(cell->recorded, CELL, "%.95s", csv_cell(table, comparison->row[phase], index));
            boot_columns[column].format(played, &boot_columns[column], at, cell->played, CELL);
            bool said = boot_columns[column].text || cell->recorded[0] != '\0';
            bool same = same_text(cell->recorded, cell->played);
            cell->mark = !said ? MARK_NONE : same ? MARK_SAME : MARK_DIFFERS;
        }
    }
}

/* Which boot a phase "use2" or "reset2" belongs to; 0: none, or another phase. */
static unsigned long boot_of(const char *phase, const char *kind)
{
    size_t length = strlen(kind);
    return strncmp(phase, kind, length) == 0 ? strtoul(phase + length, NULL, 10) : 0;
}

/*
 * The lines of the last perm_x before a reset may be recorded in the phase
 * after it: the two phases then differ by just these lines, in opposite
 * directions.
 */
static void accept_shift(struct comparison *comparison, const struct boots_played *played)
{
    for (uint32_t phase = 0; phase + 1 < comparison->phases; phase++) {
        struct cell *use = &comparison->cell[BOOT_IC_IVAU][phase], *reset = use + 1;
        unsigned long boot = boot_of(phase_name(comparison, phase), "use");
        bool pair = boot >= 1 && boot <= RECORDING_BOOTS &&
                    boot == boot_of(phase_name(comparison, phase + 1), "reset");
        uint64_t lines = pair ? played->info.last_perm_x_bytes[boot - 1] : 0;
        lines /= played->platform.line_bytes;
        uint64_t used = strtoull(use->played, NULL, 10), kept = strtoull(use->recorded, NULL, 10);
        uint64_t late = strtoull(reset->recorded, NULL, 10);
        if (lines > 0 && use->mark == MARK_DIFFERS && reset->mark == MARK_DIFFERS &&
            used == kept + lines && late == strtoull(reset->played, NULL, 10) + lines) {
            use->mark = reset->mark = MARK_SHIFTED;
            comparison->shifted = true;
        }
    }
}

/* --- printing --- */

/* "178.95 =", "1664 ~ 1728", "3 != 4", or "-" where nothing is recorded. */
static const char *show(const struct cell *cell, char *buf, size_t size)
{
    const char *recorded = cell->recorded[0] ? cell->recorded : "none";
    const char *played = cell->played[0] ? cell->played : "none";
    switch (cell->mark) {
    case MARK_SAME:
        snprintf(buf, size, "%s =", recorded);
        break;
    case MARK_SHIFTED:
        snprintf(buf, size, "%s ~ %s", recorded, played);
        break;
    case MARK_DIFFERS:
        snprintf(buf, size, "%s != %s", recorded, played);
        break;
    case MARK_NONE:
        snprintf(buf, size, "-");
        break;
    }
    return buf;
}

static int width_of(const struct comparison *comparison, uint32_t phase)
{
    char text[2 * CELL + 8];
    size_t width = strlen(phase_name(comparison, phase));
    for (uint32_t column = 0; column < BOOT_COLUMNS; column++) {
        size_t length = strlen(show(&comparison->cell[column][phase], text, sizeof text));
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_column(struct comparison *comparison, uint32_t column, const int *width,
                         FILE *out)
{
    uint32_t same = 0, compared = 0;
    fprintf(out, "%-17s", boot_columns[column].name);
    for (uint32_t phase = 0; phase < comparison->phases; phase++) {
        const struct cell *cell = &comparison->cell[column][phase];
        char text[2 * CELL + 8];
        compared += cell->mark != MARK_NONE;
        same += cell->mark == MARK_SAME || cell->mark == MARK_SHIFTED;
        fprintf(out, "  %*s", width[phase], show(cell, text, sizeof text));
    }
    fprintf(out, "  %u of %u\n", same, compared);
    comparison->compared += compared;
    comparison->same += same;
}

static bool claimed(const struct boots_played *played, uint32_t column)
{
    return column != BOOT_FAULT_NONE || played->info.retries == 0;
}

static void print_table(struct comparison *comparison, const struct boots_played *played, FILE *out)
{
    int width[MAX_PHASES];
    fprintf(out, "%s: cpu %s, kernel %s, strategy %s\n\n%-17s", played->info.name, played->info.cpu,
            played->info.kernel, played->run->point.strategy->name, "");
    for (uint32_t phase = 0; phase < comparison->phases; phase++) {
        width[phase] = width_of(comparison, phase);
        fprintf(out, "  %*s", width[phase], phase_name(comparison, phase));
    }
    fputs("  agree\n", out);
    for (uint32_t column = 0; column < BOOT_COLUMNS; column++) {
        if (claimed(played, column)) {
            print_column(comparison, column, width, out);
        }
    }
    fprintf(out, "\n%u of %u claimed values agree\n", comparison->same, comparison->compared);
}

static void print_notes(const struct comparison *comparison, const struct boots_played *played,
                        FILE *out)
{
    if (comparison->shifted) {
        fputs("~: the lines of a use's last perm_x are recorded in the reset behind it\n", out);
    }
    fputs("not claimed:\n", out);
    for (size_t i = 0; i < boot_unclaimed_count; i++) {
        fprintf(out, "  %-17s  %s\n", boot_unclaimed[i].name, boot_unclaimed[i].reason);
    }
    if (!claimed(played, BOOT_FAULT_NONE)) {
        fprintf(out, "  %-17s  %llu rows are faults that lost a race with another thread\n",
                boot_columns[BOOT_FAULT_NONE].name, (unsigned long long)played->info.retries);
    }
}

bool boots_check(const char *recording, const char *phases, FILE *out, bool *agrees,
                 struct error *err)
{
    struct csv table;
    if (!csv_read(phases, &table, err)) {
        return false;
    }
    struct comparison *comparison = alloc_zeroed(1, sizeof *comparison, "a recorded boot");
    struct boots_played *played = alloc_zeroed(1, sizeof *played, "a recorded boot");
    comparison->table = &table;
    bool fine = boots_read(played, recording, err) &&
                find_rows(comparison, played->info.name, err) && boots_run(played, err);
    if (fine) {
        compare(comparison, played);
        accept_shift(comparison, played);
        print_table(comparison, played, out);
        print_notes(comparison, played, out);
        *agrees = comparison->same == comparison->compared;
    }
    boots_free(played);
    free(played);
    free(comparison);
    csv_free(&table);
    return fine;
}
