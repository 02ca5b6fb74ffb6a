/* SPDX-License-Identifier: GPL-2.0-only */
#include "collect/probe_result.h"

#include <inttypes.h>
#include <string.h>

#include "record/reasons.h"
#include "base/each.h"
#include "wire/command.h"
#include "wire/cpuid_walk.h"

#define LEVEL "L2"
#define CODE  EPTLAB_ERROR_L2

/* No vendor has a reason above, and each one that was read takes memory. */
#define REASON_MAX UINT16_MAX

/* The frame that must come next: bits, so that a frame may come in several places. */
enum expect {
	EXPECT_BEGIN = 1 << 0,
	EXPECT_IFACE = 1 << 1,
	EXPECT_EFFECT = 1 << 2,
	EXPECT_READING = 1 << 3,
	EXPECT_BEFORE = 1 << 4,
	EXPECT_EXIT = 1 << 5,
	EXPECT_EXIT_OR_AFTER = 1 << 6,
	EXPECT_LATCH = 1 << 7,
	EXPECT_CYCLES = 1 << 8,
	EXPECT_READING_OR_END = 1 << 9,
	EXPECT_NOTHING = 1 << 10,
	EXPECT_END = 1 << 11,
	EXPECT_FIRST = 1 << 12, /* the first reading, or that there is none */
	EXPECT_CPUID_OR_END = 1 << 13,
	EXPECT_OPERATION_OR_END = 1 << 14,
	EXPECT_OUTPUT_OR_END = 1 << 15,
};

struct probe_result {
	enum expect expect;
	struct probe_registers iface, effect;
	GPtrArray *readings;   /* of struct probe_reading */
	GPtrArray *cpuid;      /* of struct record_cpuid; NULL: not told */
	GString *packed;       /* the same as it came, in base64 */
	GPtrArray *operations; /* of struct record_operation; their exits have no names yet */
	struct record_command command;
	GString *output; /* of the command */
	/* What is on its way. */
	struct probe_reading reading;
	struct probe_bad bad;
	struct probe_range range;
	uint32_t exits; /* of a cost */
	const char *at; /* of the frame */
	const struct frame_field *bytes;
	uint64_t full;
	struct {
		const char *name, *exits, *why; /* of the frame */
		uint64_t n, ticks;
	} operation;
};

static void reading_clear(struct probe_reading *reading)
{
	g_free(reading->name);
	g_array_unref(reading->bad);
	g_array_unref(reading->ranges);
}

static void reading_free(void *data)
{
	reading_clear(data);
	g_free(data);
}

static struct probe_reading reading_empty(void)
{
	return (struct probe_reading){
		.bad = g_array_new(FALSE, FALSE, sizeof(struct probe_bad)),
		.ranges = g_array_new(FALSE, FALSE, sizeof(struct probe_range)),
	};
}

probe_result *probe_result_new(void)
{
	probe_result *result = g_new0(probe_result, 1);

	result->expect = EXPECT_BEGIN;
	result->readings = g_ptr_array_new_with_free_func(reading_free);
	result->packed = g_string_new(NULL);
	result->operations = record_operations_new();
	result->output = g_string_new(NULL);
	result->reading = reading_empty();
	return result;
}

void probe_result_free(probe_result *result)
{
	if (!result)
		return;
	reading_clear(&result->reading);
	g_ptr_array_unref(result->readings);
	g_clear_pointer(&result->cpuid, g_ptr_array_unref);
	g_string_free(result->packed, TRUE);
	g_ptr_array_unref(result->operations);
	g_string_free(result->output, TRUE);
	g_free(result);
}

const GString *probe_result_output(const probe_result *result)
{
	return result->output;
}

const GPtrArray *probe_result_readings(const probe_result *result)
{
	return result->readings;
}

/* ---- Frames ---- */

