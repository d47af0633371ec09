/*
 * build_id - which program this is, to the bit.
 *
 * The version cannot tell two builds of changed sources apart; results that are
 * put together must come from one and the same program.
 */
#ifndef S2FLUSH_CORE_BUILD_ID_H
#define S2FLUSH_CORE_BUILD_ID_H

#define BUILD_ID 33

/* XXH128 of the program's own file, or of its version, compiler and flags where
 * that cannot be read: 32 hexadecimal digits and a NUL into `text`. */
void build_id(char text[BUILD_ID]);

#endif
