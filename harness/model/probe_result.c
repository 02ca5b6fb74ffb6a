/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/probe_result.h"

#include <inttypes.h>
#include <string.h>

#include "model/reasons.h"

#define LEVEL "L2"
#define CODE  EPTLAB_ERROR_L2

/* No vendor has a reason above, and each one that was read takes memory. */
#define REASON_MAX UINT16_MAX

/* From this version of the interface on there is a latch. */
#define VERSION_WITH_LATCH 2

/* The frame that must come next. */
enum expect {
	EXPECT_BEGIN,
	EXPECT_IFACE,
	EXPECT_EFFECT,
	EXPECT_READING,
	EXPECT_BEFORE,
	EXPECT_EXIT,
	EXPECT_EXIT_OR_AFTER,
	EXPECT_LATCH,
	EXPECT_CYCLES,
	EXPECT_READING_OR_END,
	EXPECT_NOTHING,
};

struct probe_result {
	enum expect expect;
	struct probe_registers iface, effect;
	GArray *bad;		 /* of struct probe_bad, for the reading to come */
	struct record_cost cost; /* the same */
	GPtrArray *readings;	 /* of struct probe_reading */
};

static GArray *bad_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct probe_bad));
}

static void reading_free(void *data)
{
	struct probe_reading *reading = data;

	g_free(reading->name);
	g_array_unref(reading->bad);
	g_array_unref(reading->ranges);
	g_free(reading);
}

probe_result *probe_result_new(void)
{
	probe_result *result = g_new0(probe_result, 1);

	result->bad = bad_new();
	result->readings = g_ptr_array_new_with_free_func(reading_free);
	return result;
}

void probe_result_free(probe_result *result)
{
	if (!result)
		return;
	g_array_unref(result->bad);
	g_ptr_array_unref(result->readings);
	g_free(result);
}

const struct probe_registers *probe_result_interface(const probe_result *result)
{
	return &result->iface;
}

const struct probe_registers *probe_result_effect(const probe_result *result)
{
	return &result->effect;
}

const GPtrArray *probe_result_readings(const probe_result *result)
{
	return result->readings;
}

/* ---- Frames ---- */

static bool refuse(const struct frame *frame, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static bool refuse(const struct frame *frame, GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, EPTLAB_ERROR, CODE, LEVEL ": frame %" PRIu32 " (%s) of the probe %s",
		    frame->seq, frame->kind, what);
	return false;
}

static bool unexpected(const struct frame *frame, const char *expected, GError **error)
{
	return refuse(frame, error, "is of another kind than the expected %s", expected);
}

static bool has_fields(const struct frame *frame, unsigned int count, GError **error)
{
	return frame->count == count ||
	       refuse(frame, error, "has %u fields, expected %u", frame->count, count);
}

static bool read_u64(const struct frame *frame, const char *key, uint64_t max, uint64_t *value,
		     GError **error)
{
	return frameset_field_u64(frame, LEVEL, CODE, key, max, value, error);
}

static bool read_u32(const struct frame *frame, const char *key, uint32_t *value, GError **error)
{
	uint64_t number;

	if (!read_u64(frame, key, UINT32_MAX, &number, error))
		return false;
	*value = (uint32_t)number;
	return true;
}

/* Four numbers of 32 bits with commas between. */
static bool read_registers(const struct frame *frame, const char *key, struct probe_registers *to,
			   GError **error)
{
	uint32_t *const registers[] = { &to->eax, &to->ebx, &to->ecx, &to->edx };
	const char *text = frameset_field_string(frame, LEVEL, CODE, key, error);
	g_auto(GStrv) parts = text ? g_strsplit(text, ",", -1) : NULL;
	uint64_t value;
	size_t i;

	if (!text)
		return false;
	for (i = 0; i < G_N_ELEMENTS(registers); i++) {
		if (g_strv_length(parts) != G_N_ELEMENTS(registers) ||
		    !frame_parse_u64(parts[i], &value) || value > UINT32_MAX) {
			g_autofree char *shown = g_strescape(text, NULL);

			return refuse(frame, error,
				      "has %s=%s, expected four numbers of 32 bits with commas "
				      "between",
				      key, shown);
		}
		*registers[i] = (uint32_t)value;
	}
	return true;
}

