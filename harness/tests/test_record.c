/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "record/record.h"
#include "judge/rules.h"
#include "tests/sample.h"

static struct record *judged_sample(void)
{
	struct record *record = sample_record();

	rules_judge(record);
	return record;
}

static GPtrArray *one_exit(uint32_t reason, const char *name, uint64_t count)
{
	GPtrArray *exits = record_exits_new();

	g_ptr_array_add(exits, record_exit_new(reason, name, count));
	return exits;
}

/* What the sample leaves empty. */
static void add_the_rest(struct record_run *run)
{
	run->witness = (struct record_witness){
		.known = true,
		.at_latch = one_exit(10, "CPUID", 21),
		.at_end = one_exit(48, "EPT_VIOLATION", 22),
		.debugfs = one_exit(1024, "NPF", 23),
		.vcpu_exits = record_u64_from(UINT64_MAX),
	};
	run->earlier = (struct record_earlier){
		.known = true,
		.record = g_strdup("20260131T000000Z-bochs-boot"),
		.exits = one_exit(10, "CPUID", 24),
	};
	run->cost = (struct record_cost){ true, 1000, 1234567 };
	run->dose = (struct record_dose){ true, 50, 93 };
}

static struct record *parse(const char *text, GError **error)
{
	json_error_t wrong;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);
	struct record *record;

	if (!root)
		fail_msg("line %d: %s", wrong.line, wrong.text);
	record = record_from_json(root, "record.json", error);
	json_decref(root);
	return record;
}

static struct record *parse_good(const char *text)
{
	g_autoptr(GError) error = NULL;
	struct record *record = parse(text, &error);

	if (!record)
		fail_msg("%s", error->message);
	return record;
}

/* ---- Writing ---- */

/* The names of an object's fields in their order, with blanks between. */
static char *keys_of(json_t *object)
{
	GString *keys = g_string_new(NULL);
	const char *key;
	json_t *value;

	assert_true(json_is_object(object));
	json_object_foreach (object, key, value) {
		g_string_append_printf(keys, "%s%s", keys->len ? " " : "", key);
	}
	return g_string_free(keys, FALSE);
}

/* "runs.0.exits.3" from the root. */
static json_t *at(json_t *root, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, ".", -1);
	guint i;

	for (i = 0; parts[i]; i++)
		root = json_is_array(root)
			       ? json_array_get(root, (size_t)g_ascii_strtoull(parts[i], NULL, 10))
			       : json_object_get(root, parts[i]);
	return root;
}

/* Other programs rely on these names. */
static void fields_have_the_documented_names(void **state)
{
	static const struct {
		const char *path, *keys;
	} expected[] = {
		{ "platform", "name emulator version cpu vendor deterministic" },
		{ "kernel", "line release patches_sha256 modules" },
		{ "kernel.modules.0", "name build_id" },
		{ "guest", "image_sha256 kernel_sha256 probe_sha256 memory_mib vcpus" },
		{ "runs.0",
		  "config verdict error platform kernel source workload inputs earlier requested "
		  "in_effect l2_in_effect interface module_ids "
		  "guest seconds ticks kernel_log l2_log leaf_total latch total exits undefined "
		  "malformed "
		  "l1_exits l1_total witness cost dose" },
		{ "runs.0.platform", "name emulator version cpu vendor deterministic" },
		{ "runs.0.kernel", "line release patches_sha256 modules" },
		{ "runs.0.inputs", "l1-kernel qemu job all" },
		{ "runs.0.earlier", "record exits" },
		{ "runs.0.requested", "ept vpid unrestricted_guest" },
		{ "runs.0.in_effect", "ept vpid unrestricted_guest" },
		{ "runs.0.l2_in_effect",
		  "ept vpid unrestricted_guest cycles vendor highest_reason vcpus" },
		{ "runs.0.interface", "eax ebx ecx edx" },
		{ "runs.0.kernel_log", "lines lost findings" },
		{ "runs.0.l2_log", "lines lost findings" },
		{ "runs.0.leaf_total", "before after reads cpuid_read sum" },
		{ "runs.0.latch", "total serial sum" },
		{ "runs.0.exits.0", "reason name before count cycles" },
		{ "runs.0.l1_exits.0", "reason name before count cycles" },
		{ "runs.0.witness", "at_latch at_end debugfs vcpu_exits" },
		{ "runs.0.cost", "exits ticks" },
		{ "runs.0.dose", "n cpuids" },
		{ "runs.0.witness.at_latch.0", "reason name before count cycles" },
		{ "steps.0", "text seconds" },
		{ "checks.0", "rule run verdict decisive saw expected why advice" },
	};
	g_autoptr(struct_record) record = judged_sample();
	g_autofree char *top = NULL;
	json_t *root;
	size_t i;

	(void)state;
	add_the_rest(record->runs->pdata[0]);
	root = record_to_json(record);
	top = keys_of(root);
	assert_string_equal(top,
			    "schema verdict error eptlab created seconds ticks platform kernel "
			    "guest workload steps runs checks");
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 2);
	for (i = 0; i < G_N_ELEMENTS(expected); i++) {
		g_autofree char *keys = keys_of(at(root, expected[i].path));

		assert_string_equal(keys, expected[i].keys);
	}
	json_decref(root);
}

