/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/results.h"

#include <jansson.h>
#include <libxml/xmlwriter.h>
#include <string.h>

#include "base/each.h"
#include "record/record.h"

static const char *const statuses[] = {
	[GRADE_PASSED] = "passed",
	[GRADE_FAILED] = "failed",
	[GRADE_NOT_TRIED] = "failed", /* Gradescope knows these two */
};

struct grade_result *grade_result_new(const char *name)
{
	struct grade_result *result = g_new0(struct grade_result, 1);

	result->name = g_strdup(name);
	result->summary = g_strdup("");
	result->remarks = g_strdup("");
	result->digest = g_strdup("");
	result->tests = grade_tests_new();
	return result;
}

void grade_result_free(struct grade_result *result)
{
	if (result == NULL)
		return;
	g_free(result->name);
	g_free(result->summary);
	g_free(result->remarks);
	g_free(result->digest);
	g_array_unref(result->tests);
	g_free(result);
}

/* ---- Gradescope ---- */

static json_t *test_to_json(const struct grade_test *test)
{
	return json_pack("{s:s, s:f, s:f, s:s, s:s, s:s, s:s, s:{s:b}}", "name", test->name,
			 "score", test->score, "max_score", test->most, "status",
			 statuses[test->verdict], "output", test->said, "output_format", "text",
			 "visibility", "visible", "extra_data", "tried",
			 test->verdict != GRADE_NOT_TRIED);
}

static char *to_json(const struct grade_result *result)
{
	json_t *tests = json_array(), *root;
	g_autofree char *output = g_strconcat(result->summary, *result->remarks != '\0' ? "\n" : "",
					      result->remarks, NULL);
	char *text;

	each_value (const struct grade_test, test, result->tests)
		json_array_append_new(tests, test_to_json(test));
	root = json_pack("{s:f, s:s, s:s, s:f, s:o, s:{s:s, s:s, s:s}}", "score",
			 grade_score(result->tests), "output", output, "output_format", "text",
			 "execution_time", result->seconds, "tests", tests, "extra_data", "summary",
			 result->summary, "remarks", result->remarks, "digest", result->digest);
	text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
	json_decref(root);
	return text;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static struct grade_test test_from_json(const json_t *json)
{
	const json_t *extra = json_object_get(json, "extra_data");
	const bool passed = g_str_equal(text_of(json, "status"), statuses[GRADE_PASSED]);

	return (struct grade_test){
		.name = g_strdup(text_of(json, "name")),
		.score = json_number_value(json_object_get(json, "score")),
		.most = json_number_value(json_object_get(json, "max_score")),
		.said = g_strdup(text_of(json, "output")),
		.verdict = passed					    ? GRADE_PASSED
			   : json_is_false(json_object_get(extra, "tried")) ? GRADE_NOT_TRIED
									    : GRADE_FAILED,
	};
}

struct grade_result *grade_result_load(const char *folder, const char *name, const char *digest)
{
	g_autofree char *path = g_build_filename(folder, "results.json", NULL);
	json_t *root = json_load_file(path, 0, NULL), *test;
	const json_t *extra = json_object_get(root, "extra_data");
	struct grade_result *result = NULL;
	size_t i;

	if (root != NULL && (digest == NULL || g_str_equal(text_of(extra, "digest"), digest))) {
		result = grade_result_new(name);
		record_set_string(&result->summary, text_of(extra, "summary"));
		record_set_string(&result->remarks, text_of(extra, "remarks"));
		record_set_string(&result->digest, text_of(extra, "digest"));
		result->seconds = json_number_value(json_object_get(root, "execution_time"));
		json_array_foreach (json_object_get(root, "tests"), i, test) {
			struct grade_test one = test_from_json(test);

			g_array_append_val(result->tests, one);
		}
	}
	json_decref(root);
	return result;
}

/* ---- JUnit ---- */

static void put_attribute(xmlTextWriterPtr writer, const char *name, const char *value)
{
	xmlTextWriterWriteAttribute(writer, (const xmlChar *)name, (const xmlChar *)value);
}

static void put_number(xmlTextWriterPtr writer, const char *name, guint value)
{
	xmlTextWriterWriteFormatAttribute(writer, (const xmlChar *)name, "%u", value);
}

static void put_case(xmlTextWriterPtr writer, const struct grade_result *result,
		     const struct grade_test *test)
{
	xmlTextWriterStartElement(writer, (const xmlChar *)"testcase");
	put_attribute(writer, "classname", result->name);
	put_attribute(writer, "name", test->name);
	if (test->verdict != GRADE_PASSED) {
		xmlTextWriterStartElement(
			writer,
			(const xmlChar *)(test->verdict == GRADE_FAILED ? "failure" : "skipped"));
		xmlTextWriterWriteFormatAttribute(writer, (const xmlChar *)"message",
						  "%g of %g points", test->score, test->most);
		xmlTextWriterWriteString(writer, (const xmlChar *)test->said);
		xmlTextWriterEndElement(writer);
	}
	xmlTextWriterEndElement(writer);
}

static guint count(const GArray *tests, enum grade_verdict verdict)
{
	guint found = 0;

	each_value (const struct grade_test, test, tests)
		found += test->verdict == verdict;
	return found;
}

static char *to_junit(const struct grade_result *result)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	xmlTextWriterPtr writer = xmlNewTextWriterMemory(buffer, 0);
	char *text;

	xmlTextWriterSetIndent(writer, 1);
	xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
	xmlTextWriterStartElement(writer, (const xmlChar *)"testsuite");
	put_attribute(writer, "name", result->name);
	put_number(writer, "tests", result->tests->len);
	put_number(writer, "failures", count(result->tests, GRADE_FAILED));
	put_number(writer, "skipped", count(result->tests, GRADE_NOT_TRIED));
	xmlTextWriterWriteFormatAttribute(writer, (const xmlChar *)"time", "%.1f", result->seconds);
	each_value (const struct grade_test, test, result->tests)
		put_case(writer, result, test);
	xmlTextWriterWriteElement(writer, (const xmlChar *)"system-out",
				  (const xmlChar *)result->summary);
	xmlTextWriterEndDocument(writer);
	xmlFreeTextWriter(writer);
	text = g_strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

/* ---- TAP ---- */

static char *to_tap(const struct grade_result *result)
{
	GString *out = g_string_new(NULL);
	guint number = 0;

	g_string_append_printf(out, "TAP version 14\n1..%u\n", result->tests->len);
	each_value (const struct grade_test, test, result->tests) {
		g_auto(GStrv) lines = g_strsplit(test->said, "\n", -1);

		/* '#' begins a directive. */
		g_strdelimit(test->name, "#", '_');
		g_string_append_printf(out, "%sok %u - %s%s\n",
				       test->verdict == GRADE_FAILED ? "not " : "", ++number,
				       test->name,
				       test->verdict == GRADE_NOT_TRIED ? " # SKIP not tried" : "");
		g_string_append_printf(out, "# %g of %g points\n", test->score, test->most);
		for (char **line = lines; *test->said != '\0' && *line != NULL; line++)
			g_string_append_printf(out, "# %s\n", *line);
	}
	return g_string_free(out, FALSE);
}

static bool put_file(const char *folder, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) cause = NULL;

	return g_file_set_contents(path, text, -1, &cause) ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s could not be written (%s); free some disk space", path,
			   cause->message);
}

