/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_RECORD_H
#define EPTLAB_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <jansson.h>

#include "base/error.h"

/*
 * A record in memory, and record.json (schema 2; schema 1 is read as well). results/README.md
 * documents each field; the names here are the names there. Everything that was measured may be
 * unknown: a pointer is NULL then, an optional value is not known, and JSON says null. Nothing
 * unknown is ever written as 0 or false.
 *
 * Strings belong to the structure that holds them, arrays own their elements.
 */
#define RECORD_SCHEMA 2

enum record_verdict {
	RECORD_VALID,
	RECORD_INVALID, /* measured, and a rule says that it must not be believed */
	RECORD_FAILED,	/* not measured to the end; error says why */
};

/* "valid", "invalid", "failed". */
const char *record_verdict_name(enum record_verdict verdict);

struct record_u64 {
	bool known;
	uint64_t value;
};

enum record_bool {
	RECORD_UNKNOWN = 0,
	RECORD_FALSE,
	RECORD_TRUE,
};

static inline enum record_bool record_bool_from(bool value)
{
	return value ? RECORD_TRUE : RECORD_FALSE;
}

static inline struct record_u64 record_u64_from(uint64_t value)
{
	return (struct record_u64){ .known = true, .value = value };
}

struct record_platform {
	char *name; /* bochs, kvm, tcg, local; of a record always known */
	char *emulator;
	char *version;
	char *cpu;
	char *vendor;		/* "vmx" or "svm" */
	struct record_u64 cpus; /* of L1 */
	enum record_bool deterministic;
};

/* A kernel module, by the GNU build-id of its notes (/sys/module/NAME/notes, or the .ko file). */
struct record_module {
	char *name;
	char *build_id; /* lower-case hexadecimal; NULL: unknown */
};

struct record_kernel {
	char *line;    /* the series that it has: "6.1" */
	char *release; /* L1's uname -r */
	char *patches_sha256;
	GPtrArray *modules; /* of struct record_module: those that were built */
};

struct record_guest {
	char *image_sha256;
	char *kernel_sha256;
	char *probe_sha256;
	struct record_u64 memory_mib;
	struct record_u64 vcpus;
};

/* Module parameters: what was asked for, or what sysfs reads back. */
struct record_parameters {
	enum record_bool ept;
	enum record_bool vpid;
	enum record_bool unrestricted_guest; /* unknown if it was not asked for */
	enum record_bool pcid; /* of L2's CPU; asked for only: what it has is in cpuid */
	enum record_bool thp;  /* L1's transparent huge pages */
	enum record_bool pti;  /* KPTI in L2's kernel; asked for only: of both kinds of paging */
};

/* Of the leaves' interface: the first that has a latch. */
#define RECORD_VERSION_WITH_LATCH 2

/* Who answers, leaf 0x4FFFFF00, as it was read. */
struct record_interface {
	bool known;
	uint32_t eax, ebx, ecx, edx;
};

/* One answer of L2's CPU, that of the leaf in EAX with index in ECX. */
struct record_cpuid {
	uint32_t leaf, index;
	uint32_t eax, ebx, ecx, edx;
};

/* What L2 itself says, leaf 0x4FFFFF01. */
struct record_l2_effect {
	bool known;
	bool ept;
	bool vpid;
	bool unrestricted_guest;
	bool cycles;	 /* KVM counts the cycles outside the guest as well */
	uint32_t vendor; /* 1 VMX, 2 SVM */
	uint32_t highest_reason;
	uint32_t vcpus;
};

/* The total, leaf 0x4FFFFFFC, read before and after the sweep over all reasons. */
struct record_leaf_total {
	bool known;
	uint64_t before;
	uint64_t after;
	uint32_t reads;	       /* leaf reads between the two */
	uint32_t cpuid_read;   /* which of them, from 1, read the reason of CPUID itself; 0: none */
	struct record_u64 sum; /* of what those reads answered; unknown: more than 64 bits */
};

/* All counts at one instant, leaves 0x4FFFFF02 and 0x4FFFFF03. */
struct record_latch {
	bool known;
	uint64_t total;	       /* as leaf 0x4FFFFF02 answered */
	uint32_t serial;       /* how often this VM has latched */
	struct record_u64 sum; /* of all latched counts */
};

