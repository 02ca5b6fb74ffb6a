/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FUZZ_MUTATE_H
#define EPTLAB_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>
#include <glib.h>

/*
 * Ways to change inputs that random bytes do not find: what they make has nearly always a wrong
 * checksum, or is no JSON or no line, and so never comes further than the first check. For
 * LLVMFuzzerCustomMutator, whose arguments and result these functions have. Some of the changes are
 * libFuzzer's own, so that the first checks are tried as well.
 */

/* Frames (wire/frame.h): changed, then numbered again and with the right CRCs. */
size_t mutate_frames(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* A record.json: changed as the tree of values that it is, with the right totals. */
size_t mutate_record(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* Lines of key=value: values changed, but printable; lines left out, said twice or exchanged. */
size_t mutate_values(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* Leave out a line, say it twice, or exchange it with the next. */
void mutate_exchange(GString *text, unsigned int *state);

/* libFuzzer's own way to change what stands behind the first bytes of a text. */
void mutate_bytes(GString *text, size_t start);

/* The text becomes the data, of which there is room for max bytes, and is freed; returns its size.
 */
size_t mutate_done(GString *text, uint8_t *data, size_t max);

/* A number below limit, which is not 0; state is what the next one is made of. */
unsigned int mutate_choose(unsigned int *state, size_t limit);

#endif
