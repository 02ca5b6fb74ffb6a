/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/probe_result.h"

#include <inttypes.h>
#include <string.h>

#include "model/reasons.h"

#define LEVEL "L2"
#define CODE  EPTLAB_ERROR_L2

/* A basic exit reason has 16 bits (SDM vol. 3, "Format of Exit Reason"). */
#define REASON_MAX UINT16_MAX

/* The frame that must come next. */
enum expect {
	EXPECT_BEGIN,
	EXPECT_IFACE,
	EXPECT_EFFECT,
	EXPECT_BEFORE,
	EXPECT_EXIT,
	EXPECT_EXIT_OR_AFTER,
	EXPECT_END,
	EXPECT_NOTHING,
};

struct registers {
	uint32_t eax, ebx, ecx, edx;
};

struct probe_result {
	enum expect expect;
	struct registers iface, effect, before, after;
	GArray *exits; /* of struct registers: reason is the index */
};

probe_result *probe_result_new(void)
{
	probe_result *result = g_new0(probe_result, 1);

	result->exits = g_array_new(FALSE, FALSE, sizeof(struct registers));
	return result;
}

void probe_result_free(probe_result *result)
{
	if (!result)
		return;
	g_array_unref(result->exits);
	g_free(result);
}

/* ---- Frames ---- */

static bool read_u32(const struct frame *frame, const char *key, uint32_t max, uint32_t *value,
		     GError **error)
{
	uint64_t number;

	if (!frameset_field_u64(frame, LEVEL, CODE, key, max, &number, error))
		return false;
	*value = (uint32_t)number;
	return true;
}

/* The four registers are all there is in a frame, but for as many fields as others. */
static bool read_registers(const struct frame *frame, unsigned int others, struct registers *to,
			   GError **error)
{
	if (!read_u32(frame, "eax", UINT32_MAX, &to->eax, error) ||
	    !read_u32(frame, "ebx", UINT32_MAX, &to->ebx, error) ||
	    !read_u32(frame, "ecx", UINT32_MAX, &to->ecx, error) ||
	    !read_u32(frame, "edx", UINT32_MAX, &to->edx, error))
		return false;
	if (frame->count == 4 + others)
		return true;
	g_set_error(error, EPTLAB_ERROR, CODE,
		    LEVEL ": frame %" PRIu32 " (%s) has %u fields, expected %u", frame->seq,
		    frame->kind, frame->count, 4 + others);
	return false;
}

static bool unexpected(const struct frame *frame, const char *expected, GError **error)
{
	g_set_error(error, EPTLAB_ERROR, CODE,
		    LEVEL ": frame %" PRIu32 " of the probe is of kind '%s', expected %s",
		    frame->seq, frame->kind, expected);
	return false;
}

static bool take_named(probe_result *result, const struct frame *frame, const char *kind,
		       struct registers *to, GError **error)
{
	if (strcmp(frame->kind, kind) != 0)
		return unexpected(frame, kind, error);
	result->expect++;
	return read_registers(frame, 0, to, error);
}

static bool take_total(probe_result *result, const struct frame *frame, const char *at,
		       struct registers *to, GError **error)
{
	const char *says = frameset_field_string(frame, LEVEL, CODE, "at", error);

	if (!says)
		return false;
	if (strcmp(says, at) != 0) {
		g_set_error(error, EPTLAB_ERROR, CODE,
			    LEVEL ": frame %" PRIu32 " is not the total at=%s that was expected",
			    frame->seq, at);
		return false;
	}
	result->expect++;
	return read_registers(frame, 1, to, error);
}

