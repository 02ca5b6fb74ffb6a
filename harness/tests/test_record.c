/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "record/record.h"
#include "tests/sample.h"
#include "tests/test.h"

static struct record *empty_record(void)
{
	return record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
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
	};
	run->earlier = (struct record_earlier){
		.known = true,
		.record = g_strdup("20260131T000000Z-bochs-boot"),
		.exits = one_exit(10, "CPUID", 24),
	};
	run->mmu = (struct record_mmu){
		.known = true,
		.vm = record_statistics_new(),
		.vcpu = record_statistics_new(),
		.reasons = one_exit(1024, "NPF", 23),
	};
	g_ptr_array_add(run->mmu.vm, record_statistic_new("mmu_pte_write", 2584));
	g_ptr_array_add(run->mmu.vm, record_statistic_new("pages_4k", UINT64_MAX));
	g_ptr_array_add(run->mmu.vcpu, record_statistic_new("exits", 8791));
	run->cost = (struct record_cost){ true, 1000, 1234567 };
	run->dose = (struct record_dose){ true, 50, 93 };
}

static void add_cell(struct record *record)
{
	const struct record_cell cell = {
		.known = true,
		.matrix = (char *)"lines",
		.id = (char *)"00c0ffee",
		.repeat = 3,
		.axes = record_axes_new(),
	};

	g_ptr_array_add(cell.axes, record_axis_new("kernel", "6.12"));
	g_ptr_array_add(cell.axes, record_axis_new("l2.vcpus", "2"));
	record_set_cell(record, &cell);
	g_ptr_array_unref(cell.axes);
}

/* The sample, with all that a record can have in its second run. */
static struct record *full_record(void)
{
	struct record *record = judged_sample();

