/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/sample.h"

#include "judge/rules.h"
#include "wire/frame.h"
#include "record/reasons.h"
#include "tests/test.h"

#define KVM_ID	     "0123456789abcdef0123456789abcdef01234567"
#define KVM_INTEL_ID "89abcdef0123456789abcdef0123456789abcdef"

/* The probe asks for all reasons up to two behind the highest. */
#define READS (KVM_EXITCOUNT_VMX_HIGHEST + 3)

struct sample_count {
	uint32_t reason;
	uint64_t ept, noept;
};

static const struct sample_count counts[] = {
	{ REASON_EXCEPTION_NMI, 1, 7157 }, { REASON_EXTERNAL_INTERRUPT, 104, 131 },
	{ REASON_CPUID, 256, 251 },	   { REASON_HLT, 12, 11 },
	{ REASON_INVLPG, 0, 308 },	   { REASON_CR_ACCESS, 9, 52 },
	{ REASON_DR_ACCESS, 2, 2 },	   { REASON_IO_INSTRUCTION, 763, 815 },
	{ REASON_EPT_VIOLATION, 6184, 0 }, { REASON_EPT_MISCONFIG, 399, 0 },
	{ REASON_XSETBV, 1, 1 },	   { REASON_INVPCID, 0, 13 },
};

struct record_exit *sample_exit(struct record_run *run, uint32_t reason)
{
	struct record_exit *one = (struct record_exit *)record_find_exit(run->exits, reason);

	g_assert_nonnull(one);
	return one;
}

/*
 * As the probe finds it when nothing but its own reads exits: "before" is what all reasons had
 * then, and reason 10 was the eleventh read, so its part has grown by 11 since. Then came the
 * latch.
 */
static void set_totals(struct record_run *run)
{
	uint64_t sum = 0;
	guint i;

	for (i = 0; i < run->exits->len; i++)
		sum += ((const struct record_exit *)run->exits->pdata[i])->count;
	run->total = record_u64_from(sum);
	run->latch = (struct record_latch){ true, sum, 2, record_u64_from(sum) };
	/* The latch is one exit more than "after", and "after" than the last read. */
	run->leaf_total = (struct record_leaf_total){
		.known = true,
		.before = sum - READS - 2,
		.after = sum - 1,
		.reads = READS,
		.cpuid_read = 11,
		.sum = record_u64_from(sum - READS - 2 + 11),
	};
}

/* What KVM's table has when L2 has gone: 50 I/O exits more, with which the probe told. */
static void set_l1(struct record_run *run)
{
	uint64_t sum = 0;
	guint i;

	g_clear_pointer(&run->l1_exits, g_ptr_array_unref);
	run->l1_exits = record_exits_new();
	for (i = 0; i < run->exits->len; i++) {
		const struct record_exit *one = run->exits->pdata[i];
		uint64_t count = one->count + (one->reason == REASON_IO_INSTRUCTION ? 50 : 0);

		sum += count;
		if (count > 0)
			g_ptr_array_add(run->l1_exits,
					record_exit_new(one->reason, one->name, count));
	}
	run->l1_total = record_u64_from(sum);
}

void sample_set_count(struct record_run *run, uint32_t reason, uint64_t count)
{
	sample_exit(run, reason)->count = count;
	set_totals(run);
	set_l1(run);
}

static void add_exits(struct record_run *run, bool ept)
{
	uint32_t reason;
	size_t i;

	run->exits = record_exits_new();
	run->undefined = record_reasons_new();
	run->malformed = record_reasons_new();
	for (reason = 0; reason < READS; reason++) {
		if (reason_is_defined(KVM_EXITCOUNT_VENDOR_VMX, reason))
			g_ptr_array_add(
				run->exits,
				record_exit_new(reason,
						reason_name(KVM_EXITCOUNT_VENDOR_VMX, reason), 0));
		else
			g_array_append_val(run->undefined, reason);
	}
	for (i = 0; i < G_N_ELEMENTS(counts); i++)
		sample_exit(run, counts[i].reason)->count = ept ? counts[i].ept : counts[i].noept;
	set_totals(run);
	set_l1(run);
}

