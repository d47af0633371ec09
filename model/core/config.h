/*
 * config - INI files, read by libinih with its limits made visible.
 *
 * Debian's libinih cuts lines at INI_MAX_LINE and miscounts from there on, and
 * silently shortens long section and key names. The reader therefore takes the
 * lines itself, keeps the true number, and refuses what the library could not
 * take: long lines, long names, control characters, continuation lines. CRLF
 * and a UTF-8 byte order mark are accepted.
 *
 * A line is `[section]`, `name = value` (or `name: value`), blank, or a comment
 * that starts with ';' or '#'. A ';' after a blank also starts a comment, so a
 * value cannot hold " ;"; a '#' inside a value is part of it.
 */
#ifndef S2FLUSH_CORE_CONFIG_H
#define S2FLUSH_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct source_location;

/* Called for each `name = value` in file order. False stops the reading; the
 * error must then be filled. Texts live only during the call. */
typedef bool (*config_fn)(void *context, const char *section, const char *name, const char *value,
                          const struct source_location *at, struct error *err);

/* Reads a file. False with one line where it can't be opened, is no INI file,
 * a name stands twice in sections of one name, or `each` refused something.
 * Lines of the section `list` (NULL: none is one) are entries, whose names may
 * repeat, and so may a name that ends in '+' (`name += value`). */
bool config_read(const char *path, const char *list, config_fn each, void *context,
                 struct error *err);

#endif