#define refuse(frame, error, format, ...)                                                          \
	eptlab_fail(error, CODE, LEVEL ": frame %" PRIu32 " (%s) of the probe " format,            \
		    (frame)->seq, (frame)->kind, ##__VA_ARGS__)

static bool take_bad(probe_result *result, const struct frame *frame G_GNUC_UNUSED,
		     GError **error G_GNUC_UNUSED)
{
	g_array_append_val(result->reading.bad, result->bad);
	return true;
}

static bool take_cost(probe_result *result, const struct frame *frame, GError **error)
{
	struct record_cost *cost = &result->reading.cost;

	if (cost->known)
		return refuse(frame, error, "stands twice before a reading");
	cost->known = true;
	cost->exits = result->exits;
	return cost->exits > 0 || refuse(frame, error, "is about no exit");
}

static bool take_before(probe_result *result, const struct frame *frame, GError **error)
{
	return g_str_equal(result->at, "before") ||
	       refuse(frame, error, "is not the total at=before that was expected");
}

static bool take_exit(probe_result *result, const struct frame *frame, GError **error)
{
	struct probe_range *range = &result->range;
	GArray *ranges = result->reading.ranges;
	const struct probe_range *before =
		ranges->len > 0 ? &g_array_index(ranges, struct probe_range, ranges->len - 1)
				: NULL;

	if (frame_find(frame, "latched") == NULL)
		range->latched = range->live;
	if (frame_find(frame, "cycles") == NULL)
		range->cycles = (struct probe_registers){ .eax = 0 };
	if (range->last > REASON_MAX)
		return refuse(frame, error, "is about reason %" PRIu32 ", expected at most %d",
			      range->last, REASON_MAX);
	if (range->last < range->first)
		return refuse(frame, error, "is about no reason: %" PRIu32 " to %" PRIu32,
			      range->first, range->last);
	if (before && range->first <= before->last)
		return refuse(frame, error,
			      "is about reason %" PRIu32 ", expected one after %" PRIu32,
			      range->first, before->last);
	g_array_append_val(ranges, *range);
	return true;
}

static bool take_after(probe_result *result, const struct frame *frame, GError **error)
{
	return g_str_equal(result->at, "after") ||
	       refuse(frame, error, "is not the total at=after that was expected");
}

/*
 * Without the signature the other leaves are not ours, and KVM on Intel answers an unknown leaf
 * with the highest basic one: what stands in EAX then means nothing.
 */
static bool is_ours(const struct probe_registers *iface)
{
	return iface->ebx == KVM_EXITCOUNT_SIGNATURE_EBX &&
	       iface->ecx == KVM_EXITCOUNT_SIGNATURE_ECX &&
	       iface->edx == KVM_EXITCOUNT_SIGNATURE_EDX;
}

/* Of a KVM that counts, the answers must be there. */
static bool take_mark(probe_result *result, const struct frame *frame, GError **error)
{
	return !is_ours(&result->iface) ||
	       refuse(frame, error, "is instead of the counts that this KVM has");
}

/* The last frame of a reading. */
static bool take_cycles(probe_result *result, const struct frame *frame G_GNUC_UNUSED,
			GError **error G_GNUC_UNUSED)
{
	g_ptr_array_add(result->readings, g_memdup2(&result->reading, sizeof(result->reading)));
	result->reading = reading_empty();
	return true;
}

static bool take_cpuid(probe_result *result, const struct frame *frame, GError **error)
{
	/* As many as the largest walk needs, and no more. */
	const size_t most = (CPUID_PACKED_MOST + 2) / 3 * 4;

	g_string_append(result->packed, result->at);
	return result->packed->len <= most || refuse(frame, error, "has too much of a CPU");
}

/* What is still to be unpacked. */
struct packed {
	const uint8_t *bytes;
	size_t length;
	GPtrArray *leaves;
};

static bool unpack_leaf(void *data, struct cpuid_leaf *leaf)
{
	struct packed *packed = data;
	const size_t taken = cpuid_leaf_unpack(packed->bytes, packed->length, leaf);

	packed->bytes += taken;
	packed->length -= taken;
	if (taken > 0)
		g_ptr_array_add(packed->leaves, record_cpuid_new(leaf->leaf, leaf->index, leaf->eax,
								 leaf->ebx, leaf->ecx, leaf->edx));
	return taken > 0;
}

/* There is one way to write it, which ends with the last leaf. */
static bool take_end(probe_result *result, const struct frame *frame, GError **error)
{
	const gsize rest = result->packed->len % 4;
	const char *padding = rest == 2 ? "==" : rest == 3 ? "=" : "";
	g_autofree char *text = g_strconcat(result->packed->str, padding, NULL);
	g_autofree guchar *bytes = NULL;
	g_autofree char *again = NULL;
	struct packed packed = { .length = 0 };

	if (result->packed->len == 0)
		return true;
	bytes = g_base64_decode(text, &packed.length);
	again = g_base64_encode(bytes, packed.length);
	packed.bytes = bytes;
	packed.leaves = record_cpuid_list();
	result->cpuid = packed.leaves;
	return (g_str_equal(again, text) && cpuid_walk(unpack_leaf, &packed) &&
		packed.length == 0) ||
	       refuse(frame, error, "ends a CPU that no CPUID describes");
}

/* "0:12,48:4", ascending, each number once and none 0. */
static bool add_exits(const struct frame *frame, const char *text, GPtrArray *exits, GError **error)
{
	g_auto(GStrv) pairs = g_strsplit(text, ",", -1);
	uint64_t least = 0;

	for (char **pair = pairs; *pair; pair++) {
		g_auto(GStrv) parts = g_strsplit(*pair, ":", -1);
		uint64_t reason, count;

		if (g_strv_length(parts) != 2 || !frame_parse_u64(parts[0], &reason) ||
		    !frame_parse_u64(parts[1], &count) || reason < least || reason > REASON_MAX ||
		    count == 0) {
			g_autofree char *shown = g_strescape(*pair, NULL);

			return refuse(frame, error,
				      "has the exits \"%s\", expected REASON:COUNT, ascending",
				      shown);
		}
		least = reason + 1;
		exits_add(exits, (uint32_t)reason, NULL, count);
	}
	return true;
}

/* The last one, or a new one; NULL, and said why, if it cannot be that of a workload. */
static struct record_operation *operation_at(probe_result *result, const struct frame *frame,
					     GError **error)
{
	GPtrArray *all = result->operations;
	const char *name = result->operation.name;
	struct record_operation *one = all->len > 0 ? all->pdata[all->len - 1] : NULL;

	if (one && g_str_equal(one->workload, name))
		return one;
	if (!record_is_name(name)) {
		refuse(frame, error, "is of a workload whose name is none");
		return NULL;
	}
	one = record_operation_new(name);
	g_ptr_array_add(all, one);
	for (guint i = 0; i + 1 < all->len; i++) {
		const struct record_operation *before = all->pdata[i];

		if (g_str_equal(before->workload, name)) {
			refuse(frame, error, "is of a workload that was done before");
			return NULL;
		}
	}
	return one;
}

static bool take_command(probe_result *result, const struct frame *frame, GError **error)
{
#define WORD(name, word) word,
	static const char *const words[] = { COMMAND_ENDS(WORD) };
	struct record_command *command = &result->command;

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (!g_str_equal(result->at, words[i]))
			continue;
		command->known = true;
		command->end = (enum record_end)i;
		command->full = result->full != 0;
		return true;
	}
	return refuse(frame, error, "ends in a way that is not known");
}

