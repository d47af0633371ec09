/*
 * legible - whether the texts of a figure's data file lie inside of it, and apart. With
 * S2FLUSH_CHARTS=folder the figures are left there, to be looked at.
 */
#ifndef S2FLUSH_TESTS_LEGIBLE_H
#define S2FLUSH_TESTS_LEGIBLE_H

#include <stddef.h>

struct box {
    double left, right, top, bottom;
    char text[256];
};

#define BOXES 900

/* The texts; returns how many. */
size_t read_texts(const char *data, struct box box[BOXES]);

/* Fails where one leaves the frame or lies over another. Frees the data. */
void expect_legible(const char *name, char *data);

#endif
