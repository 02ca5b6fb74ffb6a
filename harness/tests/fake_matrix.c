/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "eptlab matrix" whose cells boot nothing, for tests of who makes which cell and when: they wait
 * FAKE_MS milliseconds and store the reference record of bochs. Each writes "begin ID" and "end ID"
 * into the file FAKE_LOG. A cell of the workload dose-invd fails, unless FAKE_MENDED is set.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/matrix.h"
#include "record/store.h"

static void note(const char *what, const char *id)
{
	const char *path = getenv("FAKE_LOG");
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s %s\n", what, id);
	close(fd);
}

/* True if it was interrupted. */
static bool take_time(GCancellable *cancellable)
{
	const char *text = getenv("FAKE_MS");
	GPollFD interrupt;

	g_cancellable_make_pollfd(cancellable, &interrupt);
	return g_poll(&interrupt, 1, text != NULL ? atoi(text) : 0) > 0;
}

/* What it is made of is what is asked for. */
static void set_inputs(struct record *record, char **settings)
{
	g_autofree char *text = g_strjoinv("\n", settings);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	for (guint i = 0; i < record->runs->len; i++) {
		struct record_run *run = record->runs->pdata[i];

		g_clear_pointer(&run->inputs, g_ptr_array_unref);
		run->inputs = record_inputs_new();
		g_ptr_array_add(run->inputs, record_input_new(RECORD_INPUTS_ALL, digest));
	}
}

/* The reference record, as if it had been made of that. */
static struct record *sample(struct session *session, const struct record_cell *cell,
			     GError **error)
{
	g_autofree char *path = g_build_filename(session->paths->configs, "..", "results",
						 "reference", "bochs", NULL);
	struct record *record = record_load(path, error);

	if (record == NULL)
		return NULL;
	record->seconds = 0.001;
	record_set_cell(record, cell);
	set_inputs(record, session->settings);
	return record;
}

static int make_fake(struct session *session, const struct record_cell *cell,
		     struct experiment_made *made, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(struct_record) record = NULL;
	g_auto(GStrv) recovered = NULL;
	record_store *store;

	if (!session_find_paths(session, error) ||
	    !session_configure(session, (const char *const *)session->settings, error))
		return (*error)->code;
	recovered = record_store_recover(session->paths->results, "0", error);
	if (recovered == NULL)
		return (*error)->code;
	record = sample(session, cell, error);
	if (record == NULL)
		return (*error)->code;
	made->record = record_find_made(session->paths->results, record, cell->repeat);
	made->taken = made->record != NULL;
	if (made->taken)
		return 0;
	store = record_store_begin(session->paths->results, now, record->platform.name,
				   record->workload, error);
	if (store == NULL)
		return (*error)->code;
	note("begin", cell->id);
	if (take_time(session->cancellable)) {
		record_store_abort(store);
		return eptlab_status(error, EPTLAB_ERROR_INTERRUPTED, "L0: interrupted");
	}
	if (g_str_equal(session->config->experiment.workload, "dose-invd") &&
	    getenv("FAKE_MENDED") == NULL) {
		record_store_abort(store);
		return eptlab_status(error, EPTLAB_ERROR_L2, "L2: it has failed, expected an end");
	}
	made->record = record_store_commit(store, record, error);
	note("end", cell->id);
	return made->record != NULL ? 0 : (*error)->code;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	int status = EPTLAB_ERROR_USAGE;

	if (argc > 1 && strcmp(argv[1], "cell") == 0)
		status = cell_work(argc - 1, argv + 1, make_fake, &error);
	else if (argc > 1)
		status = command_matrix(argc - 1, argv + 1, &error);
	if (error != NULL)
		fprintf(stderr, "eptlab: %s\n", error->message);
	fflush(stdout);
	return status;
}
