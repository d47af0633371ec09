#include "cli/completion.h"

#include "cli/cli.h"

#include <ctype.h>
#include <string.h>

/* What a value may be, by what the tables call it. */
enum fill {
    FILL_NOTHING,
    FILL_FILES,
    FILL_FOLDERS,
    FILL_STUDIES, /* these and files */
    FILL_WORKLOADS, /* these and files */
    FILL_MACHINES, /* these and files */
    FILL_STRATEGIES,
    FILL_METRICS,
    FILL_KEYS,
    FILL_SETTINGS, /* KEY= */
};

static const struct {
    const char *option, *value; /* NULL: any */
    enum fill fill;
} fills[] = {
    {"strategy", NULL, FILL_STRATEGIES},
    {"machine", NULL, FILL_MACHINES},
    {"metric", NULL, FILL_METRICS},
    {NULL, "KEY=VALUE", FILL_SETTINGS},
    {NULL, "KEY", FILL_KEYS},
    {NULL, "AXIS", FILL_KEYS},
    {NULL, "DIR", FILL_FOLDERS},
    {NULL, "FILE", FILL_FILES},
    {NULL, "STUDY", FILL_STUDIES},
    {NULL, "MACHINE", FILL_MACHINES},
    {NULL, "WORKLOAD", FILL_WORKLOADS},
    {NULL, "TRACE", FILL_FILES},
};

/* A file by its ending: "OUT.csv". */
static bool is_file_name(const char *value)
{
    const char *dot = strchr(value, '.');
    return dot && isalpha((unsigned char)dot[1]);
}

static enum fill fill_of(const char *option, const char *value)
{
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        if ((!fills[i].option || (option && strcmp(option, fills[i].option) == 0)) &&
            (!fills[i].value || strcmp(value, fills[i].value) == 0)) {
            return fills[i].fill;
        }
    }
    return is_file_name(value) ? FILL_FILES : FILL_NOTHING;
}

/* The first word that a command takes, without brackets. */
static size_t first_word(const struct cli_command *command, const char **word)
{
    *word = command->words + strspn(command->words, "[");
    return strcspn(*word, " |].\n");
}

/* Whether the words are such that one of them is to be chosen: "workloads|machines". */
static bool are_choices(const struct cli_command *command)
{
    return islower((unsigned char)command->words[0]) && strchr(command->words, '|');
}

static enum fill fill_of_word(const struct cli_command *command)
{
    char name[64];
    const char *word;
    size_t length = first_word(command, &word);
    if (strchr(word + length, '|') && strncmp(word, "STUDY|WORKLOAD", 14) == 0) {
        return FILL_STUDIES;
    }
    snprintf(name, sizeof name, "%.*s", length < 60 ? (int)length : 60, word);
    enum fill fill = fill_of(NULL, name);
    return fill == FILL_NOTHING ? FILL_FILES : fill;
}

/* What `s2flush list` calls such names. */
static const char *listed_as(enum fill fill)
{
    switch (fill) {
    case FILL_STUDIES:
        return "studies";
    case FILL_WORKLOADS:
        return "workloads";
    case FILL_MACHINES:
        return "machines";
    case FILL_STRATEGIES:
        return "strategies";
    case FILL_METRICS:
        return "metrics";
    case FILL_KEYS:
    case FILL_SETTINGS:
        return "keys";
    case FILL_NOTHING:
    case FILL_FILES:
    case FILL_FOLDERS:
        break;
    }
    return NULL;
}

static bool takes_files(enum fill fill)
{
    return fill == FILL_FILES || fill == FILL_STUDIES || fill == FILL_WORKLOADS ||
           fill == FILL_MACHINES;
}

static void put_choices(FILE *out, const char *const *choices)
{
    for (size_t i = 0; choices[i]; i++) {
        fprintf(out, "%s%s", i ? " " : "", choices[i]);
    }
}

/* The same of a command's words. */
static void put_words(FILE *out, const char *words)
{
    for (; *words && *words != '\n'; words++) {
        fputc(*words == '|' ? ' ' : *words, out);
    }
}

/* --- bash --- */

static void bash_fill(FILE *out, enum fill fill)
{
    const char *list = listed_as(fill);
    if (list) {
        fprintf(out, "names %s%s; ", list, fill == FILL_SETTINGS ? " =" : "");
    }
    if (takes_files(fill)) {
        fputs("files -f; ", out);
    } else if (fill == FILL_FOLDERS) {
        fputs("files -d; ", out);
    }
    fputs("return ;;\n", out);
}

