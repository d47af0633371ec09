#include "cli/completion.h"

#include "cli/cli.h"
#include "core/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a value may be, by the option's name or by what the tables call the value. */
struct fill {
    const char *option, *value; /* NULL: any */
    const char *list; /* what `s2flush list` calls such names; NULL: there are none */
    const char *ending; /* behind each name */
    const char *paths; /* FILES or FOLDERS beside them; NULL: neither */
};

#define FILES ":files"
#define FOLDERS ":folders"

static const struct fill fills[] = {
    {"strategy", NULL, "strategies", "", NULL},
    {"machine", NULL, "machines", "", FILES},
    {"metric", NULL, "metrics", "", NULL},
    {NULL, "KEY=VALUE", "keys", "=", NULL},
    {NULL, "KEY", "keys", "", NULL},
    {NULL, "AXIS", "keys", "", NULL},
    {NULL, "DIR", NULL, "", FOLDERS},
    {NULL, "STUDY", "studies", "", FILES},
    {NULL, "MACHINE", "machines", "", FILES},
    {NULL, "WORKLOAD", "workloads", "", FILES},
    {NULL, "FILE", NULL, "", FILES},
};

/* A file may be named by its ending: "OUT.csv". */
static const struct fill *fill_of(const char *option, const char *value)
{
    static const struct fill nothing = {0}, files = {.paths = FILES};
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        if ((!fills[i].option || strcmp(option, fills[i].option) == 0) &&
            (!fills[i].value || strcmp(value, fills[i].value) == 0)) {
            return &fills[i];
        }
    }
    const char *dot = strchr(value, '.');
    return dot && isalpha((unsigned char)dot[1]) ? &files : &nothing;
}

/* --- lines of the answer --- */

struct offer {
    const char *typed;
    const char *paths; /* of the last line */
};

static void put(const struct offer *offer, const char *word, const char *ending, const char *help)
{
    if (strncmp(word, offer->typed, strlen(offer->typed)) == 0) {
        printf("%s%s%s%s\n", word, ending, help ? "\t" : "", help ? help : "");
    }
}

/* The names that `s2flush list` prints, each two blanks from the margin. */
static void put_names(const struct offer *offer, char *list, const char *ending)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    char *line = NULL;
    size_t room = 0;
    FILE *printed = alloc_checked(tmpfile(), "names");
    (void)fflush(stdout);
    int before = dup(STDOUT_FILENO);
    (void)dup2(fileno(printed), STDOUT_FILENO);
    (void)cli_run(&cmd_list, 2, (char *[]){"list", list, NULL});
    (void)fflush(stdout);
    (void)dup2(before, STDOUT_FILENO);
    (void)close(before);
    rewind(printed);
    while (getline(&line, &room, printed) > 0) {
        size_t margin = strspn(line, " "), length = strspn(line + margin, characters);
        if (margin == 2 && length > 0 && line[margin + length] == ' ') {
            line[margin + length] = '\0';
            put(offer, line + margin, ending, NULL);
        }
    }
    free(line);
    (void)fclose(printed);
}

static void put_fill(struct offer *offer, const struct fill *fill)
{
    if (fill->list) {
        char list[16];
        snprintf(list, sizeof list, "%s", fill->list);
        put_names(offer, list, fill->ending);
    }
    offer->paths = fill->paths ? fill->paths : offer->paths;
}

static void put_commands(const struct offer *offer)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        put(offer, cli_commands[i]->name, "", cli_commands[i]->summary);
    }
}

/* --- what may stand where --- */

static void put_value(struct offer *offer, const struct cli_option *row)
{
    for (size_t i = 0; row->choices && row->choices[i]; i++) {
        put(offer, row->choices[i], "", NULL);
    }
    if (!row->choices) {
        put_fill(offer, fill_of(row->name, row->value));
    }
}

static void put_options(const struct offer *offer, const struct cli_command *command)
{
    const struct cli_option *row;
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", row->name);
        put(offer, name, row->value ? "=" : "", row->help);
    }
}

/* What a command takes beside options, as in "STUDY|WORKLOAD" or "workloads|machines". */
static void put_words(struct offer *offer, const struct cli_command *command)
{
    const char *at = command->words + strspn(command->words, "[");
    offer->paths = islower((unsigned char)*at) ? NULL : FILES;
    for (size_t length = 1; length > 0; at += length + (at[length] == '|')) {
        char word[64];
        length = strcspn(at, " |].\n");
        snprintf(word, sizeof word, "%.*s", length < 60 ? (int)length : 60, at);
        if (strcmp(word, "COMMAND") == 0) {
            offer->paths = NULL;
            put_commands(offer);
        } else if (islower((unsigned char)word[0])) {
            put(offer, word, "", NULL);
        } else {
            put_fill(offer, fill_of("", word));
        }
        if (at[length] != '|') {
            break;
        }
    }
}

