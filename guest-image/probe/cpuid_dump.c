/* SPDX-License-Identifier: GPL-2.0-only */
#include "cpuid_dump.h"

#include <cpuid.h>

#include "wire/cpuid_walk.h"

struct dump {
	uint8_t bytes[CPUID_PACKED_MOST];
	size_t length;
};

static bool read_leaf(void *data, struct cpuid_leaf *leaf)
{
	struct dump *dump = data;

	if (dump->length + CPUID_LEAF_MOST > sizeof(dump->bytes))
		return false;
	__cpuid_count(leaf->leaf, leaf->index, leaf->eax, leaf->ebx, leaf->ecx, leaf->edx);
	dump->length += cpuid_leaf_pack(leaf, dump->bytes + dump->length);
	return true;
}

/* RFC 4648, section 4. Three bytes are four characters, and what is left of three a character more.
 */
static size_t to_base64(const uint8_t *bytes, size_t length, char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, written = 0;
	uint32_t bits = 0;
	unsigned int held = 0;

	for (i = 0; i < length; i++) {
		bits = bits << 8 | bytes[i];
		for (held += 8; held >= 6; held -= 6)
			text[written++] = digits[bits >> (held - 6) & 0x3f];
	}
	if (held > 0)
		text[written++] = digits[bits << (6 - held) & 0x3f];
	return written;
}

bool cpuid_dump(struct report *report)
{
	static struct dump dump;
	static char text[(sizeof(dump.bytes) + 2) / 3 * 4];
	size_t length, sent = 0;

	if (!cpuid_walk(read_leaf, &dump))
		return false;
	length = to_base64(dump.bytes, dump.length, text);
	while (sent < length) {
		struct frame_line line;

		frame_open(&line, report->frames, "cpuid");
		sent += frame_add_part(&line, "data", text + sent, length - sent);
		report_put(report, &line);
	}
	return true;
}
