/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "wire/l1_frames.h"

/* The kernel's own limit for one record of /dev/kmsg (CONSOLE_EXT_LOG_MAX, printk.c). */
#define KMSG_RECORD_MAX 8192

static void kmsg_fail(GError **error)
{
	eptlab_fail(error, EPTLAB_ERROR_L1,
		    "L1: the kernel log /dev/kmsg cannot be read (%s); L1's kernel needs "
		    "CONFIG_PRINTK",
		    g_strerror(errno));
}

int kmsg_open_at_end(GError **error)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0) {
		kmsg_fail(error);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* Documentation/ABI/testing/dev-kmsg: "prio,seq,microseconds,flags[,...];text\n KEY=value\n…" */
static void kmsg_append(GString *log, char *record)
{
	char *text = strchr(record, ';');
	uint64_t seq, microseconds;

	if (text == NULL || sscanf(record, "%*u,%" SCNu64 ",%" SCNu64, &seq, &microseconds) != 2)
		return;
	text++;
	text[strcspn(text, "\n")] = '\0';
	g_string_append_printf(log, "[%5" PRIu64 ".%06" PRIu64 "] %s\n", microseconds / 1000000,
			       microseconds % 1000000, text);
}

bool kmsg_read(int fd, GString *log, GError **error)
{
	char record[KMSG_RECORD_MAX + 1];

	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n > 0) {
			record[n] = '\0';
			kmsg_append(log, record);
		} else if (n == 0 || errno == EAGAIN) {
			return true;
		} else if (errno == EPIPE) {
			g_string_append(log, KERNEL_LOG_LOST "\n");
		} else if (errno != EINTR) {
			kmsg_fail(error);
			return false;
		}
	}
}