/* Of L2: no PKU, whatever the paging. */
static void set_cpuid(struct record_run *run)
{
	run->cpuid = record_cpuid_list();
	g_ptr_array_add(run->cpuid,
			record_cpuid_new(0, 0, 0xd, 0x756e6547, 0x6c65746e, 0x49656e69));
	g_ptr_array_add(run->cpuid, record_cpuid_new(1, 0, 0x306c3, 0x800, 0xfffa3203, 0x78bfbff));
	g_ptr_array_add(run->cpuid, record_cpuid_new(7, 0, 0, 0x7ab, 0, 0));
	g_ptr_array_add(run->cpuid, record_cpuid_new(0xd, 0, 7, 0x340, 0x340, 0));
	g_ptr_array_add(run->cpuid, record_cpuid_new(0x8000000a, 0, 0, 0, 0, 1));
}

static void set_guest(struct record_guest *guest)
{
	record_set_string(&guest->image_sha256, "1111");
	record_set_string(&guest->kernel_sha256, "2222");
	record_set_string(&guest->probe_sha256, "3333");
	guest->memory_mib = record_u64_from(128);
	guest->vcpus = record_u64_from(1);
}

static void add_modules(GPtrArray *modules)
{
	g_ptr_array_add(modules, record_module_new("kvm", KVM_ID));
	g_ptr_array_add(modules, record_module_new("kvm_intel", KVM_INTEL_ID));
}

/* Digests that tell one input from another at a glance. */
static GPtrArray *sample_inputs(void)
{
	static const char *const names[] = { "l1-kernel", "qemu", "job", RECORD_INPUTS_ALL };
	GPtrArray *inputs = record_inputs_new();
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *digits = g_strnfill(64, (char)('a' + i));

		g_ptr_array_add(inputs, record_input_new(names[i], digits));
	}
	return inputs;
}

static struct record_run *sample_run(const struct record *record, const char *config, bool ept)
{
	struct record_run *run = record_run_new(config);

	run->verdict = RECORD_VALID;
	record_run_describe(run, record);
	run->inputs = sample_inputs();
	run->requested.ept = record_bool_from(ept);
	run->requested.vpid = RECORD_TRUE;
	run->in_effect.ept = record_bool_from(ept);
	run->in_effect.vpid = RECORD_TRUE;
	run->in_effect.unrestricted_guest = record_bool_from(ept);
	run->l2_in_effect = (struct record_l2_effect){
		.known = true,
		.ept = ept,
		.vpid = true,
		.unrestricted_guest = ept,
		.vendor = KVM_EXITCOUNT_VENDOR_VMX,
		.highest_reason = reason_highest(KVM_EXITCOUNT_VENDOR_VMX),
		.vcpus = 1,
	};
	/* "KVMe" "xitc" "ount", least significant byte first. */
	run->interface = (struct record_interface){ true, 3, 0x654d564b, 0x63746978, 0x746e756f };
	run->module_ids = record_modules_new();
	add_modules(run->module_ids);
	set_guest(&run->guest);
	set_cpuid(run);
	run->kernel_log.known = true;
	run->kernel_log.lines = 7;
	run->l2_log.known = true;
	run->l2_log.lines = 3;
	run->seconds = ept ? 18.25 : 20.5;
	run->ticks = record_u64_from(ept ? 1500000000 : 1700000000);
	add_exits(run, ept);
	return run;
}

struct record *sample_record(void)
{
	struct record *record = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");

