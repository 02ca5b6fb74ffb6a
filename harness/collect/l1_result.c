/* SPDX-License-Identifier: GPL-2.0-only */
#include "collect/l1_result.h"

#include <errno.h>
#include <string.h>

#include "collect/kernel_log.h"
#include "collect/kvm_stats.h"
#include "collect/l1_counts.h"
#include "collect/probe_result.h"
#include "base/each.h"
#include "record/words.h"

/* More than consoles and logs ever have; what a runaway L1 may make L0 keep. */
#define TEXTS_LIMIT (64u << 20)

struct l1_result {
	struct record *record;
	struct record_run *run; /* the one that frames are about; owned by record */
	l1_step_func step;
	void *step_data;
	frame_texts *texts;
	GHashTable *ends; /* config → enum l1_end + 1 */
	GError *failure;  /* what the agent said */
};

l1_result *l1_result_new(struct record *record, l1_step_func step, void *data)
{
	l1_result *result = g_new0(l1_result, 1);

	result->record = record;
	result->step = step;
	result->step_data = data;
	result->texts = frame_texts_new();
	result->ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return result;
}

void l1_result_free(l1_result *result)
{
	if (result == NULL)
		return;
	g_hash_table_unref(result->texts);
	g_hash_table_unref(result->ends);
	g_clear_error(&result->failure);
	g_free(result);
}

frame_texts *l1_result_texts(l1_result *result)
{
	return result->texts;
}

/* Foreign text in one line, fit for a message and for a terminal. */
static char *one_line(const char *text)
{
	return g_strescape(text, "\"\\");
}

static const char *field(const struct frame *frame, const char *key, GError **error)
{
	return frameset_field_string(frame, "L1", EPTLAB_ERROR_L1, key, error);
}

static bool number(const struct frame *frame, const char *key, uint64_t max, uint64_t *value,
		   GError **error)
{
	return frameset_field_u64(frame, "L1", EPTLAB_ERROR_L1, key, max, value, error);
}

static bool refuse(const struct frame *frame, const char *why, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_L1,
			   "L1: frame %u (%s) from the agent %s; use the appliance that make has "
			   "built from the same sources",
			   frame->seq, frame->kind, why);
}

static bool take_nothing(l1_result *result G_GNUC_UNUSED, const struct frame *frame G_GNUC_UNUSED,
			 GError **error G_GNUC_UNUSED)
{
	return true;
}

static bool take_l1(l1_result *result, const struct frame *frame, GError **error)
{
	const char *release = field(frame, "release", error);

	if (release == NULL)
		return false;
	record_set_string(&result->record->kernel.release, release);
	return true;
}

static bool take_step(l1_result *result, const struct frame *frame, GError **error)
{
	const char *text = field(frame, "text", error);
	g_autofree char *shown = text != NULL ? one_line(text) : NULL;
	uint64_t ticks;

	if (text == NULL || !number(frame, "ticks", UINT64_MAX, &ticks, error))
		return false;
	if (result->step != NULL)
		result->step(ticks, shown, result->step_data);
	return true;
}

static bool take_run(l1_result *result, const struct frame *frame, GError **error)
{
	const char *config = field(frame, "config", error);

	if (config == NULL)
		return false;
	result->run = record_find_run(result->record, config);
	if (result->run == NULL)
		return refuse(frame, "is about a run that was not asked for", error);
	if (result->run->module_ids != NULL)
		return refuse(frame, "begins a run for the second time", error);
	result->run->module_ids = record_modules_new();
	return true;
}

static bool take_module(l1_result *result, const struct frame *frame, GError **error)
{
	const char *name = field(frame, "name", error);
	const char *id = name != NULL ? field(frame, "build_id", error) : NULL;

	if (id == NULL)
		return false;
	g_ptr_array_add(result->run->module_ids, record_module_new(name, id));
	return true;
}

/* How the kernel shows a parameter of type bool: param_get_bool, kernel/params.c. */
static bool parse_flag(const char *value, enum record_bool *flag)
{
	if (!g_str_equal(value, "Y") && !g_str_equal(value, "N"))
		return false;
	*flag = record_bool_from(*value == 'Y');
	return true;
}

