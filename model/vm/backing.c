#include "vm/backing.h"

const char *const backing_name[BACKINGS + 1] = {
#define BACKING_NAME(value, word, help) [value] = (word),
    BACKING_CHOICES(BACKING_NAME)
#undef BACKING_NAME
};

bool backing_is_hugetlb(enum backing backing)
{
    return backing == BACKING_HUGETLB || backing == BACKING_HUGETLB_SHARED ||
           backing == BACKING_HUGETLB_1G;
}

bool backing_is_shared(enum backing backing)
{
    return backing == BACKING_SHARED || backing == BACKING_HUGETLB_SHARED;
}
