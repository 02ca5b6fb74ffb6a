/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MERGE_SET_H
#define EPTLAB_MERGE_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/*
 * Many records as samples: one for each run, or for each operation of a run, with its coordinates
 * on axes. Text is interned unless said otherwise, so equal texts are the same pointer.
 */

/* What a table shows of each. */
enum merge_value {
	MERGE_EXITS,	    /* of the workload, all reasons */
	MERGE_EXITS_PER_OP, /* the slopes of record/operations.h */
	MERGE_TICKS,	    /* of the run */
	MERGE_TICKS_PER_OP,
	MERGE_SECONDS, /* wall clock of the run */
};

/* "exits", "exits-per-op", ...; false if there is none of that name. */
bool merge_value_find(const char *name, enum merge_value *value);
const char *merge_value_name(enum merge_value value);
#define MERGE_VALUE_NAMES "exits, exits-per-op, ticks, ticks-per-op or seconds"

/* Of exits, which alone have reasons. */
bool merge_value_has_reasons(enum merge_value value);

/* Less than this of two is no ratio: a timer's share says nothing about an operation. */
double merge_value_least(enum merge_value value);

/* "57.12", "3,643": as all reports for people write it. The caller frees it. */
char *merge_number(enum merge_value value, double number);

/* The axes that every record has. Those of a matrix come from its cells. */
#define MERGE_AXIS_PLATFORM  "platform"
#define MERGE_AXIS_KERNEL    "kernel"
#define MERGE_AXIS_WORKLOAD  "workload"
#define MERGE_AXIS_OPERATION "operation"
#define MERGE_AXIS_CONFIG    "config"
#define MERGE_AXIS_REASON    "reason"

struct merge_coordinate {
	const char *axis;
	const char *value;
};

enum merge_state {
	MERGE_MEASURED,
	MERGE_INVALID,	/* measured, and not to be believed */
	MERGE_FAILED,	/* tried, and not measured to the end */
	MERGE_MISSING,	/* planned, or between others, and not there */
	MERGE_EXCLUDED, /* planned not to be made */
};

/* "measured", "invalid", ... */
const char *merge_state_name(enum merge_state state);

struct merge_count {
	uint32_t reason;
	double value;
};

struct merge_sample {
	enum merge_state state;
	GArray *coordinates;	 /* of struct merge_coordinate */
	double value;		 /* measured and invalid ones; counts over 2^53 are rounded */
	GArray *reasons;	 /* of struct merge_count, ascending, those seen; NULL: not known */
	uint32_t vendor;	 /* whose reasons they are */
	const char *why;	 /* one sentence: what is wrong; NULL if measured */
	const char *record;	 /* path of its folder; NULL: there is none */
	const char *inputs;	 /* digest over all inputs, or NULL */
	const char *measurement; /* equal of a run and of its copy in the record of a rerun */
	const char *cell;	 /* that the record was made for, "MATRIX/ID", or NULL */
	bool placed;		 /* the record is the one that its cell has */
};

struct merge_set {
	enum merge_value value;
	GPtrArray *samples; /* of struct merge_sample */
	GPtrArray *notes; /* of char *: records that could not be read or are not taken, and why */
	guint records;	  /* that were read */
};

typedef struct merge_set struct_merge_set;

/*
 * Read all records in these folders: each is a record, or has records somewhere below it, and the
 * plans of matrices with them. Records are judged anew, on all CPUs at once. value NULL:
 * exits-per-op if the first record has operations, else exits. Free with merge_set_free.
 * EPTLAB_ERROR_USAGE if there is no record and no plan, or a folder cannot be read.
 */
struct merge_set *merge_set_read(char **folders, const enum merge_value *value, GError **error);
void merge_set_free(struct merge_set *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_merge_set, merge_set_free)

/* The value of a sample on an axis, or NULL; axis need not be interned. */
const char *merge_sample_at(const struct merge_sample *sample, const char *axis);

/* "MATRIX/ID", interned. */
const char *merge_cell_name(const char *matrix, const char *id);

/* Put it there; what it has already stays. */
void merge_sample_place(struct merge_sample *sample, const char *axis, const char *value);

/* A new sample that is no measurement, which set owns. */
struct merge_sample *merge_set_add(struct merge_set *set, enum merge_state state, const char *why);

/* A deep copy, which set owns. */
struct merge_sample *merge_set_add_copy(struct merge_set *set, const struct merge_sample *sample);

/* Keep those for which keep says so; returns how many there were that are not. */
guint merge_set_filter(struct merge_set *set,
		       bool (*keep)(const struct merge_sample *sample, const void *data),
		       const void *data);

/* Keep those only that have this value on this axis; of a reason its number is enough. */
void merge_set_choose(struct merge_set *set, const char *axis, const char *value);

/* Instead of each sample one for each reason that was seen in any, on MERGE_AXIS_REASON. */
void merge_set_split_reasons(struct merge_set *set);

struct merge_reason {
	uint32_t reason;
	const char *name; /* "48 EPT_VIOLATION" */
};

/* The reasons that samples have seen: an array of struct merge_reason, which the caller frees. */
GArray *merge_reasons(const GPtrArray *samples);
const char *merge_reason(uint32_t vendor, uint32_t reason);

/* What a sample has of a reason. */
double merge_sample_count(const struct merge_sample *sample, uint32_t reason);

/* All values on an axis that samples have, in the order that people expect ("6.1", "6.12"). */
GPtrArray *merge_set_values(const struct merge_set *set, const char *axis);

/* The names of all axes that samples have, as they come. */
GPtrArray *merge_set_axes(const struct merge_set *set);

/* Compare two texts so: numbers in them by their value. */
int merge_compare(const char *a, const char *b);

#endif