static void bash_values(FILE *out, const struct cli_command *command)
{
    const struct cli_option *row;
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        if (!row->value) {
            continue;
        }
        fprintf(out, "        %s:--%s", command->name, row->name);
        if (row->letter) {
            fprintf(out, " | %s:-%c", command->name, row->letter);
        }
        fputs(") ", out);
        if (row->choices) {
            fputs("words \"", out);
            put_choices(out, row->choices);
            fputs("\"; return ;;\n", out);
        } else {
            bash_fill(out, fill_of(row->name, row->value));
        }
    }
}

static void bash_options(FILE *out, const struct cli_command *command)
{
    const struct cli_option *row;
    fprintf(out, "            %s) words \"", command->name);
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        fprintf(out, "%s--%s%s", i ? " " : "", row->name, row->value ? "=" : "");
    }
    fputs("\" ;;\n", out);
}

static void put_names(FILE *out)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "%s%s", i ? " " : "", cli_commands[i]->name);
    }
}

void completion_bash(FILE *out)
{
    fputs(
        "# bash completion for s2flush, made by `s2flush manual bash`\n"
        "_s2flush()\n{\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "    local command=${COMP_WORDS[1]} line\n"
        "    words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$current\"); }\n"
        "    files() { while read -r line; do COMPREPLY+=(\"$line\"); done < "
        "<(compgen \"$1\" -- \"$current\"); compopt -o filenames; }\n"
        "    names()\n    {\n"
        "        words \"$(s2flush list \"$1\" 2>/dev/null | "
        "sed -n \"s/^  \\([a-z0-9_.-]*\\) .*/\\1${2-}/p\")\"\n"
        "        [ -z \"${2-}\" ] || compopt -o nospace\n    }\n"
        "    COMPREPLY=()\n"
        "    # --option=value is three words to bash.\n"
        "    if [ \"$current\" = = ]; then\n        current=\n"
        "    elif [ \"$before\" = = ]; then\n        before=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words \"",
        out);
    put_names(out);
    fputs(" --help --version\"\n        return\n    fi\n"
          "    case $command:$before in\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        bash_values(out, cli_commands[i]);
    }
    fputs("    esac\n    case $current in\n    -*)\n        case $command in\n", out);
    for (size_t i = 0; cli_commands[i]; i++) {
        bash_options(out, cli_commands[i]);
    }
    fputs("        esac\n        [[ ${COMPREPLY-} != *= ]] || compopt -o nospace\n        return\n"
          "        ;;\n    esac\n    case $command in\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        const struct cli_command *command = cli_commands[i];
        fprintf(out, "    %s) ", command->name);
        if (are_choices(command)) {
            fputs("words \"", out);
            put_words(out, command->words);
            fputs("\" ;;\n", out);
        } else {
            bash_fill(out, fill_of_word(command));
        }
    }
    fputs("    esac\n}\ncomplete -F _s2flush s2flush\n", out);
}

/* --- zsh --- */

/* Help in single quotes; brackets and colons are zsh's own. */
static void zsh_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else if (strchr("[]:\\", *text)) {
            fprintf(out, "\\%c", *text);
        } else if (*text != '`') {
            fputc(*text, out);
        }
    }
}

static void zsh_fill(FILE *out, enum fill fill)
{
    const char *list = listed_as(fill);
    if (list) {
        fprintf(out, "_s2flush_names %s%s%s", list, fill == FILL_SETTINGS ? " =" : "",
                takes_files(fill) ? " files" : "");
    } else {
        fputs(fill == FILL_FOLDERS ? "_files -/" : fill == FILL_FILES ? "_files" : " ", out);
    }
}

