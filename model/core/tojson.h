/*
 * tojson - values for jansson from what it does not take as it is: texts that may
 * hold any bytes, unsigned numbers.
 */
#ifndef S2FLUSH_CORE_TOJSON_H
#define S2FLUSH_CORE_TOJSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A byte that is no UTF-8 becomes U+FFFD. NULL: null. */
json_t *tojson_text(const char *text);
json_t *tojson_whole(uint64_t value);

/* Adds a member behind the others and takes the value over; ends the program
 * where there is no memory for it. */
void tojson_set(json_t *object, const char *key, json_t *value);
void tojson_append(json_t *array, json_t *value);

/* Prints the value, with flags of json_dumpf, and takes it over. */
void tojson_print(FILE *out, json_t *value, size_t flags);

/* The same as text; the caller frees it. */
char *tojson_dump(json_t *value, size_t flags);

#endif
