#include "study/shard.h"

#include "core/error.h"
#include "core/rng.h"
#include "core/units.h"

#include <string.h>

bool shard_parse(const char *text, struct shard *shard, struct error *err)
{
    uint64_t number = 0, count = 0;
    char first[24];
    size_t length = strcspn(text, "/");
    if (length < sizeof first && text[length] == '/') {
        memcpy(first, text, length);
        first[length] = '\0';
        if (unit_parse_whole(first, UNIT_NONE, &number) &&
            unit_parse_whole(text + length + 1, UNIT_NONE, &count) && number >= 1 &&
            number <= count && count <= SHARDS_MAX) {
            *shard = (struct shard){(uint32_t)number, (uint32_t)count};
            return true;
        }
    }
    return error_input(err, NULL,
                       "--shard: found '%.80s', expected K/N with K from 1 to N and N at most %d",
                       text, SHARDS_MAX);
}

uint32_t shard_of_cell(size_t cell, uint32_t count)
{
    uint64_t turn = rng_mix64(cell / count);
    return (uint32_t)((cell % count + turn % count) % count) + 1;
}

size_t shard_cells(struct shard shard, size_t cells)
{
    size_t own = 0;
    for (size_t cell = 0; cell < cells; cell++) {
        own += shard_of_cell(cell, shard.count) == shard.number;
    }
    return own;
}
