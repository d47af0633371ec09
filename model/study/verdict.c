#include "study/verdict.h"

#include <inttypes.h>
#include <stdio.h>

enum outcome verdict_worst(const struct verdict verdict[READERS], unsigned *conditions)
{
    enum outcome worst = NOT_READ;
    *conditions = 0;
    for (int reader = 0; reader < READERS; reader++) {
        worst = verdict[reader].outcome > worst ? verdict[reader].outcome : worst;
        *conditions |= verdict[reader].conditions;
    }
    return worst;
}

const char *verdict_conditions(unsigned conditions)
{
    return conditions ? oracle_conditions_text(conditions) : NULL;
}

void verdict_text(const struct verdict verdict[READERS], char *text, size_t size)
{
    unsigned conditions;
    enum outcome worst = verdict_worst(verdict, &conditions);
    const char *words = worst == STALE ? NULL : verdict_conditions(conditions);
    size_t used = (size_t)snprintf(text, size, "%s", words ? words : "");
    for (int reader = 0; reader < READERS && worst == STALE && used < size; reader++) {
        if (verdict[reader].outcome == STALE) {
            used += (size_t)snprintf(text + used, size - used, "%s%s: %" PRIu64 " lines",
                                     used ? "; " : "", reader_name[reader],
                                     verdict[reader].lines_stale);
        }
    }
}