static bool take_leaf(probe_result *result, const struct frame *frame, const char *kind,
		      struct probe_registers *to, GError **error)
{
	if (strcmp(frame->kind, kind) != 0)
		return unexpected(frame, kind, error);
	result->expect++;
	return has_fields(frame, 1, error) && read_registers(frame, "regs", to, error);
}

static struct probe_reading *current(const probe_result *result)
{
	return result->readings->pdata[result->readings->len - 1];
}

static bool take_bad(probe_result *result, const struct frame *frame, GError **error)
{
	struct probe_bad bad;

	if (!has_fields(frame, 3, error) || !read_u32(frame, "leaf", &bad.leaf, error) ||
	    !read_u32(frame, "index", &bad.index, error) ||
	    !read_registers(frame, "regs", &bad.answer, error))
		return false;
	g_array_append_val(result->bad, bad);
	return true;
}

static bool take_cost(probe_result *result, const struct frame *frame, GError **error)
{
	struct record_cost *cost = &result->cost;

	if (cost->known)
		return refuse(frame, error, "stands twice before a reading");
	cost->known = true;
	if (!has_fields(frame, 2, error) ||
	    !read_u64(frame, "exits", UINT32_MAX, &cost->exits, error) ||
	    !read_u64(frame, "ticks", UINT64_MAX, &cost->ticks, error))
		return false;
	return cost->exits > 0 || refuse(frame, error, "is about no exit");
}

static bool take_reading(probe_result *result, const struct frame *frame, GError **error)
{
	const char *name = frameset_field_string(frame, LEVEL, CODE, "name", error);
	struct probe_reading *reading;

	if (!name)
		return false;
	reading = g_new0(struct probe_reading, 1);
	reading->name = g_strdup(name);
	reading->bad = g_steal_pointer(&result->bad);
	result->bad = bad_new();
	reading->cost = result->cost;
	result->cost.known = false;
	reading->ranges = g_array_new(FALSE, FALSE, sizeof(struct probe_range));
	g_ptr_array_add(result->readings, reading);
	result->expect = EXPECT_BEFORE;
	return has_fields(frame, 3, error) &&
	       read_u64(frame, "n", UINT64_MAX, &reading->n, error) &&
	       read_u64(frame, "tsc", UINT64_MAX, &reading->tsc, error);
}

static bool take_total(probe_result *result, const struct frame *frame, const char *at,
		       struct probe_registers *to, GError **error)
{
	const char *says = frameset_field_string(frame, LEVEL, CODE, "at", error);

	if (!says)
		return false;
	if (strcmp(says, at) != 0)
		return refuse(frame, error, "is not the total at=%s that was expected", at);
	result->expect++;
	return has_fields(frame, 2, error) && read_registers(frame, "regs", to, error);
}

static bool take_exit(probe_result *result, const struct frame *frame, GError **error)
{
	GArray *ranges = current(result)->ranges;
	struct probe_range range;
	uint32_t before;

	if (!has_fields(frame, 5, error) || !read_u32(frame, "first", &range.first, error) ||
	    !read_u32(frame, "last", &range.last, error) ||
	    !read_registers(frame, "live", &range.live, error) ||
	    !read_registers(frame, "latched", &range.latched, error) ||
	    !read_registers(frame, "cycles", &range.cycles, error))
		return false;
	if (range.last > REASON_MAX)
		return refuse(frame, error, "is about reason %" PRIu32 ", expected at most %d",
			      range.last, REASON_MAX);
	if (range.last < range.first)
		return refuse(frame, error, "is about no reason: %" PRIu32 " to %" PRIu32,
			      range.first, range.last);
	if (ranges->len > 0) {
		before = g_array_index(ranges, struct probe_range, ranges->len - 1).last;
		if (range.first <= before)
			return refuse(frame, error,
				      "is about reason %" PRIu32 ", expected one after %" PRIu32,
				      range.first, before);
	}
	g_array_append_val(ranges, range);
	result->expect = EXPECT_EXIT_OR_AFTER;
	return true;
}