static void values_are_written_as_documented(void **state)
{
	g_autoptr(struct_record) record = judged_sample();
	json_t *root = record_to_json(record);

	(void)state;
	assert_string_equal(json_string_value(at(root, "verdict")), "valid");
	assert_true(json_is_null(at(root, "error")));
	assert_string_equal(json_string_value(at(root, "created")), "2026-01-31T23:59:59Z");
	assert_true(json_real_value(at(root, "seconds")) == 43.125);
	assert_int_equal(json_integer_value(at(root, "ticks")), 3912345678);
	assert_true(json_is_true(at(root, "platform.deterministic")));
	assert_string_equal(json_string_value(at(root, "runs.1.config")), "noept");
	assert_string_equal(json_string_value(at(root, "runs.1.source")), "leaves");
	assert_string_equal(json_string_value(at(root, "runs.1.workload")), "boot");
	assert_string_equal(json_string_value(at(root, "runs.1.platform.name")), "bochs");
	assert_string_equal(json_string_value(at(root, "runs.1.kernel.line")), "6.1");
	assert_string_equal(json_string_value(at(root, "runs.1.inputs.qemu")),
			    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	assert_true(json_is_false(at(root, "runs.1.in_effect.ept")));
	assert_true(json_is_null(at(root, "runs.1.requested.unrestricted_guest")));
	assert_true(json_is_false(at(root, "runs.1.l2_in_effect.cycles")));
	/* 50 I/O exits more than L2 has read: 815 and 8741. */
	assert_int_equal(json_integer_value(at(root, "runs.1.l1_exits.7.reason")), 30);
	assert_int_equal(json_integer_value(at(root, "runs.1.l1_exits.7.count")), 865);
	assert_int_equal(json_integer_value(at(root, "runs.1.l1_total")), 8791);
	assert_int_equal(json_integer_value(at(root, "runs.1.latch.total")), 8741);
	assert_int_equal(json_integer_value(at(root, "runs.1.latch.serial")), 2);
	assert_int_equal(json_integer_value(at(root, "runs.1.latch.sum")), 8741);
	assert_true(json_is_null(at(root, "runs.1.witness")));
	assert_true(json_is_null(at(root, "runs.1.cost")));
	assert_true(json_is_null(at(root, "runs.1.dose")));
	assert_int_equal(json_integer_value(at(root, "runs.1.exits.0.before")), 0);
	assert_int_equal(json_integer_value(at(root, "runs.1.exits.0.count")), 7157);
	assert_string_equal(json_string_value(at(root, "runs.1.exits.0.name")), "EXCEPTION_NMI");
	assert_true(json_is_null(at(root, "runs.1.exits.0.cycles")));
	assert_int_equal(json_integer_value(at(root, "runs.1.undefined.0")), 35);
	assert_string_equal(json_string_value(at(root, "checks.0.rule")), "signature");
	assert_string_equal(json_string_value(at(root, "checks.0.run")), "ept");
	assert_string_equal(json_string_value(at(root, "checks.0.verdict")), "pass");
	json_decref(root);
}

static void nothing_unknown_is_written_as_a_value(void **state)
{
	static const char *const nulls[] = {
		"error",
		"seconds",
		"ticks",
		"platform.emulator",
		"platform.version",
		"platform.cpu",
		"platform.vendor",
		"platform.deterministic",
		"kernel.release",
		"kernel.patches_sha256",
		"guest.image_sha256",
		"guest.kernel_sha256",
		"guest.probe_sha256",
		"guest.memory_mib",
		"guest.vcpus",
		"runs.0.error",
		"runs.0.platform.name",
		"runs.0.kernel.line",
		"runs.0.kernel.release",
		"runs.0.workload",
		"runs.0.inputs",
		"runs.0.earlier",
		"runs.0.requested.ept",
		"runs.0.requested.vpid",
		"runs.0.in_effect.ept",
		"runs.0.in_effect.vpid",
		"runs.0.in_effect.unrestricted_guest",
		"runs.0.l2_in_effect",
		"runs.0.interface",
		"runs.0.module_ids",
		"runs.0.seconds",
		"runs.0.ticks",
		"runs.0.kernel_log",
		"runs.0.leaf_total",
		"runs.0.latch",
		"runs.0.total",
		"runs.0.exits",
		"runs.0.undefined",
		"runs.0.malformed",
		"runs.0.l1_exits",
		"runs.0.l1_total",
		"runs.0.witness",
		"runs.0.cost",
		"runs.0.dose",
		"runs.1.leaf_total.sum",
		"runs.1.latch.sum",
		"runs.1.witness.at_latch",
		"runs.1.witness.at_end",
		"runs.1.witness.debugfs",
		"runs.1.witness.vcpu_exits",
	};
	struct record_run *silent = record_run_new("silent");
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	json_t *root;
	size_t i;

	(void)state;
	g_ptr_array_add(record->runs, record_run_new("ept"));
	/* Objects that are there, with parts that are not. */
	silent->leaf_total.known = silent->latch.known = silent->witness.known = true;
	g_ptr_array_add(record->runs, silent);
	root = record_to_json(record);
	for (i = 0; i < G_N_ELEMENTS(nulls); i++)
		if (!json_is_null(at(root, nulls[i])))
			fail_msg("%s is not null", nulls[i]);
	assert_string_equal(json_string_value(at(root, "verdict")), "failed");
	json_decref(root);
}

/* ---- There and back ---- */

static void assert_round_trip(const struct record *record)
{
	g_autofree char *first = record_to_text(record);
	g_autoptr(struct_record) back = parse_good(first);
	g_autofree char *second = record_to_text(back);

	assert_string_equal(first, second);
}

static void full_record_comes_back(void **state)
{
	g_autoptr(struct_record) record = judged_sample();
	struct record_run *run = record_find_run(record, "noept");
	g_autofree char *text = NULL;
	g_autoptr(struct_record) back = NULL;
	const struct record_run *other;
	uint32_t reason = 7;

	(void)state;
	/* What the sample leaves empty. */
	record_set_string(&run->error, "L2: something");
	g_array_append_val(run->malformed, reason);
	sample_exit(run, 0)->cycles = record_u64_from(12345);
	sample_exit(run, 0)->before = 77;
	run->l2_in_effect.cycles = true;
	run->source = RECORD_TRACEPOINT;
	add_the_rest(run);
	g_ptr_array_add(run->kernel_log.findings, g_strdup("BUG: \"quoted\"\t"));
	run->kernel_log.lost = true;
	assert_round_trip(record);

	text = record_to_text(record);
	back = parse_good(text);
	assert_int_equal(back->verdict, RECORD_VALID);
	assert_string_equal(back->eptlab, "0.1");
	assert_string_equal(back->workload, "boot");
	assert_true(back->seconds == 43.125);
	assert_true(back->ticks.known && back->ticks.value == 3912345678);
	assert_string_equal(back->platform.cpu, "corei7_haswell_4770");
	assert_int_equal(back->platform.deterministic, RECORD_TRUE);
	assert_int_equal(back->kernel.modules->len, 2);
	assert_int_equal(back->checks->len, record->checks->len);
	other = record_find_run(back, "noept");
	assert_string_equal(other->error, "L2: something");
	assert_string_equal(other->platform.cpu, "corei7_haswell_4770");
	assert_string_equal(other->kernel.line, "6.1");
	assert_int_equal(other->kernel.modules->len, 2);
	assert_int_equal(other->source, RECORD_TRACEPOINT);
	assert_string_equal(other->workload, "boot");
	assert_int_equal(other->inputs->len, 4);
	assert_int_equal(record_run_inputs(other)[0], 'd');
	assert_true(other->earlier.known);
	assert_string_equal(other->earlier.record, "20260131T000000Z-bochs-boot");
	assert_int_equal(record_find_exit(other->earlier.exits, 10)->count, 24);
	assert_int_equal(other->in_effect.ept, RECORD_FALSE);
	assert_int_equal(other->requested.unrestricted_guest, RECORD_UNKNOWN);
	assert_true(other->l2_in_effect.known && !other->l2_in_effect.ept);
	assert_true(other->interface.known && other->interface.ecx == 0x63746978);
	assert_int_equal(other->exits->len, run->exits->len);
	assert_int_equal(record_find_exit(other->exits, 0)->count, 7157);
	assert_true(record_find_exit(other->exits, 0)->cycles.value == 12345);
	assert_false(record_find_exit(other->exits, 1)->cycles.known);
	assert_null(record_find_exit(other->exits, 35));
	assert_int_equal(g_array_index(other->malformed, uint32_t, 0), 7);
	assert_int_equal(record_find_exit(other->exits, 0)->before, 77);
	assert_true(other->l2_in_effect.cycles);
	assert_int_equal(other->l1_exits->len, run->l1_exits->len);
	assert_int_equal(record_find_exit(other->l1_exits, 30)->count, 865);
	assert_true(other->l1_total.known && other->l1_total.value == 8791);
	assert_true(other->latch.known && other->latch.total == 8741);
	assert_int_equal(other->latch.serial, 2);
	assert_true(other->latch.sum.known && other->latch.sum.value == 8741);
	assert_true(other->cost.known && other->cost.exits == 1000);
	assert_int_equal(other->cost.ticks, 1234567);
	assert_true(other->dose.known && other->dose.n == 50);
	assert_int_equal(other->dose.cpuids, 93);
	assert_true(other->witness.known);
	assert_int_equal(record_find_exit(other->witness.at_latch, 10)->count, 21);
	assert_int_equal(record_find_exit(other->witness.at_end, 48)->count, 22);
	assert_string_equal(record_find_exit(other->witness.debugfs, 1024)->name, "NPF");
	assert_true(other->witness.vcpu_exits.known);
	assert_true(other->witness.vcpu_exits.value == UINT64_MAX);
	assert_string_equal(other->kernel_log.findings->pdata[0], "BUG: \"quoted\"\t");
	assert_true(other->kernel_log.lost);
	assert_true(other->leaf_total.known);
	assert_int_equal(other->leaf_total.cpuid_read, 11);
	assert_true(other->leaf_total.sum.known);
	/* "before" and 11. */
	assert_true(other->leaf_total.sum.value == other->leaf_total.before + 11);
	assert_false(record_find_run(back, "ept")->witness.known);
	assert_null(record_find_run(back, "other"));
}

static void empty_record_comes_back(void **state)
{
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");

	(void)state;
	assert_round_trip(record);
	record_set_string(&record->error, "L1: nothing came");
	g_ptr_array_add(record->runs, record_run_new("ept"));
	assert_round_trip(record);
}

/* jansson's integers end at 2^63-1. */
static void counts_of_64_bits(void **state)
{
	static const struct {
		uint64_t count;
		const char *text;
	} cases[] = {
		{ 0, "\"count\": 0," },
		{ 4294967296, "\"count\": 4294967296," },
		{ INT64_MAX, "\"count\": 9223372036854775807," },
		{ (uint64_t)INT64_MAX + 1, "\"count\": \"9223372036854775808\"," },
		{ UINT64_MAX, "\"count\": \"18446744073709551615\"," },
	};
	size_t i;

	(void)state;
	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(struct_record) record =
			record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
		struct record_run *run = record_run_new("ept");
		g_autofree char *text = NULL;
		g_autoptr(struct_record) back = NULL;

		run->exits = record_exits_new();
		g_ptr_array_add(run->exits, record_exit_new(48, NULL, cases[i].count));
		run->total = record_u64_from(cases[i].count);
		g_ptr_array_add(record->runs, run);
		text = record_to_text(record);
		assert_non_null(strstr(text, cases[i].text));
		back = parse_good(text);
		run = record_find_run(back, "ept");
		assert_true(record_find_exit(run->exits, 48)->count == cases[i].count);
		assert_true(run->total.known && run->total.value == cases[i].count);
	}
}