	record->seconds = 43.125;
	record->ticks = record_u64_from(3912345678);
	record_set_string(&record->platform.emulator, "Bochs");
	record_set_string(&record->platform.version, "2.7");
	record_set_string(&record->platform.cpu, "corei7_haswell_4770");
	record_set_string(&record->platform.vendor, "vmx");
	record->platform.deterministic = RECORD_TRUE;
	record_set_string(&record->kernel.line, "6.1");
	record_set_string(&record->kernel.release, "6.1.0-eptlab");
	record_set_string(&record->kernel.patches_sha256, "4444");
	add_modules(record->kernel.modules);
	set_guest(&record->guest);
	record->steps = record_steps_new();
	g_ptr_array_add(record->steps, record_step_new("L1: booting", 5.25));
	g_ptr_array_add(record->steps, record_step_new("L2: booting with ept", 37.5));
	g_ptr_array_add(record->runs, sample_run(record, "ept", true));
	g_ptr_array_add(record->runs, sample_run(record, "noept", false));
	return record;
}

struct record *judged_sample(void)
{
	struct record *record = sample_record();

	rules_judge(record);
	return record;
}

const struct record_check *sample_check(const struct record *record, const char *rule,
					const char *run)
{
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (strcmp(check->rule, rule) == 0 && g_strcmp0(check->run, run) == 0)
			return check;
	}
	fail_msg("there is no check %s of %s", rule, run != NULL ? run : "the pair");
	return NULL;
}

uint64_t count_of(const struct record *record, const char *config, uint32_t reason)
{
	const struct record_run *run = record_find_run(record, config);
	const struct record_exit *one = run != NULL ? record_find_exit(run->exits, reason) : NULL;

	if (one != NULL)
		return one->count;
	fail_msg("there is no reason %u of %s", reason, config);
	return 0;
}

/* ---- JSON ---- */

/* Exits are called by their reason, runs, modules and inputs by their name, all others from 0. */
static bool is_called(const json_t *one, size_t index, const char *name)
{
	const json_t *reason = json_object_get(one, "reason");
	g_autofree char *number =
		g_strdup_printf("%" JSON_INTEGER_FORMAT,
				reason != NULL ? json_integer_value(reason) : (json_int_t)index);

	return strcmp(name, number) == 0 ||
	       g_strcmp0(name, json_string_value(json_object_get(one, "config"))) == 0 ||
	       g_strcmp0(name, json_string_value(json_object_get(one, "name"))) == 0;
}

static size_t index_of(const json_t *array, const char *name)
{
	size_t index = 0;

	while (index < json_array_size(array) &&
	       !is_called(json_array_get(array, index), index, name))
		index++;
	return index;
}

json_t *json_at(json_t *root, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, ".", -1);

	for (char **name = names; *name != NULL; name++)
		root = json_is_array(root) ? json_array_get(root, index_of(root, *name))
					   : json_object_get(root, *name);
	return root;
}

