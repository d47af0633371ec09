/*
 * The running kernel's symbols, and places in its code: where it calls a function
 * and where it executes an instruction. Functions written in assembler and inlined
 * ones can't be probed by name; the places that lead to them can.
 */
#ifndef PROBE_SYMBOLS_H
#define PROBE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads /proc/kallsyms. False where addresses are hidden from this user. */
bool symbols_load(void);
void symbols_free(void);

/* The name under which the kernel knows the function: the compiler may have added
 * a suffix. NULL if there is none. */
const char *symbols_find(const char *name);

/* A place, as a kprobe takes it. */
struct place {
    char text[128]; /* function+offset */
};

/* All places in wanted functions that branch to `function`, or hold the instruction;
 * at most `room` of them. -1 where the kernel's code can't be read. */
int symbols_branches_to(const char *function, bool (*wanted)(const char *function),
                        struct place *places, int room);
int symbols_words(uint32_t word, bool (*wanted)(const char *function), struct place *places,
                  int room);

#endif
