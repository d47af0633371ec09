/* Figures: no text leaves the frame or lies over another one, whatever there is to draw. */
#include "check.h"
#include "legible.h"

#include "core/error.h"
#include "report/chart/canvas.h"
#include "report/chart/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *lines_data(const struct chart_lines *chart)
{
    char *data = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&data, &size);
    assert_non_null(out);
    chart_lines(out, chart);
    assert_int_equal(fclose(out), 0);
    return data;
}

static char *bars_data(const struct chart_bars *chart)
{
    char *data = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&data, &size);
    assert_non_null(out);
    chart_bars(out, chart);
    assert_int_equal(fclose(out), 0);
    return data;
}

/* --- what is drawn --- */

static const char *const long_names[] = {"unmap",
                                         "lazy-vmall",
                                         "eager-toggle1",
                                         "a-strategy-with-a-name-that-somebody-thought-about",
                                         "W",
                                         "hybrid & <co>",
                                         "unmap-lazy-vmall-chunked-64K",
                                         "fwb (if the machine had it)"};

static const struct chart_tick touched[] = {
    {0, "0"},      {0.01, "1 %"},  {0.02, "2 %"}, {0.05, "5 %"}, {0.1, "10 %"},
    {0.2, "20 %"}, {0.32, "32 %"}, {0.5, "50 %"}, {0.7, "70 %"}, {0.8, "80 %"},
    {0.9, "90 %"}, {0.95, "95 %"}, {1, "100 %"}};
static const struct chart_tick sizes[] = {{65536, "64 KiB"},      {262144, "256 KiB"},
                                          {2097152, "2 MiB"},     {16777216, "16 MiB"},
                                          {134217728, "128 MiB"}, {1073741824, "1 GiB"}};

#define POINTS 13

struct drawn {
    struct chart_point point[CHART_PANELS][CHART_LINES][POINTS];
    struct chart_line line[CHART_PANELS][CHART_LINES];
    struct chart_panel panel[CHART_PANELS];
    struct chart_crossing crossing[3];
    struct chart_level level[3];
    struct chart_lines chart;
};

/* Costs that rise along the axis from some that do, over `decades`. */
static struct drawn *draw(size_t panels, size_t lines, bool log, double decades)
{
    struct drawn *drawn = calloc(1, sizeof *drawn);
    const struct chart_tick *tick = log ? sizes : touched;
    size_t count = log ? sizeof sizes / sizeof *sizes : POINTS;
    assert_non_null(drawn);
    for (size_t p = 0; p < panels; p++) {
        for (size_t i = 0; i < lines; i++) {
            for (size_t k = 0; k < count; k++) {
                double y = 1e8 * pow(10, decades * (double)i / 8) *
                           (1 + (i % 2 ? 0.3 : 3.0) * (double)k / (double)count);
                drawn->point[p][i][k] = (struct chart_point){tick[k].at, y, y * 0.8, y * 1.3};
            }
            drawn->line[p][i] =
                (struct chart_line){long_names[i], (unsigned)i, drawn->point[p][i],
                                    count - p / 4}; /* no panel is another one again */
        }
        drawn->panel[p] = (struct chart_panel){
            .title = panels > 1 ? "2 MiB leaves, granule 64 KiB, neoverse-n1, Linux 6.12" : NULL,
            .line = drawn->line[p],
            .lines = lines,
            .crossing = drawn->crossing,
            .crossings = p % 4,
            .level = drawn->level,
            .levels = p == 0 ? 3 : 0};
    }
    for (size_t i = 0; i < 3; i++) {
        double x = tick[i + 2].at;
        drawn->crossing[i] =
            (struct chart_crossing){"50.8 % (50.1 to 51.0)", x, 3e8, x * 0.9, x * 2};
        drawn->level[i] = (struct chart_level){i ? "limit 100 ms" : "limit 1 s", i ? 1e8 : 1e9};
    }
    drawn->chart = (struct chart_lines){
        .title = "Above 2 MiB leaves, a clean at the fault alone costs least until half of the "
                 "memory is touched again, which is a rather long title for any figure",
        .subtitle = "16 GiB in use, 8 vCPUs, Kunpeng 920, Linux 6.1; medians, bands p10 to p90",
        .x_title = log ? "chunk" : "touched again, of what is in use",
        .y_title = "added to the reboot",
        .y_unit = UNIT_NS,
        .x_log = log,
        .tick = tick,
        .ticks = count,
        .panel = drawn->panel,
        .panels = panels};
    return drawn;
}

