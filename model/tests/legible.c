#include "legible.h"

#include "check.h"

#include "core/error.h"
#include "report/chart/canvas.h"
#include "report/chart/chart.h"

#include <stdlib.h>
#include <string.h>

/* --- reading a figure --- */

/* The texts of a data file, whose rows are kind, style, x, y, x2, y2, text. */
size_t read_texts(const char *data, struct box box[BOXES])
{
    size_t count = 0;
    for (const char *line = data; (line = strchr(line, '\n')); line++) {
        struct box *one = &box[count];
        int style;
        double x, y;
        if (sscanf(line, "\n6\t%d\t%lg\t%lg\tNaN\tNaN\t%255[^\n]", &style, &x, &y, one->text) !=
            4) {
            continue;
        }
        enum canvas_kind kind = (enum canvas_kind)(style / 3);
        double size = kind == CANVAS_HEAD ? CANVAS_TITLE : CANVAS_TEXT;
        double bold = kind == CANVAS_HEAD || kind == CANVAS_STRONG ? CANVAS_BOLD : 1;
        double width = canvas_width(one->text, size) * bold;
        one->left = x - (double)(style % 3) / 2 * width;
        one->right = one->left + width;
        one->top = y - 0.76 * size;
        one->bottom = y + 0.2 * size;
        assert_true(++count < BOXES);
    }
    return count;
}

/* What the picture is, for whoever looks. */
static void keep(const char *name, const char *data)
{
    char path[512], *svg = NULL;
    struct error err;
    const char *folder = getenv("S2FLUSH_CHARTS");
    if (folder && chart_svg(data, "a", &svg, &err)) {
        snprintf(path, sizeof path, "%s/%s.svg", folder, name);
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(svg, out);
        fclose(out);
        free(svg);
    }
}

/* All texts lie inside, and apart. Frees the data. */
void expect_legible(const char *name, char *data)
{
    struct box *box = calloc(BOXES, sizeof *box);
    double width = 0, height = 0;
    assert_non_null(box);
    keep(name, data);
    assert_int_equal(sscanf(data, "# %lg by %lg points", &width, &height), 2);
    size_t count = read_texts(data, box);
    assert_true(count > 3);
    for (size_t i = 0; i < count; i++) {
        const struct box *a = &box[i];
        if (a->left < 0 || a->right > width + 0.5 || a->top < 0 || a->bottom > height + 0.5) {
            print_error("%s: '%s' leaves the frame: %g to %g, %g to %g of %g x %g\n", name, a->text,
                        a->left, a->right, a->top, a->bottom, width, height);
            fail();
        }
        for (size_t k = 0; k < i; k++) {
            const struct box *b = &box[k];
            if (a->left < b->right && b->left < a->right && a->top < b->bottom &&
                b->top < a->bottom) {
                print_error("%s: '%s' lies over '%s'\n", name, a->text, b->text);
                fail();
            }
        }
    }
    free(box);
    free(data);
}
