/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe under Linux: reads the VM-exit counts of the VM it runs in (reading.h), and sends them
 * as frames (report.h) to a device, and then which CPU
 * it has (cpuid_dump.h):
 *
 *	probe DEVICE NAME OPERATIONS		one reading, called NAME
 *	probe DEVICE NAME OPERATIONS PROGRAM	a reading "start", PROGRAM from its start to its
 *						end, a reading NAME
 *
 * and behind that the OPERATIONS (operations.h), which may be "". If NAME is COMMAND_WORKLOAD,
 *PROGRAM is no program but says which one (command.h).
 *
 * It does not judge. Where KVM does not count, it asks for no reason, and still for the latch: that
 * CPUID marks the end for whoever counts in L1 (harness/agent/witness.h). It says so with a frame
 * "mark".
 *
 * Exit status: 0 if all was sent and has left the device, 1 if not or if the program failed,
 * 2 for a wrong command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../workloads/workloads.h"
#include "command.h"
#include "cpuid_dump.h"
#include "operations.h"
#include "reading.h"
#include "report.h"
#include "wire/command.h"

#define NAME_OF_FIRST "start"

/*
 * Frames on their way to the device: a write() takes as many exits as its bytes need, and some more
 * for itself.
 */
struct output {
	int fd;
	size_t length;
	char bytes[8 * FRAME_LINE_MAX];
};

static struct reading_identity identity;
static struct reading first, last;

/* A terminal would change bytes on their way: '\n' to "\r\n". */
static bool make_raw(int fd)
{
	struct termios settings;

	if (tcgetattr(fd, &settings) < 0)
		return errno == ENOTTY; /* a file or a pipe leaves them alone */
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL;
	cfsetspeed(&settings, B115200);
	return tcsetattr(fd, TCSANOW, &settings) == 0;
}

static bool flush(struct output *output)
{
	size_t sent = 0;

	while (sent < output->length) {
		ssize_t length = write(output->fd, output->bytes + sent, output->length - sent);

		if (length > 0)
			sent += (size_t)length;
		else if (length == 0 || errno != EINTR)
			return false;
	}
	output->length = 0;
	return true;
}

/* The report_sink. A frame is at most FRAME_LINE_MAX bytes, so an empty buffer has room for it. */
static bool add_to_output(void *data, const char *bytes, size_t length)
{
	struct output *output = data;

	if (output->length + length > sizeof(output->bytes) && !flush(output))
		return false;
	memcpy(output->bytes + output->length, bytes, length);
	output->length += length;
	return true;
}

/* What is still in the UART when the VM ends is lost. */
static bool drain(int fd)
{
	if (!isatty(fd))
		return true;
	while (tcdrain(fd) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static bool send_to(struct output *output, const char *name, bool has_first)
{
	struct report report = { .sink = add_to_output, .data = output };

	errno = 0; /* stays so if it is a frame that could not be written */
	report_begin(&report, &identity);
	if (!reading_has_counts(&identity)) {
		report_mark(&report, &last, name);
		command_report(&report);
	} else {
		if (has_first)
			report_reading(&report, &identity, &first, NAME_OF_FIRST, 0);
		report_reading(&report, &identity, &last, name, 0);
		command_report(&report);
		operations_report(&report, &identity);
	}
	return cpuid_dump(&report) && report_end(&report) && flush(output) && drain(output->fd);
}

static bool send_all(const char *path, const char *name, bool has_first)
{
	static struct output output;

	output.fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (output.fd < 0 || !make_raw(output.fd) || !send_to(&output, name, has_first) ||
	    close(output.fd) < 0) {
		fprintf(stderr, "probe: cannot send the counts to %s: %s\n", path,
			errno ? strerror(errno) : "a frame could not be written");
		return false;
	}
	return true;
}

/* Run a program from its start to its end; false, and said why, unless it exits with 0. */
static bool run(const char *path)
{
	char *const argv[] = { (char *)path, NULL };
	int status, error;
	pid_t pid;

	error = posix_spawn(&pid, path, NULL, NULL, argv, environ);
	if (error) {
		fprintf(stderr, "probe: cannot run %s: %s\n", path, strerror(error));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			fprintf(stderr, "probe: cannot wait for %s: %s\n", path, strerror(errno));
			return false;
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		fprintf(stderr, "probe: %s was ended by signal %d\n", path, WTERMSIG(status));
	else
		fprintf(stderr, "probe: %s exited with status %d\n", path, WEXITSTATUS(status));
	return false;
}

/* The workload, between its two readings. */
static bool do_workload(const char *name, const char *program)
{
	const bool is_command = strcmp(name, COMMAND_WORKLOAD) == 0;

	if (is_command && !command_load(program))
		return false;
	reading_take(&identity, READING_EARLIER, &first);
	if (!is_command)
		return run(program);
	command_run();
	return true;
}

int main(int argc, char **argv)
{
	const char *program = argc == 5 ? argv[4] : NULL;

	if (argc == 2 && strcmp(argv[1], WORKLOAD_NOTHING) == 0)
		return 0;
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: %s DEVICE NAME OPERATIONS [PROGRAM]\n", argv[0]);
		return 2;
	}
	reading_identify(&identity);
	if (!reading_has_counts(&identity))
		identity.range_count = 0;
	if (program && !do_workload(argv[2], program))
		return 1;
	reading_take(&identity, READING_LAST, &last);
	if (reading_has_counts(&identity) && !operations_do(&identity, argv[3]))
		return 1;
	return send_all(argv[1], argv[2], program != NULL) ? 0 : 1;
}