	add_the_rest(record->runs->pdata[1]);
	((struct record_run *)record->runs->pdata[1])->command = (struct record_command){
		.known = true,
		.line = g_strdup("a.out 'one word'"),
		.end = RECORD_SIGNALLED,
		.value = 11,
		.output = 12,
		.full = true,
	};
	add_cell(record);
	return record;
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

/* Other programs rely on these names. */
TEST(fields_have_the_documented_names)
{
	static const struct {
		const char *path, *keys;
	} expected[] = {
		{ "platform", "name emulator version cpu vendor cpus deterministic" },
		{ "kernel", "line release patches_sha256 modules" },
		{ "kernel.modules.0", "name build_id" },
		{ "guest", "image_sha256 kernel_sha256 probe_sha256 memory_mib vcpus" },
		{ "runs.1",
		  "config verdict error platform kernel source workload inputs earlier requested "
		  "in_effect l2_in_effect interface cpuid module_ids "
		  "guest seconds ticks kernel_log l2_log leaf_total latch total exits undefined "
		  "malformed "
		  "l1_exits l1_total witness mmu cost dose operations command" },
		{ "runs.1.command", "line end value output full" },
		{ "runs.1.platform", "name emulator version cpu vendor cpus deterministic" },
		{ "runs.1.kernel", "line release patches_sha256 modules" },
		{ "runs.1.inputs", "l1-kernel qemu job all" },
		{ "runs.1.earlier", "record exits" },
		{ "runs.1.requested", "ept vpid unrestricted_guest pcid thp pti" },
		{ "runs.1.in_effect", "ept vpid unrestricted_guest pcid thp pti" },
		{ "runs.1.l2_in_effect",
		  "ept vpid unrestricted_guest cycles vendor highest_reason vcpus" },
		{ "runs.1.interface", "eax ebx ecx edx" },
		{ "runs.1.cpuid.0", "leaf index eax ebx ecx edx" },
		{ "runs.1.kernel_log", "lines lost findings" },
		{ "runs.1.l2_log", "lines lost findings" },
		{ "runs.1.leaf_total", "before after reads cpuid_read sum" },
		{ "runs.1.latch", "total serial sum" },
		{ "runs.1.exits.0", "reason name before count cycles" },
		{ "runs.1.l1_exits.0", "reason name before count cycles" },
		{ "runs.1.witness", "at_latch at_end" },
		{ "runs.1.mmu", "error vm vcpu reasons" },
		{ "runs.1.mmu.vm", "mmu_pte_write pages_4k" },
		{ "runs.1.cost", "exits ticks" },
		{ "runs.1.dose", "n cpuids" },
		{ "runs.1.witness.at_latch.10", "reason name before count cycles" },
		{ "cell", "matrix id repeat axes" },
		{ "cell.axes.0", "axis value" },
		{ "steps.0", "text seconds" },
		{ "checks.0", "rule run verdict decisive saw expected why advice" },
	};
	g_autoptr(struct_record) record = full_record();
	json_t *root = record_to_json(record);
	g_autofree char *top = keys_of(root);

	assert_string_equal(top,
			    "schema verdict error eptlab created seconds ticks platform kernel "
			    "guest workload cell steps runs checks");
	test_each (row, expected) {
		g_autofree char *keys = keys_of(json_at(root, row->path));

		assert_string_equal(keys, row->keys);
	}
	json_decref(root);
}

TEST(values_are_written_as_documented)
{
	g_autoptr(struct_record) record = judged_sample();
	json_t *root = record_to_json(record);

	assert_json(root, "schema=2 verdict=valid error=null created=2026-01-31T23:59:59Z "
			  "seconds=43.125 ticks=3912345678 platform.deterministic=true "
			  "checks.0.rule=signature .0.run=ept .0.verdict=pass");
	/* 50 I/O exits more than L2 has read: 815 and 8741. */
	assert_json(
		json_at(root, "runs.1"),
		"config=noept source=leaves workload=boot platform.name=bochs kernel.line=6.1 "
		"inputs.qemu=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
		"in_effect.ept=false requested.unrestricted_guest=null l2_in_effect.cycles=false "
		"l1_exits.30.count=865 l1_total=8791 latch.total=8741 .serial=2 .sum=8741 "
		"witness=null cost=null dose=null exits.0.before=0 .0.count=7157 "
		".0.name=EXCEPTION_NMI .0.cycles=null undefined.0=35");
	json_decref(root);
}

TEST(nothing_unknown_is_written_as_a_value)
{
	struct record_run *silent = record_run_new("silent");
	g_autoptr(struct_record) record = empty_record();
	json_t *root;

	g_ptr_array_add(record->runs, record_run_new("ept"));
	/* Objects that are there, with parts that are not. */
	silent->leaf_total.known = silent->latch.known = silent->witness.known = true;
	g_ptr_array_add(record->runs, silent);
	root = record_to_json(record);
	assert_json(root,
		    "verdict=failed error=null seconds=null ticks=null platform.emulator=null "
		    ".version=null .cpu=null .vendor=null .cpus=null .deterministic=null "
		    "kernel.release=null "
		    ".patches_sha256=null guest.image_sha256=null .kernel_sha256=null "
		    ".probe_sha256=null .memory_mib=null .vcpus=null");
	assert_json(json_at(root, "runs.0"),
		    "error=null platform.name=null kernel.line=null .release=null workload=null "
		    "inputs=null earlier=null requested.ept=null .vpid=null in_effect.ept=null "
		    ".vpid=null .unrestricted_guest=null l2_in_effect=null interface=null "
		    "module_ids=null seconds=null ticks=null kernel_log=null leaf_total=null "
		    "latch=null total=null exits=null undefined=null malformed=null l1_exits=null "
		    "l1_total=null witness=null cost=null dose=null");
	assert_json(json_at(root, "runs.1"),
		    "leaf_total.sum=null latch.sum=null witness.at_latch=null .at_end=null");
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

TEST(full_record_comes_back)
{
	g_autoptr(struct_record) record = full_record();
	struct record_run *run = record_find_run(record, "noept");
	g_autofree char *text = NULL;
	g_autoptr(struct_record) back = NULL;
	const struct record_run *other;
	uint32_t reason = 7;

	/* What the sample leaves empty. */
	record_set_string(&run->error, "broken");
	g_array_append_val(run->malformed, reason);
	sample_exit(run, 0)->cycles = record_u64_from(12345);
	sample_exit(run, 0)->before = 77;
	run->l2_in_effect.cycles = true;
	run->source = RECORD_TRACEPOINT;
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
	assert_string_equal(back->cell.matrix, "lines");
	assert_string_equal(back->cell.id, "00c0ffee");
	assert_true(back->cell.repeat == 3);
	assert_string_equal(((struct record_axis *)back->cell.axes->pdata[1])->value, "2");
	assert_int_equal(back->checks->len, record->checks->len);
	other = record_find_run(back, "noept");
	assert_run(other,
		   "error=broken platform.cpu=corei7_haswell_4770 kernel.line=6.1 "
		   "kernel.modules.len=2 source=tracepoint workload=boot "
		   "earlier.record=20260131T000000Z-bochs-boot .exits.10.count=24 "
		   "in_effect.ept=false requested.unrestricted_guest=null l2_in_effect.ept=false "
		   ".cycles=true interface.ecx=1668573560 exits.0.count=7157 .0.cycles=12345 "
		   ".1.cycles=null .0.before=77 .35=nothing malformed.0=7 l1_exits.30.count=865 "
		   "l1_total=8791 latch.total=8741 .serial=2 .sum=8741 cost.exits=1000 "
		   ".ticks=1234567 dose.n=50 .cpuids=93 witness.at_latch.10.count=21 "
		   ".at_end.48.count=22 mmu.reasons.1024.name=NPF "
		   "leaf_total.cpuid_read=11 kernel_log.lost=true");
	assert_int_equal(other->inputs->len, 4);
	assert_int_equal(record_run_inputs(other)[0], 'd');
	assert_int_equal(other->exits->len, run->exits->len);
	assert_int_equal(other->l1_exits->len, run->l1_exits->len);
	assert_string_equal(other->kernel_log.findings->pdata[0], "BUG: \"quoted\"\t");
	/* "before" and 11. */
	assert_true(other->leaf_total.sum.value == other->leaf_total.before + 11);
	assert_false(record_find_run(back, "ept")->witness.known);
	assert_null(record_find_run(back, "other"));
}

TEST(empty_record_comes_back)
{
	g_autoptr(struct_record) record = empty_record();

	assert_round_trip(record);
	record_set_string(&record->error, "L1: nothing came");
	g_ptr_array_add(record->runs, record_run_new("ept"));
	assert_round_trip(record);
}

/* jansson's integers end at 2^63-1. */
TEST(counts_of_64_bits)
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

	test_each (row, cases) {
		g_autoptr(struct_record) record = empty_record();
		struct record_run *run = record_run_new("ept");
		g_autofree char *text = NULL;
		g_autoptr(struct_record) back = NULL;

		run->exits = one_exit(48, NULL, row->count);
		run->total = record_u64_from(row->count);
		g_ptr_array_add(record->runs, run);
		text = record_to_text(record);
		assert_says(text, row->text);
		back = parse_good(text);
		run = record_find_run(back, "ept");
		assert_true(record_find_exit(run->exits, 48)->count == row->count);
		assert_true(run->total.known && run->total.value == row->count);
	}
}

TEST(foreign_bytes_become_utf8)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *run = record_find_run(record, "ept");
	g_autofree char *text = NULL;
	g_autoptr(struct_record) back = NULL;

