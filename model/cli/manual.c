#include "cli/manual.h"

#include "core/version.h"

#include <ctype.h>
#include <string.h>

/* --- text as roff has it --- */

static void put_char(FILE *out, char c)
{
    if (c == '\\') {
        fputs("\\e", out);
    } else if (c == '-') {
        fputs("\\-", out);
    } else {
        fputc(c, out);
    }
}

/* A line of running text; what stands between backticks is bold. */
static void put_line(FILE *out, const char *text, size_t length)
{
    bool bold = false;
    if (length > 0 && (text[0] == '.' || text[0] == '\'')) {
        fputs("\\&", out); /* no request of roff */
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '`') {
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", out);
        } else {
            put_char(out, text[i]);
        }
    }
    fputc('\n', out);
}

static void put_text(FILE *out, const char *text)
{
    put_line(out, text, strlen(text));
}

/* Several lines, from a paragraph's beginning on: an indented one stays as it is, an empty one
 * begins a paragraph. */
static void put_lines(FILE *out, const char *text)
{
    bool fixed = false, begun = true; /* a paragraph */
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool indented = text[0] == ' ';
        if (fixed && !indented) {
            fputs(".fi\n", out);
        }
        if (!begun && (length == 0 || indented != fixed)) {
            fputs(".PP\n", out);
            begun = true;
        }
        if (indented && !fixed) {
            fputs(".nf\n", out);
        }
        if (length > 0) {
            put_line(out, text, length);
            begun = false;
        }
        fixed = indented;
        text += length + (text[length] == '\n');
    }
    fputs(fixed ? ".fi\n" : "", out);
}

/* Roff takes its arguments in quotes. */
static void put_title(FILE *out, const char *name)
{
    fputs(".TH ", out);
    for (; *name; name++) {
        put_char(out, (char)toupper((unsigned char)*name));
    }
    fprintf(out, " 1 \"\" \"s2flush %s\" \"s2flush\"\n", version_program);
}

static void put_section(FILE *out, const char *title)
{
    fprintf(out, ".SH %s\n", title);
}

/* --- a command --- */

static void put_synopsis(FILE *out, const struct cli_command *command)
{
    put_section(out, "SYNOPSIS");
    for (const char *words = command->words; *words;) {
        size_t length = strcspn(words, "\n");
        fprintf(out, ".B s2flush %s\n[\\fIOPTION\\fR...] ", command->name);
        put_line(out, words, length);
        words += length + (words[length] == '\n');
        fputs(*words ? ".br\n" : "", out);
    }
}

static void put_option(FILE *out, const struct cli_option *row)
{
    fputs(".TP\n", out);
    if (row->letter) {
        fputs("\\fB\\-", out);
        put_char(out, row->letter);
        fputs("\\fR, ", out);
    }
    fputs("\\fB\\-\\-", out);
    for (const char *at = row->name; *at; at++) {
        put_char(out, *at);
    }
    fputs("\\fR", out);
    if (row->value) {
        fprintf(out, "=\\fI%s\\fR", row->value);
    }
    fputc('\n', out);
    put_line(out, row->help, strlen(row->help));
    if (row->choices) {
        fputs(".br\nOne of", out);
        for (size_t i = 0; row->choices[i]; i++) {
            fprintf(out, "%s \\fB%s\\fR", i ? "," : "", row->choices[i]);
        }
        fputs(".\n", out);
    }
    fputs(row->repeatable ? ".br\nMay be given several times.\n" : "", out);
}

/* Exit status and further pages, the same for all. */
static void put_end(FILE *out, const struct cli_command *command)
{
    put_section(out, "EXIT STATUS");
    put_text(out, "0: done. 1: the run failed. 2: bad input, which one line on stderr names. 130: "
                  "interrupted by Ctrl-C.");
    put_section(out, "SEE ALSO");
    if (command) {
        fputs(".BR s2flush (1)\n", out);
        return;
    }
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, ".BR s2flush\\-%s (1)%s\n", cli_commands[i]->name,
                cli_commands[i + 1] ? "," : "");
    }
}

void manual_command(FILE *out, const struct cli_command *command)
{
    char name[64];
    const struct cli_option *row;
    snprintf(name, sizeof name, "s2flush-%.40s", command->name);
    put_title(out, name);
    put_section(out, "NAME");
    fprintf(out, "s2flush\\-%s \\- ", command->name);
    put_text(out, command->summary);
    put_synopsis(out, command);
    put_section(out, "DESCRIPTION");
    put_lines(out, command->help);
    if (command->more) {
        fputs(".PP\n", out);
        put_lines(out, command->more);
    }
    put_section(out, "OPTIONS");
    for (size_t i = 0; (row = cli_option_at(command, i)); i++) {
        put_option(out, row);
    }
    put_end(out, command);
}

/* --- the program --- */

void manual_program(FILE *out)
{
    put_title(out, "s2flush");
    put_section(out, "NAME");
    fputs("s2flush \\- what it costs on KVM/arm64 to make a VM's memory coherent at reboot\n", out);
    put_section(out, "SYNOPSIS");
    fputs(".B s2flush\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n", out);
    put_section(out, "DESCRIPTION");
    put_text(
        out,
        "Without FEAT_S2FWB a VM that reboots in place starts with its MMU off and reads memory "
        "past the caches, so its memory must first be made coherent. s2flush plays what a kernel "
        "does for that, or could do, in a discrete-event model of the machine, and says what each "
        "way adds to the reboot, how sure that is, and whether any reader may see old bytes.");
    put_section(out, "COMMANDS");
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, ".TP\n.BR s2flush\\-%s (1)\n", cli_commands[i]->name);
        put_text(out, cli_commands[i]->summary);
    }
    put_section(out, "ENVIRONMENT");
    fputs(".TP\n.B S2FLUSH_DATA\n", out);
    put_text(out,
             "where platforms, workloads and studies are looked for first; then in the current "
             "folder, in the tree that the program was built in, and where it is installed");
    put_section(out, "FILES");
    fputs(".TP\n.I DIR/rows.csv\n", out);
    put_text(
        out,
        "the results of a study as a table: `s2flush manual columns` says what each column is");
    fputs(".TP\n.I DIR/samples.db\n", out);
    put_text(out, "all that was played, an SQLite file: nothing is played twice");
    put_end(out, NULL);
}
