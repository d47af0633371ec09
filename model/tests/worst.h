/*
 * worst - the worst over all readers that read anything.
 */
#ifndef S2FLUSH_TESTS_WORST_H
#define S2FLUSH_TESTS_WORST_H

#include "machine/oracle.h"

static inline enum outcome oracle_worst(const struct oracle *oracle)
{
    enum outcome worst = NOT_READ;
    for (int i = 0; i < READERS; i++) {
        worst = oracle->verdict[i].outcome > worst ? oracle->verdict[i].outcome : worst;
    }
    return worst;
}

#endif