struct record_exit {
	uint32_t reason;
	char *name;	 /* NULL if eptlab has no name for it */
	uint64_t before; /* what was counted before the workload began; 0 if that is the boot */
	uint64_t count;	 /* what the workload has caused */
	struct record_u64 cycles;
};

/* The dose between the first reading and the last. */
struct record_dose {
	bool known;
	uint64_t n;	 /* its size */
	uint64_t cpuids; /* CPUIDs of the reader between the two latches, the second one included */
};

/* What one exit costs, by the time-stamp counter in L2: the least of many batches of CPUID. */
struct record_cost {
	bool known;
	uint64_t exits; /* of one batch */
	uint64_t ticks; /* from before its first instruction to after its last */
};

/* What others than our own counters have counted in L1; collect/l1_counts.h reads it. */
struct record_witness {
	bool known;
	GPtrArray *at_latch; /* of struct record_exit: kvm:kvm_exit by reason until the latch */
	GPtrArray *at_end;   /* the same until L2 stood still for good */
};

/* One of KVM's own statistics, by KVM's name. */
struct record_statistic {
	char *name;
	uint64_t value;
};

/*
 * What KVM's own statistics said when L2 stood still for good: from then to the VM's end no vCPU
 * has run.
 */
struct record_mmu {
	bool known;
	char *error;	    /* one clause: why there are none; else NULL */
	GPtrArray *vm;	    /* of struct record_statistic; NULL: there are none */
	GPtrArray *vcpu;    /* the same, of all vCPUs together */
	GPtrArray *reasons; /* of struct record_exit: the series' histogram exit_reasons, or NULL */
};

/*
 * Something that L1 or L2 is made of: the SHA-256 of its bytes, or of a text that describes it.
 * l2/digest.h makes them; the last one, RECORD_INPUTS_ALL, is that of all before it.
 */
struct record_input {
	char *name;
	char *sha256; /* lower-case hexadecimal */
};

#define RECORD_INPUTS_ALL "all"

/* The same run in an earlier record that had the same inputs. */
struct record_earlier {
	bool known;
	char *record;	  /* its name */
	GPtrArray *exits; /* of struct record_exit, by L2 */
};

enum record_source {
	RECORD_LEAVES,	   /* our CPUID leaves */
	RECORD_TRACEPOINT, /* kvm:kvm_exit, of any kernel */
};

/* "leaves", "tracepoint". */
const char *record_source_name(enum record_source source);

/* What was found in L1's kernel log of a run; kernel_log.h fills it in. */
struct record_kernel_log {
	bool known;
	uint64_t lines;
	bool lost;	     /* some lines were overwritten before they could be read */
	GPtrArray *findings; /* of char *: lines that tell of an oops, a warning or a panic */
};

/* So many operations of a workload between two latches, the reading of the first one included. */
struct record_point {
	uint64_t n;
	uint64_t ticks;	  /* of L2's time-stamp counter */
	GPtrArray *exits; /* of struct record_exit: reasons that were seen */
};

/*
 * An operation of L2's Linux (wire/workload_list.h), done n times and more often, so that what is
 * not the operation falls out: record/operations.h.
 */
struct record_operation {
	char *workload;
	char *error;	   /* one clause: why there are no points; else NULL */
	GPtrArray *points; /* of struct record_point, in their order */
};

/* What became of a command of the user's own: wire/command.h. */
enum record_end {
	RECORD_EXITED,
	RECORD_SIGNALLED,
	RECORD_TIMED_OUT,
	RECORD_NOT_STARTED,
};

struct record_command {
	bool known;
	char *line; /* as a shell would take it */
	enum record_end end;
	uint64_t value;	 /* exit status, signal, seconds, errno of L2's Linux */
	uint64_t output; /* bytes that it has printed, and are kept */
	bool full;	 /* it has printed more */
};

