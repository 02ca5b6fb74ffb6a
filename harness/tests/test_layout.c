/* SPDX-License-Identifier: GPL-2.0-only */
/* docs/architecture.md: no room includes from one that comes later. */
#include "tests/test.h"

static const char *const rooms[] = {
	"base",	 "wire",  "config", "record", "matrix", "collect", "judge", "foreign", "report",
	"merge", "grade", "kmod",   "virt",   "agent",	"l2",	   "l1",    "cli",
};

/* The place of the room of that path, "record/store.h"; -1: it is in none. */
static int place_of(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rooms); i++) {
		size_t length = strlen(rooms[i]);

		if (strncmp(path, rooms[i], length) == 0 && path[length] == '/')
			return (int)i;
	}
	return -1;
}

typedef void (*include_func)(const char *file, const char *included, unsigned int *seen);

/* Each #include "..." of each .c and .h file below a folder. */
static void each_include(const char *folder, include_func look, unsigned int *seen)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *text = NULL;
		g_auto(GStrv) lines = NULL;

		if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
			each_include(path, look, seen);
			continue;
		}
		if (!g_str_has_suffix(name, ".c") && !g_str_has_suffix(name, ".h"))
			continue;
		assert_true(g_file_get_contents(path, &text, NULL, NULL));
		lines = g_strsplit(text, "\n", -1);
		for (char **line = lines; *line != NULL; line++) {
			if (!g_str_has_prefix(*line, "#include \""))
				continue;
			(*line)[strcspn(*line + 10, "\"") + 10] = '\0';
			look(path, *line + 10, seen);
		}
	}
}

static void look_at_room(const char *file, const char *included, unsigned int *seen)
{
	const char *inside = file + strlen("harness/");

	if (place_of(included) < 0)
		fail_msg("%s includes %s, which is in no room", file, included);
	if (place_of(included) > place_of(inside))
		fail_msg("%s includes %s, of a room that comes later", file, included);
	(*seen)++;
}

TEST(no_room_includes_from_a_later_one)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(rooms); i++) {
		g_autofree char *folder = g_build_filename("harness", rooms[i], NULL);

		each_include(folder, look_at_room, &seen);
	}
	assert_true(seen > 0);
}

static void look_at_guest(const char *file, const char *included, unsigned int *seen)
{
	if (place_of(included) >= 0 && !g_str_has_prefix(included, "wire/"))
		fail_msg("%s includes %s; only wire/ is shared with it", file, included);
	*seen += g_str_has_prefix(included, "wire/") ? 1 : 0;
}

TEST(guests_include_from_wire_alone)
{
	unsigned int seen = 0;

	each_include("guest-image", look_at_guest, &seen);
	assert_true(seen > 0);
}
