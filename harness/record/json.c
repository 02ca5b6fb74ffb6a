/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/record.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <glib/gstdio.h>

#include "wire/frame.h"
#include "record/fields.h"
#include "base/each.h"

/* A record is a few tens of kilobytes; what is much larger is none, and is not read. */
#define RECORD_FILE_MAX (16 << 20)

/* Of a SHA-256 in hexadecimal. */
#define SHA256_DIGITS 64

/* ---- Writing ---- */

static json_t *object_to_json(const struct record_object *object, const void *base);

static json_t *text_to_json(const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	return valid ? json_string(valid) : json_null();
}

json_t *record_u64_to_json(uint64_t value)
{
	char text[24];

	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	g_snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

/* Milliseconds are what a wall clock is good for here. */
static json_t *seconds_to_json(double seconds)
{
	return seconds < 0 ? json_null() : json_real(round(seconds * 1000) / 1000);
}

static json_t *list_to_json(const struct record_object *object, const GPtrArray *list)
{
	json_t *array = json_array();

	each (const void, one, list)
		json_array_append_new(array, object_to_json(object, one));
	return array;
}

static json_t *lines_to_json(const GPtrArray *lines)
{
	json_t *array = json_array();

	each (const char, line, lines)
		json_array_append_new(array, text_to_json(line));
	return array;
}

static json_t *reasons_to_json(const GArray *reasons)
{
	json_t *array = json_array();

	each_value (const uint32_t, reason, reasons)
		json_array_append_new(array, json_integer(*reason));
	return array;
}

static json_t *inputs_to_json(const GPtrArray *inputs)
{
	json_t *json = json_object();

	each (const struct record_input, input, inputs) {
		json_object_set_new(json, input->name, json_string(input->sha256));
	}
	return json;
}

static json_t *statistics_to_json(const GPtrArray *statistics)
{
	json_t *json = json_object();

	each (const struct record_statistic, one, statistics) {
		json_object_set_new(json, one->name, record_u64_to_json(one->value));
	}
	return json;
}

static json_t *field_to_json(const struct record_field *field, const void *member)
{
	const struct record_u64 *optional = member;
	const GPtrArray *list;
	const GArray *reasons;

	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_OPT_NAME:
	case FIELD_STRING:
		return text_to_json(*(char *const *)member);
	case FIELD_CHOICE:
		return json_string(field->names[*(const unsigned int *)member]);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)member);
	case FIELD_BOOL3:
		if (*(const enum record_bool *)member == RECORD_UNKNOWN)
			return json_null();
		return json_boolean(*(const enum record_bool *)member == RECORD_TRUE);
	case FIELD_U32:
		return json_integer(*(const uint32_t *)member);
	case FIELD_U64:
		return record_u64_to_json(*(const uint64_t *)member);
	case FIELD_OPT_U64:
		return optional->known ? record_u64_to_json(optional->value) : json_null();
	case FIELD_SECONDS:
		return seconds_to_json(*(const double *)member);
	case FIELD_OBJECT:
		return object_to_json(field->object, member);
	case FIELD_OPT_OBJECT:
		if (!*(const bool *)member)
			return json_null();
		return object_to_json(field->object, member);
	case FIELD_LIST:
	case FIELD_OPT_LIST:
		list = *(GPtrArray *const *)member;
		return list ? list_to_json(field->object, list) : json_null();
	case FIELD_INPUTS:
		list = *(GPtrArray *const *)member;
		return list ? inputs_to_json(list) : json_null();
	case FIELD_STATISTICS:
		list = *(GPtrArray *const *)member;
		return list ? statistics_to_json(list) : json_null();
	case FIELD_LINES:
		return lines_to_json(*(GPtrArray *const *)member);
	case FIELD_REASONS:
		break;
	}
	reasons = *(GArray *const *)member;
	return reasons ? reasons_to_json(reasons) : json_null();
}