struct record_run {
	char *config; /* ept, noept: always known */
	enum record_verdict verdict;
	char *error; /* one sentence, or NULL */
	/* As it was in this run: a record may hold runs of several experiments. */
	struct record_platform platform;
	struct record_kernel kernel;
	enum record_source source; /* where the counts come from */
	char *workload;		   /* NULL: unknown */
	GPtrArray *inputs;	   /* of struct record_input; NULL: not recorded */
	struct record_earlier earlier;
	struct record_parameters requested;
	struct record_parameters in_effect;
	struct record_l2_effect l2_in_effect;
	struct record_interface interface;
	GPtrArray *cpuid;	   /* of struct record_cpuid: L2's CPU; NULL: not told */
	GPtrArray *module_ids;	   /* of struct record_module: those loaded; NULL: unknown */
	struct record_guest guest; /* what this run booted */
	struct record_leaf_total leaf_total;
	struct record_latch latch;
	struct record_u64 total;    /* sum of the counts in exits */
	GPtrArray *exits;	    /* of struct record_exit, by L2; NULL: not read */
	GArray *undefined;	    /* of uint32_t: reasons answered as undefined; NULL: not read */
	GArray *malformed;	    /* of uint32_t: reasons answered in no form that is specified */
	GPtrArray *l1_exits;	    /* of struct record_exit, by L1's kernel log; NULL: not read */
	struct record_u64 l1_total; /* as it stands there */
	struct record_witness witness;
	struct record_mmu mmu;
	struct record_cost cost;
	struct record_dose dose; /* unknown where there is one reading only */
	GPtrArray *operations;	 /* of struct record_operation; NULL: none were asked for */
	struct record_command command;
	struct record_kernel_log kernel_log;
	struct record_kernel_log l2_log; /* L2's console */
	double seconds;			 /* wall clock of L0; negative: unknown */
	struct record_u64 ticks;
};

enum record_check_verdict {
	RECORD_CHECK_PASS,
	RECORD_CHECK_FAIL,
	RECORD_CHECK_NOT_APPLICABLE,
	RECORD_CHECK_UNKNOWN,
};

struct record_check {
	char *rule;
	char *run; /* config of the run that it is about; NULL: about both */
	enum record_check_verdict verdict;
	bool decisive; /* this verdict is a reason why the record is invalid */
	char *saw;
	char *expected;
	char *why;
	char *advice;
};

/* What was being done, as the progress line said it, and how long it took by L0's wall clock. */
struct record_step {
	char *text;
	double seconds;
};

/* A coordinate of a cell: "kernel", "6.12". */
struct record_axis {
	char *axis;
	char *value;
};

/* The cell of a matrix that the record was made for: matrix/plan.h. */
struct record_cell {
	bool known;
	char *matrix; /* its name */
	char *id;
	uint64_t repeat; /* from 1 */
	GPtrArray *axes; /* of struct record_axis: those that the matrix names, in its order */
};

struct record {
	enum record_verdict verdict;
	char *error;	/* one sentence: why it failed; NULL unless failed */
	char *eptlab;	/* version of the program that wrote it */
	char *created;	/* start of the experiment, UTC, 2026-01-31T23:59:59Z */
	double seconds; /* wall clock of L0, whole experiment; negative: unknown */
	struct record_u64 ticks;
	struct record_platform platform;
	struct record_kernel kernel;
	struct record_guest guest;
	char *workload;
	struct record_cell cell;
	GPtrArray *steps;  /* of struct record_step, in their order; NULL: not recorded */
	GPtrArray *runs;   /* of struct record_run, in the order they were made */
	GPtrArray *checks; /* of struct record_check */
};

/* For g_autoptr, which needs a name without a blank: g_autoptr(struct_record). */
typedef struct record struct_record;
typedef struct record_run struct_record_run;

/*
 * An empty record of a failed experiment (what it is until it has succeeded). All strings are
 * copied. Free with record_free.
 */
struct record *record_new(const char *eptlab_version, const char *created, const char *platform,
			  const char *workload);
void record_free(struct record *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_record, record_free)

/* An empty failed run, not yet part of a record: g_ptr_array_add(record->runs, run) does that. */
struct record_run *record_run_new(const char *config);
void record_run_free(struct record_run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_record_run, record_run_free)

/* A deep copy: the other runs of a rerun come from an older record. */
struct record_run *record_run_copy(const struct record_run *run);

/* Platform, kernel and workload of a run are those of the record that it is made for. */
void record_run_describe(struct record_run *run, const struct record *record);

/* Replace the coordinates of a record by a copy. */
void record_set_cell(struct record *record, const struct record_cell *cell);

/* The digest over all inputs of a run, or NULL. */
const char *record_run_inputs(const struct record_run *run);

/* KVM_EXITCOUNT_VENDOR_*: what L2 said, else the platform's, else VMX. */
uint32_t record_run_vendor(const struct record_run *run);

