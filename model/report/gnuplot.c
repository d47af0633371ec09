#include "report/gnuplot.h"

#include "core/datadir.h"
#include "core/error.h"
#include "core/temporary.h"
#include "report/output.h"

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

/* Where scripts are, and what runs before each; absolute, for gnuplot runs in the table's folder.
 */
struct places {
    char scripts[OUTPUT_PATH], style[OUTPUT_PATH], script[OUTPUT_PATH];
};

/* In the child: becomes gnuplot, which ends with the program and leaves no picture half drawn. */
static _Noreturn void become_gnuplot(const struct places *places, const char *folder,
                                     const char *settings)
{
    char *const argv[] = {
        "gnuplot", "-d", "-e", (char *)settings, (char *)places->style, (char *)places->script,
        NULL};
    int null = open("/dev/null", O_RDWR);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || chdir(folder) != 0 || null < 0 ||
        dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        setenv("LC_ALL", "C.UTF-8", 1) != 0 || setenv("GNUPLOT_LIB", places->scripts, 1) != 0) {
        _exit(GNUPLOT_UNREADY);
    }
    execvp("gnuplot", argv);
    _exit(errno == ENOENT ? GNUPLOT_MISSING : GNUPLOT_UNREADY);
}

static bool run_gnuplot(const struct places *places, const char *folder, const char *settings,
                        struct error *err)
{
    int status = 0;
    (void)fflush(NULL);
    temporary_hold();
    pid_t child = fork();
    if (child == 0) {
        become_gnuplot(places, folder, settings);
    }
    if (child > 0) {
        temporary_add_child(child);
    }
    temporary_release();
    if (child < 0 || !temporary_wait_child(child, &status)) {
        return error_run(err, "gnuplot: %s", strerror(errno));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == GNUPLOT_MISSING) {
        return error_run(err, "gnuplot is not installed (Debian: gnuplot-nox)");
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return error_run(err, "gnuplot failed on %s", places->script);
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

static bool find_places(const char *script, struct places *places, struct error *err)
{
    char found[OUTPUT_PATH];
    char *whole = datadir_find_code(PLOT_DIR, found, sizeof found) ? realpath(found, NULL) : NULL;
    bool good = whole && strlen(whole) + 64 <= sizeof places->style;
    if (good) {
        snprintf(places->scripts, sizeof places->scripts, "%.4000s", whole);
        snprintf(places->style, sizeof places->style, "%.4000s/style.gp", whole);
        snprintf(places->script, sizeof places->script, "%.4000s/%.60s", whole, script);
    }
    free(whole);
    return good || error_run(err, "cannot find " PLOT_DIR);
}

bool gnuplot_draw(const char *folder, const char *script, const char *table, const char *each,
                  const char *name, const char *format, struct error *err)
{
    struct places places;
    struct output picture;
    char settings[1024];
    if (!find_places(script, &places, err) || !quotable(table, err) || !quotable(name, err) ||
        !quotable(each, err) || !output_open(&picture, folder, name, err) ||
        !output_close(&picture, err)) {
        return false;
    }
    int length = snprintf(settings, sizeof settings, "format='%s'; out='%s'; table='%s'; each='%s'",
                          format, strrchr(picture.temporary, '/') + 1, table, each);
    bool good = length < (int)sizeof settings ||
                error_input(err, NULL, "%.80s...: the file's name is too long", name);
    good = good && run_gnuplot(&places, folder, settings, err) && output_keep(&picture, err);
    output_drop(&picture);
    return good;
}