/* What stands at a path, as a text without quotation marks; "nothing" if there is no such path. */
static char *value_at(json_t *root, const char *path)
{
	g_autofree char *dump = NULL;

	if (g_str_has_suffix(path, ".len")) {
		g_autofree char *array = g_strndup(path, strlen(path) - strlen(".len"));

		return g_strdup_printf("%zu", json_array_size(json_at(root, array)));
	}
	root = json_at(root, path);
	if (root == NULL || json_is_string(root))
		return g_strdup(root != NULL ? json_string_value(root) : "nothing");
	dump = json_dumps(root, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
	return g_strdup(dump);
}

void each_word(void *what, const char *root, const char *words,
	       void (*use)(void *what, const char *path, const char *value))
{
	g_auto(GStrv) split =
		g_regex_split_simple(" (?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", words, 0, 0);
	const char *member = "";

	for (char **word = split; *word != NULL; word++) {
		char *equals = strchr(*word, '=');
		g_autofree char *path = NULL;

		if (**word == '\0')
			continue;
		assert_non_null(equals);
		*equals = '\0';
		if (**word != '.')
			member = *word;
		path = g_strdup_printf("%s%.*s%s", root,
				       **word == '.' ? (int)strcspn(member, ".") : 0, member,
				       *word);
		use(what, path, equals + 1);
	}
}

static void assert_value(void *root, const char *path, const char *expected)
{
	g_autofree char *saw = value_at(root, path);

	if (strcmp(saw, expected) != 0)
		fail_msg("%s is %s, expected %s", path, saw, expected);
}

void assert_json(json_t *root, const char *expected)
{
	each_word(root, "", expected, assert_value);
}

void assert_run(const struct record_run *run, const char *expected)
{
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	json_t *root;

	g_ptr_array_add(record->runs, record_run_copy(run));
	root = record_to_json(record);
	assert_json(json_array_get(json_object_get(root, "runs"), 0), expected);
	json_decref(root);
}

/* ---- Changes ---- */

/* The exit of a reason that a list does not have yet, where it belongs. */
static void add_exit(json_t *exits, const char *name)
{
	const json_int_t reason = strtoll(name, NULL, 10);
	size_t index = 0;

	while (json_integer_value(json_object_get(json_array_get(exits, index), "reason")) <
		       reason &&
	       index < json_array_size(exits))
		index++;
	json_array_insert_new(exits, index,
			      json_pack("{sIsnsisisn}", "reason", reason, "name", "before", 0,
					"count", 0, "cycles"));
}

void json_change(json_t *root, const char *path, const char *value)
{
	g_auto(GStrv) names = g_strsplit(path, ".", -1);
	json_t *new = json_loads(value, JSON_DECODE_ANY, NULL);
	char **name = names;

	for (; name[1] != NULL; name++) {
		if (json_is_array(root) && index_of(root, *name) == json_array_size(root) &&
		    json_at(root, "0.cycles") != NULL)
			add_exit(root, *name);
		root = json_at(root, *name);
	}
	if (new == NULL)
		new = json_string(value);
	if (json_is_array(root) && *value == '\0')
		assert_int_equal(json_array_remove(root, index_of(root, *name)), 0);
	else if (json_is_array(root))
		assert_int_equal(json_array_set(root, index_of(root, *name), new), 0);
	else if (*value == '\0')
		assert_int_equal(json_object_del(root, *name), 0);
	else
		assert_int_equal(json_object_set(root, *name, new), 0);
	json_decref(new);
}

/* The total is not known then: it would have to be the sum. */
static void change(void *record, const char *path, const char *value)
{
	struct record **changed = record;
	g_auto(GStrv) names = g_strsplit(path, ".", 3);
	g_autoptr(GError) error = NULL;
	json_t *root, *run;
	size_t i;

	if (g_strcmp0(names[1], "count") == 0) {
		sample_set_count(record_find_run(*changed, names[0]),
				 (uint32_t)strtoul(names[2], NULL, 10), strtoull(value, NULL, 10));
		return;
	}
	root = record_to_json(*changed);
	json_change(json_object_get(root, "runs"), path, value);
	json_array_foreach (json_object_get(root, "runs"), i, run) {
		json_object_set_new(run, "total", json_null());
	}
	record_free(*changed);
	*changed = record_from_json(root, "sample", &error);
	json_decref(root);
	assert_no_error(error);
}

void sample_change(struct record **record, const char *root, const char *changes)
{
	each_word(record, root, changes, change);
}

/* ---- Frames ---- */

static void put_line(GString *out, bool good, const struct frame_line *line)
{
	assert_true(good);
	g_string_append_len(out, line->line, (gssize)line->length);
}

void put_frame(GString *out, uint32_t seq, const char *kind, const char *fields)
{
	g_auto(GStrv) split = g_strsplit(fields, "|", -1);
	struct frame_line line;

	frame_open(&line, seq, kind);
	for (char **field = split; *field != NULL; field++) {
		char *value = strchr(*field, '=');

		*value = '\0';
		frame_add_string(&line, *field, value + 1);
	}
	put_line(out, frame_close(&line), &line);
}

void put_begin(GString *out, const char *sender)
{
	struct frame_line line;

	put_line(out, frame_begin(&line, sender), &line);
}

void put_end(GString *out, uint32_t seq)
{
	struct frame_line line;

	put_line(out, frame_end(&line, seq), &line);
}
