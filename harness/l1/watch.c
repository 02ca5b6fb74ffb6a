/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib-unix.h>

/* A panic's last line (kernel/panic.c, panic()), and how long to wait for it after the first. */
#define PANIC_FIRST	    "Kernel panic - not syncing"
#define PANIC_LAST	    "---[ end Kernel panic"
#define PANIC_GRACE_SECONDS 10

struct watch {
	const struct watch_request *request;
	GMainContext *context;
	GMainLoop *loop;
	int console_file;
	size_t kept;	     /* of the console, in bytes */
	unsigned int silent; /* seconds since L1's last byte, or since it was woken */
	int cancelled;	     /* readable once the request is cancelled; -1: it cannot be */
	GString *line;	     /* the console's current line */
	char *panic;	     /* the first line of L1's panic */
	GError *error;	     /* the first thing that went wrong */
};

static void end(struct watch *watch)
{
	g_main_loop_quit(watch->loop);
}

static void set_panic_error(struct watch *watch)
{
	if (watch->error == NULL)
		eptlab_fail(&watch->error, EPTLAB_ERROR_L1,
			    "L1: its kernel panicked (%s); read l1-console.log", watch->panic);
}

static gboolean on_panic_grace(void *data)
{
	set_panic_error(data);
	end(data);
	return G_SOURCE_REMOVE;
}

/* The source belongs to the context, which the caller pops and frees. */
static void add_source(struct watch *watch, GSource *source, GSourceFunc function)
{
	g_source_set_callback(source, function, watch, NULL);
	g_source_attach(source, watch->context);
	g_source_unref(source);
}

static void look_at_line(struct watch *watch)
{
	const char *found = strstr(watch->line->str, PANIC_FIRST);

	if (strstr(watch->line->str, PANIC_LAST) != NULL) {
		if (watch->panic == NULL)
			watch->panic = g_strdup(PANIC_FIRST);
		on_panic_grace(watch);
	} else if (found != NULL && watch->panic == NULL) {
		watch->panic = g_strndup(found, strcspn(found, "\r"));
		add_source(watch, g_timeout_source_new_seconds(PANIC_GRACE_SECONDS),
			   on_panic_grace);
	}
}

/* So much is read at once, so that a console which never stops does not stop the clock. */
#define TAKEN_AT_ONCE 64

/* How long what L1 wrote before it ended may be on its way. */
#define LAST_SECONDS 5

/* Longer lines than this are cut for look_at_line; the file has them whole. */
#define CONSOLE_LINE_MAX 4096

static bool take_console(struct watch *watch, const char *bytes, size_t length)
{
	size_t written = 0;

	watch->kept += length;
	if (watch->kept > WATCH_CONSOLE_MOST) {
		if (watch->error == NULL)
			eptlab_fail(
				&watch->error, EPTLAB_ERROR_L1,
				"L1: it has written more than %u MiB on its console, which is the "
				"limit; read l1-console.log",
				WATCH_CONSOLE_MOST >> 20);
		return false;
	}
	while (written < length) {
		ssize_t n = write(watch->console_file, bytes + written, length - written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (watch->error == NULL)
				eptlab_fail(&watch->error, EPTLAB_ERROR_MACHINE,
					    "L0: L1's console could not be kept in %s (%s); free "
					    "some disk space",
					    watch->request->console_file, g_strerror(errno));
			return false;
		}
		written += (size_t)n;
	}
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			look_at_line(watch);
			g_string_truncate(watch->line, 0);
		} else if (watch->line->len < CONSOLE_LINE_MAX && bytes[i] != '\0') {
			g_string_append_c(watch->line, bytes[i]);
		}
	}
	return true;
}

static bool take_frames(struct watch *watch, const char *bytes, size_t length)
{
	g_autoptr(GError) cause = NULL;

	if (frameset_feed(watch->request->frameset, bytes, length, &cause))
		return true;
	if (watch->error == NULL)
		g_propagate_error(&watch->error, g_steal_pointer(&cause));
	return false;
}

/* The emulator's own screen is of no use: it is read so that the emulator does not block. */
static bool take_screen(struct watch *watch G_GNUC_UNUSED, const char *bytes G_GNUC_UNUSED,
			size_t length G_GNUC_UNUSED)
{
	return true;
}

typedef bool (*take_func)(struct watch *watch, const char *bytes, size_t length);

/* What is there now, or a good part of it. Negative when take has refused it, 0: there is no more.
 */
static int drain(struct watch *watch, int fd, take_func take)
{
	char bytes[16384];
	ssize_t n = 1;

	for (unsigned int i = 0; i < TAKEN_AT_ONCE && n > 0; i++) {
		do
			n = read(fd, bytes, sizeof(bytes));
		while (n < 0 && errno == EINTR);
		if (n > 0)
			watch->silent = 0;
		if (n > 0 && !take(watch, bytes, (size_t)n))
			return -1;
	}
	return n > 0;
}

static gboolean on_readable(struct watch *watch, int fd, GIOCondition condition, take_func take)
{
	int more = drain(watch, fd, take);

	if (more < 0)
		end(watch);
	/* A hang-up comes again and again; the end of L1 is what ends the loop. */
	return more > 0 || (condition & (G_IO_HUP | G_IO_ERR)) == 0 ? G_SOURCE_CONTINUE
								    : G_SOURCE_REMOVE;
}

static gboolean on_console(int fd, GIOCondition condition, void *data)
{
	return on_readable(data, fd, condition, take_console);
}

static gboolean on_frames(int fd, GIOCondition condition, void *data)
{
	return on_readable(data, fd, condition, take_frames);
}

static gboolean on_screen(int fd, GIOCondition condition, void *data)
{
	return on_readable(data, fd, condition, take_screen);
}