static void foreign_bytes_become_utf8(void **state)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *run = record_find_run(record, "ept");
	g_autofree char *text = NULL;
	g_autoptr(struct_record) back = NULL;

	(void)state;
	record_set_string(&record->error, "L1: \xff\xfe caf\xc3\xa9 \x1b[2J");
	g_ptr_array_add(run->kernel_log.findings, g_strdup("BUG: \x80"));
	text = record_to_text(record);
	assert_true(g_utf8_validate(text, -1, NULL));
	assert_null(strchr(text, '\x1b'));
	back = parse_good(text);
	assert_string_equal(back->error, "L1: \xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9 \x1b[2J");
}

static void copy_is_deep(void **state)
{
	g_autoptr(struct_record) record = judged_sample();
	g_autoptr(struct_record) other = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	guint i;

	(void)state;
	g_ptr_array_add(record_find_run(record, "ept")->kernel_log.findings, g_strdup("BUG: one"));
	add_the_rest(record_find_run(record, "ept"));
	for (i = 0; i < record->runs->len; i++)
		g_ptr_array_add(other->runs, record_run_copy(record->runs->pdata[i]));
	/* A copy of the run of which nothing is known. */
	g_ptr_array_add(record->runs, record_run_new("empty"));
	g_ptr_array_add(other->runs, record_run_copy(record->runs->pdata[2]));
	g_ptr_array_set_size(record->checks, 0);
	first = record_to_text(record);
	g_clear_pointer(&record, record_free);
	second = record_to_text(other);
	/* The same from the first run on. */
	assert_string_equal(strstr(first, "\"runs\""), strstr(second, "\"runs\""));
}

