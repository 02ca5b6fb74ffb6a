/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_TESTS_FAULTS_H
#define EPTLAB_TESTS_FAULTS_H

/*
 * The faults that an experiment must survive: who goes wrong and how, what it ends with, and which
 * level its one sentence names. What must hold for each of them stands in test_faults.c and not
 * here: the status, the sentence, the record, earlier records as they were, and nothing left.
 *
 * Commands are of the shell, and use the functions of harness/tests/fault.
 */

enum fault_platform { ON_BOCHS, ON_TCG, ON_LOCAL, ON_KVM, FAULT_PLATFORMS };

struct fault_end {
	int status;
	const char *level; /* that the sentence names; NULL: none is asked for */
	const char *says;  /* a part of it; NULL: as elsewhere */
};

struct fault {
	const char *name;
	const char *who, *how;
	struct fault_end end;
	/* On kvm, where nothing stands for it, that of tcg holds: both are domains of libvirt's. */
	struct fault_end but[FAULT_PLATFORMS]; /* where it is another one */
	const char *rule;		       /* that fails */
	const char *skip[FAULT_PLATFORMS];     /* why it is not run there; kvm as above */
	const char *fake;   /* what is wrong with a fake L1 (fake_l1.c); NULL: a real one */
	const char *before; /* a command before eptlab is started */
	const char *inside; /* and one in its process, before it is eptlab */
	const char *args;   /* of eptlab run */
	const char *when;   /* a command that ends with 0 when it is time */
	const char *act;    /* for this one */
	const char *after;  /* and one when eptlab has ended */
	bool killed;	    /* it leaves a half record to the next eptlab */
	bool early;	    /* it ends before there is a record */
	bool long_only;	    /* make test leaves it to make torture */
};

#define IN_TIME "--set $platform.timeout_seconds=8"
#define ONE_RUN "--set experiment.configurations=noept --set experiment.operations=getppid "
#define REFUSED                                                                                    \
	{                                                                                          \
		4, "L1", NULL                                                                      \
	}
#define MACHINE(says)                                                                              \
	{                                                                                          \
		2, "L0", says                                                                      \
	}
#define TIME_OUT                                                                                   \
	{                                                                                          \
		6, "L1", "had not finished after 8 s"                                              \
	}
#define CUT_OFF                                                                                    \
	{                                                                                          \
		4, "L1", "ended in the middle of its report"                                       \
	}

#define NO_L1		 "L1 is the machine that the row itself runs on"
#define NO_EMULATOR	 "L1 is no process there"
#define NO_TERMINAL	 "without a terminal, what a shell has in the background ignores SIGINT"
#define SLOW_PORT	 "a serial port that QEMU emulates takes minutes for so much"
#define SAME_ON_L0	 "what it does happens on L0, before there is a platform: bochs tells"
#define ONLY_BOCHS(why)	 .skip = { [ON_TCG] = (why), [ON_LOCAL] = (why) }
#define ON_L0		 ONLY_BOCHS(SAME_ON_L0)
#define NOT_LOCAL(why)	 .skip = { [ON_LOCAL] = (why) }
#define ON_L0_WITH_SHELL .skip = { [ON_LOCAL] = NO_TERMINAL, [ON_KVM] = NO_TERMINAL }
#define NO_L2_THERE	 "L2 three levels deep is make test-nested's; its ends are told by a fake L1"
#define REAL_L2                                                                                    \
	.skip = {                                                                                  \
		[ON_LOCAL] =                                                                       \
			"L2's boot within the emulated machine is test_local's; its ends are "     \
			"told by a fake L1",                                                       \
		[ON_KVM] = NO_L2_THERE,                                                            \
	}

/* A fake L1 that says something wrong: the frames are refused. */
#define LIES(fault, part)                                                                          \
	{                                                                                          \
		.name = "agent_" fault, .who = "agent", .how = "lies", .fake = (fault),            \
		.end = { 4,                                                                        \
			 "L1",                                                                     \
			 part }                                                                    \
	}
/* What the probe said is wrong. */
#define PROBE_LIES(fault, part)                                                                    \
	{                                                                                          \
		.name = (fault), .who = "probe", .how = "lies", .fake = (fault),                   \
		.end = { 5,                                                                        \
			 "L2",                                                                     \
			 part }                                                                    \
	}