static void zsh_option(FILE *out, const struct cli_option *row)
{
    fputs(" \\\n        '", out);
    if (row->repeatable) {
        fputs("*", out);
    } else if (row->letter) {
        fprintf(out, "(-%c --%s)", row->letter, row->name);
    }
    if (row->letter) {
        fprintf(out, "'{-%c%s,--%s%s}'", row->letter, row->value ? "+" : "", row->name,
                row->value ? "=" : "");
    } else {
        fprintf(out, "--%s%s", row->name, row->value ? "=" : "");
    }
    fputc('[', out);
    zsh_text(out, row->help);
    fputc(']', out);
    if (row->value) {
        fputc(':', out);
        zsh_text(out, row->value);
        fputc(':', out);
        if (row->choices) {
            fputc('(', out);
            put_choices(out, row->choices);
            fputc(')', out);
        } else {
            zsh_fill(out, fill_of(row->name, row->value));
        }
    }
    fputc('\'', out);
}

static void zsh_command(FILE *out, const struct cli_command *command)
{
    const struct cli_option *row;
    fprintf(out, "    %s)\n        _arguments -s", command->name);
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        zsh_option(out, row);
    }
    fputs(" \\\n        '*:: :", out);
    if (are_choices(command)) {
        fputs("(", out);
        put_words(out, command->words);
        fputs(")", out);
    } else {
        zsh_fill(out, fill_of_word(command));
    }
    fputs("'\n        ;;\n", out);
}

void completion_zsh(FILE *out)
{
    fputs("#compdef s2flush\n# zsh completion for s2flush, made by `s2flush manual zsh`\n"
          "_s2flush_names() # kind, what stands behind a name or `files`: these too\n{\n"
          "    local -a names\n"
          "    names=(${(f)\"$(s2flush list $1 2>/dev/null | "
          "sed -n 's/^  \\([a-z0-9_.-]*\\) .*/\\1/p')\"})\n"
          "    if [[ $2 = '=' ]]; then\n        compadd -S '=' -a names\n    else\n"
          "        compadd -a names\n    fi\n"
          "    if [[ $2 = files || $3 = files ]]; then _files; fi\n}\n"
          "local -a commands\ncommands=(\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "    '%s:", cli_commands[i]->name);
        zsh_text(out, cli_commands[i]->summary);
        fputs("'\n", out);
    }
    fputs(")\nif (( CURRENT == 2 )); then\n    _describe command commands\n    return\nfi\n"
          "shift words\n(( CURRENT-- ))\ncase $words[1] in\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        zsh_command(out, cli_commands[i]);
    }
    fputs("esac\n", out);
}

/* --- fish --- */

static void fish_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void fish_fill(FILE *out, enum fill fill)
{
    const char *list = listed_as(fill);
    if (list) {
        fprintf(out, " -a '(__s2flush_names %s%s)'", list, fill == FILL_SETTINGS ? " =" : "");
    } else if (fill == FILL_FOLDERS) {
        fputs(" -a '(__fish_complete_directories)'", out);
    }
    fputs(takes_files(fill) ? " -F" : " -f", out);
}

static void fish_command(FILE *out, const struct cli_command *command)
{
    const struct cli_option *row;
    const char *seen = "complete -c s2flush -n '__fish_seen_subcommand_from";
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        fprintf(out, "%s %s' -l %s", seen, command->name, row->name);
        if (row->letter) {
            fprintf(out, " -s '%c'", row->letter);
        }
        fputs(" -d ", out);
        fish_text(out, row->help);
        if (row->value) {
            fputs(" -r", out);
            if (row->choices) {
                fputs(" -f -a '", out);
                put_choices(out, row->choices);
                fputs("'", out);
            } else {
                fish_fill(out, fill_of(row->name, row->value));
            }
        }
        fputc('\n', out);
    }
    fprintf(out, "%s %s'", seen, command->name);
    if (are_choices(command)) {
        fputs(" -f -a '", out);
        put_words(out, command->words);
        fputs("'", out);
    } else {
        fish_fill(out, fill_of_word(command));
    }
    fputc('\n', out);
}

void completion_fish(FILE *out)
{
    fputs("# fish completion for s2flush, made by `s2flush manual fish`\n"
          "function __s2flush_names # kind, what stands behind a name\n"
          "    s2flush list $argv[1] 2>/dev/null | "
          "string replace -rf '^  ([a-z0-9_.-]+) .*' \"\\$1$argv[2]\"\nend\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "complete -c s2flush -f -n __fish_use_subcommand -a %s -d ",
                cli_commands[i]->name);
        fish_text(out, cli_commands[i]->summary);
        fputc('\n', out);
    }
    for (size_t i = 0; cli_commands[i]; i++) {
        fish_command(out, cli_commands[i]);
    }
}
