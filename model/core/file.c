#include "core/file.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEVICE_BYTES_MAX = 4 << 20, /* as much as a configuration may have */
    SLURP_BYTES_FIRST = 64 << 10,
    PIPE_WAIT_MS = 3000
};

static char *grow_text(char *text, size_t size)
{
    char *grown = realloc(text, size);
    if (grown == NULL) {
        error_fatal("out of memory for %zu bytes of a file", size);
    }
    return grown;
}

/* Sizes from stat are a hint only: pipes and /proc files say 0. One byte more
 * than the limit is asked for, to see that there is more. */
static bool slurp_stream(FILE *in, size_t hint, size_t limit_bytes, char **text, size_t *length)
{
    size_t size = (hint > 0 ? hint : SLURP_BYTES_FIRST) + 2;
    size_t used = 0;
    *text = grow_text(NULL, size);
    while (used <= limit_bytes) {
        size_t got = fread(*text + used, 1, size - used - 1, in);
        used += got;
        if (got == 0) {
            break;
        }
        if (used + 1 == size) {
            size *= 2;
            *text = grow_text(*text, size);
        }
    }
    (*text)[used] = '\0';
    *length = used;
    return !ferror(in);
}

static bool slurp_open(FILE *in, const struct source_location *at, size_t limit_bytes, char **text,
                       size_t *length, struct error *err)
{
    struct stat status;
    if (fstat(fileno(in), &status) != 0) {
        return error_input(err, at, "cannot be read: %s", strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return error_input(err, at, "is a folder, expected a file");
    }
    /* A device has no end (/dev/zero); a table of GiB does not come from one. */
    if (S_ISCHR(status.st_mode) && limit_bytes > DEVICE_BYTES_MAX) {
        limit_bytes = DEVICE_BYTES_MAX;
    }
    size_t hint = S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
    if (hint > limit_bytes) {
        return error_input(err, at, "has %zu bytes, expected at most %zu", hint, limit_bytes);
    }
    bool complete = slurp_stream(in, hint, limit_bytes, text, length);
    if (complete && *length <= limit_bytes) {
        return true;
    }
    free(*text);
    *text = NULL;
    if (complete) {
        error_input(err, at, "has more than %zu bytes", limit_bytes);
    } else {
        error_input(err, at, "cannot be read: %s", strerror(errno));
    }
    return false;
}

/* A program that runs unattended must not wait for ever for somebody to write to a
 * named pipe. What a shell hands over (`<(...)`) has no name and has its writer. */
static bool pipe_speaks(int fd)
{
    char link[32], target[8] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    struct pollfd pipe = {.fd = fd, .events = POLLIN};

    bool unnamed =
        readlink(link, target, sizeof target - 1) > 0 && strncmp(target, "pipe:", 5) == 0;
    return unnamed || poll(&pipe, 1, PIPE_WAIT_MS) > 0;
}

/* Opens without waiting for the other end of a pipe, then reads as usual. */
static FILE *open_file(const struct source_location *at, struct error *err)
{
    struct stat status;
    int fd = open(at->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        error_input(err, at, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && !pipe_speaks(fd)) {
        error_input(err, at, "is a pipe that nothing was written to within %d s",
                    PIPE_WAIT_MS / 1000);
        (void)close(fd);
        return NULL;
    }
    int flags = fcntl(fd, F_GETFL);
    FILE *in = flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 ? fdopen(fd, "rb") : NULL;
    if (!in) {
        error_input(err, at, "cannot be opened: %s", strerror(errno));
        (void)close(fd);
    }
    return in;
}

/* What programs make of text that others cannot read, by how it begins. */
struct form {
    const char *start, *what, *way_out;
};

/* NULL: it is text. */
static const struct form *form_of(const char *text)
{
    static const struct form forms[] = {{"\xff\xfe", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
                                        {"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
                                        {"\x1f\x8b", "a compressed file", "gzip -dc"},
                                        {"\xfd"
                                         "7zXZ",
                                         "a compressed file", "xz -dc"},
                                        {"\x28\xb5\x2f\xfd", "a compressed file", "zstd -dc"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strncmp(text, forms[i].start, strlen(forms[i].start)) == 0) {
            return &forms[i];
        }
    }
    return NULL;
}

bool file_begins_as_text(const char *text)
{
    return form_of(text) == NULL;
}

static bool check_text(const char *text, const struct source_location *at, struct error *err)
{
    const struct form *form = form_of(text);
    if (form) {
        return error_input(err, at, "found %s, expected text, which %s prints", form->what,
                           form->way_out);
    }
    return true;
}

bool file_slurp(const char *path, size_t limit_bytes, char **text, size_t *length,
                struct error *err)
{
    struct source_location at = {.file = path};
    FILE *in = open_file(&at, err);
    if (in == NULL) {
        return false;
    }
    bool done = slurp_open(in, &at, limit_bytes, text, length, err);
    fclose(in);
    if (done && !check_text(*text, &at, err)) {
        free(*text);
        *text = NULL;
        return false;
    }
    return done;
}
