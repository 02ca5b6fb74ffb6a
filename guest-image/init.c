/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pid 1 of L2: run the probe, which runs the workload, and end the VM.
 *
 * A clean end is a complete set of frames from the probe, then a power-off. Whatever goes wrong
 * here is said on the console, and the VM ends without a set, which the agent tells apart.
 *
 * In C and not a shell script because L2 runs on an emulator: the same steps as a busybox script
 * take three times as many instructions (1.3 and 4.0 million, measured with QEMU's -icount), nearly
 * all of them for fork() and exec().
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/workload_list.h"

#define NAME_PARAMETER	"eptlab.workload="
#define NAME_DEFAULT	"boot"
#define HOLD_PARAMETER	"eptlab.hold"
#define WORKLOAD_FOLDER "/eptlab/workloads"
#define PROBE		"/eptlab/probe"
#define FRAMES_DEVICE	"/dev/ttyS1" /* ttyS0 is the console */

static char *const environment[] = { (char *)"PATH=/bin:/sbin", (char *)"HOME=/tmp", NULL };

/* One line on the console. */
static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	dprintf(STDERR_FILENO, "eptlab-init: ");
	vdprintf(STDERR_FILENO, format, args);
	dprintf(STDERR_FILENO, "\n");
	va_end(args);
}

static bool mount_kernel(const char *type, const char *where)
{
	/* EBUSY: the kernel has mounted it already (CONFIG_DEVTMPFS_MOUNT). */
	if (mount(type, where, type, MS_NOSUID, NULL) == 0 || errno == EBUSY)
		return true;
	say("cannot mount %s on %s: %s", type, where, strerror(errno));
	return false;
}

/* The kernel command line as a string; false if /proc does not have it. */
static bool read_command_line(char *line, size_t size)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, line, size - 1);
	close(fd);
	if (length < 0)
		return false;
	line[length] = '\0';
	return true;
}

/* What the command line asks for. Of several of a kind the last one counts, as with the kernel's.
 */
struct wishes {
	const char *name;	/* of the workload */
	const char *operations; /* after it */
	bool holds;
};

static struct wishes read_words(char *line)
{
	struct wishes wishes = { .name = NAME_DEFAULT, .operations = "" };
	char *word, *rest = line;

	while ((word = strsep(&rest, " \n"))) {
		if (strncmp(word, NAME_PARAMETER, strlen(NAME_PARAMETER)) == 0)
			wishes.name = word + strlen(NAME_PARAMETER);
		if (strncmp(word, WORKLOAD_PARAMETER, strlen(WORKLOAD_PARAMETER)) == 0)
			wishes.operations = word + strlen(WORKLOAD_PARAMETER);
		wishes.holds |= strcmp(word, HOLD_PARAMETER) == 0;
	}
	return wishes;
}

/* Run a program to its end; false, and said why, unless it exits with 0. */
static bool run(char *const argv[])
{
	const char *path = argv[0];
	int status, error;
	pid_t pid;

	error = posix_spawn(&pid, path, NULL, NULL, argv, environment);
	if (error) {
		say("cannot run %s: %s", path, strerror(error));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			say("cannot wait for %s: %s", path, strerror(errno));
			return false;
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		say("%s was ended by signal %d", path, WTERMSIG(status));
	else
		say("%s exited with status %d", path, WEXITSTATUS(status));
	return false;
}

/*
 * A workload is an executable file, which the probe runs between two readings. An empty file is the
 * empty workload: nothing is started, and there is one reading.
 */
static bool run_probe(const struct wishes *wishes)
{
	const char *name = wishes->name;
	struct stat status;
	char path[128];
	int length = snprintf(path, sizeof(path), WORKLOAD_FOLDER "/%s", name);

	if (!name[0] || name[0] == '.' || strchr(name, '/') || length >= (int)sizeof(path) ||
	    stat(path, &status) < 0 || !S_ISREG(status.st_mode)) {
		say("there is no workload '%s' in this image", name);
		return false;
	}
	return run((char *const[]){ (char *)PROBE, (char *)FRAMES_DEVICE, (char *)name,
				    (char *)wishes->operations, status.st_size > 0 ? path : NULL,
				    NULL });
}

/* Stand still, so that L1 can be looked at: L2_HELD in harness/agent/l2_domain.h is this line. */
static void hold(void)
{
	dprintf(STDERR_FILENO, "eptlab: held\n");
	for (;;)
		pause();
}

static bool run_all(void)
{
	static char line[4096];
	struct wishes wishes;

	if (!mount_kernel("devtmpfs", "/dev") || !mount_kernel("proc", "/proc"))
		return false;
	if (!read_command_line(line, sizeof(line))) {
		say("cannot read /proc/cmdline: %s", strerror(errno));
		return false;
	}
	wishes = read_words(line);
	if (!run_probe(&wishes))
		return false;
	if (wishes.holds)
		hold();
	return true;
}

int main(void)
{
	if (!run_all())
		say("stopped: no counts from this boot");
	sync();
	reboot(RB_POWER_OFF);
	say("cannot power off: %s", strerror(errno));
	return 1;
}
