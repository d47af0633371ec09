#include "fuzz.h"
#include "core/error.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int memory_file(void)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) {
        error_fatal("memfd_create: %s", strerror(errno));
    }
    return fd;
}

const char *fuzz_file(unsigned index, const uint8_t *data, size_t size)
{
    static int fds[FUZZ_FILES];
    static char paths[FUZZ_FILES][48];
    if (paths[index][0] == '\0') {
        fds[index] = memory_file();
        snprintf(paths[index], sizeof paths[index], "/proc/self/fd/%d", fds[index]);
    }
    if (ftruncate(fds[index], 0) != 0 ||
        (size > 0 && pwrite(fds[index], data, size, 0) != (ssize_t)size)) {
        error_fatal("%s: %s", paths[index], strerror(errno));
    }
    return paths[index];
}

size_t fuzz_split(const uint8_t *data, size_t size, size_t most, size_t sizes[FUZZ_FILES])
{
    static const char line[] = "%%\n";
    const size_t line_bytes = sizeof line - 1;
    size_t parts = 0;
    for (bool more = true; more; parts++) {
        const uint8_t *end = parts + 1 < most && size ? memmem(data, size, line, line_bytes) : NULL;
        more = end;
        sizes[parts] = more ? (size_t)(end - data) : size;
        (void)fuzz_file((unsigned)parts, data, sizes[parts]);
        data += sizes[parts] + (more ? line_bytes : 0);
        size -= sizes[parts] + (more ? line_bytes : 0);
    }
    return parts;
}

/* --- folders --- */

static char folders[FUZZ_FOLDERS][512];

static void in_folder(unsigned folder, const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/%.256s", fuzz_folder(folder), name);
}

static void remove_folders(void)
{
    for (unsigned i = 0; i < FUZZ_FOLDERS; i++) {
        DIR *entries = folders[i][0] ? opendir(folders[i]) : NULL;
        for (struct dirent *entry; entries && (entry = readdir(entries));) {
            fuzz_unlink(i, entry->d_name);
        }
        if (entries) {
            (void)closedir(entries);
            (void)rmdir(folders[i]);
        }
    }
}

const char *fuzz_folder(unsigned index)
{
    static bool registered;
    const char *own = getenv("TMPDIR");
    const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : own ? own : "/tmp";
    if (folders[index][0] == '\0') {
        snprintf(folders[index], sizeof folders[index], "%.400s/fuzz-XXXXXX", above);
        FUZZ_EXPECT(mkdtemp(folders[index]), "no folder %s", folders[index]);
        registered = registered || atexit(remove_folders) == 0;
    }
    return folders[index];
}

void fuzz_link(unsigned folder, const char *name, unsigned file)
{
    char path[1024];
    fuzz_unlink(folder, name);
    in_folder(folder, name, path);
    FUZZ_EXPECT(symlink(fuzz_file(file, NULL, 0), path) == 0, "no link %s", path);
}

void fuzz_unlink(unsigned folder, const char *name)
{
    char path[1024];
    in_folder(folder, name, path);
    (void)unlink(path);
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
