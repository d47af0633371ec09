/*
 * replay - a fuzz target without a fuzzer: every file of its corpus once, then
 * seeded mutations of them. Reports as one test case.
 *
 *   fuzz_NAME [FILE...]     without files: model/tests/fuzz/corpus/NAME
 *
 * FUZZ_MUTATIONS and FUZZ_SEED in the environment ask for more of them, or others.
 */
#include "core/error.h"
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/rng.h"
#include "core/units.h"

#define CORPUS "model/tests/fuzz/corpus"
#define INPUT_MAX ((size_t)1 << 20)
#define MUTATIONS 400 /* in all; a fraction of a second */

struct input {
    char *bytes;
    size_t size;
};

struct corpus {
    struct input *input;
    size_t count;
};

static void add_file(struct corpus *corpus, const char *path)
{
    struct error err = {0};
    struct input *input;
    corpus->input = realloc(corpus->input, (corpus->count + 1) * sizeof *corpus->input);
    if (!corpus->input) {
        error_fatal("out of memory for a corpus");
    }
    input = &corpus->input[corpus->count++];
    if (!file_slurp(path, INPUT_MAX, &input->bytes, &input->size, &err)) {
        error_fatal("%s", err.text);
    }
}

/* --- what was under way when it broke --- */

static const uint8_t *playing;
static size_t playing_size;

/* Prints the input in hexadecimal, for `xxd -r -p`. */
static void show_input(int number)
{
    static const char digits[] = "0123456789abcdef";
    char pair[2];
    ssize_t written = write(STDERR_FILENO, "input: ", 7);
    for (size_t i = 0; i < playing_size && written > 0; i++) {
        pair[0] = digits[playing[i] >> 4];
        pair[1] = digits[playing[i] & 15];
        written = write(STDERR_FILENO, pair, 2);
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void play(const void *bytes, size_t size)
{
    playing = bytes;
    playing_size = size;
    (void)LLVMFuzzerTestOneInput(playing, size);
}

/* --- inputs --- */

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_folder(struct corpus *corpus, const char *name)
{
    struct dirent **entries = NULL;
    char path[512];
    snprintf(path, sizeof path, CORPUS "/%s", name);
    int count = scandir(path, &entries, visible, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, CORPUS "/%s/%.200s", name, entries[i]->d_name);
        add_file(corpus, path);
        free(entries[i]);
    }
    free(entries);
}

static uint64_t seed;

static uint64_t number_from(const char *variable, uint64_t usual)
{
    uint64_t value = usual;
    const char *text = getenv(variable);
    return text && !unit_parse_whole(text, UNIT_NONE, &value) ? usual : value;
}

static size_t below(size_t limit)
{
    return limit ? rng_mix64(seed++) % limit : 0;
}

/* Changes, doubles, drops or replaces a stretch; `other` is what is put in. */
static size_t mutate(char *bytes, size_t size, size_t room, const struct input *other)
{
    size_t at = below(size + 1), length = below(size - at + 1);
    switch (below(4)) {
    case 0:
        if (at < size) {
            bytes[at] = (char)below(256);
        }
        return size;
    case 1:
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    case 2:
        length = length < room - size ? length : room - size;
        memmove(bytes + at + length, bytes + at, size - at);
        return size + length;
    default: {
        size_t from = below(other->size + 1), most = below(other->size - from + 1);
        length = most < room - at ? most : room - at;
        memcpy(bytes + at, other->bytes + from, length);
        return at + length > size ? at + length : size;
    }
    }
}

static void play_mutations(const struct corpus *corpus, uint64_t count)
{
    char *bytes = malloc(2 * INPUT_MAX);
    if (!bytes) {
        error_fatal("out of memory for mutations");
    }
    for (uint64_t i = 0; i < count; i++) {
        const struct input *of = &corpus->input[below(corpus->count)];
        size_t size = of->size;
        memcpy(bytes, of->bytes, size);
        for (size_t step = 1 + below(4); step > 0; step--) {
            size = mutate(bytes, size, 2 * INPUT_MAX, &corpus->input[below(corpus->count)]);
        }
        play(bytes, size);
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {0};
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    name += strncmp(name, "fuzz_", 5) == 0 ? 5 : 0;
    for (int i = 1; i < argc; i++) {
        add_file(&corpus, argv[i]);
    }
    if (argc == 1) {
        add_folder(&corpus, name);
        printf("1..1\n");
    }
    (void)fflush(stdout);
    (void)signal(SIGABRT, show_input);
    (void)signal(SIGSEGV, show_input);
    for (size_t i = 0; i < corpus.count; i++) {
        play(corpus.input[i].bytes, corpus.input[i].size);
    }
    uint64_t mutations = argc == 1 ? number_from("FUZZ_MUTATIONS", MUTATIONS) : 0;
    seed = number_from("FUZZ_SEED", 1) << 32;
    if (corpus.count > 0) {
        play_mutations(&corpus, mutations);
    }
    printf("%s 1 - %s: %zu inputs, %llu mutations\n", corpus.count ? "ok" : "not ok", name,
           corpus.count, (unsigned long long)mutations);
    for (size_t i = 0; i < corpus.count; i++) {
        free(corpus.input[i].bytes);
    }
    free(corpus.input);
    return corpus.count ? 0 : 1;
}
