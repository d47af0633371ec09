#include "cli/progress.h"

#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

#define SHOWN_EVERY_S 0.25
#define GUESSED_FROM_S 2 /* before, what is left is anybody's guess */

static void show(const struct sweep *sweep)
{
    static double start_s, last_s;
    static bool shown;
    double now_s = cli_seconds();
    bool begins = sweep->done + sweep->inner_total == 0;
    start_s = begins ? now_s : start_s;
    if (sweep->ended) {
        fputs(shown ? "\r\033[K" : "", stderr);
        shown = false;
    } else if (begins || now_s - last_s >= SHOWN_EVERY_S) {
        last_s = now_s;
        shown = true;
        fprintf(stderr, "\r\033[K%s%s%zu of %zu parts", sweep->name ? sweep->name : "",
                sweep->name ? ": " : "", sweep->done, sweep->total);
        if (sweep->inner_total > 0) {
            fprintf(stderr, ", %zu plays", sweep->inner_done);
        }
        if (sweep->done > 0 && now_s - start_s >= GUESSED_FROM_S) {
            fprintf(stderr, ", about %.0f s left",
                    (now_s - start_s) * (double)(sweep->total - sweep->done) / (double)sweep->done);
        }
    }
    (void)fflush(stderr);
}

progress_fn progress_line(void)
{
    return isatty(STDERR_FILENO) ? show : NULL;
}
