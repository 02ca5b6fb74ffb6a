/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_FIELDS_H
#define EPTLAB_RECORD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

/*
 * Every field of a record, in the order of record.json: the one place from which records are
 * written, read, copied and freed. Internal to record*.c.
 */
enum record_field_kind {
	FIELD_TEXT,	  /* char *, never NULL */
	FIELD_NAME,	  /* char *, never NULL: a-z, 0-9, _ and -, fit for a path */
	FIELD_OPT_NAME,	  /* the same, NULL: unknown */
	FIELD_STRING,	  /* char *, NULL: unknown */
	FIELD_CHOICE,	  /* enum, one of names */
	FIELD_BOOL,	  /* bool */
	FIELD_BOOL3,	  /* enum record_bool */
	FIELD_U32,	  /* uint32_t */
	FIELD_U64,	  /* uint64_t */
	FIELD_OPT_U64,	  /* struct record_u64 */
	FIELD_SECONDS,	  /* double, negative: unknown */
	FIELD_OBJECT,	  /* a structure inside */
	FIELD_OPT_OBJECT, /* a structure inside that begins with "bool known" */
	FIELD_LIST,	  /* GPtrArray * of structures, never NULL */
	FIELD_OPT_LIST,	  /* GPtrArray * of structures, NULL: unknown */
	FIELD_LINES,	  /* GPtrArray * of char *, never NULL */
	FIELD_REASONS,	  /* GArray * of uint32_t, NULL: unknown */
	FIELD_INPUTS,	  /* GPtrArray * of struct record_input, NULL: unknown */
	FIELD_STATISTICS, /* GPtrArray * of struct record_statistic, NULL: unknown */
};

struct record_object;

struct record_field {
	const char *key;
	size_t offset;
	const struct record_object *object; /* for OBJECT, OPT_OBJECT and the lists */
	const char *const *names;	    /* for CHOICE, by value, NULL-terminated */
	enum record_field_kind kind;
	enum {
		SINCE_1,      /* there is no record without it */
		SINCE_LATE_1, /* some records of schema 1 do not have it: it is unknown there */
		SINCE_2,
		SINCE_LATE_2, /* nor those of schema 1, nor the first ones of schema 2 */
	} since;
};

struct record_object {
	size_t size;
	const struct record_field *fields;
	size_t count;
	const char *const *former; /* fields that records once had, which are read over; or NULL */
	void (*prepare)(void *);   /* of a new one, all 0; may be NULL */
	void (*release)(void *);   /* free an element of a list */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared has none. */
#define each_field(field, object)                                                                  \
	for (const struct record_field *field = (object)->fields;                                  \
	     field < (object)->fields + (object)->count; field++)
/* NOLINTEND(bugprone-macro-parentheses) */

extern const struct record_object record_object_record;
extern const struct record_object record_object_run;
extern const struct record_object record_object_platform;
extern const struct record_object record_object_exit;
extern const struct record_object record_object_cpuid;
extern const struct record_object record_object_point;
extern const struct record_object record_object_operation;
extern const struct record_object record_object_input;
extern const struct record_object record_object_statistic;
extern const struct record_object record_object_module;
extern const struct record_object record_object_check;
extern const struct record_object record_object_step;
extern const struct record_object record_object_axis;
extern const struct record_object record_object_cell;

extern const char *const record_verdict_names[];
extern const char *const record_source_names[];
extern const char *const record_check_verdict_names[];
extern const char *const record_end_names[];

/* A new structure, all unknown or empty. */
void *record_object_new(const struct record_object *object);

/* A deep copy. */
void *record_object_copy(const struct record_object *object, const void *from);

/* A deep copy in the place of another structure. */
void record_object_assign(const struct record_object *object, void *to, const void *from);

/* Free a structure and all that it holds; NULL is allowed. */
void record_object_free(const struct record_object *object, void *base);

/* An empty list of such structures. */
GPtrArray *record_object_list(const struct record_object *object);

#endif
