#include "report/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

static bool copy_path(char *path, const char *folder, struct error *err)
{
    if (folder[0] == '\0' || strlen(folder) >= OUTPUT_PATH) {
        return error_input(err, NULL, "the output folder's name is empty or too long");
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
    int length = snprintf(output->path, sizeof output->path, "%s/%s", folder, name);
    int longer = snprintf(output->temporary, sizeof output->temporary, "%s/.%s.%ld", folder, name,
                          (long)getpid());
    if (length < 0 || longer < 0 || (size_t)longer >= sizeof output->temporary) {
        return error_input(err, NULL, "the output folder's name is too long");
    }
    output->file = fresh_file(output->temporary);
    return output->file || error_run(err, "%s: %s", output->temporary, strerror(errno));
}

bool output_close(struct output *output, struct error *err)
{
    bool good = fflush(output->file) == 0 && !ferror(output->file);
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
        output->temporary[0] = '\0';
    }
}
