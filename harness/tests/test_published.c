/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts as people publish them, through the command: what is read, what is said, and the exit
 * status. Each input is tried as it stands, with CRLF, with a BOM, and with both.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands.h"
#include "record/record.h"
#include "tests/test.h"

/* "/" stands for a line break, "~" for a slash. */
struct published {
	const char *a, *b; /* one file, or two */
	const char *reads; /* "0=1 48=2 | 0=3": each reading whole; NULL: not asked */
	const char *verdict;
	const char *says; /* somewhere in the JSON, or in the error's message */
	int status;
	const char *option; /* one more argument, or NULL */
};

/* ---- Running it ---- */

/* With text's line ends as they are, or CRLF. The caller frees the path. */
static char *write_lines(const char *folder, const char *name, const char *text, bool crlf,
			 bool bom)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	GString *bytes = g_string_new(bom ? "\xef\xbb\xbf" : "");

	g_string_append(bytes, text);
	if (crlf)
		g_string_replace(bytes, "\n", "\r\n", 0);
	assert_true(g_file_set_contents(path, bytes->str, (gssize)bytes->len, NULL));
	g_string_free(bytes, TRUE);
	return g_steal_pointer(&path);
}

static char *write_variant(const char *folder, const char *name, const char *text, bool crlf,
			   bool bom)
{
	g_autofree char *lines = g_strconcat(text, "/", NULL);

	g_strdelimit(lines, "/", '\n');
	g_strdelimit(lines, "~", '/');
	return write_lines(folder, name, lines, crlf, bom);
}

/* The command's output, and its status and error. */
static char *run_check(const char *a, const char *b, const char *option, const char *format,
		       int *status, GError **error)
{
	const char *arguments[] = { "check", "-f", format, a, NULL, NULL, NULL };
	char **argv = (char **)(uintptr_t)arguments;
	int argc = 4, saved = dup(STDOUT_FILENO), file = memfd_create("output", MFD_CLOEXEC);
	g_autofree char *output = NULL;
	off_t length;

	if (b != NULL)
		arguments[argc++] = b;
	if (option != NULL)
		arguments[argc++] = option;
	assert_true(saved >= 0 && file >= 0);
	fflush(stdout);
	assert_true(dup2(file, STDOUT_FILENO) >= 0);
	*status = command_check(argc, argv, error);
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	length = lseek(file, 0, SEEK_END);
	output = g_malloc0((gsize)length + 1);
	assert_int_equal(pread(file, output, (size_t)length, 0), length);
	close(file);
	return g_steal_pointer(&output);
}

/* "0=1 48=2 | 0=3" of the JSON. */
static char *readings_of(json_t *root)
{
	GString *words = g_string_new("");
	json_t *reading, *exit;
	size_t i, j;

	json_array_foreach (json_object_get(root, "readings"), i, reading) {
		if (i > 0)
			g_string_append(words, "| ");
		json_array_foreach (json_object_get(reading, "exits"), j, exit) {
			json_t *count = json_object_get(exit, "count");

			g_string_append_printf(words,
					       "%" JSON_INTEGER_FORMAT "=%" JSON_INTEGER_FORMAT " ",
					       json_integer_value(json_object_get(exit, "reason")),
					       json_integer_value(count));
		}
	}
	g_strchomp(words->str);
	return g_string_free(words, FALSE);
}

static void compare(const struct published *row, const char *output, int status,
		    const GError *error)
{
	json_t *root = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
	g_autofree char *reads = readings_of(root);
	const char *verdict = json_string_value(json_object_get(root, "verdict"));
	const char *said = error != NULL ? error->message : output;

	if (row->reads != NULL && g_strcmp0(reads, row->reads) != 0)
		fail_msg("%s\nis read as  %s\ninstead of  %s\n%s", row->a, reads, row->reads, said);
	if (g_strcmp0(verdict, row->verdict) != 0)
		fail_msg("%s\nis %s instead of %s\n%s", row->a, verdict ? verdict : "refused",
			 row->verdict ? row->verdict : "refused", said);
	if (row->says != NULL && strstr(said, row->says) == NULL)
		fail_msg("%s\nnobody says \"%s\" in\n%s", row->a, row->says, said);
	if (status != row->status)
		fail_msg("%s\nstatus %d instead of %d", row->a, status, row->status);
	json_decref(root);
}

static void try_variant(const struct published *row, const char *folder, bool crlf, bool bom)
{
	g_autofree char *a = write_variant(folder, "a.txt", row->a, crlf, bom);
	g_autofree char *b =
		row->b != NULL ? write_variant(folder, "b.txt", row->b, crlf, bom) : NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) wrong = NULL;
	g_autofree char *output = NULL;
	g_autofree char *text = NULL;
	int status;

	output = run_check(a, b, row->option, "json", &status, &error);
	compare(row, output, status, error);
	text = run_check(a, b, row->option, "text", &status, &wrong);
	assert_int_equal(status, row->status);
	assert_true(row->verdict == NULL || strlen(text) > 0);
	unlink(a);
	if (b != NULL)
		unlink(b);
}

static void try_published(const struct published *row)
{
	g_autofree char *folder = g_dir_make_tmp("eptlab-XXXXXX", NULL);

	assert_non_null(folder);
	for (unsigned int variant = 0; variant < 4; variant++)
		try_variant(row, folder, variant & 1, variant & 2);
	rmdir(folder);
}

/* ---- Numbers ---- */