static bool take_output(probe_result *result, const struct frame *frame, GError **error)
{
	g_string_append_len(result->output, result->bytes->value, (gssize)result->bytes->length);
	result->command.output = result->output->len;
	return result->output->len <= COMMAND_FILE_MOST ||
	       refuse(frame, error, "is of more than a command may print");
}

static bool take_operation(probe_result *result, const struct frame *frame, GError **error)
{
	struct record_operation *one = operation_at(result, frame, error);
	struct record_point *point;

	if (!one)
		return false;
	point = record_point_new(result->operation.n, result->operation.ticks);
	g_ptr_array_add(one->points, point);
	if (one->error || point->n == 0)
		return refuse(frame, error, "is a point of nothing");
	return add_exits(frame, result->operation.exits, point->exits, error);
}

static bool take_failed(probe_result *result, const struct frame *frame, GError **error)
{
	struct record_operation *one = operation_at(result, frame, error);

	if (!one)
		return false;
	if (one->error || one->points->len > 0)
		return refuse(frame, error, "is of a workload that has points");
	one->error = g_strescape(result->operation.why, NULL);
	return true;
}

/* A field, and where in the result it goes. */
struct field {
	const char *key;
	enum {
		FIELD_TEXT,	 /* const char *, of the frame */
		FIELD_BYTES,	 /* const struct frame_field *, of the frame */
		FIELD_NAME,	 /* char * */
		FIELD_U32,	 /* uint32_t */
		FIELD_U64,	 /* uint64_t */
		FIELD_REGISTERS, /* four numbers of 32 bits with commas between */
	} type;
	size_t offset;
	bool may_be_missing; /* what it is then is said by the step's take */
};

