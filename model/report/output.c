#include "report/output.h"

#include "core/error.h"
#include "core/invariant.h"
#include "core/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Cuts the last part off a path: "a/b" becomes "a", "a" becomes ".". */
static void to_parent(char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        path[--length] = '\0';
    }
    char *slash = strrchr(path, '/');
    if (!slash) {
        memcpy(path, ".", 2);
    } else {
        slash[slash == path ? 1 : 0] = '\0';
    }
}

const char *output_split(const char *path, char folder[OUTPUT_PATH])
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + (slash == path) : 1;
    snprintf(folder, OUTPUT_PATH, "%.*s", (int)length, slash ? path : ".");
    return slash ? slash + 1 : path;
}

bool output_path(char path[OUTPUT_PATH], const char *folder, const char *name, struct error *err)
{
    int length = snprintf(path, OUTPUT_PATH, "%s/%s", folder, name);
    return (length > 0 && length < OUTPUT_PATH) ||
           error_input(err, NULL, "%.80s...: the folder's name is too long", folder);
}

static bool copy_path(char *path, const char *folder, struct error *err)
{
    if (folder[0] == '\0' || strlen(folder) >= OUTPUT_PATH) {
        return error_input(err, NULL,
                           "found '%.80s' as the output folder, expected a name of 1 to %d bytes",
                           folder, OUTPUT_PATH - 1);
    }
    memcpy(path, folder, strlen(folder) + 1);
    return true;
}

bool output_folder_check(const char *folder, struct error *err)
{
    char path[OUTPUT_PATH] = "";
    if (!copy_path(path, folder, err)) {
        return false;
    }
    while (access(path, F_OK) != 0 && strcmp(path, ".") != 0 && strcmp(path, "/") != 0) {
        to_parent(path);
    }
    struct stat link;
    if (lstat(folder, &link) == 0 && S_ISLNK(link.st_mode) && access(folder, F_OK) != 0) {
        return error_input(err, NULL, "%s: is a link that leads nowhere, expected a folder",
                           folder);
    }
    if (!is_folder(path)) {
        return error_input(err, NULL, "%s: is not a folder", path);
    }
    return access(path, W_OK) == 0 || error_run(err, "%s: %s", path, strerror(errno));
}

bool output_folder_make(const char *folder, struct error *err)
{
    char path[OUTPUT_PATH] = "";
    if (!copy_path(path, folder, err)) {
        return false;
    }
    for (char *at = path + 1;; at++) {
        if (*at == '/' || *at == '\0') {
            char before = *at;
            *at = '\0';
            if (mkdir(path, 0777) != 0 && errno != EEXIST) {
                return error_run(err, "%s: %s", path, strerror(errno));
            }
            *at = before;
            if (before == '\0') {
                return true;
            }
        }
    }
}

size_t output_folder_missing(const char *folder)
{
    char path[OUTPUT_PATH] = "";
    struct error unused;
    size_t levels = 0;
    if (!copy_path(path, folder, &unused)) {
        return 0;
    }
    while (access(path, F_OK) != 0 && strcmp(path, ".") != 0 && strcmp(path, "/") != 0) {
        to_parent(path);
        levels++;
    }
    return levels;
}

void output_folder_unmake(const char *folder, size_t levels)
{
    char path[OUTPUT_PATH] = "";
    struct error unused;
    if (!copy_path(path, folder, &unused)) {
        return;
    }
    for (; levels > 0 && rmdir(path) == 0; levels--) {
        to_parent(path);
    }
}

/* Whether an entry of a folder is a temporary name of that file. */
static bool is_temporary(const char *entry, const char *name)
{
    size_t length = strlen(name);
    if (entry[0] != '.' || strncmp(entry + 1, name, length) != 0 || entry[1 + length] != '.') {
        return false;
    }
    const char *number = entry + 2 + length;
    return number[0] != '\0' && number[strspn(number, "0123456789")] == '\0';
}

