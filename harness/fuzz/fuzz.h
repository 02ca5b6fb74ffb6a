/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FUZZ_FUZZ_H
#define EPTLAB_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * What libFuzzer and a target know of each other (llvm.org/docs/LibFuzzer.html); clang has no
 * header for it in C. A target is one file fuzz_PARSER.c; whatever it finds wrong it says with
 * g_assert, which aborts.
 */

/* Each target has this one: try one input. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target may have this one: change data, of which there is room for max bytes; returns its new
 * size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* Called once, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* libFuzzer's own way to change an input, for custom mutators. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#endif
