#include "core/choice.h"

#include "core/invariant.h"

#include <string.h>

const char *choice_word(const struct choice *choices, int value)
{
    const struct choice *choice = choices;
    while (choice->word != NULL && choice->value != value) {
        choice++;
    }
    INVARIANT(choice->word != NULL, "%d is none of the values from %s on", value, choices->word);
    return choice->word;
}

size_t choice_index(const char *const *names, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}
