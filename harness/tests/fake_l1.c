/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An L1 in which one thing is wrong, or nothing: it says what the agent said of a reference record.
 * What test_faults.c puts in the place of Bochs ("bochs-bin"), of the appliance's init ("/init") or
 * of the agent on this machine ("eptlab-agent FOLDER"). What is wrong stands in EPTLAB_FAULT, or as
 * fault= on the kernel's command line ("answers": no run, but QEMU's answers are asked for); what
 * it says, in EPTLAB_REFERENCE, or in /reference: files of a record, "build-ids" ("NAME = ID"
 * lines), and "release".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "wire/frame.h"
#include "wire/l1_frames.h"

/* In the middle of what comes before the first run's texts. */
#define AT 5

static const char *fault = "";
static const char *reference;
static bool is_init;
static int console, frames, out_of_order = -1;
static uint32_t seq;
static struct frame_line line, kept;

static bool is(const char *name)
{
	return strcmp(fault, name) == 0;
}

static void leave(void)
{
	if (!is_init)
		exit(0);
	/* What is still in the UART when L1 powers off is lost. */
	tcdrain(frames);
	tcdrain(console);
	reboot(RB_POWER_OFF);
	abort();
}

static void hang(void)
{
	for (;;)
		pause();
}

/* Whoever does not read any more has ended this L1. */
static void put(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			leave();
		bytes += n;
		length -= (size_t)n;
	}
}

static void flood(int fd, const char *bytes)
{
	for (;;)
		put(fd, bytes, strlen(bytes));
}

static void put_console(const char *text)
{
	put(console, text, strlen(text));
}

/* ---- Frames ---- */

/* What becomes of the frame number AT, which is complete. */
static void put_wrong(void)
{
	if (is("crc"))
		line.line[strlen(FRAME_MAGIC)] ^= 1;
	if (is("version"))
		line.line[strlen("@ept")] = '2';
	if (is("lost"))
		return;
	if (is("reordered")) {
		kept = line;
		out_of_order = AT;
		return;
	}
	put(frames, line.line, is("cut") ? line.length / 2 : line.length);
	if (is("cut") || is("no_end"))
		leave();
	if (is("hangs"))
		hang();
	if (is("doubled"))
		put(frames, line.line, line.length);
	if (is("garbage_between"))
		put(frames, "\0\xff@ept @@\n\r@ep", 14);
	if (is("garbage_floods"))
		flood(frames, "\xff\xfe no frame\n");
	if (is("endless_line"))
		flood(frames, "@ept1 6 step");
}

static void send_line(void)
{
	if (!frame_close(&line))
		abort();
	if (seq++ == AT)
		put_wrong();
	else
		put(frames, line.line, line.length);
	if (out_of_order >= 0 && seq == AT + 2) {
		put(frames, kept.line, kept.length);
		out_of_order = -1;
	}
}

static void open_line(const char *kind)
{
	frame_open(&line, seq, kind);
}

/* A frame with one or two fields; NULL: one. */
static void send_words(const char *kind, const char *key, const char *value, const char *other,
		       const char *its)
{
	open_line(kind);
	frame_add_string(&line, key, value);
	if (other != NULL)
		frame_add_string(&line, other, its);
	send_line();
}

static void send_step(const char *text)
{
	open_line(L1_FRAME_STEP);
	frame_add_u64(&line, "ticks", 1000 + seq);
	frame_add_string(&line, "text", text);
	send_line();
}

static void send_text(const char *config, const char *file, const char *data, size_t length)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/%s", config, file);
	do {
		size_t taken;

		frame_text(&line, seq, name, data, length, &taken);
		/* Closed already; send_line would close it again. */
		put(frames, line.line, line.length);
		seq++;
		data += taken;
		length -= taken;
	} while (length > 0);
}

/* ---- What the probe said ---- */

