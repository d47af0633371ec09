/*
 * backing - what kind of memory the host gives a guest.
 */
#ifndef S2FLUSH_VM_BACKING_H
#define S2FLUSH_VM_BACKING_H

#include "core/choice.h"

#include <stdbool.h>

#define BACKING_CHOICES(X)                                                             \
    X(BACKING_4K, "4k", "anonymous, no huge pages")                                    \
    X(BACKING_THP, "thp", "anonymous, huge pages on demand, no background collapse")   \
    X(BACKING_HUGETLB, "hugetlb", "private hugetlb pages of the granule's block size") \
    X(BACKING_HUGETLB_1G, "hugetlb-1g", "private hugetlb pages of 1 GiB")              \
    X(BACKING_HUGETLB_SHARED, "hugetlb-shared", "a shared file of such pages")         \
    X(BACKING_SHARED, "shm", "a shared memory file, small pages")
enum backing { BACKING_CHOICES(CHOICE_ENUMERATOR) BACKINGS };

extern const char *const backing_name[BACKINGS + 1]; /* NULL-terminated */

/* Whether its pages come from a pool of huge ones; whether others can have it mapped, too. */
bool backing_is_hugetlb(enum backing backing);
bool backing_is_shared(enum backing backing);

#endif