	record_set_string(&record->error, "L1: \xff\xfe caf\xc3\xa9 \x1b[2J");
	g_ptr_array_add(run->kernel_log.findings, g_strdup("BUG: \x80"));
	text = record_to_text(record);
	assert_true(g_utf8_validate(text, -1, NULL));
	assert_null(strchr(text, '\x1b'));
	back = parse_good(text);
	assert_string_equal(back->error, "L1: \xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9 \x1b[2J");
}

TEST(copy_is_deep)
{
	g_autoptr(struct_record) record = judged_sample();
	g_autoptr(struct_record) other = empty_record();
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	guint i;

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
TEST(exits_are_found)
{
	g_autoptr(GPtrArray) exits = record_exits_new();

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

TEST(set_string_takes_its_own_value)
{
	char *text = g_strdup("same");

	record_set_string(&text, text);
	assert_string_equal(text, "same");
	record_set_string(&text, NULL);
	assert_null(text);
}

/* ---- Reading what is wrong ---- */

/* Put value at a path of a record that has everything, and read that. */
static void assert_refused(const char *path, const char *value, const char *message)
{
	g_autofree char *whole = g_strconcat("L0: x/record.json: ", message, NULL);
	g_autoptr(struct_record) record = full_record();
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_record) back = NULL;
	json_t *root = record_to_json(record);

	json_change(root, path, value);
	back = record_from_json(root, "x/record.json", &error);
	json_decref(root);
	if (back != NULL)
		fail_msg("%s = %s was taken", path, value);
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE));
	assert_string_equal(error->message, whole);
}