/* The caller frees it; empty if there is no such file. */
static char *read_file(const char *folder, const char *name, size_t *length)
{
	const size_t most = 1u << 20;
	char *text = calloc(1, most + 1);
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", reference, folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 && text != NULL ? read(fd, text, most) : 0;
	if (fd >= 0)
		close(fd);
	*length = n > 0 ? (size_t)n : 0;
	return text;
}

/* One frame of the probe again, with the first number of its field live one less. */
static size_t shrink(const char *text, size_t length, char *out)
{
	char copy[FRAME_LINE_MAX + 1];
	struct frame frame;
	struct frame_line again;
	bool has_seq;

	memcpy(copy, text, length);
	copy[length] = '\0';
	if (frame_parse(copy, length, &frame, &has_seq) != NULL)
		abort();
	frame_open(&again, frame.seq, frame.kind);
	for (unsigned int i = 0; i < frame.count; i++) {
		const struct frame_field *field = &frame.fields[i];
		char *rest;
		char value[FRAME_LINE_MAX];

		if (strcmp(field->key, "live") != 0) {
			frame_add_bytes(&again, field->key, field->value, field->length);
			continue;
		}
		snprintf(value, sizeof(value), "%llu", strtoull(field->value, &rest, 10) - 1);
		strncat(value, rest, sizeof(value) - strlen(value) - 1);
		frame_add_string(&again, field->key, value);
	}
	if (!frame_close(&again))
		abort();
	memcpy(out, again.line, again.length);
	return again.length;
}

/* The first reason that has many exits. */
static char *line_of_many(char *text)
{
	for (char *at = text; (at = strstr(at, " live=")) != NULL; at++) {
		if (strtoul(at + strlen(" live="), NULL, 10) < 100)
			continue;
		while (*at != '@')
			at--;
		return at;
	}
	abort();
}

static void swap_lines(char *text)
{
	char *first = strstr(text, "\n@") + 1;
	char *second = strchr(first, '\n') + 1;
	const size_t a = (size_t)(second - first);
	const size_t b = (size_t)(strchr(second, '\n') + 1 - second);
	char copy[FRAME_LINE_MAX];

	memcpy(copy, first, a);
	memmove(first, second, b);
	memcpy(first + b, copy, a);
}

static void send_probe(const char *config, const char *other)
{
	size_t length;
	char *text = read_file(is("probe_of_another_run") ? other : config, L1_FILE_PROBE, &length);

	if (is("probe_crc"))
		text[length / 2] ^= 1;
	if (is("probe_cut"))
		length /= 2;
	if (is("probe_reordered"))
		swap_lines(text);
	if (is("probe_shrinks")) {
		char *from = line_of_many(text);
		const char *next = strchr(from, '\n');
		char again[FRAME_LINE_MAX + 1];
		const size_t size = shrink(from, (size_t)(next - from), again);
		const size_t gone = (size_t)(next + 1 - from);
		char *rest = from + gone;

		memmove(from + size, rest, length - (size_t)(rest - text));
		memcpy(from, again, size);
		length = length - gone + size;
	}
	if (is("probe_silent") || is("l2_crashes") || is("l2_hangs") || is("l2_stuck") ||
	    is("l2_panics"))
		length = 0;
	send_text(config, L1_FILE_PROBE, text, length);
	if (is("probe_doubled"))
		send_text(config, L1_FILE_PROBE, text, length);
	free(text);
}

/* ---- A run ---- */

static void send_file(const char *config, const char *name)
{
	size_t length;
	char *text = read_file(config, name, &length);

	send_text(config, name, text, length);
	free(text);
}