/* Before the first reading, and after each. */
#define BETWEEN (EXPECT_FIRST | EXPECT_READING | EXPECT_READING_OR_END)

#define FIELDS_MAX	    5
#define TO(member, type)    FIELD_##type, offsetof(struct probe_result, member), false
#define MAYBE(member, type) FIELD_##type, offsetof(struct probe_result, member), true

/* What may come when, the fields that it has, and what is expected then. */
static const struct step {
	const char *kind;
	unsigned int when; /* enum expect */
	enum expect then;
	bool (*take)(probe_result *result, const struct frame *frame, GError **error);
	struct field fields[FIELDS_MAX];
} steps[] = {
	/* begin and end themselves were checked by the frameset. */
	{ "begin", EXPECT_BEGIN, EXPECT_IFACE, NULL, { { 0 } } },
	{ "iface", EXPECT_IFACE, EXPECT_EFFECT, NULL, { { "regs", TO(iface, REGISTERS) } } },
	{ "effect", EXPECT_EFFECT, EXPECT_FIRST, NULL, { { "regs", TO(effect, REGISTERS) } } },
	{ "mark",
	  EXPECT_FIRST,
	  EXPECT_END,
	  take_mark,
	  { { "name", TO(reading.name, NAME) },
	    { "tsc", TO(reading.tsc, U64) },
	    { "cpuids", TO(reading.cpuids, U64) } } },
	{ "bad",
	  BETWEEN,
	  EXPECT_READING,
	  take_bad,
	  { { "leaf", TO(bad.leaf, U32) },
	    { "index", TO(bad.index, U32) },
	    { "regs", TO(bad.answer, REGISTERS) } } },
	{ "cost",
	  BETWEEN,
	  EXPECT_READING,
	  take_cost,
	  { { "exits", TO(exits, U32) }, { "ticks", TO(reading.cost.ticks, U64) } } },
	{ "reading",
	  BETWEEN,
	  EXPECT_BEFORE,
	  NULL,
	  { { "name", TO(reading.name, NAME) },
	    { "n", TO(reading.n, U64) },
	    { "tsc", TO(reading.tsc, U64) } } },
	{ "total",
	  EXPECT_BEFORE,
	  EXPECT_EXIT,
	  take_before,
	  { { "at", TO(at, TEXT) }, { "regs", TO(reading.before, REGISTERS) } } },
	{ "exit",
	  EXPECT_EXIT | EXPECT_EXIT_OR_AFTER,
	  EXPECT_EXIT_OR_AFTER,
	  take_exit,
	  { { "first", TO(range.first, U32) },
	    { "last", TO(range.last, U32) },
	    { "live", TO(range.live, REGISTERS) },
	    { "latched", MAYBE(range.latched, REGISTERS) },
	    { "cycles", MAYBE(range.cycles, REGISTERS) } } },
	{ "total",
	  EXPECT_EXIT_OR_AFTER,
	  EXPECT_LATCH,
	  take_after,
	  { { "at", TO(at, TEXT) }, { "regs", TO(reading.after, REGISTERS) } } },
	{ "latch",
	  EXPECT_LATCH,
	  EXPECT_CYCLES,
	  NULL,
	  { { "regs", TO(reading.latch, REGISTERS) }, { "cpuids", TO(reading.cpuids, U64) } } },
	{ "cycles",
	  EXPECT_CYCLES,
	  EXPECT_READING_OR_END,
	  take_cycles,
	  { { "regs", TO(reading.cycles, REGISTERS) } } },
	{ "command",
	  EXPECT_READING_OR_END | EXPECT_END,
	  EXPECT_OUTPUT_OR_END,
	  take_command,
	  { { "end", TO(at, TEXT) },
	    { "value", TO(command.value, U64) },
	    { "full", TO(full, U64) } } },
	{ "output",
	  EXPECT_OUTPUT_OR_END,
	  EXPECT_OUTPUT_OR_END,
	  take_output,
	  { { "data", TO(bytes, BYTES) } } },
	{ "operation",
	  EXPECT_READING_OR_END | EXPECT_OUTPUT_OR_END | EXPECT_OPERATION_OR_END,
	  EXPECT_OPERATION_OR_END,
	  take_operation,
	  { { "name", TO(operation.name, TEXT) },
	    { "n", TO(operation.n, U64) },
	    { "ticks", TO(operation.ticks, U64) },
	    { "exits", TO(operation.exits, TEXT) } } },
	{ "failed",
	  EXPECT_READING_OR_END | EXPECT_OUTPUT_OR_END | EXPECT_OPERATION_OR_END,
	  EXPECT_OPERATION_OR_END,
	  take_failed,
	  { { "name", TO(operation.name, TEXT) }, { "why", TO(operation.why, TEXT) } } },
	{ "cpuid",
	  EXPECT_READING_OR_END | EXPECT_END | EXPECT_OUTPUT_OR_END | EXPECT_OPERATION_OR_END |
		  EXPECT_CPUID_OR_END,
	  EXPECT_CPUID_OR_END,
	  take_cpuid,
	  { { "data", TO(at, TEXT) } } },
	{ "end",
	  EXPECT_READING_OR_END | EXPECT_END | EXPECT_OUTPUT_OR_END | EXPECT_OPERATION_OR_END |
		  EXPECT_CPUID_OR_END,
	  EXPECT_NOTHING,
	  take_end,
	  { { 0 } } },
};

