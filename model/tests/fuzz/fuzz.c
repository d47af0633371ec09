#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int memory_file(void)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) {
        die("memfd_create: %s", strerror(errno));
    }
    return fd;
}

const char *fuzz_file(unsigned index, const uint8_t *data, size_t size)
{
    static int fds[FUZZ_FILES] = {-1, -1};
    static char paths[FUZZ_FILES][48];
    if (fds[index] < 0) {
        fds[index] = memory_file();
        snprintf(paths[index], sizeof paths[index], "/proc/self/fd/%d", fds[index]);
    }
    if (ftruncate(fds[index], 0) != 0 || pwrite(fds[index], data, size, 0) != (ssize_t)size) {
        die("%s: %s", paths[index], strerror(errno));
    }
    return paths[index];
}

void fuzz_expect_error(const struct error *err)
{
    FUZZ_EXPECT(err->status == EXIT_INPUT || err->status == EXIT_RUN, "status %d", err->status);
    FUZZ_EXPECT(memchr(err->text, '\0', sizeof err->text), "a message without an end");
    FUZZ_EXPECT(err->text[0] != '\0', "an empty message");
    for (const char *at = err->text; *at; at++) {
        FUZZ_EXPECT((unsigned char)*at >= 0x20, "byte 0x%02x in a message", (unsigned char)*at);
    }
}
