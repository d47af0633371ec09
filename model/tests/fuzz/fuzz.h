/*
 * fuzz - what the fuzz targets share.
 *
 * A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput and the folder
 * corpus/NAME. It hands the bytes to a reader of the program. Bad input must
 * come back as an error that can be shown; an abort, an exit, a sanitizer's
 * report, or memory or time without bound is a finding.
 */
#ifndef S2FLUSH_TESTS_FUZZ_H
#define S2FLUSH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts the bytes into one of a few files in memory, by index; returns its
 * path, which stays the same for that index. */
#define FUZZ_FILES 2
const char *fuzz_file(unsigned index, const uint8_t *data, size_t size);

/* What every error must be: one line of text with a status for bad input or
 * for a run that failed. Aborts where it is not. */
void fuzz_expect_error(const struct error *err);

/* Fails in a way that the fuzzer notices where a property does not hold. */
#define FUZZ_EXPECT(condition, ...) INVARIANT(condition, __VA_ARGS__)

#endif