static bool read_registers(const struct frame *frame, const char *key, struct probe_registers *to,
			   GError **error)
{
	uint32_t *const registers[] = { &to->eax, &to->ebx, &to->ecx, &to->edx };
	g_auto(GStrv) parts = g_strsplit(frame_get(frame, key), ",", -1);
	bool good = g_strv_length(parts) == G_N_ELEMENTS(registers);
	g_autofree char *shown = g_strescape(frame_get(frame, key), NULL);
	uint64_t value = 0;

	for (size_t i = 0; good && i < G_N_ELEMENTS(registers); i++) {
		good = frame_parse_u64(parts[i], &value) && value <= UINT32_MAX;
		*registers[i] = (uint32_t)value;
	}
	return good || refuse(frame, error,
			      "has %s=%s, expected four numbers of 32 bits with commas between",
			      key, shown);
}

static bool read_field(const struct frame *frame, const struct field *field, void *to,
		       GError **error)
{
	const char *text;
	uint64_t number;

	if (field->type == FIELD_BYTES) {
		*(const struct frame_field **)to = frame_find(frame, field->key);
		return *(const struct frame_field **)to ||
		       refuse(frame, error, "has no %s", field->key);
	}
	text = frameset_field_string(frame, LEVEL, CODE, field->key, error);
	if (!text)
		return false;
	switch (field->type) {
	case FIELD_TEXT:
		*(const char **)to = text;
		return true;
	case FIELD_NAME:
		*(char **)to = g_strdup(text);
		return true;
	case FIELD_REGISTERS:
		return read_registers(frame, field->key, to, error);
	case FIELD_U64:
		return frameset_field_u64(frame, LEVEL, CODE, field->key, UINT64_MAX, to, error);
	case FIELD_BYTES:
	case FIELD_U32:
		break;
	}
	if (!frameset_field_u64(frame, LEVEL, CODE, field->key, UINT32_MAX, &number, error))
		return false;
	*(uint32_t *)to = (uint32_t)number;
	return true;
}

static bool is_there(const struct frame *frame, const struct field *field)
{
	return !field->may_be_missing || frame_find(frame, field->key) != NULL;
}

