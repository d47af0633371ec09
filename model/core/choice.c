#include "core/choice.h"

#include "core/invariant.h"

#include <stddef.h>

const char *choice_word(const struct choice *choices, int value)
{
    const struct choice *choice = choices;

    while (choice->word != NULL && choice->value != value) {
        choice++;
    }
    INVARIANT(choice->word != NULL, "%d is none of the values from %s on", value, choices->word);
    return choice->word;
}