/* "runs.1.exits" is runs[1].exits in messages. */
static char *in_words(const char *path)
{
	g_autoptr(GRegex) number = g_regex_new("[.](\\d+)", 0, 0, NULL);

	return g_regex_replace(number, path, -1, 0, "[\\1]", 0, NULL);
}

/* A list of exits in which a reason stands twice. */
#define ONE_EXIT "{\"reason\":1,\"name\":null,\"before\":0,\"count\":1,\"cycles\":null}"
#define TWICE	 "[" ONE_EXIT "," ONE_EXIT "]"

#define WHOLE_NUMBER "a whole number of 64 bits, as a string from 9223372036854775808 on"

static void assert_unexpected(void *expected, const char *path, const char *value)
{
	const char *kind = *value == '{' ? "an object" : *value == '[' ? "an array" : value;
	g_autofree char *field = in_words(path);
	g_autofree char *message =
		g_strdup_printf("%s is %s, expected %s", field, kind, (const char *)expected);

	assert_refused(path, value, message);
}

/* The message names the field, says what it is, and what was expected. */
TEST(wrong_fields_are_named)
{
	static const struct {
		const char *expected, *fields;
	} cases[] = {
		{ "1 to 2: the record was written by another version of eptlab",
		  "schema=0 schema=3 schema=\"1\"" },
		{ "a name of a-z, 0-9, _ and -", "runs.1.workload=\"\" platform.name=\"../x\" "
						 "workload=\"\" runs.1.config=\"a/b\"" },
		{ "one of leaves, tracepoint", "runs.1.source=\"guess\"" },
		{ "an object or null", "runs.1.inputs=[]" },
		{ "its last field to be all", "runs.1.inputs={}" },
		{ "a SHA-256 of 64 hexadecimal digits",
		  "runs.1.inputs.qemu=null runs.1.inputs.qemu=\"abc\"" },
		{ "a string", "runs.1.earlier.record=null eptlab=null platform.name=null" },
		{ "one of valid, invalid, failed", "verdict=\"good\" verdict=null" },
		{ "a string or null", "error=1" },
		/* In milliseconds, 1e306 s are more than a double can be. */
		{ "a number of seconds, 0 or more, or null",
		  "seconds=-1 seconds=\"1\" seconds=1e306 runs.0.seconds=1e306" },
		{ WHOLE_NUMBER,
		  "ticks=-5 ticks=1.5 ticks=\"5\" ticks=\"09223372036854775808\" "
		  "ticks=\"0xffffffffffffffff\" ticks=\"18446744073709551616\" guest.vcpus=true "
		  "runs.0.exits.3.count=null runs.0.exits.3.count=-1 runs.0.l1_total=-1 "
		  "runs.0.exits.3.before=null runs.0.leaf_total.sum=0.5 runs.0.latch.total=null "
		  "runs.0.latch.sum=\"x\" runs.1.dose.n=null runs.1.cost.ticks=null" },
		{ "an object",
		  "platform=[] platform=null kernel.modules.1=3 runs.0=null "
		  "runs.1.l2_in_effect=false runs.0.latch=1 runs.0.witness=[] runs.1.cost=7" },
		{ "true, false or null", "platform.deterministic=1 runs.1.requested.ept=\"Y\"" },
		{ "an array", "kernel.modules=null runs={} runs.1.kernel_log.findings=null" },
		{ "no such field", "runs.0.extra=null extra={}" },
		{ "true or false", "runs.1.l2_in_effect.ept=null runs.0.l2_in_effect.cycles=null "
				   "checks.2.decisive=null" },
		{ "a whole number from 0 to 4294967295",
		  "runs.1.interface.ebx=4294967296 runs.1.interface.ebx=-1 "
		  "runs.0.latch.serial=4294967296" },
		{ "an array or null",
		  "runs.1.module_ids=1 runs.1.witness.at_latch={} runs.0.undefined=7" },
		{ "more than the 2 before it", "runs.0.exits.3.reason=2" },
		{ "1 or more", "runs.1.cost.exits=0" },
		{ "one of pass, fail, not applicable, unknown", "checks.2.verdict=\"maybe\"" },
	};

	test_each (row, cases)
		each_word((void *)(uintptr_t)row->expected, "", row->fields, assert_unexpected);
}

