/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dose guest: a whole guest in place of a Linux, entered through PVH, that does nothing but
 * give doses, so that each VM exit between two readings is accounted for. It is the kernel of L2
 * for the workloads of these names:
 *
 *	eptlab.workload=dose-NAME	readings "start" and "dose-NAME", the dose between
 *	eptlab.workload=doses		"start", then a reading after each possible dose
 *	eptlab.n=N			size of the doses, instead of the usual one of each
 *	eptlab.without=NAME		"doses" without this one
 *	eptlab.leaf.exits=NUMBER	another kernel's leaf of the exits by reason, and
 *	eptlab.leaf.total=NUMBER	that of all exits
 *	eptlab.foreign			it has none of the other leaves: abuse leaves them alone
 *	eptlab.hold			halt after the last frame instead of powering off
 *
 * Frames go to the second serial port, messages to the first. Answers that a dose found to be of no
 * permitted form stand before the reading that ends the dose, in frames
 *
 *	bad leaf= index= regs=
 *	cost exits= ticks=		(of the dose cpuid)
 *
 * Whatever goes wrong is said on the first serial port, and the VM powers off without a set.
 */
#include <stdbool.h>
#include <string.h>

#include "doses.h"
#include "machine.h"
#include "wire/dose_list.h"
#include "wire/frame.h"
#include "../probe/reading.h"
#include "../probe/report.h"

#define PARAMETER_WORKLOAD "eptlab.workload="
#define PARAMETER_N	   "eptlab.n="
#define PARAMETER_HOLD	   "eptlab.hold"
#define PARAMETER_WITHOUT  "eptlab.without="
#define PARAMETER_EXITS	   "eptlab.leaf.exits="
#define PARAMETER_TOTAL	   "eptlab.leaf.total="
#define PARAMETER_FOREIGN  "eptlab.foreign"

