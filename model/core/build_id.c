#include "core/build_id.h"

#include "core/error.h"
#include "core/version.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static bool hash_program(XXH3_state_t *state)
{
    unsigned char chunk[65536];
    size_t count;
    FILE *program = fopen("/proc/self/exe", "rb");
    if (!program) {
        return false;
    }
    while ((count = fread(chunk, 1, sizeof chunk, program)) > 0) {
        XXH3_128bits_update(state, chunk, count);
    }
    bool good = !ferror(program);
    return fclose(program) == 0 && good;
}

static void hash_names(XXH3_state_t *state)
{
    const char *const names[] = {version_program, version_compiler, version_flags};
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        XXH3_128bits_update(state, names[i], strlen(names[i]) + 1);
    }
}

void build_id(char text[BUILD_ID])
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) == XXH_ERROR) {
        error_fatal("out of memory for a hash");
    }
    if (!hash_program(state)) {
        hash_names(state);
    }
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(text, BUILD_ID, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
}
