/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's own statistics, as QEMU gives them. */

#include <stdlib.h>

#include "collect/kvm_stats.h"
#include "tests/test.h"

#define LIST_BEGIN	    "{\"provider\": \"kvm\", \"qom-path\": \"/machine\", \"stats\": ["
#define LIST(stats)	    LIST_BEGIN stats "]}"
#define ANSWER(...)	    "{\"return\": [" __VA_ARGS__ "], \"id\": \"libvirt-7\"}"
#define NUMBER(name, value) "{\"name\": \"" name "\", \"value\": " value "}"

static struct kvm_stats *parse(const char *text, GError **error)
{
	return kvm_stats_parse("kvm-vcpu.json", text, strlen(text), error);
}

/* "name=value ..." of the counts, and "name=[...]" of the histograms behind them. */
static char *words_of(const struct kvm_stats *stats)
{
	GString *words = g_string_new(stats->missing);

	for (guint i = 0; i < stats->counts->len; i++) {
		const struct record_statistic *one = stats->counts->pdata[i];

		g_string_append_printf(words, "%s=%" G_GUINT64_FORMAT " ", one->name, one->value);
	}
	for (guint i = 0; i < stats->histograms->len; i++) {
		const struct kvm_histogram *one = stats->histograms->pdata[i];

		g_string_append_printf(words, "%s=[", one->name);
		for (guint j = 0; j < one->buckets->len; j++)
			g_string_append_printf(words, "%" G_GUINT64_FORMAT " ",
					       g_array_index(one->buckets, uint64_t, j));
		g_string_append(words, "] ");
	}
	return g_string_free(words, FALSE);
}

TEST(what_qemu_says_is_read)
{
	static const struct {
		const char *text, *expected;
	} answers[] = {
		{ ANSWER(LIST(NUMBER("exits", "23304") ", " NUMBER("pf_taken", "4185"))),
		  "exits=23304 pf_taken=4185 " },
		{ ANSWER(LIST(NUMBER("exits", "0"))), "exits=0 " },
		{ ANSWER(LIST(NUMBER("exits", "9223372036854775807"))),
		  "exits=9223372036854775807 " },
		/* A state is no count. */
		{ ANSWER(LIST(NUMBER("guest_mode", "false") ", " NUMBER("invlpg", "7"))),
		  "invlpg=7 " },
		/* vCPUs are added, in the first one's order. */
		{ ANSWER(LIST(NUMBER("a", "1") ", " NUMBER("b", "2")) ", " LIST(
			  NUMBER("b", "3") ", " NUMBER("c", "4"))),
		  "a=1 b=5 c=4 " },
		{ ANSWER(LIST(NUMBER("wait_hist", "[0, 1, 2]")) ", " LIST(
			  NUMBER("wait_hist", "[0, 1, 7]"))),
		  "wait_hist=[0 2 9 ] " },
		{ ANSWER(LIST(NUMBER("x_hist", "[]") ", " NUMBER("exits", "1"))),
		  "exits=1 x_hist=[] " },
		/* There are none, and it is said why. */
		{ ANSWER(), "QEMU has none: KVM gives them from Linux 5.14 on" },
		{ ANSWER(LIST("")), "QEMU has none: KVM gives them from Linux 5.14 on" },
		{ "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no "
		  "\\\"query-stats\\\"\\n\"}}",
		  "QEMU says: no \"query-stats\"\\n" },
	};

	test_each (row, answers) {
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_kvm_stats) stats = parse(row->text, &error);
		g_autofree char *words = NULL;

		assert_null(error);
		words = words_of(stats);
		assert_string_equal(words, row->expected);
	}
}

TEST(what_qemu_never_says_is_refused)
{
	static const struct {
		const char *text, *part;
	} answers[] = {
		{ "", "no JSON" },
		{ "\x01", "no JSON" },
		{ "{\"return\": [], \"return\": []}", "no JSON" },
		{ "[]", "neither a list nor an error" },
		{ "{\"return\": {}}", "neither a list nor an error" },
		{ "{\"error\": {\"class\": \"X\"}}", "neither a list nor an error" },
		{ ANSWER("7"), "no list of KVM's statistics" },
		{ ANSWER("{\"provider\": \"cryptodev\", \"stats\": []}"),
		  "no list of KVM's statistics" },
		{ ANSWER("{\"provider\": \"kvm\"}"), "no list of KVM's statistics" },
		{ ANSWER(LIST("{\"value\": 1}")), "without a name" },
		{ ANSWER(LIST(NUMBER("", "1"))), "without a name" },
		{ ANSWER(LIST(NUMBER("a b", "1"))), "without a name" },
		{ ANSWER(LIST(NUMBER("../a", "1"))), "without a name" },
		{ ANSWER(LIST("{\"name\": \"exits\"}")), "no count" },
		{ ANSWER(LIST(NUMBER("exits", "-1"))), "no count" },
		{ ANSWER(LIST(NUMBER("exits", "1.5"))), "no count" },
		{ ANSWER(LIST(NUMBER("exits", "\"1\""))), "no count" },
		{ ANSWER(LIST(NUMBER("exits", "null"))), "no count" },
		{ ANSWER(LIST(NUMBER("exits", "18446744073709551616"))), "no JSON" },
		{ ANSWER(LIST(NUMBER("exits", "1") ", " NUMBER("exits", "1"))), "twice" },
		{ ANSWER(LIST(NUMBER("h", "[1, -1]"))), "no count" },
		{ ANSWER(LIST(NUMBER("h", "[1, [2]]"))), "no count" },
		{ ANSWER(LIST(NUMBER("h", "[1, 2]")) ", " LIST(NUMBER("h", "[1]"))),
		  "not the same buckets" },
		{ ANSWER(LIST(NUMBER("a", "9223372036854775807")) ", " LIST(
			  NUMBER("a", "9223372036854775807")) ", " LIST(NUMBER("a", "2"))),
		  "more than 64 bits" },
	};

	test_each (row, answers) {
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_kvm_stats) stats = parse(row->text, &error);

		if (stats != NULL)
			fail_msg("was taken: %s", row->text);
		assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
		assert_begins(error->message, "L1: kvm-vcpu.json");
		assert_says(error->message, row->part);
	}
}

/* Each name is looked for among those before it, whoever has it. */
TEST(more_statistics_than_any_kvm_has_are_refused)
{
	static const int of_each_vcpu[] = { 1001, 400, 1 };

	test_each (of_a_vcpu, of_each_vcpu) {
		g_autoptr(GString) text = g_string_new("{\"return\": [");
		g_autoptr(struct_kvm_stats) stats = NULL;
		g_autoptr(GError) error = NULL;

		for (int i = 0; i <= 1000; i++) {
			if (i % *of_a_vcpu == 0)
				g_string_append(text, i == 0 ? LIST_BEGIN : "]}, " LIST_BEGIN);
			else
				g_string_append(text, ", ");
			g_string_append_printf(text, NUMBER("s%d", "1"), i);
		}
		g_string_append(text, "]}]}");
		stats = parse(text->str, &error);
		assert_null(stats);
		assert_says(error->message, "more statistics than any KVM has");
	}
}

TEST(histogram_by_name)
{
	g_autoptr(struct_kvm_stats) stats =
		parse(ANSWER(LIST(NUMBER("a", "[1]") ", " NUMBER("b", "[2]"))), NULL);

	assert_int_equal(g_array_index(kvm_stats_histogram(stats, "b")->buckets, uint64_t, 0), 2);
	assert_null(kvm_stats_histogram(stats, "c"));
}
