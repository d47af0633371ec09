/*
 * platform_names - what people call a machine, and which platform stands for it.
 *
 * platforms/names.csv has a row for each name: the platform, how well it fits (the machine
 * itself, the same chip elsewhere, or only the same core) and a remark. For some machines that
 * people ask for none does: their rows say which core it is.
 */
#ifndef S2FLUSH_MACHINE_PLATFORM_NAMES_H
#define S2FLUSH_MACHINE_PLATFORM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct platform_alias {
    char name[48], platform[48], fit[16], remark[128];
};

#define PLATFORM_ALIASES_MAX 128
struct platform_aliases {
    struct platform_alias alias[PLATFORM_ALIASES_MAX];
    unsigned count;
};

/* The names that come with the program. */
bool platform_aliases_read(struct platform_aliases *aliases, struct error *err);

/* A name as platforms and their other names are written: in lower case, with hyphens. */
void platform_spelling(const char *name, char *text, size_t size);

/* Whether a platform stands for it. */
bool platform_alias_fits(const struct platform_alias *alias);

/* The one of that name in any spelling, or NULL. */
const struct platform_alias *platform_alias_find(const struct platform_aliases *aliases,
                                                 const char *name);

#endif