/* Who writes a file has it locked; a lock goes with its process. */
static void remove_left_over(int folder, const char *entry)
{
    int fd = openat(folder, entry, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        (void)unlinkat(folder, entry, 0);
    }
    (void)close(fd);
}

void output_sweep(const char *folder, const char *name)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        if (is_temporary(entry->d_name, name)) {
            remove_left_over(dirfd(entries), entry->d_name);
        }
    }
    if (entries) {
        (void)closedir(entries);
    }
}

/* What has that name already is what a killed run left, or a link that somebody
 * else put there: it goes, and is never written through. */
static FILE *fresh_file(const char *path)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && !file) {
        (void)close(fd);
    }
    return file;
}

bool output_open(struct output *output, const char *folder, const char *name, struct error *err)
{
    *output = (struct output){0};
    char temporary[OUTPUT_PATH];
    snprintf(temporary, sizeof temporary, ".%.4000s.%ld", name, (long)getpid());
    if (!output_path(output->path, folder, name, err) ||
        !output_path(output->temporary, folder, temporary, err)) {
        output->temporary[0] = '\0';
        return false;
    }
    temporary_hold();
    temporary_add(output->temporary);
    output->file = fresh_file(output->temporary);
    temporary_release();
    if (!output->file) {
        temporary_forget(output->temporary);
        return error_run(err, "%s: %s", output->temporary, strerror(errno));
    }
    (void)flock(fileno(output->file), LOCK_EX | LOCK_NB); /* see output_sweep */
    return true;
}

bool output_open_path(struct output *output, const char *path, struct error *err)
{
    char folder[OUTPUT_PATH];
    struct error inner;
    if (strlen(path) >= sizeof folder) {
        return error_input(err, NULL, "the output file's name is too long");
    }
    if (!output_open(output, folder, output_split(path, folder), &inner)) {
        return error_run(err, "%s: %s", path, strerror(errno));
    }
    snprintf(output->path, sizeof output->path, "%s", path);
    return true;
}

bool output_close(struct output *output, struct error *err)
{
    bool good =
        fflush(output->file) == 0 && !ferror(output->file) && fsync(fileno(output->file)) == 0;
    int cause = errno;
    good = fclose(output->file) == 0 && good;
    output->file = NULL;
    if (!good) {
        output_drop(output);
        return error_run(err, "%s: %s", output->path, strerror(cause));
    }
    return true;
}

bool output_keep(struct output *output, struct error *err)
{
    if (rename(output->temporary, output->path) != 0) {
        int cause = errno;
        output_drop(output);
        return error_run(err, "%s: %s", output->path, strerror(cause));
    }
    temporary_forget(output->temporary);
    output->temporary[0] = '\0';
    return true;
}

void output_drop(struct output *output)
{
    if (output->file) {
        (void)fclose(output->file);
        output->file = NULL;
    }
    if (output->temporary[0]) {
        (void)unlink(output->temporary);
        temporary_forget(output->temporary);
        output->temporary[0] = '\0';
    }
}

bool output_end(struct output *output, bool good, struct error *err)
{
    good = good && output_close(output, err) && output_keep(output, err);
    output_drop(output);
    return good;
}

FILE *outputs_add(struct outputs *outputs, const char *folder, const char *name, struct error *err)
{
    INVARIANT(outputs->count < OUTPUTS_MAX, "more than %d files", OUTPUTS_MAX);
    struct output *output = &outputs->output[outputs->count++];
    return output_open(output, folder, name, err) ? output->file : NULL;
}

bool outputs_end(struct outputs *outputs, bool good, struct error *err)
{
    for (size_t i = 0; good && i < outputs->count; i++) {
        good = output_close(&outputs->output[i], err);
    }
    size_t kept = 0;
    while (good && kept < outputs->count) {
        good = output_keep(&outputs->output[kept], err);
        kept += good;
    }
    for (size_t i = 0; i < outputs->count && !good; i++) {
        output_drop(&outputs->output[i]);
        if (i < kept) {
            (void)unlink(outputs->output[i].path);
        }
    }
    return good;
}