/* Every entry is found, and nothing beside them; 2 * 4 + 1 entries and fewer, 10 apart. */
static void exits_are_found(void **state)
{
	g_autoptr(GPtrArray) exits = record_exits_new();

	(void)state;
	assert_null(record_find_exit(NULL, 0));
	for (uint32_t last = 0; last < 9; last++) {
		assert_null(record_find_exit(exits, last * 10 + 5));
		g_ptr_array_add(exits, record_exit_new(last * 10 + 5, NULL, last));
		for (uint32_t reason = 0; reason < 100; reason++) {
			const struct record_exit *one = record_find_exit(exits, reason);

			if (reason % 10 == 5 && reason / 10 <= last)
				assert_int_equal(one->count, reason / 10);
			else
				assert_null(one);
		}
	}
	/* In any order, as when they are being collected. */
	g_ptr_array_add(exits, record_exit_new(1, NULL, 77));
	assert_int_equal(record_find_exit(exits, 1)->count, 77);
}

static void set_string_takes_its_own_value(void **state)
{
	char *text = g_strdup("same");

	(void)state;
	record_set_string(&text, text);
	assert_string_equal(text, "same");
	record_set_string(&text, NULL);
	assert_null(text);
}

/* ---- Reading what is wrong ---- */

/* Put value (JSON, or NULL: take it away) at a path of the sample, and read that. */
static void assert_refused(const char *path, const char *value, const char *message)
{
	g_autoptr(struct_record) record = judged_sample();
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_record) back = NULL;
	const char *dot = strrchr(path, '.');
	g_autofree char *parent_path = dot ? g_strndup(path, (gsize)(dot - path)) : NULL;
	const char *key = dot ? dot + 1 : path;
	json_t *root, *parent;

	add_the_rest(record->runs->pdata[1]);
	root = record_to_json(record);
	parent = parent_path ? at(root, parent_path) : root;
	assert_non_null(parent);
	if (!value)
		assert_int_equal(json_object_del(parent, key), 0);
	else if (json_is_array(parent))
		json_array_set_new(parent, (size_t)g_ascii_strtoull(key, NULL, 10),
				   json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_set_new(parent, key, json_loads(value, JSON_DECODE_ANY, NULL));
	back = record_from_json(root, "x/record.json", &error);
	json_decref(root);
	if (back)
		fail_msg("%s = %s was taken", path, value ? value : "(none)");
	assert_int_equal(error->domain, EPTLAB_ERROR);
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	assert_string_equal(error->message, message);
}

