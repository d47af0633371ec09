/*
 * fuzz - what the fuzz targets share.
 *
 * A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput and the folder
 * corpus/NAME. It hands the bytes to a reader of the program. Bad input must
 * come back as an error that can be shown; an abort, an exit, a sanitizer's
 * report, or memory or time without bound is a finding.
 */
#ifndef S2FLUSH_TESTS_FUZZ_FUZZ_H
#define S2FLUSH_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "core/invariant.h"

struct error;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts the bytes into one of a few files in memory, by index; returns its
 * path, which stays the same for that index. */
#define FUZZ_FILES 8
const char *fuzz_file(unsigned index, const uint8_t *data, size_t size);

/* Hands the parts of an input between lines of `%%` to files 0, 1, ... below
 * `most`; the last gets the rest. Returns how many there are; sizes[i] is what
 * the i-th has. */
size_t fuzz_split(const uint8_t *data, size_t size, size_t most, size_t sizes[FUZZ_FILES]);

/* One of a few folders of the target's own, by index; goes away at the end
 * with the files and links in it. In memory, where the system has such a place. */
#define FUZZ_FOLDERS 2
const char *fuzz_folder(unsigned index);

/* Lets a name in a folder lead to a file in memory, or to nothing. */
void fuzz_link(unsigned folder, const char *name, unsigned file);
void fuzz_unlink(unsigned folder, const char *name);

/* What every error must be: one line of text with a status for bad input or
 * for a run that failed. Aborts where it is not. */
void fuzz_expect_error(const struct error *err);

/* Fails in a way that the fuzzer notices where a property does not hold. */
#define FUZZ_EXPECT(condition, ...) INVARIANT(condition, __VA_ARGS__)

#endif