static bool take_latch(probe_result *result, const struct frame *frame, GError **error)
{
	struct probe_reading *reading = current(result);

	if (strcmp(frame->kind, "latch") != 0)
		return unexpected(frame, "latch", error);
	result->expect++;
	return has_fields(frame, 2, error) &&
	       read_registers(frame, "regs", &reading->latch, error) &&
	       read_u64(frame, "cpuids", UINT64_MAX, &reading->cpuids, error);
}

/* begin and end themselves were checked by the frameset. */
static bool take_empty(probe_result *result, const struct frame *frame, const char *kind,
		       GError **error)
{
	if (strcmp(frame->kind, kind) != 0)
		return unexpected(frame, kind, error);
	result->expect++;
	return true;
}

bool probe_result_add(const struct frame *frame, void *data, GError **error)
{
	probe_result *result = data;
	const bool is_exit = strcmp(frame->kind, "exit") == 0;
	const bool is_total = strcmp(frame->kind, "total") == 0;
	const bool is_reading = strcmp(frame->kind, "reading") == 0;

	switch (result->expect) {
	case EXPECT_BEGIN:
		return take_empty(result, frame, "begin", error);
	case EXPECT_IFACE:
		return take_leaf(result, frame, "iface", &result->iface, error);
	case EXPECT_EFFECT:
		return take_leaf(result, frame, "effect", &result->effect, error);
	case EXPECT_READING:
	case EXPECT_READING_OR_END:
		if (strcmp(frame->kind, "bad") == 0)
			return take_bad(result, frame, error);
		if (strcmp(frame->kind, "cost") == 0)
			return take_cost(result, frame, error);
		if (is_reading)
			return take_reading(result, frame, error);
		return result->expect == EXPECT_READING || result->bad->len > 0 ||
				       result->cost.known
			       ? unexpected(frame, "reading", error)
			       : take_empty(result, frame, "end", error);
	case EXPECT_BEFORE:
		return is_total ? take_total(result, frame, "before", &current(result)->before,
					     error)
				: unexpected(frame, "total", error);
	case EXPECT_EXIT:
		return is_exit ? take_exit(result, frame, error) : unexpected(frame, "exit", error);
	case EXPECT_EXIT_OR_AFTER:
		if (is_exit)
			return take_exit(result, frame, error);
		return is_total ? take_total(result, frame, "after", &current(result)->after, error)
				: unexpected(frame, "exit or total", error);
	case EXPECT_LATCH:
		return take_latch(result, frame, error);
	case EXPECT_CYCLES:
		return take_leaf(result, frame, "cycles", &current(result)->cycles, error);
	case EXPECT_NOTHING:
		break;
	}
	return unexpected(frame, "none after the end", error);
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

static bool is_undefined(const struct probe_registers *registers)
{
	return registers->edx == KVM_EXITCOUNT_UNDEFINED_EDX && registers->eax == 0 &&
	       registers->ebx == 0 && registers->ecx == 0;
}

static bool is_count(const struct probe_registers *registers)
{
	return registers->ecx == 0 && registers->edx == 0;
}

/*
 * Leaf 0x4FFFFF03 has cycles in ECX and EDX. An undefined reason answers as in leaf 0x4FFFFFFE,
 * which no count can look like: cycles without an exit.
 */
static bool is_latched(const struct probe_registers *registers)
{
	return !is_undefined(registers);
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

static bool has_latch(const probe_result *result)
{
	return is_ours(&result->iface) && result->iface.eax >= VERSION_WITH_LATCH;
}

uint32_t probe_reading_asked(const struct probe_reading *reading)
{
	uint32_t asked = 0;
	guint i;

	for (i = 0; i < reading->ranges->len; i++) {
		const struct probe_range *range =
			&g_array_index(reading->ranges, struct probe_range, i);

		asked += range->last - range->first + 1;
	}
	return asked;
}

/* The number of reads up to that of a reason, itself included; 0 if it was not read. */
static uint32_t reads_until(const struct probe_reading *reading, uint32_t reason)
{
	uint32_t reads = 0;
	guint i;

	for (i = 0; i < reading->ranges->len; i++) {
		const struct probe_range *range =
			&g_array_index(reading->ranges, struct probe_range, i);

		if (reason >= range->first && reason <= range->last)
			return reads + reason - range->first + 1;
		reads += range->last - range->first + 1;
	}
	return 0;
}

static void add_range(GPtrArray *exits, const struct probe_range *range, enum probe_leaf leaf,
		      uint32_t vendor, bool with_cycles)
{
	const struct probe_registers *answer = leaf == PROBE_LIVE ? &range->live : &range->latched;
	uint32_t reason;

	if (leaf == PROBE_LIVE ? !is_count(answer) : !is_latched(answer))
		return;
	for (reason = range->first;; reason++) {
		struct record_exit *one =
			record_exit_new(reason, reason_name(vendor, reason), count_of(answer));

		if (with_cycles)
			one->cycles = record_u64_from(cycles_of(range, leaf));
		g_ptr_array_add(exits, one);
		if (reason == range->last)
			break;
	}
}

GPtrArray *probe_reading_exits(const struct probe_reading *reading, enum probe_leaf leaf,
			       uint32_t vendor, bool with_cycles)
{
	GPtrArray *exits = record_exits_new();
	guint i;

	for (i = 0; i < reading->ranges->len; i++)
		add_range(exits, &g_array_index(reading->ranges, struct probe_range, i), leaf,
			  vendor, with_cycles);
	return exits;
}

static void store_reasons(GArray *to, const struct probe_range *range)
{
	uint32_t reason;

	for (reason = range->first;; reason++) {
		g_array_append_val(to, reason);
		if (reason == range->last)
			break;
	}
}

/* Answers to leaf 0x4FFFFFFE that are no counts. */
static void store_others(const struct probe_reading *reading, struct record_run *run)
{
	guint i;

	for (i = 0; i < reading->ranges->len; i++) {
		const struct probe_range *range =
			&g_array_index(reading->ranges, struct probe_range, i);

		if (!is_count(&range->live))
			store_reasons(is_undefined(&range->live) ? run->undefined : run->malformed,
				      range);
	}
}

/* A sum that does not fit is not known: better no total than a wrong one. */
static struct record_u64 sum_of(const GPtrArray *exits)
{
	struct record_u64 sum = record_u64_from(0);
	guint i;

	for (i = 0; i < exits->len; i++) {
		const struct record_exit *one = exits->pdata[i];

		if (__builtin_add_overflow(sum.value, one->count, &sum.value))
			return (struct record_u64){ .known = false };
	}
	return sum;
}

static void store_total(const struct probe_reading *reading, uint32_t vendor,
			struct record_run *run)
{
	g_autoptr(GPtrArray) live = probe_reading_exits(reading, PROBE_LIVE, vendor, false);

	run->leaf_total = (struct record_leaf_total){
		.known = is_count(&reading->before) && is_count(&reading->after),
		.before = count_of(&reading->before),
		.after = count_of(&reading->after),
		.reads = probe_reading_asked(reading),
		.cpuid_read = reads_until(reading, reason_of_cpuid(vendor)),
		.sum = sum_of(live),
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
		.sum = sum_of(latched),
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
	guint i;

	for (i = 0; i < exits->len; i++) {
		struct record_exit *one = exits->pdata[i];
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
	run->total = sum_of(run->exits);
}

void probe_result_store(const probe_result *result, struct record_run *run)
{
	const struct probe_reading *last = result->readings->pdata[result->readings->len - 1];
	uint32_t vendor;

	g_clear_pointer(&run->exits, g_ptr_array_unref);
	g_clear_pointer(&run->undefined, g_array_unref);
	g_clear_pointer(&run->malformed, g_array_unref);
	run->undefined = record_reasons_new();
	run->malformed = record_reasons_new();
	run->interface = (struct record_interface){
		.known = true,
		.eax = result->iface.eax,
		.ebx = result->iface.ebx,
		.ecx = result->iface.ecx,
		.edx = result->iface.edx,
	};
	store_effect(result, run);
	run->dose = (struct record_dose){ .known = false };
	vendor = record_run_vendor(run);
	store_exits(result, vendor, run);
	store_others(last, run);
	store_total(last, vendor, run);
	run->cost = last->cost;
	run->latch = (struct record_latch){ .known = false };
	if (has_latch(result))
		store_latch(last, vendor, run);
}
