/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_STORE_H
#define EPTLAB_RECORD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#include "record/record.h"

/*
 * Writes one record below a results folder so that nobody ever sees half of it: all is written in
 * results/.partial-<name>.<random>, which is renamed to results/<name> when everything is on the
 * disk. A flock on the partial folder says that its harness lives; the kernel drops it when the
 * harness is killed, and record_store_recover() of a later harness finds the folder without it.
 *
 * Errors are EPTLAB_ERROR_MACHINE (disk full, no permission); earlier records are never touched.
 */
typedef struct record_store record_store;

/*
 * Start a record named <UTC>-<platform>-<workload>; when is the start of the experiment, in any
 * time zone. results is created if it is not there. Room for what is written at the end is taken
 * now: a full disk shows before anything is measured.
 */
record_store *record_store_begin(const char *results, GDateTime *when, const char *platform,
				 const char *workload, GError **error);

/* The folder to write in (absolute if results was); valid until commit or abort. */
const char *record_store_path(const record_store *store);

/* The name of the record to be, "<UTC>-<platform>-<workload>"; valid until commit or abort. */
const char *record_store_name(const record_store *store);

/*
 * A folder for temporary files, which never becomes part of the record: it is removed by
 * record_store_end_work, commit, abort and record_store_recover. The caller frees the path.
 */
char *record_store_work(const record_store *store);

/* Nothing more is measured: remove the temporary files, which gives room to what is kept. */
void record_store_end_work(record_store *store);

/*
 * Write a whole file. name is relative ("report.txt", "ept/dmesg.log"); a folder in it is made.
 * An older file of that name is replaced.
 */
bool record_store_write(record_store *store, const char *name, const void *data, size_t length,
			GError **error);

/*
 * Write record.json as it is now. Called during the experiment it leaves what is known for
 * record_store_recover(), should the harness be killed.
 */
bool record_store_save(record_store *store, const struct record *record, GError **error);

/*
 * Save the record, put everything on the disk and give the folder its name; if that is taken, with
 * the suffix -2, -3 ... A valid or invalid record becomes results/latest, a failed one does not.
 * Frees the store. Returns the path of the record, or NULL; the error then says where everything
 * is: in the record, which is complete, if only the link was the matter, else in the partial folder
 * for record_store_recover(). What was measured is never removed.
 */
char *record_store_commit(record_store *store, const struct record *record, GError **error);

/* Remove the folder and free the store. NULL is allowed. */
void record_store_abort(record_store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(record_store, record_store_abort)

/*
 * Turn each partial folder whose harness was killed, or could not commit it, into a failed record
 * with all files that it had written. Returns the paths of these records, an empty list if there is
 * none; the caller frees it with g_strfreev. Folders of living harnesses are left alone.
 */
char **record_store_recover(const char *results, const char *eptlab_version, GError **error);

/*
 * The names of the records in a folder, also of failed ones, oldest first: they begin with the
 * time. EPTLAB_ERROR_USAGE if there is no such folder. The caller owns the array.
 */
GPtrArray *record_store_list(const char *results, GError **error);

/*
 * Fill in run->earlier: what the newest record in results has counted with the same configuration
 * and the same inputs. It stays unknown if there is no such record, or the run has no inputs.
 */
void record_find_earlier(const char *results, struct record_run *run);

/*
 * The path of the newest valid record that has been made of what the runs of like are to be made
 * of, by their inputs, or NULL. repeat: a second one, asked for as such, is another one; a record
 * of no matrix is a first one.
 */
char *record_find_made(const char *results, const struct record *like, uint64_t repeat);

/*
 * The newest valid or invalid record: what results/latest points at. EPTLAB_ERROR_USAGE if there is
 * none yet.
 */
char *record_find_latest(const char *results, GError **error);

#endif