static void lines_of_any_number(void **state)
{
    (void)state;
    for (size_t panels = 1; panels <= CHART_PANELS; panels++) {
        for (size_t lines = 0; lines <= CHART_LINES; lines += lines == 1 ? 5 : 1) {
            for (int log = 0; log < 2; log++) {
                char name[64];
                struct drawn *drawn = draw(panels, lines, log, panels % 2 ? 0.5 : 4);
                snprintf(name, sizeof name, "lines-%zu-%zu-%s", panels, lines,
                         log ? "log" : "linear");
                expect_legible(name, lines_data(&drawn->chart));
                free(drawn);
            }
        }
    }
}

/* Panels side by side leave no room for their title in one line: all of it stands in several. */
static void titles_of_panels_are_whole(void **state)
{
    (void)state;
    for (size_t panels = 2; panels <= CHART_PANELS; panels++) {
        static struct box box[BOXES];
        struct drawn *drawn = draw(panels, 2, false, 4);
        char *data = lines_data(&drawn->chart);
        size_t texts = read_texts(data, box), ends = 0;
        for (size_t i = 0; i < texts; i++) {
            ends += strstr(box[i].text, "6.12") != NULL;
        }
        assert_int_equal(ends, panels);
        free(data);
        free(drawn);
    }
}

/* How many texts of a figure are, or hold, these words. */
static size_t count_texts(const struct chart_lines *chart, const char *words)
{
    static struct box box[BOXES];
    char *data = lines_data(chart);
    size_t texts = read_texts(data, box), count = 0;
    for (size_t i = 0; i < texts; i++) {
        count += strstr(box[i].text, words) != NULL;
    }
    free(data);
    return count;
}

static double height_of(const struct chart_lines *chart)
{
    double width, height = 0;
    char *data = lines_data(chart);
    assert_int_equal(sscanf(data, "# %lg by %lg points", &width, &height), 2);
    free(data);
    return height;
}

/* What crossings come to stands as they do from the left to the right, all in one line where there
 * is room, and is in the way of no other row of panels. */
static void crossings_stand_in_order(void **state)
{
    static struct box box[BOXES];
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct drawn *drawn = draw(4, 2, false, 4);
        struct chart_crossing crossing[] = {{wide ? "c, 12.3 % of it" : "c", 0.05, 3e8, NAN, NAN},
                                            {wide ? "a, 12.3 % of it" : "a", 0.01, 3e8, NAN, NAN},
                                            {wide ? "b, 12.3 % of it" : "b", 0.02, 3e8, NAN, NAN}};
        for (size_t p = 0; p < 4; p++) {
            drawn->panel[p].crossing = crossing;
            drawn->panel[p].crossings = p == 0 ? 3 : 0;
            drawn->point[p][0][3].y *= 1 + (double)p; /* none looks the same as another */
        }
        double height = height_of(&drawn->chart);
        drawn->panel[1].crossings = 3;
        assert_true(height_of(&drawn->chart) == height);
        drawn->panel[2].crossings = 3;
        assert_true(height_of(&drawn->chart) > height + 10);
        char *data = lines_data(&drawn->chart);
        size_t texts = read_texts(data, box), at[3] = {0};
        for (size_t i = 0; i < texts; i++) {
            const char *text = box[i].text;
            for (size_t k = 0; k < 3; k++) {
                bool own = text[0] == "abc"[k] && (wide ? text[1] == ',' : text[1] == '\0');
                at[k] = own ? i : at[k];
            }
        }
        for (size_t k = 1; k < 3; k++) {
            assert_int_equal(wide, box[at[k]].top > box[at[k - 1]].top);
            assert_int_equal(!wide, box[at[k]].left > box[at[k - 1]].right);
        }
        expect_legible("order", data);
        free(drawn);
    }
}

/* Panels that look the same are one, which names both; a difference that is seen keeps them. */
static void panels_that_show_the_same_are_one(void **state)
{
    struct drawn *drawn = draw(3, 2, false, 4);
    (void)state;
    drawn->panel[0].title = "2 MiB, Linux 6.1";
    drawn->panel[1].title = "2 MiB, Linux 7.3";
    drawn->panel[2].title = "64 KiB leaves";
    drawn->panel[1].crossings = drawn->panel[0].crossings;
    drawn->panel[1].levels = drawn->panel[0].levels;
    drawn->point[1][0][3].y *= 1.5;
    assert_int_equal(count_texts(&drawn->chart, "Linux 6.1 and 7.3"), 0);
    memcpy(drawn->point[1], drawn->point[0], sizeof drawn->point[0]);
    drawn->point[1][0][3].y *= 1.005; /* no more than a line's width */
    assert_int_equal(count_texts(&drawn->chart, "2 MiB, Linux 6.1 and 7.3"), 1);
    assert_int_equal(count_texts(&drawn->chart, "64 KiB leaves"), 1);
    drawn->point[1][0][3].high *= 1.5;
    assert_int_equal(count_texts(&drawn->chart, "6.1 and 7.3"), 0);
    free(drawn);
}