TEST(numbers_are_read_whole_or_not_at_all)
{
	static const struct published rows[] = {
		{ "exit number=48, number of exits=1,258,701", NULL, "48=1258701", "undecided",
		  NULL, 3, NULL },
		{ "exit number=48, exits=383 853", NULL, "48=383853", "undecided", NULL, 3, NULL },
		{ "48 383 853/14 0", NULL, "14=0 48=383853", "undecided", NULL, 3, NULL },
		{ "48: 383\xe2\x80\x89"
		  "853/14: 0",
		  NULL, "14=0 48=383853", "undecided", NULL, 3, NULL },
		{ "48: 383'853/0: 1_234_567/14: 0", NULL, "0=1234567 14=0 48=383853", "sound", NULL,
		  0, NULL },
		{ "exit number=48, exits=13.7M", NULL, "48=13700000", "undecided",
		  "reason 48 in line 1 is rounded", 3, NULL },
		{ "exit number=48, exits=269k", NULL, "48=269000", "undecided", "rounded", 3,
		  NULL },
		{ "exit number=48, exits=1.2 million", NULL, "48=1200000", "undecided", "rounded",
		  3, NULL },
		/* What prose says about how many is no total. */
		{ "0 8801/14 0/48 693838/A full boot of the VM has total exits: 650000.", NULL,
		  "0=8801 14=0 48=693838", "sound", "\"stated_total\": null", 0, NULL },
		{ "0 8801/14 0/48 693838/total exits=12,58,701", NULL, "", NULL, "line 4", 1,
		  NULL },
		{ "exit number=0x30, exits=0xbbb", NULL, "48=3003", "undecided", NULL, 3, NULL },
		{ "/exit number=48, exits=12,58,701", NULL, "", NULL, "line 2: \"12,58,701\"", 1,
		  NULL },
		{ "exit number=48, exits=1,258", NULL, "48=1258", "undecided", NULL, 3, NULL },
		{ "exit number=48, exits=1258,7", NULL, "", NULL, "line 1: \"1258,7\"", 1, NULL },
		{ "exit number=48, exits=0,258", NULL, "", NULL, "line 1", 1, NULL },
		{ "exit number=48, exits=13.7", NULL, "", NULL, "line 1: \"13.7\"", 1, NULL },
		{ "48 12.5.7/14 0", NULL, "", NULL, "line 1", 1, NULL },
		{ "exit number=48, exits=38x", NULL, "", NULL, "line 1: \"38x\"", 1, NULL },
		{ "exit number=48, exits=1.258.701", NULL, "48=1258701", "undecided", NULL, 3,
		  NULL },
		{ "reason,count/48,\"260,000\"/14,0/0,1e3", NULL, "0=1000 14=0 48=260000", "sound",
		  "rounded", 0, NULL },
		{ "reason,count/48,269k/14,0/0,8", NULL, "0=8 14=0 48=269000", "sound", "rounded",
		  0, NULL },
		{ "| reason | count |/|---|---|/| 48 | 1,258,701 |/| 14 | 0 |/| 0 | 13.7M |", NULL,
		  "0=13700000 14=0 48=1258701", "sound", "rounded", 0, NULL },
		{ "| reason | count |/|---|---|/| 48 | 12,58,701 |", NULL, "", NULL,
		  "line 3: \"12,58,701\"", 1, NULL },
		{ "reason,count/0-5,7/14,0/48,9", NULL, "", NULL, "line 2: \"0-5\"", 1, NULL },
		{ "reason,count/48,260,000/14,0", NULL, "", NULL, "line 2", 1, NULL },
	};

	test_each (row, rows)
		try_published(row);
}

TEST(nothing_is_lost_among_words)
{
	static const struct published rows[] = {
		{ "CPUID(0x4FFFFFFE): The exit Number: 0, exits = 5/"
		  "CPUID(0x4FFFFFFF): The exit Number: 0, exits = 999",
		  NULL, "0=5", "undecided", "other leaves", 3, NULL },
		{ "total exits=702639/0 8801/14 0/48 693838", NULL, "0=8801 14=0 48=693838",
		  "sound", "\"stated_total\": 702639", 0, NULL },
		{ "0 898976/48 0/14 55", NULL, "0=898976 14=55 48=0", "sound", "not ascending", 0,
		  NULL },
		{ "0 5/14 0/48 7", NULL, "0=5 14=0 48=7", "sound", NULL, 0, NULL },
		{ "reason,ept/0,5/14,0/48,7", NULL, "0=5 14=0 48=7", "sound", NULL, 0, NULL },
		{ "   0x4fffffff 0x00: eax=0x000d6dd7 ebx=0x00000000 ecx=0x00000000 edx=0x00000000/"
		  "exit number 0 exits=8407/exit number 14 exits=0/exit number 48 exits=871680",
		  NULL, "0=8407 14=0 48=871680", "sound", NULL, 0, NULL },
		{ "   0x4fffffff 0x00: eax=0x000d6dd7 ebx=0x00000000 ecx=0x00000000 edx=0x00000000/"
		  "CPUID(0x4FFFFFFE), exit number 0 exits=8407/"
		  "CPUID(0x4FFFFFFE), exit number 14 exits=0/"
		  "CPUID(0x4FFFFFFE), exit number 48 exits=871680",
		  NULL, "0=8407 14=0 48=871680", "sound", NULL, 0, NULL },
		{ "   0x4fffffff 0x00: eax=0x000d6dd7 ebx=0x00000000 ecx=0x00000000 edx=0x00000000/"
		  "0 8407/14 0/48 871680",
		  NULL, "0=8407 14=0 48=871680", "sound", NULL, 0, NULL },
		{ "[ 1.000000] 0x4ffffffe, Exit number **48**. Total exits=**701051**/"
		  "[ 1.000000] 0x4ffffffe, Exit number **29**. Total exits=**2**/[SORTED]/"
		  "[ 2850.258822] 0x4ffffffe, Exit number 48. Total exits=701051 <- Most frequent/"
		  "[ 2850.258456] 0x4ffffffe, Exit number 30. Total exits=167017/"
		  "[ 2850.258457] 0x4ffffffe, Exit number  0. Total exits= 7452/"
		  "[ 2850.258458] 0x4ffffffe, Exit number 14. Total exits=    0/"
		  "[ 2850.258459] 0x4ffffffe, Exit number 29. Total exits=2",
		  NULL, "0=7452 14=0 29=2 30=167017 48=701051", "sound", NULL, 0, NULL },
	};

	test_each (row, rows)
		try_published(row);
}

/* ---- Two runs in one file ---- */