/*
 * Did L2 run with nested paging (EPT, NPT)? What L2 itself says (leaf 0x4FFFFF01) comes first, then
 * the module's parameter; RECORD_UNKNOWN if neither was read.
 */
enum record_bool record_run_nested(const struct record_run *run);

/*
 * In how many things two runs were asked to differ: paging, VPID, unrestricted guest (off without
 * EPT anyhow), PCID, huge pages. What is not known is no difference.
 */
unsigned int record_run_changes(const struct record_run *a, const struct record_run *b);

/* The run of that configuration, or NULL. */
struct record_run *record_find_run(const struct record *record, const char *config);

/* The entry of a reason, or NULL; exits may be NULL. */
const struct record_exit *record_find_exit(const GPtrArray *exits, uint32_t reason);

/* The statistic of that name, or NULL; list may be NULL. */
const struct record_statistic *record_find_statistic(const GPtrArray *list, const char *name);

/*
 * Exits by reason: an array of struct record_exit, ascending, no reason twice (record_exits_new
 * makes an empty one). Where it is only read, NULL is as good as an empty one.
 */

/* Add to the count of a reason, whose entry is made, under that name, if there is none. False if it
 * is more than 64 bits then: that many exits there cannot have been.
 */
bool exits_add(GPtrArray *exits, uint32_t reason, const char *name, uint64_t count);

/* The count of a reason; 0 if it is not there. */
uint64_t exits_count(const GPtrArray *exits, uint32_t reason);

/* All counts. A sum of more than 64 bits is unknown: better no total than a wrong one. */
struct record_u64 exits_sum(const GPtrArray *exits);

/* New elements for the arrays above; strings are copied. */
struct record_exit *record_exit_new(uint32_t reason, const char *name, uint64_t count);
struct record_operation *record_operation_new(const char *workload);
struct record_point *record_point_new(uint64_t n, uint64_t ticks);
struct record_module *record_module_new(const char *name, const char *build_id);
struct record_statistic *record_statistic_new(const char *name, uint64_t value);
struct record_input *record_input_new(const char *name, const char *sha256);

struct record_cpuid *record_cpuid_new(uint32_t leaf, uint32_t index, uint32_t eax, uint32_t ebx,
				      uint32_t ecx, uint32_t edx);
struct record_step *record_step_new(const char *text, double seconds);
struct record_check *record_check_new(void);
struct record_axis *record_axis_new(const char *axis, const char *value);

/* Empty arrays that free their elements; reasons is for undefined and malformed. */
GPtrArray *record_exits_new(void);
GPtrArray *record_cpuid_list(void);
GPtrArray *record_operations_new(void);
GPtrArray *record_modules_new(void);
GPtrArray *record_inputs_new(void);
GPtrArray *record_statistics_new(void);
GPtrArray *record_checks_new(void);
GPtrArray *record_steps_new(void);
GPtrArray *record_axes_new(void);
GArray *record_reasons_new(void);

/* Free what a log holds, and make it unknown. */
void record_kernel_log_clear(struct record_kernel_log *log);

/* Is it a name that a record takes: of a-z, 0-9, _ and -, beginning with none of the last two? */
bool record_is_name(const char *text);

/* Replace a string that a record owns; value is copied and may be NULL. */
void record_set_string(char **field, const char *value);

/*
 * record.json. Writing cannot fail: strings that are not UTF-8 (foreign log lines) are made so. A
 * count over 2^63-1, which jansson's integers cannot hold, is a decimal string. The caller owns the
 * result.
 */
json_t *record_to_json(const struct record *record);

/* A number of 64 bits in that way; for reports as well. */
json_t *record_u64_to_json(uint64_t value);

/* One element of checks, as it stands in record.json. */
json_t *record_check_to_json(const struct record_check *check);

/* The record as text, indented, with a '\n' at its end; the caller frees it with g_free. */
char *record_to_text(const struct record *record);

/*
 * Strict: a missing or unknown field, a wrong type, a value out of range, another schema, a reason
 * or configuration that stands twice and a total that is not the sum are EPTLAB_ERROR_USAGE; the
 * message says which field of name (the file's). In schema 1 the platform, kernel and workload of
 * all runs are those of the record, and inputs are unknown.
 */
struct record *record_from_json(json_t *root, const char *name, GError **error);

/* Read a record: path is its folder or its record.json. EPTLAB_ERROR_USAGE if that is none. */
struct record *record_load(const char *path, GError **error);

#endif
