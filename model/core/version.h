/*
 * version - what this binary is: for --version, and for the provenance that
 * results carry.
 */
#ifndef S2FLUSH_CORE_VERSION_H
#define S2FLUSH_CORE_VERSION_H

/* `git describe` of the source, or the release it was taken from. */
extern const char *const version_program;

/* The compiler with its version, and the flags it was given. */
extern const char *const version_compiler;
extern const char *const version_flags;

#endif
