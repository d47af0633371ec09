/*
 * beside - insertion into a red-black tree (sys/tree.h) between two neighbours that are known.
 *
 * RB_INSERT looks for the place from the root on. It is below one of the neighbours in order: to
 * the left of the later one, or else to the right of the earlier one, which lies below it then.
 */
#ifndef S2FLUSH_CORE_BESIDE_H
#define S2FLUSH_CORE_BESIDE_H

#include <bsd/sys/tree.h>

/* `earlier` and `later` are NULL where there is none. */
#define BESIDE_INSERT(name, head, element, earlier, later, field) \
    do {                                                          \
        if ((later) && !RB_LEFT(later, field)) {                  \
            RB_SET(element, later, field);                        \
            RB_LEFT(later, field) = (element);                    \
        } else if (earlier) {                                     \
            RB_SET(element, earlier, field);                      \
            RB_RIGHT(earlier, field) = (element);                 \
        } else {                                                  \
            RB_SET(element, NULL, field);                         \
            RB_ROOT(head) = (element);                            \
        }                                                         \
        name##_RB_INSERT_COLOR(head, element);                    \
    } while (0)

#endif
