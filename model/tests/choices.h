/*
 * choices - bytes as choices, one byte each; and a VM, and what happens in it, chosen by them. The
 * bytes are a fuzzer's or random ones.
 */
#ifndef S2FLUSH_TESTS_CHOICES_H
#define S2FLUSH_TESTS_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHOICES_TEXT_MAX 16384

struct choices {
    const uint8_t *at, *end;
    char text[CHOICES_TEXT_MAX];
    size_t used;
    unsigned vcpus, slots;
    bool logs; /* dirty logging replaces leaves by others */
    bool more, all; /* also from what older inputs did not choose from */
};

/* Begins with the first byte; `data` must stay. */
void choices_begin(struct choices *choices, const uint8_t *data, size_t size);

/* The next choice, below `count`; 0 where no byte is left. */
unsigned choose(struct choices *choices, unsigned count);

/* The next choice among `count` words. */
const char *one_of(struct choices *choices, const char *const *words, unsigned count);
#define ONE_OF(choices, words) one_of(choices, words, sizeof(words) / sizeof *(words))

/* Puts a workload file with a VM and a timeline into `text`. */
void choices_put_workload(struct choices *choices);

#endif