static json_t *object_to_json(const struct record_object *object, const void *base)
{
	json_t *json = json_object();

	each_field (field, object)
		json_object_set_new(json, field->key,
				    field_to_json(field, (const char *)base + field->offset));
	return json;
}

json_t *record_check_to_json(const struct record_check *check)
{
	return object_to_json(&record_object_check, check);
}

json_t *record_to_json(const struct record *record)
{
	json_t *json = json_object();
	json_t *fields = object_to_json(&record_object_record, record);

	json_object_set_new(json, "schema", json_integer(RECORD_SCHEMA));
	json_object_update(json, fields);
	json_decref(fields);
	return json;
}

char *record_to_text(const struct record *record)
{
	json_t *json = record_to_json(record);
	char *dump = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	char *text = g_strconcat(dump, "\n", NULL);

	free(dump);
	json_decref(json);
	return text;
}

/* ---- Reading ---- */

struct reader {
	const char *name; /* of the file */
	json_int_t schema;
	GString *path; /* of the field that is being read, "runs[1].exits[3].count" */
	GError **error;
};

static bool read_object(struct reader *reader, const struct record_object *object, json_t *json,
			void *base);

/* Text of a record, fit for a message: it may hold anything. */
static char *quoted(const char *text)
{
	g_autofree char *whole = g_strescape(text, NULL);

	return g_strndup(whole, 60);
}

/* What a JSON value is, for messages: a short one itself, else its type. */
static char *describe(json_t *json)
{
	g_autofree char *shown = NULL;
	g_autofree char *text = NULL;
	char *dump;

	switch (json ? json_typeof(json) : JSON_NULL) {
	case JSON_OBJECT:
		return g_strdup("an object");
	case JSON_ARRAY:
		return g_strdup("an array");
	default:
		break;
	}
	dump = json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	/* jansson leaves a DEL as it is. */
	shown = g_strescape(dump ? dump : "null", "\"\\");
	text = g_strndup(shown, 60);
	free(dump);
	return g_steal_pointer(&text);
}

static bool refuse(struct reader *reader, json_t *json, const char *expected)
{
	g_autofree char *saw = describe(json);

	return eptlab_fail(reader->error, EPTLAB_ERROR_USAGE, "L0: %s: %s is %s, expected %s",
			   reader->name, reader->path->str, saw, expected);
}

