/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <gio/gio.h>
#include <libxml/HTMLtree.h>
#include <libxml/parser.h>
#include <string.h>

#include "report/html_parts.h"
#include "report/many.h"
#include "report/prose.h"
#include "base/each.h"

#define RESOURCES "/eptlab/page/"

/* ---- The template ---- */

static GBytes *resource(const char *name)
{
	g_autofree char *path = g_strconcat(RESOURCES, name, NULL);
	GBytes *bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

	g_assert(bytes != NULL); /* part of the program */
	return bytes;
}

xmlDoc *html_open(const char *name)
{
	g_autoptr(GBytes) bytes = resource(name);
	gsize length;
	const char *text = g_bytes_get_data(bytes, &length);
	xmlDoc *doc =
		xmlReadMemory(text, (int)length, name, NULL, XML_PARSE_NONET | XML_PARSE_NOBLANKS);

	g_assert(doc != NULL);
	xmlCreateIntSubset(doc, (const xmlChar *)"html", NULL, NULL);
	return doc;
}

/* Style and script are the program's own, and are written as they are. */
static void put_resource(xmlDoc *doc, const char *id, const char *name)
{
	g_autoptr(GBytes) bytes = resource(name);
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autofree char *text = g_strndup(data, length);
	xmlNode *node = html_find(doc, id);

	xmlAddChild(node, xmlNewText((const xmlChar *)text));
	xmlUnsetProp(node, (const xmlChar *)"id");
}

char *html_close(xmlDoc *doc)
{
	xmlChar *bytes = NULL;
	char *page;
	int length = 0;

	put_resource(doc, "style", "page.css");
	htmlSetMetaEncoding(doc, (const xmlChar *)"UTF-8");
	htmlDocDumpMemoryFormat(doc, &bytes, &length, 0);
	page = g_strndup((const char *)bytes, (gsize)length);
	xmlFree(bytes);
	xmlFreeDoc(doc);
	return page;
}

/* ---- Verdict ---- */

static const char *const verdict_words[] = {
	[RECORD_VALID] = "VALID: every rule holds",
	[RECORD_INVALID] = "INVALID: these counts must not be used",
	[RECORD_FAILED] = "FAILED: not measured to the end",
};

/* What one rule said of one run, or of the pair. */
static void put_saying(xmlNode *list, const struct record_check *check)
{
	static const char *const verdicts[] = {
		[RECORD_CHECK_PASS] = "passed; saw",
		[RECORD_CHECK_FAIL] = "FAILED; saw",
		[RECORD_CHECK_NOT_APPLICABLE] = "not applicable, as",
		[RECORD_CHECK_UNKNOWN] = "UNKNOWN; missing:",
	};
	xmlNode *item = html_add(list, "li", NULL);

	html_add(item, "strong", check->run != NULL ? check->run : "both runs");
	html_add_textf(item, ": %s %s", verdicts[check->verdict],
		       check->saw != NULL ? check->saw : "nothing");
	if (check->verdict != RECORD_CHECK_NOT_APPLICABLE)
		html_add_textf(item, "; expected: %s",
			       check->expected != NULL ? check->expected : "nothing");
	html_add_text(item, ".");
	if (check->advice != NULL &&
	    (check->verdict == RECORD_CHECK_FAIL || check->verdict == RECORD_CHECK_UNKNOWN))
		html_add_textf(item, " What to do: %s", check->advice);
}

/*
 * Rule by rule, which stand one behind the other in a record; the reason for a rule is given once.
 * all: those that passed as well.
 */
static void put_rules(xmlNode *parent, const GPtrArray *checks, bool all)
{
	const char *rule = NULL;
	xmlNode *list = NULL;

	each (const struct record_check, check, checks) {
		if (!all && !check->decisive)
			continue;
		if (g_strcmp0(rule, check->rule) != 0) {
			xmlNode *node = html_add_class(parent, "div", "check", NULL);

			rule = check->rule;
			html_add(node, "h3", rule);
			list = html_add(node, "ul", NULL);
			html_add_class(node, "p", "soft", check->why != NULL ? check->why : "");
		}
		put_saying(list, check);
	}
}

static void put_verdict(xmlDoc *doc, const struct report *report)
{
	xmlNode *heading = html_find(doc, "verdict"), *trouble = html_find(doc, "trouble");

	html_add_textf(html_find(doc, "title"), "%s: %s", record_verdict_name(report->verdict),
		       report->title != NULL ? report->title : "eptlab");
	html_add_text(heading, verdict_words[report->verdict]);
	html_set(heading, "class", record_verdict_name(report->verdict));
	html_add_text(html_find(doc, "record"), report->title != NULL ? report->title : "");
	if (report->verdict != RECORD_VALID)
		html_add(trouble, "h2", "What is wrong");
	if (report->verdict == RECORD_FAILED)
		html_add(trouble, "p",
			 report->error != NULL ? report->error
					       : "The experiment was not completed.");
	put_rules(trouble, report->checks, false);
	if (trouble->children == NULL) {
		xmlUnlinkNode(trouble);
		xmlFreeNode(trouble);
	}
}