/* A frame has the fields of its step and no others. */
static bool read_fields(probe_result *result, const struct frame *frame, const struct step *step,
			GError **error)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < FIELDS_MAX && step->fields[i].key != NULL; i++)
		count += is_there(frame, &step->fields[i]);
	for (unsigned int i = 0; i < FIELDS_MAX && step->fields[i].key != NULL; i++) {
		const struct field *field = &step->fields[i];

		if (!is_there(frame, field))
			continue;
		if (!read_field(frame, field, (char *)result + field->offset, error))
			return false;
		/* The first one says best of what kind the frame is. */
		if (frame->count != count)
			return refuse(frame, error, "has %u fields, expected %u", frame->count,
				      count);
	}
	return true;
}

/* What must come, for messages. What is optional is left out. */
static const char *expected(enum expect expect)
{
	if (expect == EXPECT_NOTHING)
		return "none after the end";
	if (expect == EXPECT_EXIT_OR_AFTER)
		return "exit or total";
	for (size_t i = G_N_ELEMENTS(steps);; i--)
		if (steps[i - 1].when & expect)
			return steps[i - 1].kind;
}

bool probe_result_add(const struct frame *frame, void *data, GError **error)
{
	probe_result *result = data;

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		const struct step *step = &steps[i];

		if (!(step->when & result->expect) || !g_str_equal(step->kind, frame->kind))
			continue;
		result->expect = step->then;
		return read_fields(result, frame, step, error) &&
		       (!step->take || step->take(result, frame, error));
	}
	return refuse(frame, error, "is of another kind than the expected %s",
		      expected(result->expect));
}

bool probe_result_is_complete(const probe_result *result)
{
	return result->expect == EXPECT_NOTHING;
}

probe_result *probe_result_parse(const void *frames, size_t length, GError **error)
{
	g_autoptr(probe_result) result = probe_result_new();
	g_autoptr(frameset) set = frameset_new(LEVEL, CODE, PROBE_SENDER, probe_result_add, result);

	if (!frameset_feed(set, frames, length, error) || !frameset_finish(set, error))
		return NULL;
	return g_steal_pointer(&result);
}

/* ---- Meaning ---- */

/* Leaves of counts: low half in EAX, high half in EBX. */
static uint64_t count_of(const struct probe_registers *registers)
{
	return (uint64_t)registers->ebx << 32 | registers->eax;
}

/* Of the live leaf high half in EBX, low half in ECX; of the latched one low in ECX, high in EDX.
 */
static uint64_t cycles_of(const struct probe_range *range, enum probe_leaf leaf)
{
	if (leaf == PROBE_LIVE)
		return (uint64_t)range->cycles.ebx << 32 | range->cycles.ecx;
	return (uint64_t)range->latched.edx << 32 | range->latched.ecx;
}

static bool is_marked(const struct probe_registers *registers, uint32_t edx)
{
	return registers->edx == edx && registers->eax == 0 && registers->ebx == 0 &&
	       registers->ecx == 0;
}

static bool is_undefined(const struct probe_registers *registers)
{
	return is_marked(registers, KVM_EXITCOUNT_UNDEFINED_EDX);
}

/* Of leaf 0x4FFFFFFE. */
static bool is_count(const struct probe_registers *registers)
{
	return registers->ecx == 0 && registers->edx == 0;
}

/*
 * Has the leaf answered with a count? 0x4FFFFF03 has cycles in ECX and EDX. An undefined reason
 * answers there as in 0x4FFFFFFE, and one that could not be looked at because another vCPU was
 * using the latch in its own way; no count can look like these: cycles without an exit.
 */
static bool has_count(const struct probe_range *range, enum probe_leaf leaf)
{
	return leaf == PROBE_LIVE ? is_count(&range->live)
				  : !is_undefined(&range->latched) &&
					    !is_marked(&range->latched, KVM_EXITCOUNT_BUSY_EDX);
}

static bool has_latch(const probe_result *result)
{
	return is_ours(&result->iface) && result->iface.eax >= RECORD_VERSION_WITH_LATCH;
}

static const struct probe_range *range_at(const struct probe_reading *reading, guint index)
{
	return &g_array_index(reading->ranges, struct probe_range, index);
}

