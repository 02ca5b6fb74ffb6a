/* SPDX-License-Identifier: GPL-2.0-only */
#include "collect/kernel_log.h"

#include <stdbool.h>
#include <string.h>

#include "wire/l1_frames.h"

#define FINDING_LENGTH_MAX 200

/*
 * How a message begins that tells of trouble in the kernel: __warn() and report_bug() in
 * kernel/panic.c and lib/bug.c, die() and the traps in arch/x86/kernel, the watchdogs, the
 * hung-task and RCU stall detectors, lockdep and the sanitizers.
 */
static const char *const beginnings[] = {
	"WARNING: ",
	"BUG: ",
	"kernel BUG at ",
	"Oops: ",
	"Kernel panic - not syncing",
	"PANIC: double fault",
	"general protection fault",
	"invalid opcode: ",
	"divide error: ",
	"double fault: ",
	"stack segment: ",
	"watchdog: BUG: ",
	"watchdog: Watchdog detected hard LOCKUP",
	"NMI watchdog: Watchdog detected hard LOCKUP",
	"INFO: task ",
	"INFO: rcu_",
	"rcu: INFO: ",
	"UBSAN: ",
};

/* Behind "<4>", "[   12.345678]" and "[    T1]", which printk and dmesg put in front. */
static const char *message_of(const char *line)
{
	if (line[0] == '<' && g_ascii_isdigit(line[1]) && line[2] == '>')
		line += 3;
	while (line[0] == '[') {
		size_t length = strspn(line + 1, " 0123456789.TC");

		if (line[1 + length] != ']')
			break;
		line += length + 2;
		line += strspn(line, " ");
	}
	return line;
}

static bool is_finding(const char *message)
{
	for (size_t i = 0; i < G_N_ELEMENTS(beginnings); i++)
		if (g_str_has_prefix(message, beginnings[i]))
			return true;
	return false;
}

static void scan_line(const char *text, size_t length, struct record_kernel_log *log)
{
	g_autofree char *line = g_strndup(text, length);
	const char *message;

	g_strchomp(line);
	message = message_of(line);
	log->lines++;
	if (strcmp(message, KERNEL_LOG_LOST) == 0)
		log->lost = true;
	if (is_finding(message) && log->findings->len < KERNEL_LOG_FINDINGS_MAX)
		g_ptr_array_add(log->findings, g_strndup(line, FINDING_LENGTH_MAX));
}

void kernel_log_scan(const char *text, size_t length, struct record_kernel_log *log)
{
	const char *end = text + length;

	record_kernel_log_clear(log);
	log->known = true;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = (size_t)((newline ? newline : end) - text);

		scan_line(text, size, log);
		text += size + 1;
	}
}
