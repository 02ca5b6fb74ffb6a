/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe: reads the VM-exit counts of the VM it runs in by CPUID, and sends the registers as
 * frames (harness/model/frame.h) to the device that is its only argument:
 *
 *	begin proto=1 from=probe
 *	iface eax= ebx= ecx= edx=		leaf KVM_EXITCOUNT_CPUID_SIGNATURE
 *	effect eax= ebx= ecx= edx=		leaf KVM_EXITCOUNT_CPUID_IN_EFFECT
 *	total at=before eax= ebx= ecx= edx=	leaf KVM_EXITCOUNT_CPUID_TOTAL_EXITS
 *	exit reason= eax= ebx= ecx= edx=	leaf KVM_EXITCOUNT_CPUID_EXITS, reason 0, 1, 2 ...
 *	total at=after eax= ebx= ecx= edx=
 *	end frames=N
 *
 * It does not judge. Where there is no such KVM it sends what the CPU answers.
 *
 * All is read before anything is sent, because sending causes exits: several for each byte. For the
 * same reason numbers are sent in decimal, where a 0, which most are, is one byte.
 *
 * Exit status: 0 if all was sent and has left the device, 1 if not, 2 for a wrong command line.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <asm/kvm_exitcount.h>

#include "model/frame.h"

/* Reasons that are asked for: all that are defined and a few behind them, which must not be. */
#define REASONS (KVM_EXITCOUNT_VMX_HIGHEST + 3)

/* Frames beside those of the reasons: begin, iface, effect, total twice, end. */
#define OTHER_FRAMES 6

struct registers {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

struct reading {
	struct registers iface;
	struct registers effect;
	struct registers before;
	struct registers exits[REASONS];
	struct registers after;
};

struct output {
	char bytes[(REASONS + OTHER_FRAMES) * FRAME_LINE_MAX];
	size_t length;
	uint32_t frames;
	bool failed;
};

static struct reading reading;
static struct output output;

static inline void read_leaf(uint32_t leaf, uint32_t index, struct registers *out)
{
	__cpuid_count(leaf, index, out->eax, out->ebx, out->ecx, out->edx);
}

/* Not inlined: a rehearsal must run the very same code. */
static void __attribute__((noinline)) read_leaves(struct reading *out, uint32_t reasons)
{
	uint32_t reason;

	read_leaf(KVM_EXITCOUNT_CPUID_SIGNATURE, 0, &out->iface);
	read_leaf(KVM_EXITCOUNT_CPUID_IN_EFFECT, 0, &out->effect);
	read_leaf(KVM_EXITCOUNT_CPUID_TOTAL_EXITS, 0, &out->before);
	for (reason = 0; reason < reasons; reason++)
		read_leaf(KVM_EXITCOUNT_CPUID_EXITS, reason, &out->exits[reason]);
	read_leaf(KVM_EXITCOUNT_CPUID_TOTAL_EXITS, 0, &out->after);
}

/*
 * The first access to a page causes exits: an EPT violation, or page faults that the shadow page
 * tables need. So each page that the reading writes to or executes is used beforehand.
 */
static void read_all(void)
{
	/* A rehearsal, then the reading that counts; volatile, or gcc may make two functions. */
	static const volatile uint32_t passes[] = { 1, REASONS };
	size_t i;

	memset(&reading, 0xff, sizeof(reading));
	for (i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
		read_leaves(&reading, passes[i]);
}

static void put_line(struct frame_line *line, bool good)
{
	if (!good) {
		output.failed = true;
		return;
	}
	memcpy(output.bytes + output.length, line->line, line->length);
	output.length += line->length;
	output.frames++;
}

static void close_with_registers(struct frame_line *line, const struct registers *registers)
{
	frame_add_u64(line, "eax", registers->eax);
	frame_add_u64(line, "ebx", registers->ebx);
	frame_add_u64(line, "ecx", registers->ecx);
	frame_add_u64(line, "edx", registers->edx);
	put_line(line, frame_close(line));
}

static void put_leaf(const char *kind, const struct registers *registers)
{
	struct frame_line line;

	frame_open(&line, output.frames, kind);
	close_with_registers(&line, registers);
}

static void put_total(const char *at, const struct registers *registers)
{
	struct frame_line line;

	frame_open(&line, output.frames, "total");
	frame_add_string(&line, "at", at);
	close_with_registers(&line, registers);
}

static void put_exit(uint32_t reason, const struct registers *registers)
{
	struct frame_line line;

	frame_open(&line, output.frames, "exit");
	frame_add_u64(&line, "reason", reason);
	close_with_registers(&line, registers);
}

static void put_all(void)
{
	struct frame_line line;
	uint32_t reason;
	bool good;

	good = frame_begin(&line, "probe");
	put_line(&line, good);
	put_leaf("iface", &reading.iface);
	put_leaf("effect", &reading.effect);
	put_total("before", &reading.before);
	for (reason = 0; reason < REASONS; reason++)
		put_exit(reason, &reading.exits[reason]);
	put_total("after", &reading.after);
	good = frame_end(&line, output.frames);
	put_line(&line, good);
}

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

static bool write_all(int fd)
{
	size_t sent = 0;

	while (sent < output.length) {
		ssize_t length = write(fd, output.bytes + sent, output.length - sent);

		if (length > 0)
			sent += (size_t)length;
		else if (length == 0 || errno != EINTR)
			return false;
	}
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

static bool send_all(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || !make_raw(fd) || !write_all(fd) || !drain(fd) || close(fd) < 0) {
		fprintf(stderr, "probe: cannot send the counts to %s: %s\n", path, strerror(errno));
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DEVICE\n", argv[0]);
		return 2;
	}
	read_all();
	put_all();
	if (output.failed) {
		fprintf(stderr, "probe: a frame could not be written\n");
		return 1;
	}
	return send_all(argv[1]) ? 0 : 1;
}