bool record_is_name(const char *text)
{
	return text[0] && text[0] != '-' && text[0] != '_' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static bool read_string(struct reader *reader, enum record_field_kind kind, json_t *json,
			char **member)
{
	const bool optional = kind == FIELD_STRING || kind == FIELD_OPT_NAME;
	const bool name = kind == FIELD_NAME || kind == FIELD_OPT_NAME;
	const char *text = json_string_value(json);

	if (optional && json_is_null(json))
		return true;
	if (!text)
		return refuse(reader, json, optional ? "a string or null" : "a string");
	if (name && !record_is_name(text))
		return refuse(reader, json, "a name of a-z, 0-9, _ and -");
	*member = g_strdup(text);
	return true;
}

static bool read_choice(struct reader *reader, const char *const *names, json_t *json,
			unsigned int *member)
{
	const char *text = json_string_value(json);
	g_autofree char *list = NULL;
	g_autofree char *expected = NULL;

	for (unsigned int i = 0; text && names[i]; i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		*member = i;
		return true;
	}
	list = g_strjoinv(", ", (char **)names);
	expected = g_strdup_printf("one of %s", list);
	return refuse(reader, json, expected);
}

static bool read_bool(struct reader *reader, json_t *json, bool *member)
{
	*member = json_is_true(json);
	return json_is_boolean(json) || refuse(reader, json, "true or false");
}

static bool read_bool3(struct reader *reader, json_t *json, enum record_bool *member)
{
	*member = json_is_null(json) ? RECORD_UNKNOWN : record_bool_from(json_is_true(json));
	return json_is_boolean(json) || json_is_null(json) ||
	       refuse(reader, json, "true, false or null");
}

static bool read_u32(struct reader *reader, json_t *json, uint32_t *member)
{
	json_int_t value = json_integer_value(json);

	*member = (uint32_t)value;
	return (json_is_integer(json) && value >= 0 && value <= UINT32_MAX) ||
	       refuse(reader, json, "a whole number from 0 to 4294967295");
}

/* A string only where an integer cannot be: there is one way to write each number. */
static bool json_to_u64(json_t *json, uint64_t *value)
{
	const char *text = json_string_value(json);

	if (text)
		return text[0] != '0' && frame_parse_u64(text, value) && *value > INT64_MAX;
	*value = (uint64_t)json_integer_value(json);
	return json_is_integer(json) && json_integer_value(json) >= 0;
}

static bool read_u64(struct reader *reader, json_t *json, uint64_t *member)
{
	return json_to_u64(json, member) ||
	       refuse(reader, json,
		      "a whole number of 64 bits, as a string from 9223372036854775808 on");
}

static bool read_optional_u64(struct reader *reader, json_t *json, struct record_u64 *member)
{
	member->known = !json_is_null(json);
	return !member->known || read_u64(reader, json, &member->value);
}

static bool read_seconds(struct reader *reader, json_t *json, double *member)
{
	*member = json_is_null(json) ? -1 : json_number_value(json);
	/* They are written in milliseconds, rounded. */
	return json_is_null(json) ||
	       (json_is_number(json) && *member >= 0 && isfinite(*member * 1000)) ||
	       refuse(reader, json, "a number of seconds, 0 or more, or null");
}

/* Run read for each element, with "[i]" behind the path. */
static bool read_each(struct reader *reader, json_t *json,
		      bool (*read)(struct reader *reader, json_t *element, void *data), void *data)
{
	const gsize path = reader->path->len;

	for (size_t i = 0; i < json_array_size(json); i++) {
		g_string_append_printf(reader->path, "[%zu]", i);
		if (!read(reader, json_array_get(json, i), data))
			return false;
		g_string_truncate(reader->path, path);
	}
	return true;
}

struct list {
	const struct record_object *object;
	GPtrArray *elements;
};

static bool read_element(struct reader *reader, json_t *json, void *data)
{
	const struct list *list = data;
	void *element = record_object_new(list->object);

	g_ptr_array_add(list->elements, element);
	return read_object(reader, list->object, json, element);
}

static bool read_list(struct reader *reader, const struct record_field *field, json_t *json,
		      GPtrArray **member)
{
	struct list list = { .object = field->object };

	if (field->kind == FIELD_OPT_LIST && json_is_null(json))
		return true;
	if (!json_is_array(json))
		return refuse(reader, json,
			      field->kind == FIELD_OPT_LIST ? "an array or null" : "an array");
	if (!*member)
		*member = record_object_list(field->object);
	list.elements = *member;
	return read_each(reader, json, read_element, &list);
}

static bool read_line(struct reader *reader, json_t *json, void *lines)
{
	char *line = NULL;

	if (!read_string(reader, FIELD_TEXT, json, &line))
		return false;
	g_ptr_array_add(lines, line);
	return true;
}

static bool read_lines(struct reader *reader, json_t *json, GPtrArray *lines)
{
	return json_is_array(json) ? read_each(reader, json, read_line, lines)
				   : refuse(reader, json, "an array");
}

static bool read_reason(struct reader *reader, json_t *json, void *reasons)
{
	uint32_t reason;

	if (!read_u32(reader, json, &reason))
		return false;
	g_array_append_val((GArray *)reasons, reason);
	return true;
}

static bool read_reasons(struct reader *reader, json_t *json, GArray **member)
{
	if (json_is_null(json))
		return true;
	if (!json_is_array(json))
		return refuse(reader, json, "an array or null");
	*member = record_reasons_new();
	return read_each(reader, json, read_reason, *member);
}

static bool read_optional_object(struct reader *reader, const struct record_object *object,
				 json_t *json, void *member)
{
	*(bool *)member = !json_is_null(json);
	return json_is_null(json) || read_object(reader, object, json, member);
}

static void path_add(struct reader *reader, const char *key)
{
	if (reader->path->len > 0)
		g_string_append_c(reader->path, '.');
	g_string_append(reader->path, key);
}

static bool is_sha256(const char *text)
{
	return text && strlen(text) == SHA256_DIGITS &&
	       strspn(text, "0123456789abcdef") == SHA256_DIGITS;
}

static bool read_input(struct reader *reader, const char *name, json_t *json, GPtrArray *inputs)
{
	const gsize path = reader->path->len;
	g_autofree char *shown = quoted(name);

	path_add(reader, shown);
	if (!record_is_name(name))
		return refuse(reader, json, "no such field");
	if (!is_sha256(json_string_value(json)))
		return refuse(reader, json, "a SHA-256 of 64 hexadecimal digits");
	g_ptr_array_add(inputs, record_input_new(name, json_string_value(json)));
	g_string_truncate(reader->path, path);
	return true;
}

static bool read_inputs(struct reader *reader, json_t *json, GPtrArray **member)
{
	const char *last = "", *name;
	json_t *value;

	if (json_is_null(json))
		return true;
	if (!json_is_object(json))
		return refuse(reader, json, "an object or null");
	*member = record_inputs_new();
	json_object_foreach (json, name, value) {
		if (!read_input(reader, name, value, *member))
			return false;
		last = name;
	}
	return strcmp(last, RECORD_INPUTS_ALL) == 0 ||
	       refuse(reader, json, "its last field to be " RECORD_INPUTS_ALL);
}

static bool read_statistics(struct reader *reader, json_t *json, GPtrArray **member)
{
	const gsize path = reader->path->len;
	const char *name;
	json_t *value;

	if (json_is_null(json))
		return true;
	if (!json_is_object(json))
		return refuse(reader, json, "an object or null");
	*member = record_statistics_new();
	json_object_foreach (json, name, value) {
		g_autofree char *shown = quoted(name);
		struct record_statistic *one = record_statistic_new(name, 0);

		g_ptr_array_add(*member, one);
		path_add(reader, shown);
		if (!record_is_name(name))
			return refuse(reader, value, "no such field");
		if (!read_u64(reader, value, &one->value))
			return false;
		g_string_truncate(reader->path, path);
	}
	return true;
}

static bool read_value(struct reader *reader, const struct record_field *field, json_t *json,
		       void *member)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_OPT_NAME:
	case FIELD_STRING:
		return read_string(reader, field->kind, json, member);
	case FIELD_CHOICE:
		return read_choice(reader, field->names, json, member);
	case FIELD_BOOL:
		return read_bool(reader, json, member);
	case FIELD_BOOL3:
		return read_bool3(reader, json, member);
	case FIELD_U32:
		return read_u32(reader, json, member);
	case FIELD_U64:
		return read_u64(reader, json, member);
	case FIELD_OPT_U64:
		return read_optional_u64(reader, json, member);
	case FIELD_SECONDS:
		return read_seconds(reader, json, member);
	case FIELD_OBJECT:
		return read_object(reader, field->object, json, member);
	case FIELD_OPT_OBJECT:
		return read_optional_object(reader, field->object, json, member);
	case FIELD_LIST:
	case FIELD_OPT_LIST:
		return read_list(reader, field, json, member);
	case FIELD_INPUTS:
		return read_inputs(reader, json, member);
	case FIELD_STATISTICS:
		return read_statistics(reader, json, member);
	case FIELD_LINES:
		return read_lines(reader, json, *(GPtrArray **)member);
	case FIELD_REASONS:
		break;
	}
	return read_reasons(reader, json, member);
}