/* The modules that were built, and the parameters of the one that is this CPU's. */
static void send_effect(bool ept)
{
	const char *flag = ept != is("parameter_lies") ? "Y" : "N";
	size_t length;
	char *ids = read_file("", "build-ids", &length);
	const bool vmx = strstr(ids, "kvm_intel") != NULL;
	char *rest;

	for (char *name = strtok_r(ids, " =\n", &rest); name != NULL;
	     name = strtok_r(NULL, " =\n", &rest)) {
		char *id = strtok_r(NULL, " =\n", &rest);

		if (is("module_lies"))
			id[0] = id[0] == '0' ? '1' : '0';
		send_words("module", "name", name, "build_id", id);
	}
	if (is("parameter_is_no_flag"))
		flag = "maybe";
	send_words("param", "name", vmx ? "ept" : "npt", "value", flag);
	if (vmx) {
		send_words("param", "name", "vpid", "value", "Y");
		send_words("param", "name", "unrestricted_guest", "value", ept ? "Y" : "N");
	}
	if (is("parameter_is_unknown"))
		send_words("param", "name", "colour", "value", "Y");
	free(ids);
}

static const char *end_of_l2(void)
{
	return is("l2_crashes")	   ? "crashed"
	       : is("l2_stuck")	   ? "stuck"
	       : is("l2_hangs")	   ? "timed_out"
	       : is("l2_explodes") ? "exploded"
				   : "held";
}

static void send_run(const char *config, const char *other, bool ept)
{
	static const char oops[] = "[    9.000000] BUG: unable to handle page fault for address: "
				   "0000000000000008\n";
	static const char panic[] = "Kernel panic - not syncing: Attempted to kill init!\n";

	send_words(L1_FRAME_RUN, "config", is("run_not_asked_for") ? "sideways" : config, NULL,
		   NULL);
	send_effect(ept);
	send_step("L2: booting");
	open_line(L1_FRAME_L2);
	frame_add_string(&line, "end", end_of_l2());
	frame_add_u64(&line, "ticks", 300000000);
	send_line();
	send_file(config, L1_FILE_DMESG);
	if (is("l1_oopses"))
		send_text(config, L1_FILE_DMESG, oops, strlen(oops));
	send_file(config, L1_FILE_CONSOLE);
	if (is("l2_panics"))
		send_text(config, L1_FILE_CONSOLE, panic, strlen(panic));
	send_file(config, L1_FILE_STATS_VM);
	if (is("statistics_are_garbage"))
		send_text(config, L1_FILE_STATS_VM, "{[", 2);
	send_file(config, L1_FILE_STATS_VCPU);
	send_probe(config, other);
}

/* ---- A boot ---- */

static void send_l1(void)
{
	size_t length;
	char *release = read_file("", "release", &length);

	release[strcspn(release, "\n")] = '\0';
	send_words("l1", "release", release, NULL, NULL);
	free(release);
}

static void send_fail(uint64_t code, const char *message)
{
	open_line(L1_FRAME_FAIL);
	frame_add_u64(&line, "code", code);
	frame_add_string(&line, "message", message);
	send_line();
}

/* What is wrong as soon as there is a run. */
static void go_wrong(void)
{
	static const char first[] = "[    1.0] Kernel panic - not syncing: fault\n";
	char byte;

	if (is("panics")) {
		put_console(first);
		put_console("[    1.1] ---[ end Kernel panic - not syncing: fault ]---\n");
		hang();
	}
	/* As if an interrupt were lost: nothing goes on before another one comes. */
	if (is("sleeps") && read(console, &byte, 1) != 1)
		abort();
	if (is("console_floods"))
		flood(console, "all work and no play makes jack a dull boy\n");
	if (is("console_is_garbage"))
		put(console, "\0\x1b]0;x\a\xff\xfe\r\r\n%s%n", 16);
	if (is("steps_flood"))
		for (;;)
			send_step("L1: nothing, for ever");
	if (is("texts_flood"))
		for (;;)
			send_text("ept", L1_FILE_CONSOLE, first, strlen(first));
	if (is("unknown_kind"))
		send_words("colour", "is", "red", NULL, NULL);
	if (is("begins_again"))
		send_words("begin", "proto", "1", "from", L1_SENDER);
	if (is("text_elsewhere"))
		send_words("text", "name", "../../../etc/motd", "data", "x");
	if (is("module_before_run"))
		send_words("module", "name", "kvm", "build_id", "00");
	if (is("fails_with_success"))
		send_fail(0, "L1: all is well");
	if (is("fails"))
		send_fail(4, "L1: libvirt died (\x1b[2J\n)");
	if (is("stops_itself"))
		kill(getpid(), SIGSTOP);
	if (is("is_killed"))
		kill(getpid(), SIGKILL);
	if (is("exits_1"))
		exit(1);
	if (is("is_deaf")) {
		signal(SIGTERM, SIG_IGN);
		hang();
	}
	/* In a session of its own, with all that was open. */
	if (is("leaves_a_child") && fork() == 0) {
		setsid();
		hang();
	}
}

