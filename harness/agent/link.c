/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/link.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/error.h"
#include "wire/l1_frames.h"

static bool link_fail(const char *what, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_L1,
			   "L1: the serial port to L0 failed (%s: %s); look at l1-console.log",
			   what, g_strerror(errno));
}

static bool link_write(struct link *link, GError **error)
{
	const char *at = link->line.line;
	size_t left = link->line.length;

	while (left > 0) {
		ssize_t n = write(link->fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return link_fail("write", error);
		at += n;
		left -= (size_t)n;
	}
	link->seq++;
	return true;
}

static bool link_malformed(GError **error)
{
	return eptlab_fail(
		error, EPTLAB_ERROR_L1,
		"L1: the agent built a frame that the protocol does not allow; this is a bug "
		"in eptlab, please report it");
}

static bool link_set_raw(const struct link *link, GError **error)
{
	struct termios tio;

	if (tcgetattr(link->fd, &tio) != 0)
		return link_fail("tcgetattr", error);
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	tio.c_cflag |= CLOCAL;
	if (tcsetattr(link->fd, TCSANOW, &tio) != 0)
		return link_fail("tcsetattr", error);
	return true;
}

static bool link_begin(struct link *link, GError **error)
{
	link->tty = isatty(link->fd);
	if (link->tty && !link_set_raw(link, error))
		return false;
	if (!frame_begin(&link->line, L1_SENDER))
		return link_malformed(error);
	return link_write(link, error);
}

static void link_shut(struct link *link)
{
	close(link->fd);
	link->fd = -1;
}

bool link_open(struct link *link, const char *path, GError **error)
{
	*link = (struct link){ .fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC) };
	if (link->fd < 0)
		return link_fail(path, error);
	if (link_begin(link, error))
		return true;
	link_shut(link);
	return false;
}

struct frame_line *link_frame(struct link *link, const char *kind)
{
	frame_open(&link->line, link->seq, kind);
	return &link->line;
}

bool link_send(struct link *link, GError **error)
{
	if (!frame_close(&link->line))
		return link_malformed(error);
	return link_write(link, error);
}

bool link_text(struct link *link, const char *name, const char *data, size_t length, GError **error)
{
	do {
		size_t taken;

		if (!frame_text(&link->line, link->seq, name, data, length, &taken))
			return link_malformed(error);
		if (!link_write(link, error))
			return false;
		data += taken;
		length -= taken;
	} while (length > 0);
	return true;
}

bool link_step(struct link *link, const char *text, GError **error)
{
	struct frame_line *line = link_frame(link, L1_FRAME_STEP);

	frame_add_u64(line, "ticks", __rdtsc());
	frame_add_string(line, "text", text);
	return link_send(link, error);
}

bool link_close(struct link *link, GError **error)
{
	bool ok;

	if (!frame_end(&link->line, link->seq))
		ok = link_malformed(error);
	else if (!link_write(link, error))
		ok = false;
	else
		ok = !link->tty || tcdrain(link->fd) == 0 || link_fail("tcdrain", error);
	link_shut(link);
	return ok;
}
