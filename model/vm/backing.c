#include "vm/backing.h"

const char *const backing_name[BACKINGS + 1] = {
#define BACKING_NAME(value, word, help) [value] = (word),
    BACKING_CHOICES(BACKING_NAME)
#undef BACKING_NAME
};
