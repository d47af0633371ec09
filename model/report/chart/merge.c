/* Panels that show the same become one. */
#include "report/chart/merge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALIKE 0.01 /* what differs less looks the same, as a share of itself, */
#define NEAR 0.008 /* or of the height of an axis whose decades are many */

/* Differences that are not seen, as a share. */
static double unseen(const struct chart_lines *chart)
{
    double low = INFINITY, high = 0;
    for (size_t p = 0; p < chart->panels; p++) {
        for (size_t i = 0; i < chart->panel[p].lines; i++) {
            const struct chart_line *line = &chart->panel[p].line[i];
            for (size_t k = 0; k < line->count; k++) {
                double y = line->point[k].y;
                low = y > 0 ? fmin(low, y) : low;
                high = y > 0 ? fmax(high, y) : high;
            }
        }
    }
    return high > low ? fmax(ALIKE, NEAR * log(high / low)) : ALIKE;
}

static bool alike(double a, double b, double share)
{
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= share * fmin(fabs(a), fabs(b));
}

static bool same_line(const struct chart_line *a, const struct chart_line *b, double share)
{
    bool same = a->style == b->style && a->count == b->count && strcmp(a->name, b->name) == 0;
    for (size_t i = 0; i < a->count && same; i++) {
        const struct chart_point *p = &a->point[i], *q = &b->point[i];
        same = p->x == q->x && alike(p->y, q->y, share) && alike(p->low, q->low, share) &&
               alike(p->high, q->high, share);
    }
    return same;
}

static bool same_panel(const struct chart_panel *a, const struct chart_panel *b, double share)
{
    bool same = a->title && b->title && a->lines == b->lines && a->lines > 0 &&
                a->levels == b->levels && a->crossings == b->crossings;
    for (size_t i = 0; i < a->lines && same; i++) {
        same = same_line(&a->line[i], &b->line[i], share);
    }
    return same;
}

/* Names further panels: "4 KiB leaves, Linux 6.1 and 7.3" where all but a word is the same, else
 * "4 KiB leaves; 64 KiB leaves", or how many more there are. */
static void join_titles(const struct chart_lines *chart, const size_t *like, size_t count,
                        char title[CHART_MERGED_TITLE])
{
    const char *first = chart->panel[like[0]].title;
    size_t used = (size_t)snprintf(title, CHART_MERGED_TITLE, "%s", first);
    for (size_t i = 1; i < count && used < CHART_MERGED_TITLE; i++) {
        const char *other = chart->panel[like[i]].title;
        size_t common = 0;
        for (size_t k = 0; first[k] && first[k] == other[k]; k++) {
            common = first[k] == ' ' ? k + 1 : common;
        }
        bool one_word = !strchr(first + common, ' ') && !strchr(other + common, ' ');
        used += (size_t)snprintf(title + used, CHART_MERGED_TITLE - used, "%s%s",
                                 !one_word       ? "; "
                                 : i + 1 < count ? ", "
                                                 : " and ",
                                 one_word ? other + common : other);
    }
    if (used >= CHART_MERGED_TITLE) {
        snprintf(title, CHART_MERGED_TITLE, "%.60s and %zu more", first, count - 1);
    }
}

void chart_merge(const struct chart_lines *chart, struct chart_merged *merged)
{
    bool taken[CHART_PANELS] = {false};
    double share = unseen(chart);
    merged->chart = *chart;
    merged->chart.panel = merged->panel;
    merged->chart.panels = 0;
    for (size_t i = 0; i < chart->panels; i++) {
        size_t like[CHART_PANELS], count = 0, own = merged->chart.panels;
        for (size_t k = i; k < chart->panels && !taken[i]; k++) {
            if (k == i || (!taken[k] && same_panel(&chart->panel[i], &chart->panel[k], share))) {
                like[count++] = k;
                taken[k] = k > i;
            }
        }
        if (count > 0) {
            merged->panel[own] = chart->panel[i];
            merged->chart.panels++;
        }
        if (count > 1) {
            join_titles(chart, like, count, merged->title[own]);
            merged->panel[own].title = merged->title[own];
        }
    }
}