/* Has the schema that is being read this field? */
static bool is_of_schema(const struct reader *reader, const struct record_field *field)
{
	return field->since < SINCE_2 || reader->schema >= 2;
}

static bool has_field(const struct reader *reader, const struct record_object *object,
		      const char *key)
{
	each_field (field, object)
		if (strcmp(field->key, key) == 0)
			return is_of_schema(reader, field);
	return false;
}

static bool check_keys(struct reader *reader, const struct record_object *object, json_t *json)
{
	g_autofree char *shown = NULL;
	const char *key;
	json_t *value;

	json_object_foreach (json, key, value) {
		if (has_field(reader, object, key) ||
		    (object->former != NULL && g_strv_contains(object->former, key)))
			continue;
		shown = quoted(key);
		path_add(reader, shown);
		return refuse(reader, value, "no such field");
	}
	return true;
}

static bool read_object(struct reader *reader, const struct record_object *object, json_t *json,
			void *base)
{
	const gsize path = reader->path->len;

	if (!json_is_object(json))
		return refuse(reader, json, "an object");
	if (!check_keys(reader, object, json))
		return false;
	each_field (field, object) {
		json_t *value = json_object_get(json, field->key);

		if (!is_of_schema(reader, field) ||
		    (!value && field->since == SINCE_LATE_1 && reader->schema == 1) ||
		    (!value && field->since == SINCE_LATE_2))
			continue;
		path_add(reader, field->key);
		if (!value)
			return eptlab_fail(reader->error, EPTLAB_ERROR_USAGE,
					   "L0: %s: %s is missing", reader->name,
					   reader->path->str);
		if (!read_value(reader, field, value, (char *)base + field->offset))
			return false;
		g_string_truncate(reader->path, path);
	}
	return true;
}