static void lines_of_odd_values(void **state)
{
    static const double values[] = {0, NAN, 1e-3, 1e18, -5e6, 5};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char name[64];
        struct drawn *drawn = draw(2, 3, true, 1);
        for (size_t k = 0; k < 6; k++) {
            drawn->point[0][1][k].y = values[i];
            drawn->point[0][1][k].low = drawn->point[0][1][k].high = NAN;
        }
        snprintf(name, sizeof name, "odd-%zu", i);
        char *data = lines_data(&drawn->chart);
        assert_null(strstr(data, "inf"));
        expect_legible(name, data);
        free(drawn);
    }
}

/* The mark is where the drawn lines meet: on a logarithmic scale they are bent. */
static void lines_cross_where_they_are_marked(void **state)
{
    struct chart_point flat[] = {{1, 1e9, NAN, NAN}, {64, 1e9, NAN, NAN}};
    struct chart_point rising[] = {{1, 1e7, NAN, NAN}, {64, 1e11, NAN, NAN}};
    struct chart_line line[] = {{"flat", 1, flat, 2}, {"rising", 2, rising, 2}};
    double share = (1e9 - 1e7) / (1e11 - 1e7), x = 1 + 63 * share;
    struct chart_crossing crossing = {"x", x, 1e9, NAN, NAN};
    struct chart_panel panel = {.line = line, .lines = 2, .crossing = &crossing, .crossings = 1};
    struct chart_tick tick[] = {{1, "1"}, {64, "64"}};
    struct chart_lines chart = {.title = "t",
                                .subtitle = "s",
                                .x_title = "vCPUs",
                                .y_title = "y",
                                .y_unit = UNIT_NS,
                                .x_log = true,
                                .tick = tick,
                                .ticks = 2,
                                .panel = &panel,
                                .panels = 1};
    char *data = lines_data(&chart);
    double at_x = 0, at_y = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0;
    (void)state;
    for (const char *row = data; (row = strchr(row, '\n')); row++) {
        (void)sscanf(row, "\n3\t9\t%lg\t%lg", &at_x, &at_y);
    }
    assert_true(at_x > 1 && at_y > 0);
    for (const char *row = data; (row = strchr(row, '\n')) && x2 < at_x; row++) {
        double px, py;
        if (sscanf(row, "\n1\t2\t%lg\t%lg", &px, &py) == 2) {
            x1 = x2;
            y1 = y2;
            x2 = px;
            y2 = py;
        }
    }
    /* Straight in the logarithms, as gnuplot draws it: a picture has some 90 points in a
     * decade here. */
    double y = log(y1) + log(y2 / y1) * log(at_x / x1) / log(x2 / x1);
    assert_true(fabs(y - log(at_y)) < 0.02);
    expect_legible("crossing", data);
}

#define GROUPS 12

static void bars_of_any_number(void **state)
{
    static const char *const parts[] = {"guest", "faults", "cleaning", "TLB invalidation",
                                        "instruction cache"};
    (void)state;
    for (size_t groups = 1; groups <= GROUPS; groups++) {
        for (int kind = CHART_DOTS; kind <= CHART_SWINGS; kind++) {
            struct chart_bar bar[GROUPS][8];
            struct chart_group group[GROUPS];
            double part[5] = {1e9, 2e9, 1e8, 3e9, 1e7};
            char name[64];
            for (size_t g = 0; g < groups; g++) {
                for (size_t i = 0; i < 8; i++) {
                    double at = 1e8 * pow(4, (double)((i + g) % 8));
                    bar[g][i] =
                        (struct chart_bar){.label = long_names[i],
                                           .note = i % 2 ? "1.2 s, 9.1 times less" : "0",
                                           .style = (unsigned)i,
                                           .strong = i == 1,
                                           .at = i == 7 ? 0 : at,
                                           .low = kind == CHART_STACKS || i == 7 ? NAN : at * 0.7,
                                           .high = kind == CHART_STACKS || i == 7 ? NAN : at * 1.6,
                                           .measured = i == 2 ? at * 3 : NAN,
                                           .part = part};
                }
                group[g] = (struct chart_group){groups > 1 ? long_names[3] : NULL, bar[g], 8, 1e9};
            }
            struct chart_bars chart = {.kind = (enum chart_bars_kind)kind,
                                       .title = "Cleaning is a third of the window",
                                       .subtitle = "4 KiB leaves, 2 vCPUs, Kunpeng 920, Linux 6.1",
                                       .x_title = "time",
                                       .unit = UNIT_NS,
                                       .part = parts,
                                       .parts = kind == CHART_STACKS ? 5 : 0,
                                       .at_text = "model, p10 to p90",
                                       .measured_text = "measured",
                                       .group = group,
                                       .groups = groups};
            snprintf(name, sizeof name, "bars-%zu-%d", groups, kind);
            expect_legible(name, bars_data(&chart));
        }
    }
}

