/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void send_line(struct report *report, const struct frame_line *line, bool good)
{
	if (!good || !report->sink(report->data, line->line, line->length)) {
		report->failed = true;
		return;
	}
	report->frames++;
}

void report_put(struct report *report, struct frame_line *line)
{
	bool good = frame_close(line);

	send_line(report, line, good);
}

void report_add_registers(struct frame_line *line, const char *key,
			  const struct reading_registers *registers)
{
	char text[4 * sizeof("4294967295")];

	snprintf(text, sizeof(text), "%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32, registers->eax,
		 registers->ebx, registers->ecx, registers->edx);
	frame_add_string(line, key, text);
}

static void put_leaf(struct report *report, const char *kind,
		     const struct reading_registers *registers)
{
	struct frame_line line;

	frame_open(&line, report->frames, kind);
	report_add_registers(&line, "regs", registers);
	report_put(report, &line);
}

static void put_total(struct report *report, const char *at,
		      const struct reading_registers *registers)
{
	struct frame_line line;

	frame_open(&line, report->frames, "total");
	frame_add_string(&line, "at", at);
	report_add_registers(&line, "regs", registers);
	report_put(report, &line);
}

/* All members of these are of one type: there is no padding in which they could differ. */
static bool same(const struct reading_registers *a, const struct reading_registers *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What most of them say is left out: sending takes exits for each byte. */
static void put_answers(struct report *report, uint32_t first, uint32_t last,
			const struct reading_answers *answers)
{
	static const struct reading_registers nothing;
	struct frame_line line;

	frame_open(&line, report->frames, "exit");
	frame_add_u64(&line, "first", first);
	frame_add_u64(&line, "last", last);
	report_add_registers(&line, "live", &answers->live);
	if (!same(&answers->latched, &answers->live))
		report_add_registers(&line, "latched", &answers->latched);
	if (!same(&answers->cycles, &nothing))
		report_add_registers(&line, "cycles", &answers->cycles);
	report_put(report, &line);
}

/* All members of these are of one type: there is no padding in which they could differ. */
static bool alike(const struct reading_answers *a, const struct reading_answers *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void put_range(struct report *report, const struct reading_range *range,
		      const struct reading_answers *answers)
{
	uint32_t first = range->first;
	uint32_t reason;

	for (reason = range->first; reason <= range->last; reason++, answers++) {
		if (reason < range->last && alike(answers, answers + 1))
			continue;
		put_answers(report, first, reason, answers);
		first = reason + 1;
	}
}

void report_begin(struct report *report, const struct reading_identity *identity)
{
	struct frame_line line;
	bool good = frame_begin(&line, PROBE_SENDER);

	send_line(report, &line, good);
	put_leaf(report, "iface", &identity->iface);
	put_leaf(report, "effect", &identity->effect);
}

void report_reading(struct report *report, const struct reading_identity *identity,
		    const struct reading *reading, const char *name, uint64_t n)
{
	const struct reading_answers *answers = reading->answers;
	struct frame_line line;
	size_t i;

	frame_open(&line, report->frames, "reading");
	frame_add_string(&line, "name", name);
	frame_add_u64(&line, "n", n);
	frame_add_u64(&line, "tsc", reading->tsc);
	report_put(report, &line);
	put_total(report, "before", &reading->before);
	for (i = 0; i < identity->range_count; i++) {
		const struct reading_range *range = &identity->ranges[i];

		put_range(report, range, answers);
		answers += range->last - range->first + 1;
	}
	put_total(report, "after", &reading->after);
	frame_open(&line, report->frames, "latch");
	report_add_registers(&line, "regs", &reading->latch);
	frame_add_u64(&line, "cpuids", reading->cpuids);
	report_put(report, &line);
	put_leaf(report, "cycles", &reading->cycles);
}

void report_mark(struct report *report, const struct reading *reading, const char *name)
{
	struct frame_line line;

	frame_open(&line, report->frames, "mark");
	frame_add_string(&line, "name", name);
	frame_add_u64(&line, "tsc", reading->tsc);
	frame_add_u64(&line, "cpuids", reading->cpuids);
	report_put(report, &line);
}

bool report_end(struct report *report)
{
	struct frame_line line;
	bool good = frame_end(&line, report->frames);

	send_line(report, &line, good);
	return !report->failed;
}
