#include "study/verdict.h"

#include <inttypes.h>
#include <stdio.h>

enum outcome verdict_worst(const struct verdict verdict[READERS], unsigned *conditions)
{
    enum outcome worst = NOT_READ;
    *conditions = 0;
    for (int reader = 0; reader < READERS; reader++) {
        worst = verdict[reader].outcome > worst ? verdict[reader].outcome : worst;
        *conditions |= verdict[reader].outcome == ONLY_IF ? verdict[reader].conditions : 0;
    }
    return worst;
}

const char *verdict_conditions(unsigned conditions)
{
#define NO_FILL "no line is filled ahead between the flush and a write past the caches"
#define ANONYMOUS "the memory is anonymous"
    bool fill = conditions & CONDITION_NO_FILL, anonymous = conditions & CONDITION_ANONYMOUS;
    return fill && anonymous ? NO_FILL "; " ANONYMOUS
           : fill            ? NO_FILL
           : anonymous       ? ANONYMOUS
                             : NULL;
}

void verdict_text(const struct verdict verdict[READERS], char *text, size_t size)
{
    unsigned conditions;
    enum outcome worst = verdict_worst(verdict, &conditions);
    const char *words = worst == ONLY_IF ? verdict_conditions(conditions) : NULL;
    size_t used = (size_t)snprintf(text, size, "%s", words ? words : "");
    for (int reader = 0; reader < READERS && worst == STALE && used < size; reader++) {
        if (verdict[reader].outcome == STALE) {
            used += (size_t)snprintf(text + used, size - used, "%s%s: %" PRIu64 " lines",
                                     used ? "; " : "", reader_name[reader],
                                     verdict[reader].lines_stale);
        }
    }
}