/* ---- Prose ---- */

/* Returns whether there are any. with_why: the reasons, which are the same in each comparison. */
static bool put_expectations(xmlNode *parent, const struct comparison *comparison, bool with_why)
{
	g_autoptr(GArray) expectations = expectations_of(comparison);
	g_autofree char *answer = prose_answer(expectations);
	xmlNode *list;

	if (answer == NULL)
		return false;
	html_add(parent, "p", answer);
	list = html_add(parent, "ul", NULL);
	each_value (const struct expectation, one, expectations) {
		g_autofree char *sentence = prose_expectation(comparison, one);
		xmlNode *item = html_add(list, "li", NULL);

		html_addf(item, "strong", "%u %s", one->row->reason,
			  one->row->name != NULL ? one->row->name : "");
		html_add_textf(item, ": %s", sentence);
		if (with_why)
			html_set(html_addf(item, "span", " Why: %s (%s).", one->paging->explanation,
					   one->paging->source),
				 "class", "soft");
	}
	return true;
}

static void put_changes(xmlNode *parent, const struct comparison *comparison, bool beside)
{
	g_autoptr(GPtrArray) changes = prose_changes(comparison);
	xmlNode *list;

	html_add(parent, "p",
		 comparison->b == NULL ? "What there is most of:"
		 : beside	       ? "What changed beside that, the most first:"
				       : "What changed, the most first:");
	list = html_add(parent, "ul", NULL);
	for (guint i = 0; i < changes->len; i++)
		html_add(list, "li", g_ptr_array_index(changes, i));
}

static void put_prose(xmlDoc *doc, const struct report *report)
{
	xmlNode *prose = html_find(doc, "prose");
	g_autofree char *subject = prose_subject(report);
	g_autofree char *inputs = prose_inputs(report);
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	bool explained = false;

	html_add(prose, "p", subject);
	if (inputs != NULL)
		html_add(prose, "p", inputs);
	each (const struct comparison, one, comparisons) {
		bool expected;

		if (report->all != NULL)
			html_addf(prose, "h3", "%s beside %s", one->label_b, one->label_a);
		expected = put_expectations(prose, one, !explained);
		put_changes(prose, one, expected);
		explained |= expected;
	}
}

/* ---- How it was obtained ---- */

static void put_log(xmlNode *parent, const char *label, const char *kernel_log)
{
	g_autofree char *excerpt = report_excerpt(kernel_log);
	xmlNode *details = html_add(parent, "details", NULL);

	html_addf(details, "summary", "L1's kernel log when the VM of %s went away", label);
	if (excerpt != NULL)
		html_set(html_add(details, "pre", excerpt), "tabindex", "0");
	else
		html_add(details, "p", "It is not at hand.");
}

static void put_facts(xmlDoc *doc, const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GPtrArray) facts = prose_facts(report);
	xmlNode *list = html_find(doc, "facts"), *logs = html_find(doc, "logs");

	each (const struct prose_fact, fact, facts) {
		html_add(list, "dt", fact->name);
		html_add(list, "dd", fact->value);
	}
	for (guint i = 0; i < runs->len; i++)
		put_log(logs, many_label(comparisons, i),
			report->kernel_logs != NULL ? report->kernel_logs[i] : NULL);
}

static void put_checks(xmlDoc *doc, const struct report *report)
{
	guint passed = 0, count = report->checks != NULL ? report->checks->len : 0;

	for (guint i = 0; i < count; i++) {
		const struct record_check *check = g_ptr_array_index(report->checks, i);

		passed += check->verdict == RECORD_CHECK_PASS;
	}
	put_rules(html_find(doc, "checks"), report->checks, true);
	html_add_textf(html_find(doc, "checks-summary"), "%u answers, of which %u are \"passed\".",
		       count, passed);
}

char *report_html(const struct report *report)
{
	xmlDoc *doc = html_open("page.html");

	put_verdict(doc, report);
	put_prose(doc, report);
	html_operations(html_find(doc, "operations"), report);
	html_chart(html_find(doc, "chart"), report);
	html_table(html_find(doc, "table"), report);
	html_statistics(html_find(doc, "statistics"), report);
	put_facts(doc, report);
	put_checks(doc, report);
	put_resource(doc, "script", "page.js");
	return html_close(doc);
}