/* A list of exits in which a reason stands twice. */
#define ONE_EXIT "{\"reason\":1,\"name\":null,\"before\":0,\"count\":1,\"cycles\":null}"
#define TWICE	 "[" ONE_EXIT "," ONE_EXIT "]"

#define WHOLE_NUMBER "a whole number of 64 bits, as a string from 9223372036854775808 on"

static void wrong_fields_are_named(void **state)
{
	static const struct {
		const char *path, *value, *message;
	} cases[] = {
		{ "schema", NULL, "schema is missing: this is no record" },
		{ "schema", "0",
		  "schema is 0, expected 1 to 2: the record was written by another version of "
		  "eptlab" },
		{ "schema", "3",
		  "schema is 3, expected 1 to 2: the record was written by another version of "
		  "eptlab" },
		{ "schema", "\"1\"",
		  "schema is \"1\", expected 1 to 2: the record was written by another "
		  "version of eptlab" },
		/* What schema 1 has not, it has not. */
		{ "schema", "1", "steps is an array, expected no such field" },
		{ "runs.1.workload", "\"\"",
		  "runs[1].workload is \"\", expected a name of a-z, 0-9, _ and -" },
		{ "runs.1.source", "\"guess\"",
		  "runs[1].source is \"guess\", expected one of leaves, tracepoint" },
		{ "runs.1.inputs", "[]", "runs[1].inputs is an array, expected an object or null" },
		{ "runs.1.inputs", "{}",
		  "runs[1].inputs is an object, expected its last field to be all" },
		{ "runs.1.inputs.all", NULL,
		  "runs[1].inputs is an object, expected its last field to be all" },
		{ "runs.1.inputs.\033", "7", "runs[1].inputs.\\033 is 7, expected no such field" },
		{ "runs.1.inputs.qemu", "null",
		  "runs[1].inputs.qemu is null, expected a SHA-256 of 64 hexadecimal digits" },
		{ "runs.1.inputs.qemu", "\"abc\"",
		  "runs[1].inputs.qemu is \"abc\", expected a SHA-256 of 64 hexadecimal digits" },
		{ "runs.1.earlier.exits", TWICE,
		  "runs[1].earlier.exits[1].reason is 1, expected more than the 1 before it" },
		{ "runs.1.earlier.record", "null",
		  "runs[1].earlier.record is null, expected a string" },
		{ "verdict", NULL, "verdict is missing" },
		{ "verdict", "\"good\"",
		  "verdict is \"good\", expected one of valid, invalid, failed" },
		{ "verdict", "null", "verdict is null, expected one of valid, invalid, failed" },
		{ "error", "1", "error is 1, expected a string or null" },
		{ "eptlab", "null", "eptlab is null, expected a string" },
		{ "created", "\"yesterday\"",
		  "created is 'yesterday', expected a time like 2026-01-31T23:59:59Z" },
		{ "created", "\"2026-13-31T23:59:59Z\"",
		  "created is '2026-13-31T23:59:59Z', expected a time like 2026-01-31T23:59:59Z" },
		{ "created", "\"20260131T235959Z\"",
		  "created is '20260131T235959Z', expected a time like 2026-01-31T23:59:59Z" },
		/* What must not reach a terminal is escaped. */
		{ "created", "\"\\u001b[2J\\n\"",
		  "created is '\\033[2J\\n', expected a time like 2026-01-31T23:59:59Z" },
		{ "platform.name", "\"b\\u007fchs\"",
		  "platform.name is \"b\\177chs\", expected a name of a-z, 0-9, _ and -" },
		{ "platform.\033[2J", "1", "platform.\\033[2J is 1, expected no such field" },
		{ "seconds", "-1",
		  "seconds is -1, expected a number of seconds, 0 or more, or null" },
		{ "seconds", "\"1\"",
		  "seconds is \"1\", expected a number of seconds, 0 or more, or null" },
		/* In milliseconds it is more than a double can be. */
		{ "seconds", "1e306",
		  "seconds is 1e306, expected a number of seconds, 0 or more, or null" },
		{ "runs.0.seconds", "1e306",
		  "runs[0].seconds is 1e306, expected a number of seconds, 0 or more, or null" },
		{ "ticks", "-5", "ticks is -5, expected " WHOLE_NUMBER },
		{ "ticks", "1.5", "ticks is 1.5, expected " WHOLE_NUMBER },
		{ "ticks", "\"5\"", "ticks is \"5\", expected " WHOLE_NUMBER },
		{ "ticks", "\"09223372036854775808\"",
		  "ticks is \"09223372036854775808\", expected " WHOLE_NUMBER },
		{ "ticks", "\"0xffffffffffffffff\"",
		  "ticks is \"0xffffffffffffffff\", expected " WHOLE_NUMBER },
		{ "ticks", "\"18446744073709551616\"",
		  "ticks is \"18446744073709551616\", expected " WHOLE_NUMBER },
		{ "platform", "[]", "platform is an array, expected an object" },
		{ "platform", "null", "platform is null, expected an object" },
		{ "platform.name", "null", "platform.name is null, expected a string" },
		{ "platform.name", "\"../x\"",
		  "platform.name is \"../x\", expected a name of a-z, 0-9, _ and -" },
		{ "platform.deterministic", "1",
		  "platform.deterministic is 1, expected true, false or null" },
		{ "workload", "\"\"", "workload is \"\", expected a name of a-z, 0-9, _ and -" },
		{ "kernel.modules", "null", "kernel.modules is null, expected an array" },
		{ "kernel.modules.1", "3", "kernel.modules[1] is 3, expected an object" },
		{ "kernel.modules.1.name", NULL, "kernel.modules[1].name is missing" },
		{ "guest.vcpus", "true", "guest.vcpus is true, expected " WHOLE_NUMBER },
		{ "runs", "{}", "runs is an object, expected an array" },
		{ "runs.0", "null", "runs[0] is null, expected an object" },
		{ "runs.0.extra", "null", "runs[0].extra is null, expected no such field" },
		{ "extra", "{}", "extra is an object, expected no such field" },
		{ "runs.1.config", "\"ept\"",
		  "runs[1].config is 'ept', expected a configuration that no other run has" },
		{ "runs.1.config", "\"a/b\"",
		  "runs[1].config is \"a/b\", expected a name of a-z, 0-9, _ and -" },
		{ "runs.1.requested.ept", "\"Y\"",
		  "runs[1].requested.ept is \"Y\", expected true, false or null" },
		{ "runs.1.l2_in_effect", "false",
		  "runs[1].l2_in_effect is false, expected an object" },
		{ "runs.1.l2_in_effect.ept", "null",
		  "runs[1].l2_in_effect.ept is null, expected true or false" },
		{ "runs.1.interface.ebx", "4294967296",
		  "runs[1].interface.ebx is 4294967296, expected a whole number from 0 to "
		  "4294967295" },
		{ "runs.1.interface.ebx", "-1",
		  "runs[1].interface.ebx is -1, expected a whole number from 0 to 4294967295" },
		{ "runs.1.module_ids", "1", "runs[1].module_ids is 1, expected an array or null" },
		{ "runs.1.kernel_log.findings", "null",
		  "runs[1].kernel_log.findings is null, expected an array" },
		{ "runs.1.kernel_log.findings", "[\"a\", 1]",
		  "runs[1].kernel_log.findings[1] is 1, expected a string" },
		{ "runs.0.exits.3.count", "null",
		  "runs[0].exits[3].count is null, expected " WHOLE_NUMBER },
		{ "runs.0.exits.3.count", "-1",
		  "runs[0].exits[3].count is -1, expected " WHOLE_NUMBER },
		{ "runs.0.exits.3.reason", "2",
		  "runs[0].exits[3].reason is 2, expected more than the 2 before it" },
		{ "runs.0.exits.3.count", "1",
		  "runs[0].total is 7731, expected the sum of its exits, "
		  "7732" },
		{ "runs.0.exits.3.count", "\"18446744073709551615\"",
		  "runs[0].total is given, but the exits add up to more than 64 bits: expected "
		  "null" },
		{ "runs.0.exits", "null",
		  "runs[0].total is 7731, expected the sum of its exits, 0" },
		{ "runs.0.l1_exits", TWICE,
		  "runs[0].l1_exits[1].reason is 1, expected more than the 1 before it" },
		{ "runs.0.l1_exits.0.before", "\"18446744073709551615\"",
		  "runs[0].l1_exits[0].before and count are together more than 64 bits" },
		{ "runs.1.witness.at_latch", TWICE,
		  "runs[1].witness.at_latch[1].reason is 1, expected more than the 1 before it" },
		{ "runs.1.witness.at_end", TWICE,
		  "runs[1].witness.at_end[1].reason is 1, expected more than the 1 before it" },
		{ "runs.1.witness.debugfs", TWICE,
		  "runs[1].witness.debugfs[1].reason is 1, expected more than the 1 before it" },
		{ "runs.0.l1_total", "-1", "runs[0].l1_total is -1, expected " WHOLE_NUMBER },
		{ "runs.0.exits.3.before", "null",
		  "runs[0].exits[3].before is null, expected " WHOLE_NUMBER },
		{ "runs.0.l2_in_effect.cycles", "null",
		  "runs[0].l2_in_effect.cycles is null, expected true or false" },
		{ "runs.0.leaf_total.sum", "0.5",
		  "runs[0].leaf_total.sum is 0.5, expected " WHOLE_NUMBER },
		{ "runs.0.latch", "1", "runs[0].latch is 1, expected an object" },
		{ "runs.0.latch.total", "null",
		  "runs[0].latch.total is null, expected " WHOLE_NUMBER },
		{ "runs.0.latch.serial", "4294967296",
		  "runs[0].latch.serial is 4294967296, expected a whole number from 0 to "
		  "4294967295" },
		{ "runs.0.latch.sum", "\"x\"",
		  "runs[0].latch.sum is \"x\", expected " WHOLE_NUMBER },
		{ "runs.0.witness", "[]", "runs[0].witness is an array, expected an object" },
		{ "runs.1.witness.at_latch", "{}",
		  "runs[1].witness.at_latch is an object, expected an array or null" },
		{ "runs.1.witness.debugfs.0.count", "true",
		  "runs[1].witness.debugfs[0].count is true, expected " WHOLE_NUMBER },
		{ "runs.1.dose.n", "null", "runs[1].dose.n is null, expected " WHOLE_NUMBER },
		{ "runs.1.cost", "7", "runs[1].cost is 7, expected an object" },
		{ "runs.1.cost.exits", "0", "runs[1].cost.exits is 0, expected 1 or more" },
		{ "runs.1.cost.ticks", "null",
		  "runs[1].cost.ticks is null, expected " WHOLE_NUMBER },
		{ "runs.1.witness.vcpu_exits", "-1",
		  "runs[1].witness.vcpu_exits is -1, expected " WHOLE_NUMBER },
		{ "runs.0.undefined", "7", "runs[0].undefined is 7, expected an array or null" },
		{ "runs.0.undefined", "[1, \"2\"]",
		  "runs[0].undefined[1] is \"2\", expected a whole number from 0 to 4294967295" },
		{ "checks.2.verdict", "\"maybe\"",
		  "checks[2].verdict is \"maybe\", expected one of pass, fail, not applicable, "
		  "unknown" },
		{ "checks.2.decisive", "null",
		  "checks[2].decisive is null, expected true or false" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message =
			g_strconcat("L0: x/record.json: ", cases[i].message, NULL);

		assert_refused(cases[i].path, cases[i].value, message);
	}
}

/* Written by a version that had schema 1; some of them did not have l2_log yet. */
static json_t *in_schema_1(const struct record *record)
{
	static const char *const new[] = { "platform", "kernel", "source",
					   "workload", "inputs", "earlier" };
	json_t *root = record_to_json(record);
	json_t *run;
	size_t i, j;

	json_object_set_new(root, "schema", json_integer(1));
	json_object_del(root, "steps");
	json_object_del(at(root, "kernel"), "line");
	json_array_foreach (at(root, "runs"), i, run) {
		for (j = 0; j < G_N_ELEMENTS(new); j++)
			json_object_del(run, new[j]);
	}
	json_object_del(at(root, "runs.0"), "l2_log");
	return root;
}

/* What the record said of all its runs is theirs; what it did not say is not known. */
static void schema_1_is_read(void **state)
{
	g_autoptr(struct_record) record = judged_sample();
	json_t *root = in_schema_1(record);
	g_autoptr(struct_record) back = record_from_json(root, "f", NULL);
	const struct record_run *run;

	(void)state;
	json_decref(root);
	assert_non_null(back);
	run = record_find_run(back, "ept");
	assert_false(run->l2_log.known);
	assert_true(record_find_run(back, "noept")->l2_log.known);
	assert_string_equal(run->platform.name, "bochs");
	assert_string_equal(run->platform.cpu, "corei7_haswell_4770");
	assert_string_equal(run->kernel.release, "6.1.0-eptlab");
	assert_int_equal(run->kernel.modules->len, 2);
	assert_string_equal(run->workload, "boot");
	assert_int_equal(run->source, RECORD_LEAVES);
	assert_null(run->kernel.line);
	assert_null(run->inputs);
	assert_null(record_run_inputs(run));
	assert_false(run->earlier.known);
	/* Written again it is of today's schema. */
	assert_round_trip(back);
}

/* No field can be left out, wherever it stands. */
static void every_missing_field_is_refused(void **state)
{
	static const char *const objects[] = {
		"platform",
		"kernel",
		"kernel.modules.0",
		"guest",
		"runs.0",
		"runs.0.platform",
		"runs.0.kernel",
		"runs.1.earlier",
		"runs.0.requested",
		"runs.0.in_effect",
		"runs.0.l2_in_effect",
		"runs.0.interface",
		"runs.0.kernel_log",
		"runs.0.leaf_total",
		"runs.0.latch",
		"runs.0.guest",
		"runs.0.exits.5",
		"runs.0.l1_exits.0",
		"runs.1.cost",
		"runs.1.dose",
		"runs.1.witness",
		"runs.1.witness.at_end.0",
		"checks.1",
	};
	g_autoptr(struct_record) record = judged_sample();
	json_t *root;
	size_t i;

	(void)state;
	add_the_rest(record->runs->pdata[1]);
	root = record_to_json(record);
	for (i = 0; i < G_N_ELEMENTS(objects); i++) {
		g_autofree char *keys = keys_of(at(root, objects[i]));
		g_auto(GStrv) names = g_strsplit(keys, " ", -1);
		guint j;

		for (j = 0; names[j]; j++) {
			json_t *copy = json_deep_copy(root);
			g_autoptr(GError) error = NULL;

			json_object_del(at(copy, objects[i]), names[j]);
			assert_null(record_from_json(copy, "f", &error));
			assert_true(g_str_has_suffix(error->message, "is missing"));
			json_decref(copy);
		}
	}
	json_decref(root);
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = { "[]", "{}", "[{\"schema\":1}]", "{\"schema\":1}" };
	size_t i;

	(void)state;
	for (i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(parse(texts[i], &error));
		assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	}
}

/* ---- Files ---- */

struct file {
	char *folder, *path;
};

static int setup_file(void **state)
{
	struct file *file = g_new0(struct file, 1);

	file->folder = g_dir_make_tmp("eptlab-record-XXXXXX", NULL);
	file->path = g_build_filename(file->folder, "record.json", NULL);
	*state = file;
	return 0;
}

static int teardown_file(void **state)
{
	struct file *file = *state;

	g_remove(file->path);
	assert_int_equal(g_rmdir(file->folder), 0);
	g_free(file->folder);
	g_free(file->path);
	g_free(file);
	return 0;
}

static void write_record(const struct file *file, const char *text, gssize length)
{
	assert_true(g_file_set_contents(file->path, text, length, NULL));
}

/* Loading fails with a message that begins with the file's name. */
static char *load_error(const struct file *file, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *prefix = g_strconcat("L0: ", file->path, NULL);

	assert_null(record_load(path, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	assert_true(g_str_has_prefix(error->message, prefix));
	return g_strdup(error->message + strlen(prefix));
}

static void load_takes_a_folder_or_a_file(void **state)
{
	const struct file *file = *state;
	g_autoptr(struct_record) record = judged_sample();
	g_autofree char *text = record_to_text(record);
	g_autoptr(struct_record) one = NULL;
	g_autoptr(struct_record) other = NULL;
	g_autofree char *again = NULL;

	write_record(file, text, -1);
	one = record_load(file->folder, NULL);
	other = record_load(file->path, NULL);
	assert_non_null(one);
	assert_non_null(other);
	again = record_to_text(other);
	assert_string_equal(again, text);
}

static void load_says_what_is_wrong(void **state)
{
	const struct file *file = *state;
	g_autofree char *message = load_error(file, file->folder);

	assert_true(g_str_has_prefix(message, ": cannot read the record: "));

	write_record(file, "{\n  \"schema\": 1,\n  nonsense \x1b\n", -1);
	g_free(message);
	message = load_error(file, file->path);
	assert_true(g_str_has_prefix(message, ":3: this is no record: "));
	assert_null(strchr(message, '\x1b'));

	write_record(file, "{\"schema\": 1, \"schema\": 1}", -1);
	g_free(message);
	message = load_error(file, file->path);
	assert_true(g_str_has_prefix(message, ":1: this is no record: duplicate"));

	write_record(file, "{\"schema\": 99999999999999999999}", -1);
	g_free(message);
	message = load_error(file, file->path);
	assert_true(g_str_has_prefix(message, ":1: this is no record: "));
}

static void cut_file_is_refused(void **state)
{
	const struct file *file = *state;
	g_autoptr(struct_record) record = judged_sample();
	g_autofree char *text = record_to_text(record);
	size_t length;

	/* The last byte is only the line's end. */
	for (length = 0; length + 1 < strlen(text); length += 97) {
		g_autofree char *message = NULL;

		write_record(file, text, (gssize)length);
		message = load_error(file, file->path);
		assert_true(strlen(message) > 0);
	}
}

static void what_has_no_end_is_not_read(void **state)
{
	const struct file *file = *state;
	g_autofree char *pipe_error = NULL;
	g_autofree char *large_error = NULL;
	int fd;

	assert_int_equal(mkfifo(file->path, 0600), 0);
	pipe_error = load_error(file, file->path);
	assert_string_equal(pipe_error,
			    ": this is no record: expected a file of at most 16777216 bytes");
	g_remove(file->path);

	fd = g_creat(file->path, 0600);
	assert_int_equal(ftruncate(fd, (off_t)1 << 30), 0);
	close(fd);
	large_error = load_error(file, file->path);
	assert_string_equal(large_error, pipe_error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_have_the_documented_names),
		cmocka_unit_test(values_are_written_as_documented),
		cmocka_unit_test(nothing_unknown_is_written_as_a_value),
		cmocka_unit_test(full_record_comes_back),
		cmocka_unit_test(empty_record_comes_back),
		cmocka_unit_test(counts_of_64_bits),
		cmocka_unit_test(foreign_bytes_become_utf8),
		cmocka_unit_test(copy_is_deep),
		cmocka_unit_test(exits_are_found),
		cmocka_unit_test(set_string_takes_its_own_value),
		cmocka_unit_test(wrong_fields_are_named),
		cmocka_unit_test(schema_1_is_read),
		cmocka_unit_test(every_missing_field_is_refused),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test_setup_teardown(load_takes_a_folder_or_a_file, setup_file,
						teardown_file),
		cmocka_unit_test_setup_teardown(load_says_what_is_wrong, setup_file, teardown_file),
		cmocka_unit_test_setup_teardown(cut_file_is_refused, setup_file, teardown_file),
		cmocka_unit_test_setup_teardown(what_has_no_end_is_not_read, setup_file,
						teardown_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