static void maps_of_any_size(void **state)
{
    static const struct chart_key key[] = {
        {"A", "unmap in 3", 1},
        {"B", "a-strategy-with-a-name-that-somebody-thought-about in 2", 2},
        {"C", "eager-toggle1 in 1", 3}};
    static const size_t wide[] = {1, 2, 5, 14, 40};
    const char *text[40], *words[40];
    struct chart_cell cell[40 * 40];
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        text[i] = i % 2 ? "512 GiB" : "100 %";
        words[i] = i % 2 ? "512 MiB leaves (shared hugetlb)" : "s09-snapshot-restore";
    }
    for (size_t i = 0; i < 40 * 40; i++) {
        cell[i] = (struct chart_cell){i % 7 ? "A*?" : NULL, (unsigned)(i % 8), i % 3 == 0};
    }
    for (size_t i = 0; i < 5 * 12 * 2; i++) {
        struct chart_cells panel[CHART_PANELS];
        size_t size = wide[i % 5], panels = 1 + i / 5 % 12;
        char name[64];
        if (size > 5 && panels > 3) {
            continue;
        }
        for (size_t p = 0; p < panels; p++) {
            panel[p] = (struct chart_cells){panels > 1 ? long_names[p % 8] : NULL, cell};
        }
        struct chart_map chart = {.title = "unmap costs least in 3 of 6 cells; 5 are undecided",
                                  .subtitle = "8 vCPUs, Linux 7.3. Pale and ?: under 80 % of draws",
                                  .x_title = "touched again, of what is in use",
                                  .y_title = "vCPUs",
                                  .x = text,
                                  .y = i < 60 ? text : words,
                                  .xs = size,
                                  .ys = size < 14 ? size : 14,
                                  .key = key,
                                  .keys = 3,
                                  .panel = panel,
                                  .panels = panels};
        char *data = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&data, &length);
        assert_non_null(out);
        chart_map(out, &chart);
        assert_int_equal(fclose(out), 0);
        snprintf(name, sizeof name, "map-%zu-%zu", panels, size);
        expect_legible(name, data);
    }
}

/* gnuplot draws each text where the data file has it, in the size that the layout counts
 * on. Left out where it is not installed. */
static void gnuplot_draws_what_is_there(void **state)
{
    struct drawn *drawn = draw(3, 6, true, 4);
    struct box *box = calloc(BOXES, sizeof *box);
    struct error err;
    char *data = lines_data(&drawn->chart), *svg = NULL;
    (void)state;
    assert_non_null(box);
    size_t count = read_texts(data, box);
    if (!chart_svg(data, "x", &svg, &err)) {
        assert_non_null(strstr(err.text, "not installed"));
        count = 0;
    }
    const char *at = svg;
    for (size_t i = 0; i < count; i++) {
        double x, y;
        at = strstr(at, "<text>");
        assert_non_null(at);
        const char *group = at;
        while (strncmp(group, "translate(", 10) != 0) {
            group--;
        }
        assert_int_equal(sscanf(group, "translate(%lg,%lg)", &x, &y), 2);
        at++;
        bool found = false;
        for (size_t k = 0; k < count; k++) {
            double left = box[k].left, right = box[k].right;
            found |= x > left - 2 && x < right + 2 && y > box[k].top && y < box[k].bottom + 2;
        }
        assert_true(found);
    }
    free(svg);
    free(data);
    free(box);
    free(drawn);
}

static void texts_are_cut_whole(void **state)
{
    (void)state;
    char *cut = canvas_cut("a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 10, 40);
    assert_string_equal(cut, "a\xc3\xa9\xc3\xa9...");
    free(cut);
    cut = canvas_cut("short", 10, 400);
    assert_string_equal(cut, "short");
    free(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_any_number),
        cmocka_unit_test(titles_of_panels_are_whole),
        cmocka_unit_test(crossings_stand_in_order),
        cmocka_unit_test(panels_that_show_the_same_are_one),
        cmocka_unit_test(lines_of_odd_values),
        cmocka_unit_test(lines_cross_where_they_are_marked),
        cmocka_unit_test(bars_of_any_number),
        cmocka_unit_test(maps_of_any_size),
        cmocka_unit_test(gnuplot_draws_what_is_there),
        cmocka_unit_test(texts_are_cut_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