static bool take_exit(probe_result *result, const struct frame *frame, GError **error)
{
	const guint expected = result->exits->len;
	struct registers registers;
	uint32_t reason;

	if (!read_u32(frame, "reason", REASON_MAX, &reason, error) ||
	    !read_registers(frame, 1, &registers, error))
		return false;
	if (reason != expected) {
		g_set_error(error, EPTLAB_ERROR, CODE,
			    LEVEL ": frame %" PRIu32 " is about reason %" PRIu32 ", expected %u",
			    frame->seq, reason, expected);
		return false;
	}
	g_array_append_val(result->exits, registers);
	result->expect = EXPECT_EXIT_OR_AFTER;
	return true;
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

	switch (result->expect) {
	case EXPECT_BEGIN:
		return take_empty(result, frame, "begin", error);
	case EXPECT_IFACE:
		return take_named(result, frame, "iface", &result->iface, error);
	case EXPECT_EFFECT:
		return take_named(result, frame, "effect", &result->effect, error);
	case EXPECT_BEFORE:
		return is_total ? take_total(result, frame, "before", &result->before, error)
				: unexpected(frame, "total", error);
	case EXPECT_EXIT:
		return is_exit ? take_exit(result, frame, error) : unexpected(frame, "exit", error);
	case EXPECT_EXIT_OR_AFTER:
		if (is_exit)
			return take_exit(result, frame, error);
		return is_total ? take_total(result, frame, "after", &result->after, error)
				: unexpected(frame, "exit or total", error);
	case EXPECT_END:
		return take_empty(result, frame, "end", error);
	case EXPECT_NOTHING:
		break;
	}
	return unexpected(frame, "none after the end", error);
}

unsigned int probe_result_reasons(const probe_result *result)
{
	return result->exits->len;
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

/* Leaf 0x4FFFFFFE and 0x4FFFFFFC: low half in EAX, high half in EBX. */
static uint64_t count_of(const struct registers *registers)
{
	return (uint64_t)registers->ebx << 32 | registers->eax;
}

static bool is_undefined(const struct registers *registers)
{
	return registers->edx == KVM_EXITCOUNT_UNDEFINED_EDX && registers->eax == 0 &&
	       registers->ebx == 0 && registers->ecx == 0;
}

static bool is_count(const struct registers *registers)
{
	return registers->ecx == 0 && registers->edx == 0;
}

static void store_answers(const probe_result *result, struct record_run *run)
{
	uint32_t reason;

	for (reason = 0; reason < result->exits->len; reason++) {
		const struct registers *answer =
			&g_array_index(result->exits, struct registers, reason);

		if (is_count(answer))
			g_ptr_array_add(run->exits, record_exit_new(reason, reason_name(reason),
								    count_of(answer)));
		else
			g_array_append_val(is_undefined(answer) ? run->undefined : run->malformed,
					   reason);
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

static void store_total(const probe_result *result, struct record_run *run)
{
	const guint reads = result->exits->len;

	run->leaf_total = (struct record_leaf_total){
		.known = is_count(&result->before) && is_count(&result->after),
		.before = count_of(&result->before),
		.after = count_of(&result->after),
		.reads = reads,
		/* Reason 0 is the first read. */
		.cpuid_read = reads > REASON_CPUID ? REASON_CPUID + 1 : 0,
	};
}

/*
 * Without the signature the other leaves are not ours, and KVM on Intel answers an unknown leaf
 * with the highest basic one: what stands in EAX then means nothing.
 */
static bool is_ours(const struct registers *iface)
{
	return iface->ebx == KVM_EXITCOUNT_SIGNATURE_EBX &&
	       iface->ecx == KVM_EXITCOUNT_SIGNATURE_ECX &&
	       iface->edx == KVM_EXITCOUNT_SIGNATURE_EDX;
}

static void store_effect(const probe_result *result, struct record_run *run)
{
	const struct registers *effect = &result->effect;

	run->l2_in_effect = (struct record_l2_effect){
		.known = is_ours(&result->iface),
		.ept = effect->eax & KVM_EXITCOUNT_IN_EFFECT_TDP,
		.vpid = effect->eax & KVM_EXITCOUNT_IN_EFFECT_TLB_TAG,
		.unrestricted_guest = effect->eax & KVM_EXITCOUNT_IN_EFFECT_UNRESTRICTED,
		.vendor = effect->ebx,
		.highest_reason = effect->ecx,
		.vcpus = effect->edx,
	};
}

void probe_result_store(const probe_result *result, struct record_run *run)
{
	g_clear_pointer(&run->exits, g_ptr_array_unref);
	g_clear_pointer(&run->undefined, g_array_unref);
	g_clear_pointer(&run->malformed, g_array_unref);
	run->exits = record_exits_new();
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
	store_answers(result, run);
	store_total(result, run);
	run->total = sum_of(run->exits);
}