/* What is wrong with it only a rule can see. */
#define INVALID(fault, whose, failing)                                                             \
	{                                                                                          \
		.name = (fault), .who = (whose), .how = "lies", .fake = (fault),                   \
		.end = { 3, NULL, NULL }, .rule = (failing)                                        \
	}
/* While L1 runs, and does nothing. */
#define SIGNALLED(name_, how_, act_)                                                               \
	{                                                                                          \
		.name = (name_), .who = "eptlab", .how = (how_), .fake = "hangs",                  \
		.when = "running", .act = (act_),                                                  \
		.end = { 130,                                                                      \
			 "L0",                                                                     \
			 "interrupted" }                                                           \
	}

static const struct fault faults[] = {
	/* What the others are held against: the fake L1 that does nothing wrong is believed. */
	{ .name = "nothing", .who = "nobody", .how = "is wrong", .fake = "nothing" },

	/* ---- The agent, and what comes from it ---- */
	{ .name = "agent_silent",
	  .who = "agent",
	  .how = "dies",
	  .fake = "silent",
	  .end = MACHINE("before L1's agent had said a word"),
	  .but = { [ON_TCG] = MACHINE("before its agent had said a word"), [ON_LOCAL] = CUT_OFF } },
	{ .name = "agent_dies", .who = "agent", .how = "dies", .fake = "no_end", .end = CUT_OFF },
	{ .name = "agent_cut_off",
	  .who = "agent",
	  .how = "is cut off",
	  .fake = "cut",
	  .end = CUT_OFF },
	{ .name = "agent_hangs",
	  .who = "agent",
	  .how = "hangs",
	  .fake = "hangs",
	  .args = IN_TIME,
	  .end = TIME_OUT },
	LIES("crc", "CRC is wrong"),
	LIES("version", "version of the protocol"),
	LIES("doubled", "twice"),
	LIES("reordered", "missing or out of order"),
	LIES("lost", "missing"),
	LIES("begins_again", "second begin"),
	LIES("sender", "is from 'probe'"),
	LIES("end_lies", "the end frame says"),
	LIES("goes_on_after_end", "after the end frame"),
	LIES("unknown_kind", "unknown kind"),
	LIES("text_elsewhere", "no name of a file"),
	LIES("run_not_asked_for", "not asked for"),
	LIES("run_twice", "second time"),
	LIES("module_before_run", "before any run"),
	LIES("parameter_is_no_flag", "neither Y nor N"),
	LIES("parameter_is_unknown", "unknown parameter"),
	LIES("fails_with_success", "code of a success"),
	LIES("l2_explodes", "unknown end"),
	LIES("statistics_are_garbage", "kvm-vm.json"),
	INVALID("parameter_lies", "agent", "ept-sysfs"),
	INVALID("module_lies", "agent", "modules"),
	{ .name = "agent_garbage_between_frames",
	  .who = "agent",
	  .how = "lies",
	  .fake = "garbage_between" },
	{ .name = "agent_garbage_for_ever",
	  .who = "agent",
	  .how = "floods",
	  .fake = "garbage_floods",
	  .args = IN_TIME,
	  .end = TIME_OUT },
	{ .name = "agent_endless_line",
	  .who = "agent",
	  .how = "floods",
	  .fake = "endless_line",
	  .end = { 4, "L1", "longer than" } },
	{ .name = "agent_steps_for_ever",
	  .who = "agent",
	  .how = "floods",
	  .fake = "steps_flood",
	  .args = IN_TIME,
	  .end = TIME_OUT },
	{ .name = "agent_texts_for_ever",
	  .who = "agent",
	  .how = "floods",
	  .fake = "texts_flood",
	  .end = { 4, "L1", "which is the limit" },
	  .skip = { [ON_TCG] = SLOW_PORT } },
	{ .name = "libvirt_dies",
	  .who = "libvirt",
	  .how = "dies",
	  .fake = "fails",
	  .end = { 4, "L1", "libvirt died" } },

	/* ---- L1's kernel ---- */
	{ .name = "l1_panics",
	  .who = "L1's kernel",
	  .how = "dies",
	  .fake = "panics",
	  .end = { 4, "L1", "panicked" } },
	{ .name = "l1_console_for_ever",
	  .who = "L1's kernel",
	  .how = "floods",
	  .fake = "console_floods",
	  .end = { 4, "L1", "MiB on its console" },
	  .skip = { [ON_TCG] = SLOW_PORT } },
	{ .name = "l1_console_is_garbage",
	  .who = "L1's kernel",
	  .how = "lies",
	  .fake = "console_is_garbage" },
	INVALID("l1_oopses", "L1's kernel", "kernel-log"),

	{ .name = "interrupt_is_lost",
	  .who = "emulator",
	  .how = "loses an interrupt",
	  .fake = "sleeps",
	  .skip = { [ON_BOCHS] = "Bochs loses none",
		    [ON_LOCAL] = "there is no emulator",
		    [ON_KVM] = "KVM loses none" } },

	/* ---- L2 ---- */
	{ .name = "l2_panics",
	  .who = "L2's kernel",
	  .how = "dies",
	  .fake = "l2_panics",
	  .end = { 5, "L2", "Kernel panic" } },
	{ .name = "l2_hangs",
	  .who = "L2's kernel",
	  .how = "hangs",
	  .fake = "l2_hangs",
	  .end = { 6, "L2", "timeout_seconds" } },
	{ .name = "qemu_dies",
	  .who = "QEMU in L1",
	  .how = "dies",
	  .fake = "l2_crashes",
	  .end = { 5, "L2", "QEMU ended before L2" } },
	{ .name = "qemu_stops_l2",
	  .who = "QEMU in L1",
	  .how = "hangs",
	  .fake = "l2_stuck",
	  .end = { 5, "L2", "QEMU stopped it" } },
	{ .name = "l2_kernel_is_huge",
	  .who = "L2's kernel",
	  .how = "is huge",
	  .before = "truncate -s 1099511627776 \"$lab/vmlinux\"",
	  .fake = "nothing",
	  .args = "--set l2.kernel=\"$lab/vmlinux\"",
	  .end = { 1, "L0", "larger than L2's memory" } },
	PROBE_LIES("probe_silent", "without an end frame"),
	PROBE_LIES("probe_crc", "CRC is wrong"),
	PROBE_LIES("probe_cut", "ended within the frame"),
	PROBE_LIES("probe_doubled", "after the end frame"),
	PROBE_LIES("probe_reordered", "missing or out of order"),
	INVALID("probe_of_another_run", "probe", "ept-leaf"),
	INVALID("probe_shrinks", "probe", "sum"),

	/* ---- The emulator ---- */
	{ .name = "emulator_is_killed",
	  .who = "emulator",
	  .how = "dies",
	  .fake = "is_killed",
	  .end = MACHINE("ended by a signal"),
	  ONLY_BOCHS(NO_EMULATOR) },
	{ .name = "emulator_fails",
	  .who = "emulator",
	  .how = "dies",
	  .fake = "exits_1",
	  .end = CUT_OFF,
	  ONLY_BOCHS(NO_EMULATOR) },
	{ .name = "emulator_is_deaf",
	  .who = "emulator",
	  .how = "hangs",
	  .fake = "is_deaf",
	  .args = IN_TIME,
	  .end = TIME_OUT,
	  ONLY_BOCHS(NO_EMULATOR) },
	{ .name = "emulator_stops",
	  .who = "emulator",
	  .how = "hangs",
	  .fake = "stops_itself",
	  .args = IN_TIME,
	  .end = TIME_OUT,
	  ONLY_BOCHS(NO_EMULATOR) },
	{ .name = "emulator_leaves_a_child",
	  .who = "emulator",
	  .how = "lies",
	  .fake = "leaves_a_child",
	  ONLY_BOCHS(NO_EMULATOR) },
	{ .name = "emulator_log_for_ever",
	  .who = "emulator",
	  .how = "floods",
	  .fake = "log_floods",
	  .end = { 4, "L1", "emulator log more than" },
	  ONLY_BOCHS(NO_EMULATOR) },

	/* ---- eptlab itself ---- */
	{ .name = "sigint",
	  .who = "eptlab",
	  .how = "gets SIGINT",
	  .fake = "hangs",
	  .when = "running",
	  .act = "kill -INT $victim",
	  .end = { 130, "L0", "interrupted" },
	  ON_L0_WITH_SHELL },
	SIGNALLED("sigterm", "gets SIGTERM", "kill -TERM $victim"),
	SIGNALLED("sighup", "gets SIGHUP", "kill -HUP $victim"),
	{ .name = "ctrl_c",
	  .who = "eptlab",
	  .how = "gets Ctrl-C",
	  .fake = "hangs",
	  .when = "running",
	  .act = "kill -INT -$victim",
	  .end = { 130, "L0", "interrupted" },
	  ON_L0_WITH_SHELL },
	SIGNALLED("signals_at_once", "gets three signals",
		  "kill -TERM $victim; kill -HUP $victim; kill -TERM $victim"),
	{ .name = "ctrl_z_and_fg",
	  .who = "eptlab",
	  .how = "gets Ctrl-Z, then fg",
	  .fake = "hangs",
	  .args = IN_TIME,
	  .when = "running",
	  .act = "kill -TSTP -$victim; until processes 'p == victim' | grep -q .; do nap; done; "
		 "kill -CONT -$victim",
	  .end = TIME_OUT,
	  ON_L0_WITH_SHELL },
	{ .name = "sigkill",
	  .who = "eptlab",
	  .how = "gets SIGKILL",
	  .fake = "hangs",
	  .when = "running",
	  .act = "kill -KILL $victim",
	  .end = { 137, NULL, NULL },
	  .killed = true },
	{ .name = "sigkill_of_the_worker",
	  .who = "eptlab",
	  .how = "gets SIGKILL",
	  .fake = "hangs",
	  .when = "running",
	  .act = "kill -KILL \"$(worker)\"",
	  .end = MACHINE("process at work was ended"),
	  .killed = true },
	{ .name = "sigkill_of_the_supervisor",
	  .who = "eptlab",
	  .how = "gets SIGKILL",
	  .fake = "hangs",
	  .when = "running",
	  .act = "kill -KILL \"$(supervisor)\"",
	  .end = MACHINE(
		  "looks after all others was ended by a signal (Killed), and what eptlab had "
		  "started has been ended too"),
	  .killed = true },
	{ .name = "interrupted_at_a_random_moment",
	  .who = "eptlab",
	  .how = "gets SIGTERM",
	  .fake = "hangs",
	  /* Before that nothing was begun, and the signal ends it as any other program. */
	  .when = "[ -n \"$(supervisor)\" ]",
	  .act = "after $random; kill -TERM $victim",
	  .end = { 130, NULL, NULL } },
	{ .name = "killed_at_a_random_moment",
	  .who = "eptlab",
	  .how = "gets SIGKILL",
	  .fake = "hangs",
	  .when = "after $random",
	  .act = "kill -KILL $victim",
	  .end = { 137, NULL, NULL },
	  .killed = true },
	{ .name = "two_at_once",
	  .who = "eptlab",
	  .how = "is started twice",
	  .fake = "nothing",
	  .when = "true",
	  .act = "run_as_is $args > \"$lab/second\" 2>&1; second=$?",
	  .after = "[ $second -eq 0 ] || { echo \"left: the second ended with $second\"; "
		   "sed 's/^/# /' \"$lab/second\"; }",
	  NOT_LOCAL("the second is refused there: another row") },
	{ .name = "two_at_once_on_this_machine",
	  .who = "eptlab",
	  .how = "is started twice",
	  /* exec: busybox's $! is a shell otherwise, which dies alone. */
	  .before = "(exec \"$tree/build/eptlab\" run --results \"$results\" "
		    "--set experiment.platform=$platform $args) > /dev/null 2>&1 & other=$!; "
		    "until running; do nap; done",
	  .fake = "hangs",
	  .end = MACHINE("another eptlab is reloading KVM"),
	  .after = "kill -TERM $other; wait $other",
	  .skip = { [ON_BOCHS] = "two are no fault there", [ON_TCG] = "two are no fault there" } },

	/* ---- The disk ---- */
	{ .name = "disk_full_at_once",
	  .who = "disk",
	  .how = "is full",
	  .fake = "nothing",
	  .before = "small \"$results\" size=1m && full \"$results\"",
	  .end = MACHINE("space"),
	  .after = "umount \"$results\"" },
	{ .name = "disk_full_at_the_job",
	  .who = "disk",
	  .how = "is full",
	  .fake = "nothing",
	  .before = "small \"$results\" size=1536k",
	  .end = MACHINE("space"),
	  .after = "umount \"$results\"",
	  NOT_LOCAL("its job is links, which take no space") },
	{ .name = "disk_full_at_the_record",
	  .who = "disk",
	  .how = "is full",
	  .fake = "nothing",
	  .before = "small \"$results\" size=420k",
	  .end = MACHINE("space"),
	  .killed = true,
	  .after = "umount \"$results\"",
	  .skip = { [ON_BOCHS] = "the job medium comes first",
		    [ON_TCG] = "the job medium comes first" } },
	{ .name = "results_are_read_only",
	  .who = "disk",
	  .how = "is read-only",
	  .fake = "nothing",
	  .before = "small \"$results\" size=4m && mount -o remount,ro \"$results\"",
	  .end = MACHINE("ead-only file system"),
	  .after = "umount \"$results\"" },
	{ .name = "results_are_a_file",
	  .who = "disk",
	  .how = "is garbage",
	  .fake = "nothing",
	  .args = "--results /etc/passwd",
	  .end = MACHINE("/etc/passwd"),
	  ON_L0 },
	{ .name = "report_cannot_be_written",
	  .who = "disk",
	  .how = "is cut off",
	  .fake = "blocks_a_report",
	  .end = MACHINE("is complete, but its report.html"),
	  ON_L0 },
	{ .name = "no_tmp",
	  .who = "disk",
	  .how = "is read-only",
	  .fake = "nothing",
	  .before = "mount -t tmpfs -o ro none /tmp",
	  .after = "umount /tmp",
	  .end = MACHINE("/tmp"),
	  .skip = { [ON_BOCHS] = "bochs needs no /tmp",
		    [ON_LOCAL] = "the fake agent starts no libvirt" } },
	{ .name = "no_space_in_tmp",
	  .who = "disk",
	  .how = "is full",
	  .fake = "nothing",
	  .before = "mount -t tmpfs -o size=4k none /tmp; full /tmp",
	  .after = "umount /tmp",
	  .end = MACHINE("/tmp"),
	  .skip = { [ON_BOCHS] = "bochs needs no /tmp",
		    [ON_LOCAL] = "the fake agent starts no libvirt" } },
	{ .name = "cache_is_read_only",
	  .who = "cache",
	  .how = "is read-only",
	  .fake = "nothing",
	  .before = "own_cache && small \"$lab/cache\" size=4g && rm "
		    "\"$lab\"/cache/eptlab/guest/*.img && "
		    "mount -o remount,ro \"$lab/cache\"",
	  .end = MACHINE("ead-only file system"),
	  .after = "umount \"$lab/cache\"",
	  ON_L0 },
	{ .name = "cache_is_full",
	  .who = "cache",
	  .how = "is full",
	  .fake = "nothing",
	  .before = "own_cache && rm \"$lab\"/cache/eptlab/guest/*.img && small \"$lab/cache\" "
		    "size=64m && "
		    "full \"$lab/cache\"",
	  .end = MACHINE("make room"),
	  .after = "umount \"$lab/cache\"",
	  ON_L0 },

	/* ---- Memory and other limits ---- */
	{ .name = "no_memory",
	  .who = "memory",
	  .how = "is used up",
	  /* Too little for L1's machine, enough for libvirt's threads, each with its own arena. */
	  .inside = "ulimit -v $([ $platform = bochs ] && echo 400000 || echo 2000000)",
	  .args = ONE_RUN,
	  .end = MACHINE("ended by a signal"),
	  .but = { [ON_TCG] = MACHINE("Cannot allocate memory") },
	  REAL_L2 },
	{ .name = "no_descriptors",
	  .long_only = true,
	  .who = "memory",
	  .how = "is used up",
	  .fake = "nothing",
	  /* Whatever make and the tests have open is none of these. */
	  .inside = "for fd in /proc/self/fd/*; do "
		    "[ ${fd##*/} -lt 3 ] || eval \"exec ${fd##*/}>&-\"; done; ulimit -n 12",
	  /* GLib ends the process if it is the first to need one; eptlab tells what it needs. */
	  .end = MACHINE(""),
	  .killed = true,
	  ON_L0 },
	{ .name = "no_large_files",
	  .who = "disk",
	  .how = "is full",
	  .fake = "nothing",
	  .inside = "ulimit -f 64",
	  .end = MACHINE(""),
	  .killed = true,
	  ON_L0 },

	/* ---- Time ---- */
	{ .name = "clock_was_ahead",
	  .who = "clock",
	  .how = "jumps",
	  .fake = "nothing",
	  .before = "cp -r \"$results/$earlier\" \"$results/20991231T235959Z-$platform-boot\"" },
	{ .name = "clock_jumps",
	  .who = "clock",
	  .how = "jumps",
	  .fake = "hangs",
	  .args = IN_TIME,
	  .before = "now=$(date +%s)",
	  .when = "running",
	  .act = "date -s @2147483600 > /dev/null",
	  .after = "date -s @$((now + 9)) > /dev/null",
	  .end = TIME_OUT,
	  .skip = { [ON_BOCHS] = "L0's clock is not ours to set: local tells",
		    [ON_TCG] = "L0's clock is not ours to set: local tells" } },

	/* ---- What is read ---- */
	{ .name = "image_is_garbage",
	  .who = "L2's disk",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "garbage \"$lab/l2.img\"",
	  .args = "--set l2.image=\"$lab/l2.img\"",
	  .end = MACHINE("l2.img"),
	  ON_L0 },
	{ .name = "image_is_huge",
	  .who = "L2's disk",
	  .how = "is huge",
	  .fake = "nothing",
	  .before = "truncate -s 1099511627776 \"$lab/l2.img\"",
	  .args = "--set l2.image=\"$lab/l2.img\"",
	  .end = MACHINE("l2.img"),
	  ON_L0 },
	{ .name = "image_changes_under_way",
	  .who = "L2's disk",
	  .how = "is changed",
	  .fake = "hangs",
	  .before = "own_cache",
	  .args = IN_TIME,
	  .when = "running",
	  .act = "for f in \"$lab\"/cache/eptlab/guest/*.img; do chmod u+w \"$f\"; printf x >> "
		 "\"$f\"; done",
	  .end = TIME_OUT,
	  ON_L0 },
	{ .name = "cached_image_is_damaged",
	  .who = "cache",
	  .how = "is damaged",
	  .fake = "nothing",
	  .before = "own_cache; for f in \"$lab\"/cache/eptlab/guest/*.img; do chmod u+w \"$f\"; "
		    "printf x | dd of=\"$f\" bs=1 seek=$((RANDOM * 500)) conv=notrunc 2> "
		    "/dev/null; done; "
		    "ln -sf /bin/false \"$tree/build/eptlab-guestfs\"",
	  .end = MACHINE("libguestfs helper"),
	  ON_L0 },
	{ .name = "cached_sum_is_damaged",
	  .who = "cache",
	  .how = "is damaged",
	  .fake = "nothing",
	  .before = "own_cache; for f in \"$lab\"/cache/eptlab/guest/*.sha256; do garbage \"$f\" "
		    "1; done; "
		    "ln -sf /bin/false \"$tree/build/eptlab-guestfs\"",
	  .end = MACHINE("libguestfs helper"),
	  ON_L0 },
	{ .name = "probe_is_garbage",
	  .who = "probe",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "own_cache; ln -sf /bin/false \"$tree/build/eptlab-guestfs\"",
	  .args = "--set l2.probe=/etc/passwd",
	  .end = MACHINE("libguestfs helper"),
	  ON_L0 },
	{ .name = "helper_hangs_and_is_interrupted",
	  .who = "libguestfs",
	  .how = "hangs",
	  .fake = "nothing",
	  .before = "own_cache; rm \"$lab\"/cache/eptlab/guest/*.img; rm "
		    "\"$tree/build/eptlab-guestfs\"; "
		    "printf '#!/bin/sh\\nexec sleep 1000\\n' > \"$tree/build/eptlab-guestfs\"; "
		    "chmod 755 \"$tree/build/eptlab-guestfs\"",
	  .when = "[ -n \"$(called sleep)\" ]",
	  .act = "kill -TERM $victim",
	  .end = { 130, "L0", "interrupted" },
	  ON_L0 },
	{ .name = "domain_is_garbage",
	  .who = "libvirt",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "own guest-image; garbage \"$tree/guest-image/l1-domain.xml\"",
	  .end = MACHINE("l1-domain.xml"),
	  .skip = { [ON_BOCHS] = "no libvirt on L0", [ON_LOCAL] = "no libvirt starts L1" } },
	{ .name = "kernel_conf_is_garbage",
	  .who = "L1's kernel",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "own_kernel && garbage \"$tree/build/kernel/l1/default/kernel.conf\" 200",
	  .end = MACHINE("kernel.conf"),
	  ON_L0 },
	{ .name = "config_is_garbage",
	  .who = "configuration",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "own configs && garbage \"$tree/configs/l2.conf\" 500",
	  .end = { 1, "L0", "l2.conf" },
	  ON_L0 },
	{ .name = "config_is_huge",
	  .who = "configuration",
	  .how = "is huge",
	  .fake = "nothing",
	  .before = "own configs && head -c 50000000 /dev/zero | tr '\\0' x > "
		    "\"$tree/configs/l2.conf\"",
	  .end = { 1, "L0", "l2.conf" },
	  ON_L0 },
	{ .name = "config_is_gone",
	  .who = "configuration",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "own configs && rm \"$tree\"/configs/*.conf",
	  .end = { 1, "L0", "" },
	  ON_L0 },
	{ .name = "record_is_garbage",
	  .who = "record",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "mkdir \"$results/20010101T000000Z-$platform-boot\" && "
		    "garbage \"$results/20010101T000000Z-$platform-boot/record.json\"",
	  ON_L0 },
	{ .name = "record_is_deep",
	  .who = "record",
	  .how = "is huge",
	  .fake = "nothing",
	  .before = "mkdir \"$results/20010101T000000Z-$platform-boot\" && "
		    "head -c 3000000 /dev/zero | tr '\\0' '[' > "
		    "\"$results/20010101T000000Z-$platform-boot/record.json\"",
	  ON_L0 },
	{ .name = "half_record_is_garbage",
	  .who = "record",
	  .how = "is garbage",
	  .fake = "nothing",
	  .before = "mkdir \"$results/.partial-20010101T000000Z-$platform-boot.a1B2c3\" && "
		    "garbage "
		    "\"$results/.partial-20010101T000000Z-$platform-boot.a1B2c3/record.json\"",
	  ON_L0 },
	{ .name = "latest_leads_nowhere",
	  .who = "record",
	  .how = "is damaged",
	  .fake = "nothing",
	  .before = "ln -sfn nowhere \"$results/latest\"",
	  ON_L0 },

	/* ---- Real boots, which cost more ---- */
	{ .name = "l1_has_no_init",
	  .who = "L1's kernel",
	  .how = "dies",
	  .args = "--set l1.append=init=/nowhere",
	  .end = { 4, "L1", "Kernel panic" },
	  NOT_LOCAL(NO_L1) },
	{ .name = "l1_kernel_is_garbage",
	  .long_only = true,
	  .who = "L1's kernel",
	  .how = "is garbage",
	  /* Shorter than any setup code: QEMU refuses it, whatever is in it. */
	  .before = "own_kernel && garbage \"$tree/build/kernel/l1/default/bzImage\" 512",
	  .args = "--set $platform.timeout_seconds=15",
	  .end = { 6, "L1", "" },
	  .but = { [ON_TCG] = MACHINE("invalid kernel header") },
	  .early = true,
	  NOT_LOCAL(NO_L1) },
	{ .name = "l1_appliance_is_garbage",
	  .long_only = true,
	  .who = "L1's disk",
	  .how = "is garbage",
	  .before = "garbage \"$tree/build/appliance.img\"",
	  .end = { 4, "L1", "panic" },
	  .early = true,
	  NOT_LOCAL(NO_L1) },
	{ .name = "l1_has_no_time",
	  .who = "L1's kernel",
	  .how = "hangs",
	  .args = "--set $platform.timeout_seconds=1",
	  .end = { 6, "L1", "1 s of wall time" },
	  NOT_LOCAL(NO_L1) },
	{ .name = "l1_has_no_virtual_time",
	  .who = "L1's kernel",
	  .how = "hangs",
	  .args = "--set bochs.timeout_ticks=100000000",
	  .end = { 6, "L1", "100000000 emulated instructions" },
	  ONLY_BOCHS("nobody counts instructions there") },
	{ .name = "l2_has_no_init",
	  .who = "L2's init",
	  .how = "dies",
	  .args = ONE_RUN "--set l2.append=init=/nowhere",
	  .end = { 5, "L2", "Kernel panic" },
	  REAL_L2 },
	{ .name = "l2_kernel_is_garbage",
	  .long_only = true,
	  .who = "L2's kernel",
	  .how = "is garbage",
	  /*
	   * Longer than any setup code (byte 0x1f1): QEMU takes it, whatever is in it. The same
	   * each time, as it is executed: of random bytes one in thirty makes KVM give up.
	   */
	  .before = "yes garbage | head -c 200000 > \"$lab/vmlinux\"",
	  .args = ONE_RUN "--set l2.timeout_seconds=15 --set l2.kernel=\"$lab/vmlinux\"",
	  .end = { 6, "L2", "timeout_seconds" },
	  REAL_L2 },
	{ .name = "probe_hangs",
	  .who = "probe",
	  .how = "hangs",
	  .args = ONE_RUN "--set l2.probe=\"$source/build/tests/silent_probe\" "
			  "--set l2.timeout_seconds=15",
	  .end = { 6, "L2", "timeout_seconds" },
	  REAL_L2 },
	{ .name = "emulator_killed_in_l1s_boot",
	  .long_only = true,
	  .who = "emulator",
	  .how = "dies",
	  .when = "running",
	  .act = "kill -KILL \"$(called $([ $platform = bochs ] && echo bochs-bin || "
		 "echo qemu-system-x86))\"",
	  .end = MACHINE("signal"),
	  .but = { [ON_TCG] = MACHINE("before its agent had said a word") },
	  NOT_LOCAL(NO_L1) },
	{ .name = "emulator_refuses",
	  .who = "emulator",
	  .how = "dies",
	  .args = "--set bochs.cpu=no_such_cpu --set tcg.cpu=no_such_cpu",
	  .end = MACHINE("cpu"),
	  .early = true,
	  .skip = { [ON_LOCAL] = NO_L1, [ON_KVM] = "L1's CPU is this machine's" } },
	{ .name = "libvirt_is_not_there",
	  .long_only = true,
	  .who = "libvirt",
	  .how = "dies",
	  .args = "--set $platform.uri='qemu+unix:///system?socket=/nowhere'",
	  .end = MACHINE("/nowhere"),
	  .skip = { [ON_BOCHS] = "no libvirt on L0",
		    [ON_LOCAL] = "needs a client of libvirtd's" } },
	{ .name = "killed_in_l1s_boot",
	  .long_only = true,
	  .who = "eptlab",
	  .how = "gets SIGKILL",
	  .when = "running",
	  .act = "kill -KILL $victim",
	  .end = { 137, NULL, NULL },
	  .killed = true,
	  NOT_LOCAL("test_local kills it between unload and load") },
	{ .name = "disk_full_while_l1_runs",
	  .who = "disk",
	  .how = "is full",
	  .before = "small \"$results\" size=64m",
	  .when = "running",
	  .act = "full \"$results\"",
	  .end = MACHINE("space"),
	  .after = "umount \"$results\"",
	  NOT_LOCAL(NO_L1) },
	{ .name = "cached_answers_are_garbage",
	  .long_only = true,
	  .who = "cache",
	  .how = "is damaged",
	  .before =
		  "own build/capabilities; for f in \"$tree\"/build/capabilities/$platform-*/*; do "
		  "garbage \"$f\" 999; done",
	  .args = ONE_RUN,
	  REAL_L2 },
	{ .name = "l2_domain_is_garbage",
	  .long_only = true,
	  .who = "libvirt",
	  .how = "is garbage",
	  .before = "own guest-image; garbage \"$tree/guest-image/domain.xml\"",
	  .args = ONE_RUN,
	  .end = { 4, "L1", "domain.xml" },
	  REAL_L2 },
	{ .name = "cpu_without_ept",
	  .who = "emulator",
	  .how = "lies",
	  .args = "--set bochs.cpu=core2_penryn_t9600 --set experiment.operations=getppid "
		  "--set experiment.configurations=ept",
	  .end = { 3, NULL, NULL },
	  .rule = "ept-leaf",
	  ONLY_BOCHS("QEMU's CPUs with SVM have NPT always") },
	{ .name = "cpu_without_ept_asked_for_none",
	  .who = "nobody",
	  .how = "is wrong",
	  .args = ONE_RUN "--set bochs.cpu=core2_penryn_t9600 --set module.noept.vpid=0",
	  ONLY_BOCHS("QEMU's CPUs with SVM have NPT always") },
	{ .name = "stock_modules",
	  .who = "L1's kernel",
	  .how = "lies",
	  .args = ONE_RUN "--set l1.modules=\"$source/build/kernel/stock\"",
	  .end = { 3, NULL, NULL },
	  .rule = "modules",
	  .skip = { [ON_LOCAL] = "refused before; test_local tells", [ON_KVM] = NO_L2_THERE } },
};

#endif
