/*
 * boottrace - small traces of a boot, a reset and a second boot, as text, and what import
 * makes of them.
 */
#ifndef S2FLUSH_TESTS_BOOTTRACE_H
#define S2FLUSH_TESTS_BOOTTRACE_H

#include "core/error.h"
#include "tracetext.h"

#include "core/units.h"
#include "guest/import/import.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const struct import_options usual = {
    .backing = BACKINGS, .ram_ipa = UINT64_MAX, .kernel = "6.1"};

static inline bool import_text(const char *text, size_t length,
                               const struct import_options *options, struct import *import,
                               struct error *err)
{
    FILE *in = tmpfile();
    assert_non_null(in);
    assert_int_equal(fwrite(text, 1, length, in), length);
    rewind(in);
    bool good = import_read(in, "x.txt", options, import, err);
    assert_int_equal(fclose(in), 0);
    return good;
}

/* A trace that is being written. */
struct text {
    FILE *out;
    char *bytes;
    size_t size;
};

static inline void text_begin(struct text *text)
{
    *text = (struct text){0};
    text->out = open_memstream(&text->bytes, &text->size);
    assert_non_null(text->out);
}

/* vCPU 0 starts and touches `count` pages, `stride` bytes apart and 1 us after each other,
 * from `ns` on. */
static inline void put_boot(struct text *text, uint64_t ns, uint64_t stride, int count)
{
    for (int i = 0; i < count; i++) {
        bool first = i == 0;
        put_fault(text->out, TOOL_TRACE_FLAGS, 0, ns + (uint64_t)i * 1000,
                  GIB + (uint64_t)i * stride, (first ? ESR_FETCH : ESR_DATA | ESR_WRITE) | 7u,
                  first ? GIB : UINT64_C(0xffff800008000000));
        if (first) {
            put_toggle(text->out, TOOL_TRACE_FLAGS, 0, ns, GIB, "off", "off");
            put_toggle(text->out, TOOL_TRACE_FLAGS, 0, ns, GIB, "off", "on");
        }
    }
}

static inline void put_reset(struct text *text, uint64_t ns)
{
    put_other(text->out, TOOL_TRACE_FLAGS, 0, ns,
              "kvm_userspace_exit: reason KVM_EXIT_SYSTEM_EVENT (24)");
}

/* A boot of 20 pages `stride` bytes apart, a reset and a second boot of 10 of them. */
static inline void put_two_boots(struct text *text, uint64_t stride)
{
    put_boot(text, 0, stride, 20);
    put_reset(text, 1000000);
    put_boot(text, 2000000, stride, 10);
}

/* Ends the text and imports it; either way `import` is the caller's to free. */
static inline bool finish(struct text *text, const struct import_options *options,
                          struct import *import, struct error *err)
{
    assert_int_equal(fclose(text->out), 0);
    bool good = import_text(text->bytes, text->size, options, import, err);
    free(text->bytes);
    return good;
}

static inline void expect_taken(struct text *text, const struct import_options *options,
                                struct import *import)
{
    struct error err = {0};
    bool good = finish(text, options, import, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static inline void expect_refused(struct text *text, const struct import_options *options,
                                  const char *words)
{
    struct import import;
    struct error err = {0};
    assert_false(finish(text, options, &import, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, words)) {
        print_error("'%s' does not say '%s'\n", err.text, words);
    }
    assert_non_null(strstr(err.text, words));
    assert_null(strchr(err.text, '\n'));
    import_free(&import);
}

#endif