/* The number of reads up to that of a reason, itself included; all of them if it was not read. */
static uint32_t reads_until(const struct probe_reading *reading, uint32_t reason, bool *found)
{
	uint32_t reads = 0;

	*found = false;
	for (guint i = 0; i < reading->ranges->len && !*found; i++) {
		const struct probe_range *range = range_at(reading, i);

		*found = reason >= range->first && reason <= range->last;
		reads += (*found ? reason : range->last) - range->first + 1;
	}
	return reads;
}

uint32_t probe_reading_asked(const struct probe_reading *reading)
{
	bool found;

	return reads_until(reading, UINT32_MAX, &found);
}

GPtrArray *probe_reading_exits(const struct probe_reading *reading, enum probe_leaf leaf,
			       uint32_t vendor, bool with_cycles)
{
	GPtrArray *exits = record_exits_new();

	for (guint i = 0; i < reading->ranges->len; i++) {
		const struct probe_range *range = range_at(reading, i);
		const struct probe_registers *answer =
			leaf == PROBE_LIVE ? &range->live : &range->latched;

		for (uint32_t reason = range->first;
		     has_count(range, leaf) && reason <= range->last; reason++) {
			struct record_exit *one = record_exit_new(
				reason, reason_name(vendor, reason), count_of(answer));

			if (with_cycles)
				one->cycles = record_u64_from(cycles_of(range, leaf));
			g_ptr_array_add(exits, one);
		}
	}
	return exits;
}

/* Answers to leaf 0x4FFFFFFE that are no counts. */
static void store_others(const struct probe_reading *reading, struct record_run *run)
{
	for (guint i = 0; i < reading->ranges->len; i++) {
		const struct probe_range *range = range_at(reading, i);
		GArray *to = is_undefined(&range->live) ? run->undefined : run->malformed;

		for (uint32_t reason = range->first;
		     !is_count(&range->live) && reason <= range->last; reason++)
			g_array_append_val(to, reason);
	}
}

static void store_total(const struct probe_reading *reading, uint32_t vendor,
			struct record_run *run)
{
	g_autoptr(GPtrArray) live = probe_reading_exits(reading, PROBE_LIVE, vendor, false);
	bool found;
	const uint32_t cpuid_read = reads_until(reading, reason_of_cpuid(vendor), &found);

	run->leaf_total = (struct record_leaf_total){
		.known = is_count(&reading->before) && is_count(&reading->after),
		.before = count_of(&reading->before),
		.after = count_of(&reading->after),
		.reads = probe_reading_asked(reading),
		.cpuid_read = found ? cpuid_read : 0,
		.sum = exits_sum(live),
	};
}

static void store_latch(const struct probe_reading *reading, uint32_t vendor,
			struct record_run *run)
{
	g_autoptr(GPtrArray) latched = probe_reading_exits(reading, PROBE_LATCHED, vendor, false);

	/* KVM_EXITCOUNT_NOT_LATCHED_EDX: what is frozen is of an earlier latch, or nothing. */
	if (reading->latch.edx != 0)
		return;
	run->latch = (struct record_latch){
		.known = true,
		.total = count_of(&reading->latch),
		.serial = reading->latch.ecx,
		.sum = exits_sum(latched),
	};
}

static void store_effect(const probe_result *result, struct record_run *run)
{
	const struct probe_registers *effect = &result->effect;

	run->l2_in_effect = (struct record_l2_effect){
		.known = is_ours(&result->iface),
		.ept = effect->eax & KVM_EXITCOUNT_IN_EFFECT_TDP,
		.vpid = effect->eax & KVM_EXITCOUNT_IN_EFFECT_TLB_TAG,
		.unrestricted_guest = effect->eax & KVM_EXITCOUNT_IN_EFFECT_UNRESTRICTED,
		.cycles = effect->eax & KVM_EXITCOUNT_IN_EFFECT_CYCLES,
		.vendor = effect->ebx,
		.highest_reason = effect->ecx,
		.vcpus = effect->edx,
	};
}

