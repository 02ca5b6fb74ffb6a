/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/each.h"
#include "l2/digest.h"
#include "l2/l2_image.h"
#include "l2/user_image.h"
#include "wire/command.h"

/*
 * The boot, and the sending of what was counted, take their part of timeout_seconds; a command that
 * hangs must be ended while there is time to tell it.
 */
#define SHARE_OF_TIMEOUT 2

static void file_free(void *data)
{
	struct guest_file *file = data;

	g_free(file->host);
	g_free(file->guest);
	g_free(file);
}

void command_free(struct command *command)
{
	if (command == NULL)
		return;
	g_strfreev(command->argv);
	g_free(command->line);
	g_ptr_array_unref(command->files);
	g_string_free(command->text, TRUE);
	g_free(command);
}

/* ---- A program that cannot run there ---- */

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* Is it a program that needs a dynamic loader? The System V ABI's gABI, "Program Header". */
static bool is_dynamic(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool dynamic = false;
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (fd < 0)
		return false;
	if (read_at(fd, &header, sizeof(header), 0) &&
	    memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64)
		for (unsigned int i = 0; !dynamic && i < header.e_phnum; i++)
			dynamic = read_at(fd, &segment, sizeof(segment),
					  header.e_phoff + i * sizeof(segment)) &&
				  segment.p_type == PT_INTERP;
	close(fd);
	return dynamic;
}

/* ---- Files ---- */

static bool add_file(struct command *command, const char *put, const struct config *config,
		     GError **error)
{
	const bool own = config_has_guest(config);
	const char *colon = g_strrstr(put, ":/");
	g_autofree char *host =
		colon != NULL ? g_strndup(put, (gsize)(colon - put)) : g_strdup(put);
	g_autofree char *base = g_path_get_basename(host);
	struct guest_file *file;

	if (!g_file_test(host, G_FILE_TEST_IS_REGULAR))
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: --put %s: there is no file %s; expected FILE or FILE:/PATH",
				   put, host);
	if (!own && is_dynamic(host))
		return eptlab_fail(
			error, EPTLAB_ERROR_USAGE,
			"L0: --put %s: it needs a dynamic loader and libraries, which the "
			"small L2 has not; link it with -static, or give an image of "
			"your own (l2.guest)",
			put);
	file = g_new(struct guest_file, 1);
	file->host = g_canonicalize_filename(host, NULL);
	file->guest = colon != NULL ? g_strdup(colon + 1)
				    : g_build_filename(own ? USER_IMAGE_FILES : L2_IMAGE_FILES,
						       base, NULL);
	g_ptr_array_add(command->files, file);
	return true;
}

static bool add_files(struct command *command, char **puts, const struct config *config,
		      GError **error)
{
	for (char **put = puts; put != NULL && *put != NULL; put++)
		if (!add_file(command, *put, config, error))
			return false;
	return true;
}

/* ---- The whole ---- */

static char *line_of(char **argv)
{
	GString *line = g_string_new(NULL);

	for (char **word = argv; *word != NULL; word++) {
		const size_t plain = strspn(*word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
						   "UVWXYZ0123456789_@%+=:,./-");
		g_autofree char *quoted = (*word)[plain] == '\0' && plain > 0
						  ? g_strdup(*word)
						  : g_shell_quote(*word);

		g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", quoted);
	}
	return g_string_free(line, FALSE);
}

/* A command works among the files that were put in for it. */
static void write_text(struct command *command, const struct config *config)
{
	const char *folder = config_has_guest(config) ? USER_IMAGE_FILES : L2_IMAGE_FILES;
	bool has_folder = false;

	each (const struct guest_file, file, command->files)
		has_folder |= g_str_has_prefix(file->guest, folder);
	g_string_printf(command->text, "%u%c%s%c", config_l2_timeout(config) / SHARE_OF_TIMEOUT, 0,
			has_folder ? folder : "/", 0);
	for (char **word = command->argv; *word != NULL; word++)
		g_string_append_len(command->text, *word, (gssize)strlen(*word) + 1);
}

struct command *command_new(char **argv, char **puts, const struct config *config, GError **error)
{
	struct command *command = g_new0(struct command, 1);
	bool good;

	command->argv = g_strdupv(argv);
	command->line = line_of(argv);
	command->files = g_ptr_array_new_with_free_func(file_free);
	command->text = g_string_new(NULL);
	good = *argv != NULL ? add_files(command, puts, config, error)
			     : eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: there is no command behind --; see eptlab run "
					   "--help");
	write_text(command, config);
	if (good && config_is_tracepoint(config))
		good = eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: source is 'tracepoint' in [experiment], which counts from "
				   "the VM's creation on and not from a command's start; expected "
				   "source=leaves");
	else if (good && command->text->len > COMMAND_FILE_MOST)
		good = eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: the command has more than %d bytes; put a script in with "
				   "--put",
				   COMMAND_FILE_MOST);
	if (!good)
		g_clear_pointer(&command, command_free);
	return command;
}

char *command_digest(const struct command *command, GError **error)
{
	g_autofree char *own = g_compute_checksum_for_data(
		G_CHECKSUM_SHA256, (const guchar *)command->text->str, command->text->len);
	g_autoptr(GString) all = g_string_new(own);

	each (const struct guest_file, file, command->files) {
		g_autofree char *sha256 = digest_file(file->host, error);

		if (sha256 == NULL)
			return NULL;
		g_string_append_printf(all, "\n%s %s", file->guest, sha256);
	}
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, -1);
}