bool grade_result_store(const struct grade_result *result, const char *folder, GError **error)
{
	g_autofree char *tap = to_tap(result);
	g_autofree char *junit = to_junit(result);
	g_autofree char *json = to_json(result);

	return put_file(folder, "marks.tap", tap, error) &&
	       put_file(folder, "junit.xml", junit, error) &&
	       put_file(folder, "results.json", json, error);
}

/* ---- The class ---- */

/* RFC 4180. A spreadsheet takes what begins with one of these for a formula. */
static void put_cell(GString *out, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
	g_autofree char *doubled = g_strjoinv("\"\"", parts);

	g_string_append_printf(out, "\"%s%s\"", *text != '\0' && strchr("=+-@", *text) ? "'" : "",
			       doubled);
}

char *grade_csv(const GPtrArray *results)
{
	GString *out = g_string_new("name,score,most,seconds");
	const struct grade_result *first = results->len > 0 ? results->pdata[0] : NULL;

	each_value (const struct grade_test, test, first != NULL ? first->tests : NULL) {
		g_string_append_c(out, ',');
		put_cell(out, test->name);
	}
	g_string_append(out, ",summary\r\n");
	each (const struct grade_result, result, results) {
		put_cell(out, result->name);
		g_string_append_printf(out, ",%g,%g,%.1f", grade_score(result->tests),
				       grade_most(result->tests), result->seconds);
		each_value (const struct grade_test, test, result->tests)
			g_string_append_printf(out, ",%g", test->score);
		g_string_append_c(out, ',');
		put_cell(out, result->summary);
		g_string_append(out, "\r\n");
	}
	return g_string_free(out, FALSE);
}