TEST(two_runs_in_one_file_are_a_pair)
{
	static const struct published rows[] = {
		{ "With ept:/0 8407/14 0/48 35708/Without ept:/0 12890/14 0/48 11697515", NULL,
		  "0=8407 14=0 48=35708 | 0=12890 14=0 48=11697515", "unsound",
		  "EPT was on in both", 3, NULL },
		{ "With ept:/0 8407/14 0/48 35708/Without ept:/0 1566621/14 171510/48 0", NULL,
		  "0=8407 14=0 48=35708 | 0=1566621 14=171510 48=0", "sound",
		  "EPT was on in a.txt:With ept and off in a.txt:Without ept", 0, NULL },
		/* In the other order, and named so: that is how it was published. */
		{ "## EPT disabled/0 1566621/14 171510/48 0//## EPT enabled/0 8407/14 0/48 35708",
		  NULL, "0=8407 14=0 48=35708 | 0=1566621 14=171510 48=0", "sound",
		  "on in a.txt:EPT enabled and off in a.txt:EPT disabled", 0, NULL },
		{ "ept=0/0 8407/14 0/48 35708/ept=1/0 1566621/14 171510/48 0", NULL, NULL,
		  "unsound", "the columns are swapped", 3, NULL },
		{ "0 8407/14 0/48 35708/0 1566621/14 171510/48 0", NULL,
		  "0=8407 14=0 48=35708 | 0=1566621 14=171510 48=0", "sound", NULL, 0, NULL },
		{ "Without ept:/0 8407/14 0/48 35708", NULL, "0=8407 14=0 48=35708", "unsound",
		  "not what the words above them say", 3, NULL },
		{ "With ept:/0 8407/14 0/48 35708/Without ept:/0 8407/14 0/48 35708", NULL, NULL,
		  "unsound", "one reading", 3, NULL },
		{ "First:/0 8407/14 0/48 35708/Second:/0 8407/14 0/48 35708", NULL, NULL, "unsound",
		  "one reading", 3, NULL },
		{ "Nested Paging:/exit 0 : 8/exit 14 : 0/exit 48 : 7/Shadow Paging:/exit 0 : 900/"
		  "exit 14 : 9/exit 48 : 0/Difference:/exit 0 : 892/exit 14 : 9/exit 48 : 7",
		  NULL, "0=8 14=0 48=7 | 0=900 14=9 48=0", "sound", NULL, 0, NULL },
		/* A frame, and headings that say which is which: they are not put right. */
		{ "+------+-----+--------+/| Exit | EPT | No EPT |/+------+-----+--------+/"
		  "| 0    | 900 | 8      |/| 14   | 9   | 0      |/| 48   | 0   | 7      |/"
		  "+------+-----+--------+",
		  NULL, NULL, "unsound", "the columns are swapped", 3, NULL },
		/* However many words are in front. */
		{ "With ept:/The guest has asked my module for exit number 0: exits=8407./"
		  "The guest has asked my module for exit number 14: exits=0./"
		  "The guest has asked my module for exit number 48: exits=35708./Without ept:/"
		  "The guest has asked my module for exit number 0: exits=12890./"
		  "The guest has asked my module for exit number 14: exits=0./"
		  "The guest has asked my module for exit number 48: exits=11697515.",
		  NULL, "0=8407 14=0 48=35708 | 0=12890 14=0 48=11697515", "unsound",
		  "EPT was on in both", 3, NULL },
		{ "[ 1.000001] The guest has asked my module for exit number 0: exits=8407/"
		  "[ 1.000002] The guest has asked my module for exit number 14: exits=0/"
		  "[ 1.000003] The guest has asked my module for exit number 48: exits=35708",
		  NULL, "0=8407 14=0 48=35708", "sound", NULL, 0, NULL },
		/* A statistic that is printed now and then; and words of a picture above both. */
		{ "=== KVM Exit Stats ===/Exit Type 0 (nmi): 9 exits/Exit Type 14 (x): 0 exits/"
		  "Exit Type 29 (x): 1 exits/Exit Type 46 (x): 1 exits/Exit Type 48 (x): 27479 "
		  "exits/"
		  "=== KVM Exit Stats ===/Exit Type 0 (nmi): 9 exits/Exit Type 14 (x): 0 exits/"
		  "Exit Type 29 (x): 1 exits/Exit Type 46 (x): 1 exits/Exit Type 48 (x): 27481 "
		  "exits",
		  NULL, "0=9 14=0 29=1 46=1 48=27481", "sound", "1 earlier reading", 0, NULL },
		{ "Shadow Paging ept=0/- [ 84.004579] Printing Exits, exit number 0 exits=9~n/"
		  "- [ 84.004579] Printing Exits, exit number 14 exits=0~n/"
		  "- [ 84.004579] Printing Exits, exit number 48 exits=7~n/AFTER EPT=0/"
		  "- [ 184.004579] Printing Exits, exit number 0 exits=900~n/"
		  "- [ 184.004579] Printing Exits, exit number 14 exits=9~n/"
		  "- [ 184.004579] Printing Exits, exit number 48 exits=0~n",
		  NULL, "0=9 14=0 48=7 | 0=900 14=9 48=0", "sound", NULL, 0, NULL },
		/* A step of a recipe, long before. */
		{ "insmod kvm-intel.ko ept=0/a/b/c/d/e/f/g/0 8407/14 0/48 35708", NULL,
		  "0=8407 14=0 48=35708", "sound", NULL, 0, NULL },
		/* Without 0, that is a run as well. */
		{ "With ept:/0 8407/14 0/48 35708/Without ept:/14 0/48 11697515", NULL, NULL,
		  "unsound", "EPT was on in both", 3, NULL },
		/* More than two are listed. */
		{ "first/0 8/14 0/48 7/second/0 9/14 3/48 0/third/0 9/14 3/48 1", NULL, "",
		  "unsound", "--sweep", 3, NULL },
		{ "first/0 8/14 0/48 7/second/0 9/14 3/48 0/third/0 9/14 3/48 1", NULL,
		  "0=9 14=3 48=1", "unsound", "both kinds of paging", 3, "--sweep=3" },
		{ "first/0 8/14 0/48 7/second/0 9/14 3/48 0/third/0 9/14 3/48 1", NULL,
		  "0=8 14=0 48=7 | 0=9 14=3 48=0", "sound",
		  "in a.txt:first and off in a.txt:second", 0, "--sweep=1,2" },
		{ "first/0 8/14 0/48 7", NULL, NULL, NULL, "no sweep 2", 1, "--sweep=2" },
		{ "With EPT/0 8407/14 0/48 35708/Cycles with EPT/0 123456789/14 0/48 987654321",
		  NULL, "0=8407 14=0 48=35708", "sound", NULL, 0, NULL },
		/* What prose says of the lists is no run of its own, nor a later answer. */
		{ "With EPT:/exit number 0 exits=9/exit number 14 exits=0/exit number 48 exits=7/"
		  "Without EPT:/exit number 0 exits=900/exit number 14 exits=9/"
		  "exit number 48 exits=0//The count for exit number 48 is 7 with EPT.",
		  NULL, "0=9 14=0 48=7 | 0=900 14=9 48=0", "sound", NULL, 0, NULL },
		/* A table with two columns. */
		{ "| 0 | 5 | 9000 |/| 14 | 0 | 8 |/| 48 | 13760741 | 0 |", NULL,
		  "0=5 14=0 48=13760741 | 0=9000 14=8 48=0", "sound", NULL, 0, NULL },
		{ "0 | 5 | 9000/14 | 0 | 8/48 | 13760741 | 0", NULL,
		  "0=5 14=0 48=13760741 | 0=9000 14=8 48=0", "sound", NULL, 0, NULL },
		{ "|Exit Type| Nested      |  > or < | Shadow     |/| :---:  | :---: | :----: | "
		  ":---: |/"
		  "|External Interrupt (1)| 40k | > | 30k  |/|Halt (12) | 3.6k | < | 10k |/"
		  "| EPT Violation (48) | 269k | > | 259k | ",
		  NULL, "1=40000 12=3600 48=269000 | 1=30000 12=10000 48=259000", "unsound",
		  "EPT was on in both", 3, NULL },
		{ "Exit | ept | no ept/--- | ---: | ---:/EPT Violation (48)| 269k | 0/"
		  "Exception or NMI (0) | 5 | 800/INVLPG | 0 | 77",
		  NULL, "0=5 14=0 48=269000 | 0=800 14=77 48=0", "sound", NULL, 0, NULL },
		{ "0 5 9000/14 0 8/48 13760741 0", NULL, "0=5 14=0 48=13760741 | 0=9000 14=8 48=0",
		  "sound", NULL, 0, NULL },
		/* 100 900 could be one number; the others say what it is. */
		{ "0 100 900/14 0 8/48 13760741 0", NULL,
		  "0=100 14=0 48=13760741 | 0=900 14=8 48=0", "sound", NULL, 0, NULL },
		{ "## With EPT/| exit | count |/|---|---|/| 0 | 5 |/| 14 | 0 |/| 48 | 7 |//"
		  "## Without EPT/| exit | count |/|---|---|/| 0 | 500 |/| 14 | 7 |/| 48 | 0 |",
		  NULL, "0=5 14=0 48=7 | 0=500 14=7 48=0", "sound", "on in a.txt:With EPT", 0,
		  NULL },
		{ "noept,ept/", NULL, "", NULL, "no exit counts", 1, NULL },
		{ "reason,noept,ept/0,500,5/14,7,0/48,0,7", NULL, "0=5 14=0 48=7 | 0=500 14=7 48=0",
		  "sound", NULL, 0, NULL },
	};

	test_each (row, rows)
		try_published(row);
}