/* Linux: include/xen/interface/hvm/start_info.h. */
#define START_INFO_MAGIC 0x336ec578
#define MEMORY_RAM	 1

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map; /* from version 1 on */
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct memory_map_entry {
	uint64_t address;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* What the command line asks for. */
static char command_line[1024];
static const char *workload = "";
static uint64_t n;
static bool has_n, hold, foreign;
static const char *without = "";

/* A reading, and what the dose before it found. */
struct entry {
	const struct dose *dose; /* NULL: the first reading */
	uint64_t n;
	struct reading reading;
	struct dose_finding findings[DOSE_FINDINGS_MAX];
	uint64_t finding_count;
	uint64_t cost, cost_exits;
};

#define NAME_OF_FIRST "start"
#define ENTRIES_MAX   (1 + DOSE_COUNT)

static struct reading_identity identity;
static struct entry entries[ENTRIES_MAX];
static size_t entry_count = 1;

/* ---- What PVH says ---- */

static const struct start_info *find_start_info(void)
{
	const struct start_info *info = (const struct start_info *)(uint64_t)start_info;

	if (info->magic != START_INFO_MAGIC || info->version < 1)
		machine_fail("not entered through PVH with a memory map");
	return info;
}

/* The end of the RAM that this guest is in. */
static uint64_t find_memory_end(const struct start_info *info)
{
	const struct memory_map_entry *map = (const struct memory_map_entry *)info->memory_map;
	const uint64_t here = (uint64_t)image_start;
	uint32_t i;

	for (i = 0; i < info->memory_map_entries; i++)
		if (map[i].type == MEMORY_RAM && map[i].address <= here &&
		    here < map[i].address + map[i].size)
			return map[i].address + map[i].size;
	machine_fail("the memory map has no RAM where this guest is");
}

/* What follows prefix in word, or NULL. */
static const char *after(const char *word, const char *prefix)
{
	const size_t length = strlen(prefix);

	return strncmp(word, prefix, length) == 0 ? word + length : NULL;
}

/* A leaf of the range that hypervisors have. */
static void take_leaf(const char *word, const char *value, uint32_t *leaf)
{
	uint64_t number;

	if (!frame_parse_u64(value, &number) || number > UINT32_MAX)
		machine_fail("%s is not a leaf", word);
	*leaf = (uint32_t)number;
}

static void take_word(const char *word)
{
	const char *value;

	if ((value = after(word, PARAMETER_WORKLOAD)))
		workload = value;
	else if ((value = after(word, PARAMETER_N)))
		has_n = frame_parse_u64(value, &n);
	else if ((value = after(word, PARAMETER_WITHOUT)))
		without = value;
	else if (after(word, PARAMETER_EXITS))
		take_leaf(word, after(word, PARAMETER_EXITS), &identity.exits_leaf);
	else if (after(word, PARAMETER_TOTAL))
		take_leaf(word, after(word, PARAMETER_TOTAL), &identity.total_leaf);
	else if (strcmp(word, PARAMETER_FOREIGN) == 0)
		foreign = true;
	else if (strcmp(word, PARAMETER_HOLD) == 0)
		hold = true;
	if (after(word, PARAMETER_N) && !has_n)
		machine_fail("%s is not a number", word);
}

/* Words of others are left alone, as everywhere; the last of two counts. */
static void read_command_line(const struct start_info *info)
{
	const char *from = (const char *)info->command_line;
	char *word = command_line, *next;

	if (!from || strlen(from) >= sizeof(command_line))
		machine_fail("there is no command line, or it is too long");
	memcpy(command_line, from, strlen(from) + 1);
	for (; word; word = next) {
		next = strchr(word, ' ');
		if (next)
			*next++ = '\0';
		take_word(word);
	}
}

/* ---- Which doses ---- */

static uint64_t size_of(const struct dose *dose)
{
	return has_n ? n : dose->n;
}

static void add_dose(const struct dose *dose)
{
	entries[entry_count++] = (struct entry){ .dose = dose, .n = size_of(dose) };
}

static void add_all(void)
{
	size_t i;

	for (i = 0; i < DOSE_COUNT; i++) {
		const char *why = doses_impossible(&doses[i], size_of(&doses[i]));

		if (strcmp(doses[i].name, without) == 0)
			continue;
		if (why)
			machine_say("%s" DOSE_LEFT_OUT "%s", doses[i].name, why);
		else
			add_dose(&doses[i]);
	}
}

static void add_one(const char *name)
{
	const char *why;
	size_t i;

	for (i = 0; i < DOSE_COUNT && strcmp(doses[i].name, name) != 0; i++)
		;
	if (i == DOSE_COUNT)
		machine_fail("there is no dose '%s'", name);
	why = doses_impossible(&doses[i], size_of(&doses[i]));
	if (why)
		machine_fail("%s" DOSE_IMPOSSIBLE "%s", name, why);
	add_dose(&doses[i]);
}

static void choose(void)
{
	const char *name = after(workload, DOSE_WORKLOAD_PREFIX);

	if (strcmp(workload, DOSE_WORKLOAD_ALL) == 0)
		add_all();
	else if (name)
		add_one(name);
	else
		machine_fail("'%s' is not a workload of this guest", workload);
}

/* ---- Giving and reading ---- */

/*
 * The first access to a page causes exits of its own. 64 bits at a time: KVM may drop what it
 * shadows of a page table that is written to in pieces (detect_write_misaligned()), and the last
 * page may be shared with one.
 */
static void touch_image(void)
{
	uint64_t page;

	for (page = (uint64_t)image_start; page < (uint64_t)image_end; page += PAGE_SIZE)
		__asm__ volatile("lock addq $0, (%0)" : : "r"(page) : "memory");
}

/* In reverse, so that what one dose undoes is what came before it: see DOSE_LIST. */
static void rehearse(void)
{
	size_t i;

	for (i = entry_count - 1; i > 0; i--)
		doses_rehearse(entries[i].dose);
	doses_forget();
}

static void give(struct entry *entry, enum reading_index index)
{
	const struct dose_finding *findings;

	entry->dose->give(entry->n);
	reading_take(&identity, index, &entry->reading);
	entry->finding_count = doses_found(&findings);
	memcpy(entry->findings, findings, sizeof(entry->findings));
	entry->cost = doses_cost(&entry->cost_exits);
	doses_forget();
}

static void give_all(void)
{
	size_t i;

	reading_take(&identity, READING_EARLIER, &entries[0].reading);
	for (i = 1; i < entry_count; i++)
		give(&entries[i], i + 1 < entry_count ? READING_EARLIER : READING_LAST);
}

/* ---- Saying ---- */

static void report_findings(struct report *report, const struct entry *entry)
{
	uint64_t i;

	for (i = 0; i < entry->finding_count && i < DOSE_FINDINGS_MAX; i++) {
		struct frame_line line;

		frame_open(&line, report->frames, "bad");
		frame_add_u64(&line, "leaf", entry->findings[i].leaf);
		frame_add_u64(&line, "index", entry->findings[i].index);
		report_add_registers(&line, "regs", &entry->findings[i].registers);
		report_put(report, &line);
	}
	if (entry->finding_count > DOSE_FINDINGS_MAX)
		machine_say("%s: %lu wrong answers, of which the first %u are reported",
			    entry->dose->name, entry->finding_count, DOSE_FINDINGS_MAX);
}

static void report_cost(struct report *report, const struct entry *entry)
{
	struct frame_line line;

	if (entry->cost == 0)
		return;
	frame_open(&line, report->frames, "cost");
	frame_add_u64(&line, "exits", entry->cost_exits);
	frame_add_u64(&line, "ticks", entry->cost);
	report_put(report, &line);
}

static void report_entry(struct report *report, const struct entry *entry)
{
	char name[FRAME_WORD_MAX + 1] = DOSE_WORKLOAD_PREFIX;

	if (!entry->dose) {
		report_reading(report, &identity, &entry->reading, NAME_OF_FIRST, 0);
		return;
	}
	report_findings(report, entry);
	report_cost(report, entry);
	memcpy(name + strlen(name), entry->dose->name, strlen(entry->dose->name) + 1);
	report_reading(report, &identity, &entry->reading, name, entry->n);
}

static void report_all(void)
{
	struct report report = { .sink = machine_send };
	size_t i;

	report_begin(&report, &identity);
	for (i = 0; i < entry_count; i++)
		report_entry(&report, &entries[i]);
	if (!report_end(&report))
		machine_fail("a frame could not be written");
}

void guest_main(void);

void guest_main(void)
{
	const struct start_info *info;

	machine_init();
	info = find_start_info();
	reading_identify(&identity);
	read_command_line(info);
	doses_init(&identity, foreign, find_memory_end(info));
	choose();
	touch_image();
	rehearse();
	give_all();
	report_all();
	if (!hold)
		machine_power_off();
	machine_drain();
	/* L2_HELD in harness/agent/l2_domain.h: who waits for it waits for this line. */
	machine_say("eptlab: held");
	machine_stop();
}
