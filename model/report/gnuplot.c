#include "report/gnuplot.h"

#include "core/datadir.h"
#include "core/error.h"
#include "core/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLOT_DIR "bench/plots"

enum { GNUPLOT_MISSING = 127, GNUPLOT_UNREADY = 126 };

/* In the child: becomes gnuplot, which ends with the program and leaves no picture half drawn. */
static _Noreturn void become_gnuplot(const struct places *places, const char *script,
                                     const char *settings)
{
    char *const argv[] = {"gnuplot",      "-d", "-e", (char *)settings, (char *)places->style,
                          (char *)script, NULL};
    int null = open("/dev/null", O_RDWR);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || chdir(places->folder) != 0 || null < 0 ||
        dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        setenv("LC_ALL", "C.UTF-8", 1) != 0 || setenv("GNUPLOT_LIB", places->scripts, 1) != 0) {
        _exit(GNUPLOT_UNREADY);
    }
    execvp("gnuplot", argv);
    _exit(errno == ENOENT ? GNUPLOT_MISSING : GNUPLOT_UNREADY);
}

static bool run_gnuplot(const struct places *places, const char *script, const char *settings,
                        struct error *err)
{
    int status = 0;
    (void)fflush(NULL);
    temporary_hold();
    pid_t child = fork();
    if (child == 0) {
        become_gnuplot(places, script, settings);
    }
    if (child > 0) {
        temporary_add_child(child);
    }
    temporary_release();
    if (child < 0 || !temporary_wait_child(child, &status)) {
        return error_run(err, "gnuplot: %s", strerror(errno));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == GNUPLOT_MISSING) {
        return error_run(err, "gnuplot is not installed (Debian: gnuplot-nox); %s%s", places->stays,
                         places->folder);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return error_run(err, "gnuplot failed on %s", script);
    }
    return true;
}

/* gnuplot reads its settings as a program: names get in only where they hold
 * nothing that ends a string. */
static bool quotable(const char *name, struct error *err)
{
    return !strpbrk(name, "'\\\n") ||
           error_input(err, NULL, "%.80s: a name with a quote or backslash cannot be drawn to",
                       name);
}

bool gnuplot_draw(const struct places *places, const char *script, const char *table,
                  const char *name, const char *format, struct error *err)
{
    struct output picture;
    char settings[1024];
    const char *each = places->each ? places->each : "";
    if (!quotable(table, err) || !quotable(name, err) || !quotable(each, err) ||
        !output_open(&picture, places->folder, name, err) || !output_close(&picture, err)) {
        return false;
    }
    int length = snprintf(settings, sizeof settings, "format='%s'; out='%s'; table='%s'; each='%s'",
                          format, strrchr(picture.temporary, '/') + 1, table, each);
    bool good = length < (int)sizeof settings ||
                error_input(err, NULL, "%.80s...: the file's name is too long", name);
    good = good && run_gnuplot(places, script, settings, err) && output_keep(&picture, err);
    output_drop(&picture);
    return good;
}

bool gnuplot_places(const char *folder, struct places *places, struct error *err)
{
    char found[OUTPUT_PATH];
    char *whole = datadir_find_code(PLOT_DIR, found, sizeof found) ? realpath(found, NULL) : NULL;
    places->folder = folder;
    places->each = NULL;
    places->stays = "complete without it are the rows in ";
    if (!whole || strlen(whole) + 64 > sizeof places->style) {
        free(whole);
        return error_run(err, "cannot find " PLOT_DIR);
    }
    snprintf(places->scripts, sizeof places->scripts, "%.4000s", whole);
    snprintf(places->style, sizeof places->style, "%.4000s/style.gp", whole);
    free(whole);
    return true;
}

bool gnuplot_table(const char *folder, const char *script, const char *table, const char *name,
                   const char *format, struct error *err)
{
    struct places places;
    char path[OUTPUT_PATH + 64];
    if (!gnuplot_places(folder, &places, err)) {
        return false;
    }
    places.stays = "nothing was drawn in ";
    snprintf(path, sizeof path, "%s/%s", places.scripts, script);
    return gnuplot_draw(&places, path, table, name, format, err);
}