/* The option of that name or letter, if it takes a value. */
static const struct cli_option *option_of(const struct cli_command *command, const char *word,
                                          size_t length)
{
    const struct cli_option *row;
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        bool named = length > 2 && strncmp(word, "--", 2) == 0 && strlen(row->name) == length - 2 &&
                     strncmp(word + 2, row->name, length - 2) == 0;
        if (row->value && (named || (length == 2 && word[0] == '-' && word[1] == row->letter))) {
            return row;
        }
    }
    return NULL;
}

void completion_print(int count, char *const *words)
{
    const char *last = count > 0 ? words[count - 1] : "";
    struct offer offer = {.typed = last};
    const struct cli_command *command = count > 1 ? cli_find(words[0]) : NULL;
    if (!command) {
        printf("\n");
        if (count <= 1) {
            put_commands(&offer);
            put(&offer, "--help", "", NULL);
            put(&offer, "--version", "", NULL);
        }
        return;
    }
    /* To bash --option=value is three words. */
    int before = count - 2;
    if (strcmp(last, "=") == 0) {
        offer.typed = "";
    } else if (before > 1 && strcmp(words[before], "=") == 0) {
        before--;
    }
    const struct cli_option *row =
        before > 0 ? option_of(command, words[before], strlen(words[before])) : NULL;
    size_t prefix = 0;
    if (!row && last[0] == '-' && last[1]) {
        prefix = last[1] != '-' ? 2 : strcspn(last, "=");
        row = last[prefix] ? option_of(command, last, prefix) : NULL;
        prefix = row ? prefix + (last[1] == '-') : 0;
        offer.typed = last + prefix;
    }
    printf("%.*s\n", (int)prefix, last);
    if (row) {
        put_value(&offer, row);
    } else if (last[0] == '-') {
        put_options(&offer, command);
    } else {
        put_words(&offer, command);
    }
    if (offer.paths) {
        printf("%s\n", offer.paths);
    }
}

/* --- what asks for it --- */

void completion_bash(FILE *out)
{
    fputs("# bash completion for s2flush, made by `s2flush manual bash`\n"
          "_s2flush()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} prefix line\n"
          "    COMPREPLY=()\n"
          "    {\n"
          "        read -r prefix\n"
          "        current=${current#\"$prefix\"}\n"
          "        while read -r line; do\n"
          "            case $line in\n"
          "            :*) while read -r line; do COMPREPLY+=(\"$prefix$line\"); done "
          "< <(compgen \"-${line:1:1}\" -- \"${current#=}\")\n"
          "                compopt -o filenames ;;\n"
          "            *) COMPREPLY+=(\"$prefix${line%%$'\\t'*}\") ;;\n"
          "            esac\n"
          "        done\n"
          "    } < <(s2flush --complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
          "    [[ ${COMPREPLY-} != *= ]] || compopt -o nospace\n"
          "}\ncomplete -F _s2flush s2flush\n",
          out);
}

void completion_zsh(FILE *out)
{
    fputs("#compdef s2flush\n# zsh completion for s2flush, made by `s2flush manual zsh`\n"
          "local line name\n"
          "local -a lines shown\n"
          "lines=(\"${(@f)$(s2flush --complete \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
          "compset -p ${#lines[1]}\n"
          "for line in \"${(@)lines[2,-1]}\"; do\n"
          "    name=${line%%$'\\t'*}\n"
          "    shown=(\"${line/$'\\t'/  -- }\")\n"
          "    case $name in\n"
          "    :files) _files ;;\n"
          "    :folders) _files -/ ;;\n"
          "    *=) compadd -l -S '' -d shown -- \"$name\" ;;\n"
          "    *) compadd -l -d shown -- \"$name\" ;;\n"
          "    esac\n"
          "done\n",
          out);
}

void completion_fish(FILE *out)
{
    fputs("# fish completion for s2flush, made by `s2flush manual fish`\n"
          "function __s2flush\n"
          "    set -l current (commandline -ct)\n"
          "    set -l words (commandline -opc) \"$current\"\n"
          "    set -l lines (s2flush --complete $words[2..-1] 2>/dev/null)\n"
          "    set -l rest (string replace -- \"$lines[1]\" '' \"$current\")\n"
          "    for line in $lines[2..-1]\n"
          "        switch $line\n"
          "            case :files\n"
          "                printf \"$lines[1]%s\\n\" (__fish_complete_path \"$rest\")\n"
          "            case :folders\n"
          "                printf \"$lines[1]%s\\n\" (__fish_complete_directories \"$rest\")\n"
          "            case '*'\n"
          "                echo \"$lines[1]$line\"\n"
          "        end\n"
          "    end\n"
          "end\n"
          "complete -c s2flush -f -a '(__s2flush)'\n",
          out);
}