static bool take_parameter(l1_result *result, const struct frame *frame, GError **error)
{
	const char *name = field(frame, "name", error);
	const char *value = name != NULL ? field(frame, "value", error) : NULL;
	struct record_parameters *effect = &result->run->in_effect;
	const struct {
		const char *name;
		enum record_bool *flag;
	} known[] = {
		{ "ept", &effect->ept },   { "npt", &effect->ept },
		{ "vpid", &effect->vpid }, { "unrestricted_guest", &effect->unrestricted_guest },
		{ "thp", &effect->thp },
	};

	if (value == NULL)
		return false;
	for (unsigned int i = 0; i < G_N_ELEMENTS(known); i++) {
		if (g_str_equal(name, known[i].name))
			return parse_flag(value, known[i].flag) ||
			       refuse(frame, "has a value that is neither Y nor N", error);
	}
	return refuse(frame, "is about an unknown parameter", error);
}

static bool take_witness(l1_result *result, const struct frame *frame G_GNUC_UNUSED,
			 GError **error G_GNUC_UNUSED)
{
	result->run->witness.known = true;
	return true;
}

static bool take_l2(l1_result *result, const struct frame *frame, GError **error)
{
	const char *end = field(frame, "end", error);
	uint64_t ticks;

	if (end == NULL || !number(frame, "ticks", UINT64_MAX, &ticks, error))
		return false;
	for (unsigned int i = 0; i < L1_END_COUNT; i++) {
		if (g_str_equal(end, l1_end_names[i])) {
			g_hash_table_insert(result->ends, g_strdup(result->run->config),
					    GUINT_TO_POINTER(i + 1));
			result->run->ticks = record_u64_from(ticks);
			return true;
		}
	}
	return refuse(frame, "tells of an unknown end of L2", error);
}

static bool take_text(l1_result *result, const struct frame *frame, GError **error)
{
	return frame_texts_add(result->texts, frame, "L1", EPTLAB_ERROR_L1, TEXTS_LIMIT, error);
}

static bool take_fail(l1_result *result, const struct frame *frame, GError **error)
{
	const char *message = field(frame, "message", error);
	g_autofree char *shown = message != NULL ? one_line(message) : NULL;
	uint64_t code;

	if (message == NULL || !number(frame, "code", EPTLAB_ERROR_TIMEOUT, &code, error))
		return false;
	/* It becomes the exit status. */
	if (code == 0)
		return refuse(frame, "tells of a failure with the code of a success", error);
	g_clear_error(&result->failure);
	g_set_error_literal(&result->failure, EPTLAB_ERROR, (gint)code, shown);
	return true;
}

bool l1_result_add(const struct frame *frame, void *data, GError **error)
{
	static const struct {
		const char *kind;
		bool of_run; /* comes only after a run frame */
		bool (*take)(l1_result *result, const struct frame *frame, GError **error);
	} kinds[] = {
		{ "begin", false, take_nothing },
		{ L1_FRAME_L1, false, take_l1 },
		{ L1_FRAME_STEP, false, take_step },
		{ L1_FRAME_RUN, false, take_run },
		{ L1_FRAME_MODULE, true, take_module },
		{ L1_FRAME_PARAMETER, true, take_parameter },
		{ L1_FRAME_L2, true, take_l2 },
		{ L1_FRAME_WITNESS, true, take_witness },
		{ "text", false, take_text },
		{ L1_FRAME_FAIL, false, take_fail },
		{ "end", false, take_nothing },
	};
	l1_result *result = data;

	for (unsigned int i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (!g_str_equal(frame->kind, kinds[i].kind))
			continue;
		if (kinds[i].of_run && result->run == NULL)
			return refuse(frame, "comes before any run", error);
		return kinds[i].take(result, frame, error);
	}
	return refuse(frame, "is of an unknown kind", error);
}

static const GString *text_of(l1_result *result, const struct record_run *run, const char *file)
{
	g_autofree char *name = g_strdup_printf("%s/%s", run->config, file);

	return frame_texts_get(result->texts, name);
}

/* The first line of a text that has what, from there on, or NULL. The caller frees it. */
static char *line_with(const GString *text, const char *what)
{
	const char *found = text != NULL ? strstr(text->str, what) : NULL;
	g_autofree char *line = found != NULL ? g_strndup(found, strcspn(found, "\r\n")) : NULL;

	return line != NULL ? one_line(line) : NULL;
}