/* Where the message is about another field, or cannot show the value as it is. */
TEST(wrong_values_are_told)
{
	static const struct {
		const char *path, *value, *message;
	} cases[] = {
		{ "schema", "", "schema is missing: this is no record" },
		{ "verdict", "", "verdict is missing" },
		{ "kernel.modules.1.name", "", "kernel.modules[1].name is missing" },
		/* What schema 1 has not, it has not. */
		{ "schema", "1", "cell is an object, expected no such field" },
		{ "runs.1.mmu.vm.pages_4k", "-1",
		  "runs[1].mmu.vm.pages_4k is -1, expected a whole number of 64 bits, as a string "
		  "from 9223372036854775808 on" },
		{ "runs.1.mmu.vm.a b", "7", "runs[1].mmu.vm.a b is 7, expected no such field" },
		{ "runs.1.mmu.vcpu", "7", "runs[1].mmu.vcpu is 7, expected an object or null" },
		{ "runs.1.inputs.all", "",
		  "runs[1].inputs is an object, expected its last field to be all" },
		{ "runs.1.inputs.\033", "7", "runs[1].inputs.\\033 is 7, expected no such field" },
		{ "runs.1.earlier.exits", TWICE,
		  "runs[1].earlier.exits[1].reason is 1, expected more than the 1 before it" },
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
		{ "runs.1.config", "\"ept\"",
		  "runs[1].config is 'ept', expected a configuration that no other run has" },
		{ "runs.1.kernel_log.findings", "[\"a\", 1]",
		  "runs[1].kernel_log.findings[1] is 1, expected a string" },
		{ "runs.0.exits.3.count", "1",
		  "runs[0].total is 7731, expected the sum of its exits, 7732" },
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
		{ "runs.1.mmu.reasons", TWICE,
		  "runs[1].mmu.reasons[1].reason is 1, expected more than the 1 before it" },
		{ "runs.1.mmu.reasons.1024.count", "true",
		  "runs[1].mmu.reasons[0].count is true, expected " WHOLE_NUMBER },
		{ "runs.0.undefined", "[1, \"2\"]",
		  "runs[0].undefined[1] is \"2\", expected a whole number from 0 to 4294967295" },
	};

	test_each (row, cases)
		assert_refused(row->path, row->value, row->message);
}

