/*
 * platform_names - what people call a machine, and which platform stands for it.
 *
 * platforms/names.csv has a row for each name: the platform, how well it fits (the machine
 * itself, the same chip elsewhere, or only the same core) and a remark.
 */
#ifndef S2FLUSH_MACHINE_PLATFORM_NAMES_H
#define S2FLUSH_MACHINE_PLATFORM_NAMES_H

#include <stdbool.h>

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

/* The one of that name, or NULL. */
const struct platform_alias *platform_alias_find(const struct platform_aliases *aliases,
                                                 const char *name);

#endif