/* Why L2's life did not lead to counts: the console knows best, then libvirt, then the frames. */
static bool explain(l1_result *result, const struct record_run *run, const GError *frames,
		    GError **error)
{
	gpointer end = g_hash_table_lookup(result->ends, run->config);
	g_autofree char *panic = line_with(text_of(result, run, L1_FILE_CONSOLE), "Kernel panic");

	if (panic != NULL)
		return eptlab_fail(error, EPTLAB_ERROR_L2,
				   "L2: its kernel panicked with %s (%s); read %s/" L1_FILE_CONSOLE,
				   run->config, panic, run->config);
	if (end == GUINT_TO_POINTER(L1_END_TIMED_OUT + 1))
		return eptlab_fail(error, EPTLAB_ERROR_TIMEOUT,
				   "L2: with %s the probe had not finished when its time was up "
				   "(timeout_seconds in [l2]), and L2 was destroyed; read "
				   "%s/" L1_FILE_CONSOLE,
				   run->config, run->config);
	if (end == GUINT_TO_POINTER(L1_END_STUCK + 1)) {
		g_autofree char *why =
			line_with(text_of(result, run, L1_FILE_QEMU), "KVM internal error");

		return eptlab_fail(error, EPTLAB_ERROR_L2,
				   "L2: with %s QEMU stopped it in the middle, as it does when KVM "
				   "or its disk cannot go on (%s); read %s/" L1_FILE_QEMU,
				   run->config, why != NULL ? why : "QEMU does not say why",
				   run->config);
	}
	if (end == GUINT_TO_POINTER(L1_END_CRASHED + 1))
		return eptlab_fail(error, EPTLAB_ERROR_L2,
				   "L2: with %s QEMU ended before L2 did; read %s/" L1_FILE_DMESG,
				   run->config, run->config);
	return eptlab_fail(error, EPTLAB_ERROR_L2,
			   "L2: with %s it ended without a complete set of counts (%s); read "
			   "%s/" L1_FILE_CONSOLE,
			   run->config, frames->message, run->config);
}

/* The first error is kept, and the rest is read all the same. */
static GError **unless_set(GError **first)
{
	return *first == NULL ? first : NULL;
}

static GPtrArray *read_histogram(l1_result *result, const struct record_run *run, const char *file,
				 GError **first)
{
	const GString *text = text_of(result, run, file);

	return text == NULL ? NULL
			    : l1_counts_of_histogram(text->str, text->len, record_run_vendor(run),
						     unless_set(first));
}

/*
 * The counts of a run are those of the tracepoint, and nothing that leaves would have told is one
 * of them.
 */
static void take_histogram(l1_result *result, struct record_run *run, GError **first)
{
	const GString *text = text_of(result, run, L1_FILE_AT_LATCH);

	g_clear_pointer(&run->exits, g_ptr_array_unref);
	run->total.known = false;
	if (text == NULL) {
		eptlab_fail(unless_set(first), EPTLAB_ERROR_L1,
			    "L1: no histogram of kvm:kvm_exit came from the run %s; read "
			    "l1-console.log",
			    run->config);
		return;
	}
	run->exits = l1_counts_of_stopped_histogram(text->str, text->len, record_run_vendor(run),
						    unless_set(first));
	if (run->exits != NULL)
		run->total = exits_sum(run->exits);
}

/* KVM's own statistics of the VM or of its vCPUs, if L1 could look at them. */
static void take_statistics(l1_result *result, struct record_run *run, const char *file,
			    GPtrArray **list, GError **first)
{
	const GString *text = text_of(result, run, file);
	g_autoptr(struct_kvm_stats) stats =
		text != NULL ? kvm_stats_parse(file, text->str, text->len, unless_set(first))
			     : NULL;
	const struct kvm_histogram *histogram;

	if (stats == NULL)
		return;
	run->mmu.known = true;
	if (stats->missing != NULL)
		record_set_string(&run->mmu.error, stats->missing);
	else
		*list = g_ptr_array_ref(stats->counts);
	/* The series keeps it for each vCPU: a VM that had one as well would be none of its
	 * kernels'. */
	histogram = list == &run->mmu.vcpu ? kvm_stats_histogram(stats, "exit_reasons") : NULL;
	if (histogram != NULL)
		run->mmu.reasons = l1_counts_of_statistic(histogram, record_run_vendor(run),
							  unless_set(first));
}

/* What L1's kernel has counted. The vendor must be known: after the probe's frames. */
static bool read_l1_counts(l1_result *result, struct record_run *run, GError **error)
{
	/* A guest that has no kernel, or nothing to say, has an empty console. */
	const GString *console = text_of(result, run, L1_FILE_CONSOLE);
	const GString *log = text_of(result, run, L1_FILE_DMESG);
	struct record_witness *witness = &run->witness;
	GError *first = NULL;

	if (console != NULL)
		kernel_log_scan(console->str, console->len, &run->l2_log);
	if (log != NULL) {
		kernel_log_scan(log->str, log->len, &run->kernel_log);
		run->l1_exits = l1_counts_of_log(log->str, log->len, &run->l1_total.value, &first);
		run->l1_total.known = run->l1_exits != NULL;
	}
	if (run->source == RECORD_TRACEPOINT)
		take_histogram(result, run, &first);
	else
		witness->at_latch = read_histogram(result, run, L1_FILE_AT_LATCH, &first);
	witness->at_end = read_histogram(result, run, L1_FILE_AT_END, &first);
	take_statistics(result, run, L1_FILE_STATS_VM, &run->mmu.vm, &first);
	take_statistics(result, run, L1_FILE_STATS_VCPU, &run->mmu.vcpu, &first);
	if (first != NULL)
		g_propagate_error(error, first);
	return first == NULL;
}