/* Written by a version that had schema 1; some of them did not have l2_log yet. */
static json_t *in_schema_1(const struct record *record)
{
	json_t *root = record_to_json(record);
	json_t *run;
	size_t i;

	json_object_set_new(root, "schema", json_integer(1));
	json_object_del(root, "steps");
	json_object_del(root, "cell");
	json_object_del(json_at(root, "kernel"), "line");
	json_object_del(json_at(root, "platform"), "cpus");
	json_array_foreach (json_at(root, "runs"), i, run) {
		test_each_of (name, "platform", "kernel", "source", "workload", "inputs", "earlier",
			      "cpuid", "mmu", "operations", "command")
			json_object_del(run, *name);
		test_each_of (name, "requested", "in_effect") {
			json_object_del(json_object_get(run, *name), "pcid");
			json_object_del(json_object_get(run, *name), "thp");
			json_object_del(json_object_get(run, *name), "pti");
		}
	}
	json_object_del(json_at(root, "runs.0"), "l2_log");
	return root;
}

/* What the record said of all its runs is theirs; what it did not say is not known. */
TEST(schema_1_is_read)
{
	g_autoptr(struct_record) record = judged_sample();
	json_t *root = in_schema_1(record);
	g_autoptr(struct_record) back = record_from_json(root, "f", NULL);
	const struct record_run *run;

	json_decref(root);
	assert_non_null(back);
	run = record_find_run(back, "ept");
	assert_false(run->l2_log.known);
	assert_true(record_find_run(back, "noept")->l2_log.known);
	assert_run(
		run,
		"platform.name=bochs .cpu=corei7_haswell_4770 kernel.release=6.1.0-eptlab "
		".modules.len=2 .line=null workload=boot source=leaves inputs=null earlier=null");
	assert_null(record_run_inputs(run));
	assert_null(run->cpuid);
	/* Written again it is of today's schema. */
	assert_round_trip(back);
}

/* The first records of schema 2 did not have these yet. */
TEST(record_without_cpuid_is_read)
{
	g_autoptr(struct_record) record = judged_sample();
	json_t *root = record_to_json(record);
	g_autoptr(struct_record) back = NULL;

	json_object_del(json_at(root, "runs.0"), "cpuid");
	json_object_del(json_at(root, "runs.0"), "mmu");
	json_object_del(json_at(root, "runs.0"), "operations");
	json_object_del(json_at(root, "runs.0"), "command");
	json_object_del(root, "cell");
	json_object_del(json_at(root, "platform"), "cpus");
	json_object_del(json_at(root, "runs.0.requested"), "pcid");
	json_object_del(json_at(root, "runs.0.in_effect"), "thp");
	json_object_del(json_at(root, "runs.1.requested"), "pti");
	back = record_from_json(root, "f", NULL);
	json_decref(root);
	assert_non_null(back);
	assert_null(record_find_run(back, "ept")->cpuid);
	assert_false(back->cell.known);
	assert_int_equal(record_find_run(back, "noept")->cpuid->len, 5);
	assert_round_trip(back);
}

/* What an earlier eptlab wrote, and today's does not read. */
TEST(former_fields_are_read_over)
{
	g_autoptr(struct_record) record = full_record();
	json_t *root = record_to_json(record);
	g_autoptr(struct_record) back = NULL;

	json_object_set_new(json_at(root, "runs.1.witness"), "debugfs", json_null());
	json_object_set_new(json_at(root, "runs.1.witness"), "vcpu_exits", json_integer(7));
	json_object_del(json_at(root, "runs.1.mmu"), "reasons");
	back = record_from_json(root, "f", NULL);
	json_decref(root);
	assert_non_null(back);
	assert_int_equal(record_find_run(back, "noept")->witness.at_end->len, 1);
	assert_null(record_find_run(back, "noept")->mmu.reasons);
	assert_round_trip(back);
}