/* ---- Judgement ---- */

#define EARLY "0 35832/1 0/7 0/10 1276322/12 0/14 0/28 818402/30 35832/32 0/48 2494242/49 0/52 0"
#define REGISTERS(leaf, reason, eax, ebx, ecx)                                                     \
	"   " leaf " " reason ": eax=" eax " ebx=" ebx " ecx=" ecx " edx=0x00000000/"
#define ZERO "0x00000000"

TEST(judgement)
{
	static const struct published rows[] = {
		{ EARLY, NULL, NULL, "unsound", "before its table of handlers", 3, NULL },
		{ "0 35832/1 0/7 9/10 1276322/12 0/14 0/28 818402/30 35832/32 7/48 2494242/49 0",
		  NULL, NULL, "sound", NULL, 0, NULL },
		{ REGISTERS("0x4ffffffe", "0x00", "0x00000005", "0x000000bf", "0x00000001")
			  REGISTERS("0x4ffffffe", "0x0e", ZERO, "0x000000bf", "0x00000001")
				  REGISTERS("0x4ffffffe", "0x30", "0x00000700", "0x000000bf",
					    "0x00000001"),
		  NULL, "0=5 14=0 48=1792", "sound", "ECX or EDX is not 0", 0, NULL },
		/* FF total, FE cycles in all, FD exits by reason, FC cycles by reason. */
		{ REGISTERS("0x4fffffff", "0x00", "0x00000800", ZERO,
			    ZERO) REGISTERS("0x4ffffffe", "0x00", ZERO, "0x00000007", "0x12345678")
			  REGISTERS("0x4ffffffd", "0x00", "0x00000005", ZERO,
				    ZERO) REGISTERS("0x4ffffffd", "0x0e", ZERO, ZERO, ZERO)
				  REGISTERS("0x4ffffffd", "0x30", "0x00000700", ZERO, ZERO)
					  REGISTERS("0x4ffffffc", "0x00", "0x00000001", ZERO, ZERO),
		  NULL, "0=5 14=0 48=1792", "sound", "\"stated_total\": 2048", 0, NULL },
		/* The same year, all four asked for each reason: FE only grows. */
		{ REGISTERS("0x4ffffffe", "0x00", "0x00100000", ZERO,
			    ZERO) REGISTERS("0x4ffffffe", "0x0e", "0x00200000", ZERO, ZERO)
			  REGISTERS("0x4ffffffe", "0x30", "0x00300000", ZERO,
				    ZERO) REGISTERS("0x4ffffffd", "0x00", "0x00000005", ZERO, ZERO)
				  REGISTERS("0x4ffffffd", "0x0e", ZERO, ZERO, ZERO)
					  REGISTERS("0x4ffffffd", "0x30", "0x00000700", ZERO, ZERO),
		  NULL, "0=5 14=0 48=1792", "sound", NULL, 0, NULL },
		{ REGISTERS("0x4ffffffe", "0x00", "0x00000009", ZERO,
			    ZERO) REGISTERS("0x4ffffffe", "0x0e", ZERO, ZERO, ZERO)
			  REGISTERS("0x4ffffffe", "0x30", "0x00000800", ZERO,
				    ZERO) REGISTERS("0x4ffffffd", "0x00", "0x00000005", ZERO, ZERO)
				  REGISTERS("0x4ffffffd", "0x0e", ZERO, ZERO, ZERO)
					  REGISTERS("0x4ffffffd", "0x30", "0x00000700", ZERO, ZERO),
		  NULL, "0=5 14=0 48=1792", "sound", NULL, 0, "--layout=fd" },
		{ "0 5/14 0/48 7", "0 9/48 11697515", NULL, "unsound", "EPT was on in both", 3,
		  NULL },
		{ "0 6445/10 17563/14 0/29 5/48 2577202/54 18/55 6",
		  "0 12890/10 30845/14 0/29 13/48 11697515/54 36/55 12", NULL, "unsound",
		  "the counter of b.txt went on", 3, NULL },
		{ "0 14116/14 0/29 4/46 12/47 4/48 1258701/55 6",
		  "0 1487065/14 2131403/29 2/46 6/47 2/48 3245673/55 3", NULL, "unsound",
		  "it is not the counter of a.txt that went on", 3, NULL },
		{ "0 14116/1 70001/7 8288/10 137190/12 40658/14 0/28 18175/30 132365/31 1234/32 "
		  "30422"
		  "/40 5150/48 35708/49 30422/52 12345",
		  "0 1566621/1 70001/7 8288/10 137190/12 40658/14 171510/28 18175/30 132365/31 "
		  "1234/"
		  "32 30422/40 5150/48 0/49 0/52 12345",
		  NULL, "unsound", "copied and edited", 3, NULL },
		{ "48 7", NULL, "48=7", "undecided", NULL, 3, NULL },
		{ "exit number 0 exits=5/exit number 14 exits=0/"
		  "CPUID(0x4FFFFFFE), exit reason number =5 not enabled in KVM/"
		  "The exit number 35, is not supported/exit number 48 exits=7",
		  NULL, "0=5 5=0 14=0 48=7", "sound", "not asked for: 1-4, 6-13, 15-34, 36-37", 0,
		  NULL },
	};

	test_each (row, rows)
		try_published(row);
}