static void speak(void)
{
	if (is("silent"))
		leave();
	if (is("sender"))
		frame_begin(&line, PROBE_SENDER);
	else
		frame_begin(&line, L1_SENDER);
	put(frames, line.line, line.length);
	seq++;
	send_l1();
	send_step("L1: as if");
	if (is("answers")) {
		send_text("capabilities", "answers.xml", "none\n", strlen("none\n"));
		frame_end(&line, seq);
		put(frames, line.line, line.length);
		leave();
	}
	go_wrong();
	send_run("ept", "noept", true);
	send_run(is("run_twice") ? "ept" : "noept", "ept", false);
	open_line("end");
	frame_add_u64(&line, "frames", is("end_lies") ? seq + 1 : seq);
	frame_close(&line);
	put(frames, line.line, line.length);
	seq++;
	if (is("goes_on_after_end"))
		send_step("L1: one more thing");
	leave();
}

/* ---- In the place of whom ---- */

static int open_port(const char *folder, const char *name)
{
	char path[512];
	struct termios tio;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, (is_init ? O_RDWR : O_WRONLY) | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && tcgetattr(fd, &tio) == 0) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
	}
	return fd;
}

static void be_init(void)
{
	static char cmdline[4096];
	char *found;
	FILE *file;

	is_init = true;
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	file = fopen("/proc/cmdline", "r");
	if (file == NULL || fgets(cmdline, sizeof(cmdline), file) == NULL)
		abort();
	fclose(file);
	found = strstr(cmdline, " fault=");
	if (found != NULL) {
		fault = found + strlen(" fault=");
		found[strlen(" fault=") + strcspn(fault, " \n")] = '\0';
	}
	reference = "/reference";
	console = open_port("/dev", "ttyS0");
	frames = open_port("/dev", "ttyS1");
}

/* The log's lines begin with the tick at which they were written. */
static void write_bochs_log(const char *path)
{
	FILE *log = fopen(path, "w");
	char folder[512];

	if (log == NULL)
		abort();
	fputs("00000000000i[      ] Bochs x86 Emulator 2.7\n", log);
	while (is("log_floods") && fputs("00000000001e[      ] once more\n", log) >= 0)
		;
	fputs("00700000000i[      ] the end\n", log);
	fclose(log);
	/* Beside it, where a report is to be. */
	if (is("blocks_a_report")) {
		snprintf(folder, sizeof(folder), "%.*s/report.html",
			 (int)(strrchr(path, '/') - path), path);
		mkdir(folder, 0755);
	}
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	const char *given = getenv("EPTLAB_FAULT");
	const bool is_bochs = strcmp(name, "bochs-bin") == 0;

	if (given != NULL)
		fault = given;
	reference = getenv("EPTLAB_REFERENCE");
	if (getpid() == 1) {
		be_init();
	} else if (argc > 1) {
		console = open_port(is_bochs ? "." : argv[1], "console.fifo");
		frames = open_port(is_bochs ? "." : argv[1], "frames.fifo");
	}
	if (console < 0 || frames < 0 || reference == NULL)
		return 1;
	if (is_bochs)
		write_bochs_log(argv[argc - 1]);
	speak();
}
