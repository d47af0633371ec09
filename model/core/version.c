#include "core/version.h"

/* The build passes both; a plain compilation by hand still works. */
#ifndef S2FLUSH_VERSION
#define S2FLUSH_VERSION "unknown"
#endif
#ifndef S2FLUSH_CFLAGS
#define S2FLUSH_CFLAGS "unknown"
#endif

const char *const version_program = S2FLUSH_VERSION;

#ifdef __clang__
const char *const version_compiler = __VERSION__; /* names itself */
#else
const char *const version_compiler = "gcc " __VERSION__;
#endif

const char *const version_flags = S2FLUSH_CFLAGS;