/* ---- What must hold between fields ---- */

#define inconsistent(name, error, format, ...)                                                     \
	eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s: " format, name, ##__VA_ARGS__)

static bool check_exits(const char *name, guint run, const char *field, const GPtrArray *exits,
			GError **error)
{
	uint64_t whole;

	for (guint i = 0; exits && i < exits->len; i++) {
		const struct record_exit *one = exits->pdata[i];

		if (__builtin_add_overflow(one->before, one->count, &whole))
			return inconsistent(name, error,
					    "runs[%u].%s[%u].before and count are together more "
					    "than 64 bits",
					    run, field, i);
	}
	for (guint i = 1; exits && i < exits->len; i++) {
		const struct record_exit *before = exits->pdata[i - 1];
		const struct record_exit *one = exits->pdata[i];

		if (one->reason <= before->reason)
			return inconsistent(name, error,
					    "runs[%u].%s[%u].reason is %" PRIu32
					    ", expected more than the %" PRIu32 " before it",
					    run, field, i, one->reason, before->reason);
	}
	return true;
}

static bool check_total(const char *name, guint index, const struct record_run *run, GError **error)
{
	uint64_t sum = 0;

	if (!run->total.known)
		return true;
	each (const struct record_exit, one, run->exits) {
		if (__builtin_add_overflow(sum, one->count, &sum))
			return inconsistent(name, error,
					    "runs[%u].total is given, but the exits add up to more "
					    "than 64 bits: expected null",
					    index);
	}
	if (!run->exits || sum != run->total.value)
		return inconsistent(name, error,
				    "runs[%u].total is %" PRIu64 ", expected the sum of its exits, "
				    "%" PRIu64,
				    index, run->total.value, sum);
	return true;
}

static bool check_runs(const struct record *record, const char *name, GError **error)
{
	for (guint i = 0; i < record->runs->len; i++) {
		const struct record_run *run = record->runs->pdata[i];

		if (record_find_run(record, run->config) != run)
			return inconsistent(
				name, error,
				"runs[%u].config is '%s', expected a configuration that no "
				"other run has",
				i, run->config);
		/* Ticks are divided by it. */
		if (run->cost.known && run->cost.exits == 0)
			return inconsistent(name, error,
					    "runs[%u].cost.exits is 0, expected 1 or more", i);
		if (!check_exits(name, i, "exits", run->exits, error) ||
		    !check_exits(name, i, "earlier.exits", run->earlier.exits, error) ||
		    !check_exits(name, i, "l1_exits", run->l1_exits, error) ||
		    !check_exits(name, i, "witness.at_latch", run->witness.at_latch, error) ||
		    !check_exits(name, i, "witness.at_end", run->witness.at_end, error) ||
		    !check_exits(name, i, "mmu.reasons", run->mmu.reasons, error) ||
		    !check_total(name, i, run, error))
			return false;
	}
	return true;
}