/* --baseline is not advised where it was given, nor is 54 "exactly 2 times" what it is not. */
TEST(words_fit_what_they_are_about)
{
	g_autofree char *folder = g_dir_make_tmp("eptlab-XXXXXX", NULL);
	const char *first = "0 10/14 0/29 2/46 6/47 2/48 500/54 5/55 3";
	const char *second = "0 110/14 7/29 4/46 12/47 4/48 600/54 11/55 6";
	g_autofree char *a = write_variant(folder, "a.txt", first, false, false);
	g_autofree char *b = write_variant(folder, "b.txt", second, false, false);
	g_autofree char *option = g_strconcat("--baseline=", a, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *less = NULL;
	g_autofree char *pair = NULL;
	g_autofree char *alone = NULL;
	g_autofree char *one = NULL;
	const char *times;
	int status;

	less = run_check(b, NULL, option, "text", &status, &error);
	assert_no_error(error);
	assert_int_equal(status, EPTLAB_ERROR_INVALID);
	assert_null(strstr(less, "--baseline takes off"));
	pair = run_check(a, b, NULL, "json", &status, &error);
	assert_no_error(error);
	times = strstr(pair, "exactly 2 times");
	assert_non_null(times);
	assert_non_null(strstr(pair, "29 DR_ACCESS 2 and 4"));
	assert_null(strstr(pair, "54 WBINVD 5 and 11, 55 XSETBV 3 and 6): 2 boots"));
	unlink(a);
	alone = write_variant(folder, "a.txt", "48 7", false, false);
	one = run_check(alone, NULL, NULL, "text", &status, &error);
	assert_says(one, "a.txt: 1 reason, 7 exits");
	unlink(alone);
	unlink(b);
	rmdir(folder);
}

/* ---- Forms ---- */

TEST(forms)
{
	static const struct published rows[] = {
		{ "48 - 693838/14 - 0", NULL, "14=0 48=693838", "undecided", NULL, 3, NULL },
		{ "48- 35708, ffff97e0, 30, ffffffff/14- 0, ffff97e0, e, 0", NULL, "14=0 48=35708",
		  "undecided", NULL, 3, NULL },
		{ "0x4ffffffe, Exit number 48. Total exits=701051", NULL, "48=701051", "undecided",
		  NULL, 3, NULL },
		{ "Exit 48: 5877", NULL, "48=5877", "undecided", NULL, 3, NULL },
		{ "Exit Type 48 (Unknown Exit Type): 27479 exits", NULL, "48=27479", "undecided",
		  NULL, 3, NULL },
		{ "Exit number 48 and number of exits: 260000 and number of cycles: 99", NULL,
		  "48=260000", "undecided", NULL, 3, NULL },
		{ "CPU:   0x4ffffffd 0x30: eax=0x0037e584 ebx=0x00000000 ecx=0x00000000 "
		  "edx=0x00000000",
		  NULL, "48=3663236", "undecided", NULL, 3, NULL },
		{ "exit number 48 = 13226422", NULL, "48=13226422", "undecided", NULL, 3, NULL },
		{ "Total_count:: 2960922/Exit 48: 5877/Exit 14: 0/Exit 0: 9", NULL,
		  "0=9 14=0 48=5877", "sound", "\"stated_total\": 2960922", 0, NULL },
		{ "48 EPT_VIOLATION 383853", NULL, "48=383853", "undecided", NULL, 3, NULL },
		{ "number,name,exits/0,EXCEPTION_NMI,5/14,INVLPG,0/48,\"EPT_VIOLATION\",7", NULL,
		  "0=5 14=0 48=7", "sound", NULL, 0, NULL },
		{ "Name\texits/EXCEPTION_NMI\t5/INVLPG\t0/EPT_VIOLATION\t7", NULL, "0=5 14=0 48=7",
		  "sound", NULL, 0, NULL },
		{ "Exit "
		  "Reason\tName\tept\tnoept/0\tException\t5\t900/14\tINVLPG\t0\t8/48\tEPT\t7\t0",
		  NULL, "0=5 14=0 48=7 | 0=900 14=8 48=0", "sound", NULL, 0, NULL },
		/* As printed by hand-made kernels, and in READMEs. */
		{ "- [ 8406.004579] Printing Exits, exit number 48 exits=686273~n", NULL,
		  "48=686273", "undecided", NULL, 3, NULL },
		{ "> * Exit reason 48 (EPT violation) - count: `383,853`", NULL, "48=383853",
		  "undecided", NULL, 3, NULL },
		{ "<span style=\"color: green;\">0x4ffffffe, Exit number 30. Total "
		  "exits=936899<~span>",
		  NULL, "30=936899", "undecided", NULL, 3, NULL },
		{ "[Tue Nov 10 12:00:00 2026] exit_count[48] = 5", NULL, "48=5", "undecided", NULL,
		  3, NULL },
		{ "Nov 10 12:00:00 host kernel: [  12.345678] 48 35708", NULL, "48=35708",
		  "undecided", NULL, 3, NULL },
		{ "Number of exits: 123 for exit number: 48", NULL, "48=123", "undecided", NULL, 3,
		  NULL },
		{ "27479 exits for exit reason 48", NULL, "48=27479", "undecided", NULL, 3, NULL },
		{ "Exit number 48, cycles: 99, exits: 5", NULL, "48=5", "undecided", NULL, 3,
		  NULL },
		{ "EPT_VIOLATION: 383853/INVLPG: 0/EXCEPTION_NMI: 5", NULL, "0=5 14=0 48=383853",
		  "sound", NULL, 0, NULL },
		{ "Exit Number 12 - HLT", NULL, "", NULL, "no exit counts", 1, NULL },
		{ "exit number 0: 11677, exit number 14: 0, exit number 48: 686273", NULL,
		  "0=11677 14=0 48=686273", "sound", NULL, 0, NULL },
		{ "Exit type 0 count = 5; Exit type 14 count = 0; Exit type 48 count = 7", NULL,
		  "0=5 14=0 48=7", "sound", NULL, 0, NULL },
		{ "type=48 exits=7 type=0 exits=5 type=14 exits=0", NULL, "0=5 14=0 48=7", "sound",
		  NULL, 0, NULL },
		{ "0 -> 5/14 => 0/48 \xe2\x86\x92 7", NULL, "0=5 14=0 48=7", "sound", NULL, 0,
		  NULL },
		{ "EXCEPTION_NMI  5  900/INVLPG  0  7/EPT_VIOLATION  7  0", NULL,
		  "0=5 14=0 48=7 | 0=900 14=7 48=0", "sound", NULL, 0, NULL },
		{ "exits[0]=11677/exits[14]=0/exits[48]=686273", NULL, "0=11677 14=0 48=686273",
		  "sound", NULL, 0, NULL },
		{ "EXIT_REASON_INVLPG (14): 0/EXIT_REASON_EPT_VIOLATION (48): 7", NULL, "14=0 48=7",
		  "undecided", NULL, 3, NULL },
		{ "Exit Reason 14 occured 0 times/Exit Reason 48 occured 686273 times", NULL,
		  "14=0 48=686273", "undecided", NULL, 3, NULL },
		{ "ecx=0 eax=11677/ecx=14 eax=0/ecx=48 eax=686273", NULL, "0=11677 14=0 48=686273",
		  "sound", NULL, 0, NULL },
		{ "<tr><td>0<~td><td>11677<~td><td>1211677<~td><~tr>/"
		  "<tr><td>14<~td><td>0<~td><td>190000<~td><~tr>/"
		  "<tr><td>48<~td><td>686273<~td><td>0<~td><~tr>",
		  NULL, "0=11677 14=0 48=686273 | 0=1211677 14=190000 48=0", "sound", NULL, 0,
		  NULL },
		{ "Exit number   With EPT   Without EPT/0             11677      1211677/"
		  "14            0          190000/48            686273     0",
		  NULL, "0=11677 14=0 48=686273 | 0=1211677 14=190000 48=0", "sound", NULL, 0,
		  NULL },
		{ "reason;name;ept;noept;ratio/0;EXCEPTION_NMI;11 677;1 211 677;103,8/"
		  "14;INVLPG;0;190 000;/48;EPT_VIOLATION;686 273;0;0",
		  NULL, "0=11677 14=0 48=686273 | 0=1211677 14=190000 48=0", "sound", NULL, 0,
		  NULL },
	};

	test_each (row, rows)
		try_published(row);
}

#define PERF                                                                                       \
	"Analyze events for all VMs, all VCPUs:/"                                                  \
	"             VM-EXIT    Samples  Samples%     Time%    Min Time    Max Time   Avg time/"

TEST(tools_see_a_window_and_no_boot)
{
	static const struct published rows[] = {
		{ "EPT_VIOLATION  2667  2.72%  0.04%  5.49us", NULL, "48=2667", "sound", "a window",
		  0, NULL },
		{ PERF "EPT_VIOLATION  2667  2.72%  0.04%  0.77us  97.43us  5.49us ( +-   1.02% )/"
		       "HLT  95533  2.72%  0.04%  0.77us  97.43us  5.49us ( +-   1.02% )//"
		       "Total Samples:98200, Total events handled time:40000.01us.",
		  NULL, "12=95533 48=2667", "sound", "perf kvm stat", 0, NULL },
		{ "EPT_VIOLATION  2667  2.72%  0.04%  5.49us",
		  "EXCEPTION_NMI 90000 50.0% 1.0% 2us/INVLPG 700 5.00% 1.0% 2us/"
		  "CR_ACCESS 9000 5.00% 1.0% 2us",
		  NULL, "sound", NULL, 0, NULL },
		/* Windows that follow each other are no pair. */
		{ PERF "HLT  95533  2.72%  0.04%/EPT_VIOLATION  2667  2.72%  0.04%//" PERF
		       "EPT_VIOLATION  67  2.72%  0.04%/HLT  5533  2.72%  0.04%",
		  NULL, "12=5533 48=67", "sound", "1 earlier reading", 0, NULL },
		/* A list of a boot below one of a tool is no window. */
		{ PERF "HLT  95533  2.72%  0.04%//0 35832/1 0/7 0/10 1276322/12 0/14 0/30 35832/"
		       "32 0/48 2494242/49 0/52 0",
		  NULL, NULL, "unsound", NULL, 3, NULL },
		/* A list that cannot tell. */
		{ "HLT  95533  2.72%  0.04%  5.49us", NULL, "12=95533", "undecided", NULL, 3,
		  NULL },
		{ "PID      TID      KVM_EXIT_REASON                     COUNT/"
		  "1273551  1273568  EXIT_REASON_EPT_VIOLATION           6/"
		  "1273551  1273569  EXIT_REASON_EPT_VIOLATION           7/"
		  "1274253  1274261  EXIT_REASON_HLT                     12",
		  NULL, "12=12 48=13", "sound", "kvmexit", 0, NULL },
		/* Two tables, of two VMs or one after the other: nothing is added up over both. */
		{ "PID      TID      KVM_EXIT_REASON                     COUNT/"
		  "159607   159615   HLT                                 53760/"
		  "159607   159615   EPT_VIOLATION                       134//Total: 191 730//"
		  "PID      TID      KVM_EXIT_REASON                     COUNT/"
		  "158466   158474   HLT                                 100/"
		  "158466   158474   EPT_VIOLATION                       13",
		  NULL, "12=100 48=13", "sound", "1 earlier reading", 0, NULL },
		{ "KVM_EXIT_REASON                     COUNT/"
		  "EPT_VIOLATION                       6/HLT                           12",
		  NULL, "12=12 48=6", "sound", "kvmexit", 0, NULL },
		{ "PID      TID      KVM_EXIT_REASON                     COUNT/"
		  "159607   159615   HLT   53760/159607   159615   INVLPG   18940/"
		  "159607   159615   EXCEPTION_NMI 5",
		  NULL, "0=5 12=53760 14=18940", "undecided", "paravirtual", 3, NULL },
		{ "Attaching 1 probe.../^C//@[14]: 0/@[12]: 7000/@[48]: 383853", NULL,
		  "12=7000 14=0 48=383853", "sound", "bpftrace", 0, NULL },
		{ "@exits[48, 1]: 3/@exits[48, 2]: 4/@exits[12, 1]: 5", NULL, "12=5 48=7", "sound",
		  "bpftrace", 0, NULL },
		{ "# event histogram/#//{ exit_reason:         12 } hitcount:          7/"
		  "{ exit_reason:         48 } hitcount:     383853//Totals:/    Hits: 383860/"
		  "    Entries: 2/    Dropped: 0",
		  NULL, "12=7 48=383853", "sound", "tracefs", 0, NULL },
		{ " kvm_exit                                    1234567   22.0    10234/"
		  " kvm_exit(EPT_VIOLATION)                      383853    2.0      234/"
		  " kvm_exit(HLT)                                  5000    2.0      234",
		  NULL, "12=5000 48=383853", "sound", "kvm_stat", 0, NULL },
		{ " Event                                         Total %Total CurAvg~s/"
		  " kvm_userspace_exit                              81   17.0       27/"
		  " kvm_exit                                       120   17.0       27/"
		  "   EPT_VIOLATION                                 70   17.0       27/"
		  "   HLT                                           50   17.0       27/"
		  " Total                                          476              159",
		  NULL, "12=50 48=70", "sound", "\"stated_total\": 120", 0, NULL },
		{ "  vcpu.0.io_exits.sum=2425489/  vcpu.0.halt_exits.sum=132437/"
		  "  vcpu.0.invlpg.sum=0/  vcpu.0.exits.sum=5468522/  vcpu.1.halt_exits.sum=3/"
		  "  vcpu.1.exits.sum=478",
		  NULL, "12=132440 14=0 30=2425489", "undecided", "\"stated_total\": 5469000", 3,
		  NULL },
		{ "    io     344654    68.29%     1.10%      0.67us   2132.72us      7.01us ( +-  "
		  " 0.19% )/"
		  "   npf       8186     1.62%     0.01%      0.37us    235.76us      1.46us",
		  NULL, "123=344654 1024=8186", "sound", "NPT was on", 0, NULL },
	};

	test_each (row, rows)
		try_published(row);
}

/* ---- Answers over two lines ---- */

TEST(an_answer_may_stand_over_two_lines)
{
	static const struct published rows[] = {
		{ "CPUID(0x4FFFFFFE): exit number 48/exits = 693838", NULL, "48=693838",
		  "undecided", NULL, 3, NULL },
		{ "CPUID(0x4FFFFFFE): exit number 0/exits = 8801/"
		  "CPUID(0x4FFFFFFE): exit number 14/exits = 0/"
		  "CPUID(0x4FFFFFFE): exit number 48/exits = 693,838",
		  NULL, "0=8801 14=0 48=693838", "sound", NULL, 0, NULL },
		/* The other leaf's are no counts of exits. */
		{ "CPUID(0x4FFFFFFE), exit reason 0:/  Number of exits: 8801/"
		  "CPUID(0x4FFFFFFF), exit reason 0:/  Number of exits: 99999",
		  NULL, "0=8801", "undecided", "other leaves", 3, NULL },
		/* What follows is about something else; blank lines part. */
		{ "Exit number: 0/Total exits: 8801/Cycles: 77//Exit number: 14/Total exits: 0/"
		  "Cycles: 77//Exit number: 48 (EPT_VIOLATION)/Total exits: 693838/Cycles: 77",
		  NULL, "0=8801 14=0 48=693838", "sound", "\"stated_total\": null", 0, NULL },
		/* Words above each list, and two runs. */
		{ "With EPT:/Enter exit number: 0/exit count: 8407, cycles: 5/"
		  "Enter exit number: 14/exit count: 0, cycles: 5/Enter exit number: 48/"
		  "exit count: 35708, cycles: 5/Without EPT:/Enter exit number: 0/"
		  "exit count: 1566621, cycles: 5/Enter exit number: 14/exit count: 171510, "
		  "cycles: 5/Enter exit number: 48/exit count: 0, cycles: 5",
		  NULL, "0=8407 14=0 48=35708 | 0=1566621 14=171510 48=0", "sound", NULL, 0, NULL },
		{ "[ 1.000001] CPUID(0x4FFFFFFE), exit number 0/[ 1.000002] exits=8407/"
		  "[ 1.000003] CPUID(0x4FFFFFFE), exit number 14/[ 1.000004] exits=0/"
		  "[ 1.000005] CPUID(0x4FFFFFFE), exit number 48/[ 1.000006] exits=7",
		  NULL, "0=8407 14=0 48=7", "sound", NULL, 0, NULL },
		{ "exit number 48/exits = 12,58,701", NULL, "", NULL, "line 2: \"12,58,701\"", 1,
		  NULL },
		{ "exit number 48/cycles = 5/14 0/0 7/48 9", NULL, "0=7 14=0 48=9", "sound", NULL,
		  0, NULL },
		/* Two lines that ask answer nothing; nor do numbers, or a blank between. */
		{ "exit number 47/exit number 48", NULL, "", NULL, "no exit counts", 1, NULL },
		{ "exit number 47/number: 48", NULL, "", NULL, "no exit counts", 1, NULL },
		{ "exit number 48/693838", NULL, "", NULL, "no exit counts", 1, NULL },
		{ "exit number 48//exits = 5", NULL, "", NULL, "no exit counts", 1, NULL },
		{ "exit number 48/CPUID(0x4FFFFFFC), exits = 5", NULL, "", NULL, "no exit counts",
		  1, NULL },
		{ "The branch of exit number 48/0 8801/14 0/48 693838", NULL,
		  "0=8801 14=0 48=693838", "sound", NULL, 0, NULL },
	};

	test_each (row, rows)
		try_published(row);
}

/* ---- Reports of our own ---- */

#define LINE(text) "    kvm: exitcount: VM 3: " text "/"
#define NESTED_LOG(total, violations)                                                              \
	LINE(total " exits")                                                                       \
	LINE("0 EXCEPTION_NMI 9 5.0%")                                                             \
	LINE("10 CPUID 11 5.0%") LINE("48 EPT_VIOLATION " violations " 80.0%")
#define SHADOW_LOG                                                                                 \
	LINE("191 exits")                                                                          \
	LINE("0 EXCEPTION_NMI 90 45.0%") LINE("10 CPUID 11 5.0%") LINE("14 INVLPG 90 45.0%")
#define TABLE "| No. | ept | noept |/|---|---|---|/| 0 | 1 | 70 |/| 14 | 0 | 80 |/| 48 | 80 | 0 |"

TEST(reports_of_our_own_keep_what_they_say)
{
	static const struct published rows[] = {
		{ "   exit reason   ept noept difference   ratio   % ept % noept log scale/"
		  " 0 EXCEPTION_NMI   1 3,643     +3,642 3643.00   0.01%  38.94% =+++/"
		  "14 INVLPG          0   141       +141     new   0.00%   1.51% +++//"
		  "48 EPT_VIOLATION 4,029   0     -4,029    0.00  39.60%   0.00% ---/"
		  "   total         4,030 3,784     -246    0.94 100.00% 100.00%",
		  NULL, "0=1 14=0 48=4029 | 0=3643 14=141 48=0", "sound", "\"stated_total\": 3784",
		  0, NULL },
		/* The headings are taken at their word. */
		{ "   exit reason noept   ept difference   ratio   % noept % ept log scale/"
		  " 0 EXCEPTION_NMI   1 3,643     +3,642 3643.00   0.01%  38.94% =+++/"
		  "14 INVLPG          0   141       +141     new   0.00%   1.51% +++/"
		  "48 EPT_VIOLATION 4,029   0     -4,029    0.00  39.60%   0.00% ---",
		  NULL, NULL, "unsound", "the columns are swapped", 3, NULL },
		/* The sample of the log is of the VM's whole life. */
		{ "### With ept//" NESTED_LOG("110", "90") "/### With noept//" SHADOW_LOG
							   "//" TABLE,
		  NULL, "0=1 14=0 48=80 | 0=70 14=80 48=0", "sound", "whole life", 0, NULL },
		/* But one with less, with another total, or of other paging is none of that VM. */
		{ "### With ept//" NESTED_LOG("90", "70") "/" TABLE, NULL, "", "undecided",
		  "--sweep", 3, NULL },
		{ "### With ept//" NESTED_LOG("99", "90") "/" TABLE, NULL, "", "unsound", "--sweep",
		  3, NULL },
		{ "### With noept//" NESTED_LOG("110", "90") "/" TABLE, NULL, "", "unsound",
		  "--sweep", 3, NULL },
	};

	test_each (row, rows)
		try_published(row);
}

/* A record, or a report of it, and what check makes of it: the counts that are not 0. */
static char *seen_in(const char *path)
{
	g_autoptr(GRegex) zeros = g_regex_new("\\b\\d+=0(?: |$)", 0, 0, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *output = NULL;
	g_autofree char *all = NULL;
	char *seen;
	json_t *root;
	int status;

	output = run_check(path, NULL, NULL, "json", &status, &error);
	assert_no_error(error);
	assert_int_equal(status, 0);
	root = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "verdict")), "sound");
	all = readings_of(root);
	json_decref(root);
	seen = g_regex_replace_literal(zeros, all, -1, 0, "", 0, NULL);
	return g_strchomp(seen);
}

static void try_report(const char *folder, const char *kind, const char *seen)
{
	g_autofree char *path = g_strdup_printf("%s.%s", folder, kind);
	g_autofree char *into = g_dir_make_tmp("eptlab-XXXXXX", NULL);
	g_autofree char *text = NULL;

	assert_non_null(into);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	for (unsigned int variant = 0; variant < 4; variant++) {
		g_autofree char *copy = write_lines(into, "report", text, variant & 1, variant & 2);
		g_autofree char *found = seen_in(copy);

		assert_string_equal(found, seen);
		unlink(copy);
	}
	rmdir(into);
}

TEST(a_report_of_ours_is_judged_as_its_record)
{
	test_each_of (folder, "results/reference/bochs", "results/reference/tcg") {
		g_autofree char *record = seen_in(*folder);
		g_autofree char *report = g_build_filename(*folder, "report", NULL);

		assert_non_null(strstr(record, " | "));
		try_report(report, "txt", record);
		try_report(report, "md", record);
	}
}