static gboolean on_timeout(void *data)
{
	struct watch *watch = data;

	if (watch->error == NULL)
		eptlab_fail(&watch->error, EPTLAB_ERROR_TIMEOUT,
			    "L1: it had not finished after %u s of wall time (timeout_seconds of "
			    "the platform); read l1-console.log",
			    watch->request->seconds);
	end(watch);
	return G_SOURCE_REMOVE;
}

/* Each second. What a guest does may make an emulator log without end. */
static gboolean on_second(void *data)
{
	struct watch *watch = data;
	const struct watch_request *request = watch->request;
	struct stat status;

	if (request->wake != NULL && ++watch->silent >= WATCH_SILENT) {
		watch->silent = 0;
		request->wake(request->data);
	}
	if (request->log == NULL || stat(request->log, &status) != 0 ||
	    status.st_size <= WATCH_LOG_MOST)
		return G_SOURCE_CONTINUE;
	if (watch->error == NULL)
		eptlab_fail(&watch->error, EPTLAB_ERROR_L1,
			    "L1: it has made its emulator log more than %u MiB, which is the "
			    "limit; read "
			    "emulator.log",
			    WATCH_LOG_MOST >> 20);
	end(watch);
	return G_SOURCE_REMOVE;
}

static gboolean on_cancelled(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, void *data)
{
	struct watch *watch = data;

	if (watch->error == NULL)
		eptlab_fail(&watch->error, EPTLAB_ERROR_INTERRUPTED,
			    "L0: interrupted while L1 was running; L1 has been ended");
	end(watch);
	return G_SOURCE_REMOVE;
}

static gboolean on_ended(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, void *data)
{
	end(data);
	return G_SOURCE_REMOVE;
}

static void watch_fd(struct watch *watch, int fd, GUnixFDSourceFunc function)
{
	if (fd >= 0)
		add_source(watch, g_unix_fd_source_new(fd, G_IO_IN), G_SOURCE_FUNC(function));
}

static void add_sources(struct watch *watch)
{
	const struct watch_request *request = watch->request;

	watch_fd(watch, request->console, on_console);
	watch_fd(watch, request->frames, on_frames);
	watch_fd(watch, request->screen, on_screen);
	watch_fd(watch, request->ended, on_ended);
	/*
	 * Not a cancellable source: that waits for a signal of the object, and leaks when it is
	 * freed while another thread still emits it.
	 */
	watch_fd(watch, watch->cancelled, on_cancelled);
	add_source(watch, g_timeout_source_new_seconds(request->seconds), on_timeout);
	if (request->log != NULL || request->wake != NULL)
		add_source(watch, g_timeout_source_new_seconds(1), on_second);
}

/* Is there something to read, or will there be? At its end there is nothing, and a hang-up. */
static bool wait_for_more(const struct watch *watch, int fd, gint64 deadline)
{
	struct pollfd waits[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = watch->cancelled, .events = POLLIN },
	};
	gint64 left = watch->request->to_end ? deadline - g_get_monotonic_time() : 0;
	int ready;

	do
		ready = poll(waits, G_N_ELEMENTS(waits), (int)(MAX(left, 0) / 1000));
	while (ready < 0 && errno == EINTR);
	return (waits[0].revents & POLLIN) != 0;
}

/* What L1 wrote before it ended is still on its way. False when take has refused it. */
static bool drain_last(struct watch *watch, int fd, gint64 deadline, take_func take)
{
	while (wait_for_more(watch, fd, deadline) && g_get_monotonic_time() < deadline) {
		if (drain(watch, fd, take) < 0)
			return false;
	}
	return true;
}

static void drain_all(struct watch *watch)
{
	const gint64 deadline = g_get_monotonic_time() + LAST_SECONDS * G_TIME_SPAN_SECOND;

	if (drain_last(watch, watch->request->console, deadline, take_console))
		look_at_line(watch);
	if (watch->error == NULL)
		drain_last(watch, watch->request->frames, deadline, take_frames);
	if (watch->panic != NULL)
		set_panic_error(watch);
}

static bool open_console_file(struct watch *watch)
{
	const char *path = watch->request->console_file;

	watch->console_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (watch->console_file >= 0)
		return true;
	return eptlab_fail(&watch->error, EPTLAB_ERROR_MACHINE,
			   "L0: L1's console cannot be kept in %s (%s)", path, g_strerror(errno));
}

bool watch_l1(const struct watch_request *request, GError **error)
{
	struct watch watch = {
		.request = request,
		.context = g_main_context_new(),
		.console_file = -1,
		.cancelled = g_cancellable_get_fd(request->cancellable),
		.line = g_string_new(NULL),
	};

	watch.loop = g_main_loop_new(watch.context, FALSE);
	if (open_console_file(&watch)) {
		add_sources(&watch);
		g_main_loop_run(watch.loop);
	}
	request->stop(request->data);
	drain_all(&watch);
	if (watch.console_file >= 0)
		close(watch.console_file);
	g_main_loop_unref(watch.loop);
	g_main_context_unref(watch.context);
	if (watch.cancelled >= 0)
		g_cancellable_release_fd(request->cancellable);
	g_string_free(watch.line, TRUE);
	g_free(watch.panic);
	if (watch.error == NULL)
		return true;
	g_propagate_error(error, watch.error);
	return false;
}

bool watch_judge(const frameset *frames, const char *silent, GError **error)
{
	if (frameset_is_complete(frames))
		return true;
	if (frameset_frames(frames) > 0)
		return eptlab_fail(error, EPTLAB_ERROR_L1,
				   "L1: it ended in the middle of its report; read l1-console.log "
				   "and emulator.log");
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s; read emulator.log and l1-console.log", silent);
}
