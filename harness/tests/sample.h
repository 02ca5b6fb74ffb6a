/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_TESTS_SAMPLE_H
#define EPTLAB_TESTS_SAMPLE_H

#include "record/record.h"

/*
 * A record of an experiment in which all is right, for tests to take apart: runs "ept" and "noept",
 * not judged yet. The counts of the paging-related reasons are those that a prototype saw.
 */
struct record *sample_record(void);

/* The same, judged. */
struct record *judged_sample(void);

/* What a rule has said of a run (NULL: of the pair), which must be there. */
const struct record_check *sample_check(const struct record *record, const char *rule,
					const char *run);

/*
 * Replace a count; total, leaf_total and latch follow, as they would have in L2, and so does what
 * L1 says in its kernel log.
 */
void sample_set_count(struct record_run *run, uint32_t reason, uint64_t count);

/* The entry of a reason, which must be there. */
struct record_exit *sample_exit(struct record_run *run, uint32_t reason);

/* What L2 has counted in a run of a reason, both of which must be there. */
uint64_t count_of(const struct record *record, const char *config, uint32_t reason);

/*
 * What record.json says of a run, as words "path=value". A path names members and elements: those
 * of exits by reason, runs and modules by name, others from 0; "len" is how many there are. One
 * that begins with '.' is in the member that the last one was in: "latch.total=165 .serial=2
 * exits.10.count=65 .14.count=0".
 */
void assert_run(const struct record_run *run, const char *expected);

/* The same of any JSON. */
void assert_json(json_t *root, const char *expected);

/* Use each such word; root stands before the path, and blanks may stand between quotation marks. */
void each_word(void *what, const char *root, const char *words,
	       void (*use)(void *what, const char *path, const char *value));

/* What stands at such a path, or NULL. */
json_t *json_at(json_t *root, const char *path);

/*
 * Put value at such a path: JSON, else it is a string; "" takes away what is there. An exit that is
 * not there is made.
 */
void json_change(json_t *root, const char *path, const char *value);

/*
 * Change runs of a record by such words. root names the run: "ept."; if it is "", each path does.
 * "count.48=1" is sample_set_count(). There is another record then, of which no total is known.
 */
void sample_change(struct record **record, const char *root, const char *changes);

/* Add a frame; fields are "key=value|key=value", or empty. */
void put_frame(GString *out, uint32_t seq, const char *kind, const char *fields);

/* Add the begin frame, from that sender, or the end frame of a set. */
void put_begin(GString *out, const char *sender);
void put_end(GString *out, uint32_t seq);

#endif