/* "2026-01-31T23:59:59Z" and no other of ISO 8601's ways. */
static bool check_created(const struct record *record, const char *name, GError **error)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(record->created, NULL);
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	g_autofree char *shown = quoted(record->created);

	if (text && strcmp(text, record->created) == 0)
		return true;
	return inconsistent(name, error,
			    "created is '%s', expected a time like 2026-01-31T23:59:59Z", shown);
}

/* ---- The whole ---- */

/* The schema that it has, if that is one that is known; else 0. */
static json_int_t read_schema(json_t *root, const char *name, GError **error)
{
	json_t *schema = json_object_get(root, "schema");
	g_autofree char *saw = describe(schema);

	if (!json_is_object(root))
		return inconsistent(name, error, "this is no record: expected a JSON object");
	if (!schema)
		return inconsistent(name, error, "schema is missing: this is no record");
	if (!json_is_integer(schema) || json_integer_value(schema) < 1 ||
	    json_integer_value(schema) > RECORD_SCHEMA)
		return inconsistent(name, error,
				    "schema is %s, expected 1 to %d: the record was written by "
				    "another version of eptlab",
				    saw, RECORD_SCHEMA);
	return json_integer_value(schema);
}

/* What belongs to the runs, and stood in the record alone in schema 1. */
static void describe_runs(struct record *record)
{
	for (guint i = 0; i < record->runs->len; i++)
		record_run_describe(record->runs->pdata[i], record);
}

struct record *record_from_json(json_t *root, const char *name, GError **error)
{
	struct reader reader = { .name = name, .error = error };
	g_autoptr(struct_record) record = record_object_new(&record_object_record);
	json_t *fields;
	bool good;

	reader.schema = read_schema(root, name, error);
	if (reader.schema == 0)
		return NULL;
	fields = json_copy(root);
	json_object_del(fields, "schema");
	reader.path = g_string_new(NULL);
	good = read_object(&reader, &record_object_record, fields, record);
	g_string_free(reader.path, TRUE);
	json_decref(fields);
	if (good && !record->platform.name)
		good = inconsistent(name, error, "platform.name is null, expected a string");
	if (!good || !check_created(record, name, error) || !check_runs(record, name, error))
		return NULL;
	if (reader.schema == 1)
		describe_runs(record);
	return g_steal_pointer(&record);
}

static char *read_text(const char *file, gsize *length, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *text = NULL;
	GStatBuf status;

	/* A pipe or device has no size, and no end. */
	if (g_stat(file, &status) == 0 &&
	    (!S_ISREG(status.st_mode) || status.st_size > RECORD_FILE_MAX)) {
		inconsistent(file, error, "this is no record: expected a file of at most %d bytes",
			     RECORD_FILE_MAX);
		return NULL;
	}
	if (!g_file_get_contents(file, &text, length, &why)) {
		inconsistent(file, error, "cannot read the record: %s", why->message);
		return NULL;
	}
	return g_steal_pointer(&text);
}

struct record *record_load(const char *path, GError **error)
{
	g_autofree char *file = g_file_test(path, G_FILE_TEST_IS_DIR)
					? g_build_filename(path, "record.json", NULL)
					: g_strdup(path);
	g_autofree char *text = NULL;
	struct record *record;
	json_error_t wrong;
	json_t *root;
	gsize length;

	text = read_text(file, &length, error);
	if (!text)
		return NULL;
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
	if (!root) {
		g_autofree char *why = g_strescape(wrong.text, NULL);

		return eptlab_null(error, EPTLAB_ERROR_USAGE, "L0: %s:%d: this is no record: %s",
				   file, wrong.line, why);
	}
	record = record_from_json(root, file, error);
	json_decref(root);
	return record;
}