/* Those that failed leave the others' numbers in the record. */
static bool operations_are_whole(const struct record_run *run, GError **error)
{
	const struct record_operation *first = NULL;
	g_autoptr(GString) others = g_string_new(NULL);

	for (guint i = 0; run->operations != NULL && i < run->operations->len; i++) {
		const struct record_operation *one = g_ptr_array_index(run->operations, i);

		if (one->error != NULL && first != NULL)
			g_string_append_printf(others, "%s%s",
					       others->len > 0 ? ", " : " and also ",
					       one->workload);
		else if (one->error != NULL)
			first = one;
	}
	return first == NULL ||
	       eptlab_fail(error, EPTLAB_ERROR_L2,
			   "L2: with %s the operation %s failed (%s)%s; the others' numbers are in "
			   "the record; read %s/" L1_FILE_CONSOLE
			   ", or leave it out of experiment.operations",
			   run->config, first->workload, first->error, others->str, run->config);
}

/* What has become of a command is a failure of L2 unless it exits with 0. */
static bool command_is_well(const struct record_run *run, GError **error)
{
	const struct record_command *command = &run->command;
	g_autofree char *end = words_command_end(command);
	const bool timed_out = command->end == RECORD_TIMED_OUT;
	const bool missing = command->end == RECORD_NOT_STARTED && command->value == ENOENT;

	if (!command->known ||
	    (command->end == RECORD_EXITED && command->value == 0 && !command->full))
		return true;
	return eptlab_fail(
		error, timed_out ? EPTLAB_ERROR_TIMEOUT : EPTLAB_ERROR_L2,
		"L2: with %s the command %s%s%s%s; its counts are in the record, and what it has "
		"printed in %s/" L1_FILE_OUTPUT,
		run->config, end,
		command->full ? ", and has printed more than a pipe holds: let it print less" : "",
		timed_out ? ", half of timeout_seconds in [l2]" : "",
		missing ? ": neither it, nor the interpreter or loader that it needs, may be "
			  "missing in L2's image (--put brings files into it)"
			: "",
		run->config);
}

static void keep_output(l1_result *result, const struct record_run *run, const GString *output)
{
	if (run->command.known)
		g_hash_table_insert(result->texts,
				    g_strconcat(run->config, "/" L1_FILE_OUTPUT, NULL),
				    g_string_new_len(output->str, (gssize)output->len));
}

static bool read_probe(l1_result *result, struct record_run *run, GError **error)
{
	const GString *frames = text_of(result, run, L1_FILE_PROBE);
	g_autoptr(probe_result) probe = NULL;
	g_autoptr(GError) cause = NULL;

	if (frames == NULL)
		return eptlab_fail(error, EPTLAB_ERROR_L1,
				   "L1: nothing came from the run %s; read l1-console.log",
				   run->config);
	probe = probe_result_parse(frames->str, frames->len, &cause);
	if (probe == NULL)
		return explain(result, run, cause, error);
	probe_result_store(probe, run);
	keep_output(result, run, probe_result_output(probe));
	return command_is_well(run, error) && operations_are_whole(run, error);
}

static bool finish_run(l1_result *result, struct record_run *run, GError **error)
{
	g_autoptr(GError) failure = NULL;
	bool ok = read_probe(result, run, &failure);

	ok = read_l1_counts(result, run, ok ? &failure : NULL) && ok;
	if (ok)
		return true;
	record_set_string(&run->error, failure->message);
	g_propagate_error(error, g_steal_pointer(&failure));
	return false;
}

bool l1_result_finish(l1_result *result, GError **error)
{
	g_autoptr(GError) first = NULL;

	each (struct record_run, run, result->record->runs) {
		finish_run(result, run, first == NULL ? &first : NULL);
	}
	if (result->failure != NULL)
		g_propagate_error(error, g_steal_pointer(&result->failure));
	else if (first != NULL)
		g_propagate_error(error, g_steal_pointer(&first));
	else
		return true;
	return false;
}
