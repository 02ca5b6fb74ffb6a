/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_INPUTS_H
#define EPTLAB_CLI_INPUTS_H

#include "cli/experiment.h"
#include "record/record.h"
#include "l1/platform.h"

/*
 * What L1 and L2 of this boot are made of: an array of struct record_input with a digest for each
 * part, and one over all. Where a file lies is in none of them, so that two clones of the same
 * sources and packages have the same. guest: what L2 is. The caller owns the result. NULL with
 * EPTLAB_ERROR_MACHINE when something cannot be read.
 */
GPtrArray *inputs_of(const struct experiment *experiment, const struct platform_request *request,
		     const struct record_guest *guest, GError **error);

#endif