/* No field can be left out, wherever it stands. */
TEST(every_missing_field_is_refused)
{
	static const char *const late[] = { "cpuid", "mmu", "reasons", "operations", "command",
					    "pcid",  "thp", "pti",     "cpus",	     NULL };
	g_autoptr(struct_record) record = full_record();
	json_t *root = record_to_json(record);

	test_each_of (path, "platform", "kernel", "kernel.modules.0", "guest", "runs.0",
		      "runs.0.platform", "runs.0.kernel", "runs.1.earlier", "runs.0.requested",
		      "runs.0.in_effect", "runs.0.l2_in_effect", "runs.0.interface",
		      "runs.0.kernel_log", "runs.0.leaf_total", "runs.0.latch", "runs.0.guest",
		      "runs.0.exits.5", "runs.0.cpuid.2", "runs.0.l1_exits.0", "runs.1.cost",
		      "runs.1.dose", "runs.1.mmu", "runs.1.witness", "runs.1.witness.at_end.48",
		      "checks.1", "cell", "cell.axes.1") {
		g_autofree char *keys = keys_of(json_at(root, *path));
		g_auto(GStrv) names = g_strsplit(keys, " ", -1);

		for (char **name = names; *name != NULL; name++) {
			json_t *copy;
			g_autoptr(GError) error = NULL;

			/* But these: record_without_cpuid_is_read. */
			if (g_strv_contains(late, *name))
				continue;
			copy = json_deep_copy(root);

			json_object_del(json_at(copy, *path), *name);
			assert_null(record_from_json(copy, "f", &error));
			assert_true(g_str_has_suffix(error->message, "is missing"));
			json_decref(copy);
		}
	}
	json_decref(root);
}

TEST(what_is_no_object_is_refused)
{
	test_each_of (text, "[]", "{}", "[{\"schema\":1}]", "{\"schema\":1}") {
		g_autoptr(GError) error = NULL;

		assert_null(parse(*text, &error));
		assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	}
}

/* ---- Files ---- */

static void write_record(const char *folder, const char *text, gssize length)
{
	g_autofree char *path = g_build_filename(folder, "record.json", NULL);

	assert_true(g_file_set_contents(path, text, length, NULL));
}

/* Loading the folder fails with a message that begins with the file's name, and so. */
static void assert_load_fails(const char *folder, const char *beginning)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *expected = g_strconcat("L0: ", folder, "/record.json", beginning, NULL);

	assert_null(record_load(folder, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	assert_begins(error->message, expected);
	assert_true(strlen(error->message) > strlen(expected));
	assert_null(strchr(error->message, '\x1b'));
}

TEST_IN_FOLDER(load_takes_a_folder_or_a_file)
{
	g_autofree char *path = g_build_filename(folder, "record.json", NULL);
	g_autoptr(struct_record) record = judged_sample();
	g_autofree char *text = record_to_text(record);

	write_record(folder, text, -1);
	test_each_of (name, folder, path) {
		g_autoptr(struct_record) one = record_load(*name, NULL);
		g_autofree char *again = NULL;

		assert_non_null(one);
		again = record_to_text(one);
		assert_string_equal(again, text);
	}
}

TEST_IN_FOLDER(load_says_what_is_wrong)
{
	assert_load_fails(folder, ": cannot read the record: ");
	write_record(folder, "{\n  \"schema\": 1,\n  nonsense \x1b\n", -1);
	assert_load_fails(folder, ":3: this is no record: ");
	write_record(folder, "{\"schema\": 1, \"schema\": 1}", -1);
	assert_load_fails(folder, ":1: this is no record: duplicate");
	write_record(folder, "{\"schema\": 99999999999999999999}", -1);
	assert_load_fails(folder, ":1: this is no record: ");
}

TEST_IN_FOLDER(cut_file_is_refused)
{
	g_autoptr(struct_record) record = judged_sample();
	g_autofree char *text = record_to_text(record);

	/* The last byte is only the line's end. */
	for (size_t length = 0; length + 1 < strlen(text); length += 97) {
		write_record(folder, text, (gssize)length);
		assert_load_fails(folder, ":");
	}
}

TEST_IN_FOLDER(what_has_no_end_is_not_read)
{
	static const char message[] =
		": this is no record: expected a file of at most 16777216 byte";
	g_autofree char *path = g_build_filename(folder, "record.json", NULL);
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_load_fails(folder, message);
	g_remove(path);
	fd = g_creat(path, 0600);
	assert_int_equal(ftruncate(fd, (off_t)1 << 30), 0);
	close(fd);
	assert_load_fails(folder, message);
}
