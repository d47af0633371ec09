/*
 * interrupt - Ctrl-C and SIGTERM, to end after what is under way, or a second later.
 */
#ifndef S2FLUSH_CLI_INTERRUPT_H
#define S2FLUSH_CLI_INTERRUPT_H

/* From here on the first SIGINT or SIGTERM is noted, where it was not ignored, and what has not
 * ended a second later is left as if killed; a second signal of its kind ends the program. On a
 * terminal the first says so. */
void interrupt_catch(void);

/* Which one came; 0: none. */
int interrupt_signal(void);

#endif