static bool is_less(const struct record_exit *one, const struct record_exit *before)
{
	return one->count < before->count || (one->cycles.known && before->cycles.known &&
					      one->cycles.value < before->cycles.value);
}

/* What was there before the workload began is no part of what it caused. */
static void subtract(struct record_run *run, const GPtrArray *start)
{
	const GPtrArray *exits = run->exits;

	each (struct record_exit, one, exits) {
		const struct record_exit *before = record_find_exit(start, one->reason);

		if (!before)
			continue;
		/* No counter goes down: whatever it is, it is no count. */
		if (is_less(one, before)) {
			g_array_append_val(run->malformed, one->reason);
			continue;
		}
		one->before = before->count;
		one->count -= before->count;
		if (one->cycles.known && before->cycles.known)
			one->cycles.value -= before->cycles.value;
	}
}

static void store_dose(const GPtrArray *readings, struct record_run *run)
{
	const struct probe_reading *first = readings->pdata[0];
	const struct probe_reading *last = readings->pdata[readings->len - 1];

	run->dose = (struct record_dose){
		.known = true,
		.n = last->n,
		.cpuids = last->cpuids - first->cpuids,
	};
}

static void store_exits(const probe_result *result, uint32_t vendor, struct record_run *run)
{
	const GPtrArray *readings = result->readings;
	const enum probe_leaf leaf = has_latch(result) ? PROBE_LATCHED : PROBE_LIVE;
	const bool cycles = run->l2_in_effect.known && run->l2_in_effect.cycles;

	run->exits = probe_reading_exits(readings->pdata[readings->len - 1], leaf, vendor, cycles);
	if (readings->len > 1) {
		g_autoptr(GPtrArray) start =
			probe_reading_exits(readings->pdata[0], leaf, vendor, cycles);

		subtract(run, start);
		store_dose(readings, run);
	}
	run->total = exits_sum(run->exits);
}

/* Now that the vendor is known. */
static void store_operations(const probe_result *result, uint32_t vendor, struct record_run *run)
{
	g_clear_pointer(&run->operations, g_ptr_array_unref);
	if (result->operations->len == 0)
		return;
	run->operations = g_ptr_array_ref(result->operations);
	for (guint i = 0; i < run->operations->len; i++) {
		const struct record_operation *one = run->operations->pdata[i];

		for (guint j = 0; j < one->points->len; j++) {
			const struct record_point *point = one->points->pdata[j];

			for (guint k = 0; k < point->exits->len; k++) {
				struct record_exit *seen = point->exits->pdata[k];

				record_set_string(&seen->name, reason_name(vendor, seen->reason));
			}
		}
	}
}

void probe_result_store(const probe_result *result, struct record_run *run)
{
	const GPtrArray *readings = result->readings;
	const struct probe_reading *last =
		readings->len > 0 ? readings->pdata[readings->len - 1] : NULL;
	struct record_command command;
	uint32_t vendor;

	g_clear_pointer(&run->exits, g_ptr_array_unref);
	g_clear_pointer(&run->undefined, g_array_unref);
	g_clear_pointer(&run->malformed, g_array_unref);
	run->interface = (struct record_interface){
		.known = true,
		.eax = result->iface.eax,
		.ebx = result->iface.ebx,
		.ecx = result->iface.ecx,
		.edx = result->iface.edx,
	};
	g_clear_pointer(&run->cpuid, g_ptr_array_unref);
	if (result->cpuid != NULL)
		run->cpuid = g_ptr_array_ref(result->cpuid);
	store_effect(result, run);
	command = result->command;
	command.line = run->command.line; /* known to L0 alone */
	run->command = command;
	run->dose = (struct record_dose){ .known = false };
	run->total.known = false;
	run->leaf_total.known = false;
	run->cost.known = false;
	run->latch = (struct record_latch){ .known = false };
	if (last == NULL)
		return;
	run->undefined = record_reasons_new();
	run->malformed = record_reasons_new();
	vendor = record_run_vendor(run);
	store_exits(result, vendor, run);
	store_operations(result, vendor, run);
	store_others(last, run);
	store_total(last, vendor, run);
	run->cost = last->cost;
	if (has_latch(result))
		store_latch(last, vendor, run);
}
