/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "l2/digest.h"
#include "l2/l2_image.h"
#include "base/error.h"
#include "base/folder.h"
#include "base/each.h"
#include "virt/supervisor.h"

/* Part of the key: to be raised when the same inputs are to give another image. */
#define CACHE_FORMAT "eptlab L2 image 1\n"

/* An image in the cache, and the file with its SHA-256. */
#define IMAGE ".img"
#define SUM   ".sha256"

#define LOCK_NAME    "lock"
#define TMP_PREFIX   "tmp-"
#define LOCK_POLL_US (100 * 1000ul)
/*
 * Free space to ask for beside the image, because QEMU waits for ever when the disk fills up under
 * it: what the appliance writes while it runs, and the appliance itself if it is not yet there.
 */
#define SPARE_BYTES	(G_GUINT64_CONSTANT(64) * 1024 * 1024)
#define APPLIANCE_BYTES (G_GUINT64_CONSTANT(448) * 1024 * 1024)

/* One file to be put in. */
struct input {
	char *host;
	char *guest;
	char *sha256;
	guint64 size;
};

/* A call of guest_inject on its way. */
struct injection {
	const struct guest_inject_request *request;
	gint64 deadline;
	struct l2_image base;
	GPtrArray *inputs; /* of struct input */
	char *base_sha256;
	char *stem; /* its name, without folder and suffix */
	char *name; /* of the image in the cache, a full path */
	char *sum;  /* of the file beside it, likewise */
	char *tmp;  /* the folder for all that is half-done */
};

static void input_free(gpointer data)
{
	struct input *input = data;

	g_free(input->host);
	g_free(input->guest);
	g_free(input->sha256);
	g_free(input);
}

static void say(const struct injection *injection, const char *step)
{
	if (injection->request->progress)
		injection->request->progress(step, injection->request->progress_data);
}

/* By errno. */
static bool fail(GError **error, const char *what, const char *path)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: cannot %s %s: %s; check the folder and the free space of its disk",
			   what, path, g_strerror(errno));
}

static void remove_with_prefix(const char *path, const char *prefix)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		if (g_str_has_prefix(name, prefix)) {
			g_autofree char *child = g_build_filename(path, name, NULL);

			folder_remove(child);
		}
	}
}

/* Where libguestfs keeps its appliance in a cache (guestfs(3), LIBGUESTFS_CACHEDIR). */
static char *appliance_folder(const char *cache)
{
	return g_strdup_printf("%s/.guestfs-%u", cache, geteuid());
}

/*
 * Whoever made the temporary files is no more: we hold the lock of the cache. So is a supermin that
 * was killed, unless another one is at work there (its --lock).
 */
static void remove_stale(const char *cache)
{
	g_autofree char *folder = appliance_folder(cache);
	g_autofree char *path = g_build_filename(folder, "lock", NULL);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	remove_with_prefix(cache, TMP_PREFIX);
	if (fd < 0)
		return;
	if (fcntl(fd, F_SETLK, &lock) == 0)
		remove_with_prefix(folder, "appliance.d.");
	close(fd);
}

static bool wait_for_lock(const struct injection *injection, int fd, GError **error)
{
	bool told = false;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(error, "lock", injection->request->cache);
		if (g_cancellable_is_cancelled(injection->request->cancellable))
			return eptlab_fail(
				error, EPTLAB_ERROR_INTERRUPTED,
				"L0: interrupted while waiting for another eptlab to finish its L2 "
				"image; nothing was changed, so just start again");
		if (g_get_monotonic_time() > injection->deadline)
			return eptlab_fail(error, EPTLAB_ERROR_TIMEOUT,
					   "L0: another eptlab still holds %s after %u s; wait for "
					   "it to end, or end it",
					   injection->request->cache, injection->request->seconds);
		if (!told)
			say(injection, "waiting for another eptlab to finish its L2 image");
		told = true;
		g_usleep(LOCK_POLL_US);
	}
	return true;
}

/* The descriptor that holds the lock, or -1. */
static int take_lock(const struct injection *injection, GError **error)
{
	const char *cache = injection->request->cache;
	g_autofree char *path = g_build_filename(cache, LOCK_NAME, NULL);
	int fd = -1;

	if (g_mkdir_with_parents(cache, 0755) < 0)
		fail(error, "make the folder", cache);
	else if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644)) < 0)
		fail(error, "open", path);
	else if (!wait_for_lock(injection, fd, error)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool add_input(struct injection *injection, const char *host, const char *guest,
		      GError **error)
{
	struct input *input;
	struct stat status = { .st_size = 0 };
	char *sha256;

	/* Before it is read: it may be of any size. */
	if (g_stat(host, &status) == 0 && (guint64)status.st_size > injection->base.size)
		return eptlab_fail(
			error, EPTLAB_ERROR_MACHINE,
			"L0: %s is larger than the whole L2 image %s, which has %" G_GUINT64_FORMAT
			" KiB; use a smaller file",
			host, injection->request->base_image, injection->base.size / 1024);
	sha256 = digest_file(host, error);
	if (!sha256)
		return false;
	input = g_new(struct input, 1);
	*input = (struct input){ g_strdup(host), g_strdup(guest), sha256, (guint64)status.st_size };
	g_ptr_array_add(injection->inputs, input);
	return true;
}

/* In the order of their names: the order of writing is part of the image. */
static bool add_workloads(struct injection *injection, GError **error)
{
	const char *path = injection->request->workloads;
	g_autoptr(GError) reason = NULL;
	g_auto(GStrv) names = folder_names(path, &reason);
	const guint others = injection->inputs->len;

	for (char **name = names; name && *name; name++) {
		g_autofree char *host = g_build_filename(path, *name, NULL);
		g_autofree char *guest = g_build_filename(L2_IMAGE_WORKLOADS, *name, NULL);

		/* With a dot in its name it is no workload: the sources of the probe's operations.
		 */
		if (!strchr(*name, '.') && !add_input(injection, host, guest, error))
			return false;
	}
	return injection->inputs->len > others ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: cannot read the folder of workloads %s: %s; build the project "
			   "again with `make`",
			   path, reason ? reason->message : "it is empty");
}

static bool read_inputs(struct injection *injection, GError **error)
{
	const struct guest_inject_request *request = injection->request;

	if (!l2_image_read(request->base_image, &injection->base, error))
		return false;
	injection->base_sha256 = digest_file(request->base_image, error);
	if (!injection->base_sha256 ||
	    !add_input(injection, request->probe, L2_IMAGE_PROBE, error) ||
	    !add_workloads(injection, error))
		return false;
	each (const struct guest_file, file, request->files) {
		if (!add_input(injection, file->host, file->guest, error))
			return false;
	}
	return true;
}

/* Name the image after all that goes into it. */
static void make_names(struct injection *injection)
{
	const char *cache = injection->request->cache;
	g_autoptr(GString) all = g_string_new(CACHE_FORMAT);
	g_autofree char *key = NULL;
	g_autofree char *tmp = g_strdup_printf(TMP_PREFIX "%d", getpid());

	g_string_append_printf(all, "%s base\n", injection->base_sha256);
	each (const struct input, input, injection->inputs) {
		g_string_append_printf(all, "%s %s\n", input->sha256, input->guest);
	}
	key = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, (gssize)all->len);
	injection->stem = g_strdup_printf("l2-%.32s", key);
	injection->name = g_strdup_printf("%s/%s" IMAGE, cache, injection->stem);
	injection->sum = g_strdup_printf("%s/%s" SUM, cache, injection->stem);
	injection->tmp = g_build_filename(cache, tmp, NULL);
}

/* The SHA-256 of an image if it is what the other file says, else NULL. */
static char *whole_image(const char *image, const char *sum)
{
	g_autofree char *expected = NULL;
	g_autofree char *found = digest_file(image, NULL);

	return g_file_get_contents(sum, &expected, NULL, NULL) && found &&
			       strcmp(g_strchomp(expected), found) == 0
		       ? g_steal_pointer(&found)
		       : NULL;
}

/* The SHA-256 of the image in the cache if it is there and whole, else NULL. */
static char *find_cached(const struct injection *injection)
{
	char *found;

	if (!g_file_test(injection->name, G_FILE_TEST_EXISTS))
		return NULL;
	found = whole_image(injection->name, injection->sum);
	if (found)
		return found;
	say(injection, "the L2 image in the cache is damaged: making it again");
	return NULL;
}

static bool check_room(const struct injection *injection, GError **error)
{
	const struct l2_image *base = &injection->base;
	guint64 needed = 0;

	each (const struct input, input, injection->inputs) {
		needed += (input->size + base->block - 1) / base->block * base->block;
	}
	if (needed <= base->unused)
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: the L2 image %s is too full: probe and workloads need %" G_GUINT64_FORMAT
		" KiB, %" G_GUINT64_FORMAT " KiB are free; build it again with `make distclean` "
		"and `make`, or use smaller workloads",
		injection->request->base_image, needed / 1024, base->unused / 1024);
}

static bool check_disk(const struct injection *injection, GError **error)
{
	const char *cache = injection->request->cache;
	g_autofree char *folder = appliance_folder(cache);
	g_autofree char *appliance = g_build_filename(folder, "appliance.d", NULL);
	guint64 needed = injection->base.size + SPARE_BYTES;
	struct statvfs status;
	guint64 unused;

	if (statvfs(cache, &status) < 0)
		return fail(error, "look at", cache);
	if (!g_file_test(appliance, G_FILE_TEST_IS_DIR))
		needed += APPLIANCE_BYTES;
	unused = (guint64)status.f_bavail * status.f_frsize;
	if (unused >= needed)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: the disk of %s has %" G_GUINT64_FORMAT
			   " MiB free, making the L2 image "
			   "needs %" G_GUINT64_FORMAT " MiB; make room",
			   cache, unused >> 20, needed >> 20);
}

static bool copy_image(const struct injection *injection, const char *path, GError **error)
{
	g_autoptr(GFile) from = g_file_new_for_path(injection->request->base_image);
	g_autoptr(GFile) to = g_file_new_for_path(path);
	g_autoptr(GError) cause = NULL;
	g_autofree char *sha256 = NULL;

	if (!g_file_copy(from, to, G_FILE_COPY_TARGET_DEFAULT_PERMS, NULL, NULL, NULL, &cause))
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: cannot copy the L2 image to %s: %s; check the folder and "
				   "the free space of its disk",
				   path, cause->message);
	sha256 = digest_file(path, error);
	if (!sha256)
		return false;
	return g_str_equal(sha256, injection->base_sha256) ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s changed while it was copied; let the build finish, then start "
			   "again",
			   injection->request->base_image);
}

static bool run_helper(const struct injection *injection, const char *image, GError **error)
{
	const struct guest_inject_request *request = injection->request;
	g_autofree char *start = g_strdup_printf("%" G_GUINT64_FORMAT, injection->base.start);
	gint64 left = injection->deadline - g_get_monotonic_time();
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	struct guestfs_helper_job job = {
		.seconds = left > 0 ? (unsigned int)(left / G_USEC_PER_SEC + 1) : 0,
		.progress = request->progress,
		.progress_data = request->progress_data,
		.cancellable = request->cancellable,
	};

	g_ptr_array_add(argv, (gpointer)request->helper);
	g_ptr_array_add(argv, (gpointer)image);
	g_ptr_array_add(argv, start);
	g_ptr_array_add(argv, (gpointer)request->cache);
	g_ptr_array_add(argv, injection->tmp);
	each (struct input, input, injection->inputs) {
		g_ptr_array_add(argv, input->host);
		g_ptr_array_add(argv, input->guest);
		g_ptr_array_add(argv, input->sha256);
	}
	g_ptr_array_add(argv, NULL);
	job.argv = (const char *const *)argv->pdata;
	return guestfs_helper_run(&job, error);
}

/* The image comes last: from then on it counts. */
static bool keep(const struct injection *injection, const char *image, const char *sha256,
		 GError **error)
{
	g_autofree char *sum = g_build_filename(injection->tmp, "l2.sha256", NULL);
	g_autofree char *line = g_strconcat(sha256, "\n", NULL);

	if (g_file_set_contents_full(sum, line, -1, G_FILE_SET_CONTENTS_DURABLE, 0644, NULL) &&
	    g_chmod(image, 0444) == 0 && l2_image_flush(image) &&
	    g_rename(sum, injection->sum) == 0 && g_rename(image, injection->name) == 0 &&
	    l2_image_flush(injection->request->cache))
		return true;
	return fail(error, "keep", injection->name);
}

static char *build_image(const struct injection *injection, GError **error)
{
	g_autofree char *image = g_build_filename(injection->tmp, "l2.img", NULL);
	g_autofree char *sha256 = NULL;

	if (g_mkdir(injection->tmp, 0700) < 0) {
		fail(error, "make the folder", injection->tmp);
		return NULL;
	}
	supervisor_remove(injection->tmp);
	if (!copy_image(injection, image, error) || !run_helper(injection, image, error))
		return NULL;
	sha256 = digest_file(image, error);
	if (!sha256 || !keep(injection, image, sha256, error))
		return NULL;
	return g_steal_pointer(&sha256);
}

/* Takes image and sha256. */
static void tell(const struct injection *injection, char *image, char *sha256,
		 struct guest_injected *out)
{
	out->image = image;
	out->image_sha256 = sha256;
	out->base_sha256 = g_strdup(injection->base_sha256);
	out->probe_sha256 = g_strdup(((const struct input *)injection->inputs->pdata[0])->sha256);
}

/* Is it there without any doing? */
static bool take_made(const struct injection *injection, struct guest_injected *out)
{
	const char *folder = injection->request->made;
	g_autofree char *image = NULL;
	g_autofree char *sum = NULL;
	char *sha256;

	if (!folder)
		return false;
	image = g_strdup_printf("%s/%s" IMAGE, folder, injection->stem);
	sum = g_strdup_printf("%s/%s" SUM, folder, injection->stem);
	sha256 = g_file_test(image, G_FILE_TEST_EXISTS) ? whole_image(image, sum) : NULL;
	out->from_cache = sha256 != NULL;
	if (sha256)
		tell(injection, g_steal_pointer(&image), sha256, out);
	return sha256 != NULL;
}

static bool inject(struct injection *injection, struct guest_injected *out, GError **error)
{
	g_autofree char *sha256 = find_cached(injection);

	out->from_cache = sha256 != NULL;
	if (!sha256) {
		if (!check_room(injection, error) || !check_disk(injection, error))
			return false;
		sha256 = build_image(injection, error);
		folder_remove(injection->tmp);
	}
	if (!sha256)
		return false;
	tell(injection, g_strdup(injection->name), g_steal_pointer(&sha256), out);
	return true;
}

/* In the cache, which is ours meanwhile. */
static bool inject_locked(struct injection *injection, struct guest_injected *out, GError **error)
{
	int lock = take_lock(injection, error);
	bool ok;

	if (lock < 0)
		return false;
	remove_stale(injection->request->cache);
	ok = inject(injection, out, error);
	close(lock); /* and with it the lock is gone */
	return ok;
}

bool guest_inject(const struct guest_inject_request *request, struct guest_injected *out,
		  GError **error)
{
	struct injection injection = {
		.request = request,
		.deadline = g_get_monotonic_time() + (gint64)request->seconds * G_USEC_PER_SEC,
	};
	bool ok;

	*out = (struct guest_injected){ 0 };
	injection.inputs = g_ptr_array_new_with_free_func(input_free);
	ok = read_inputs(&injection, error);
	if (ok) {
		make_names(&injection);
		ok = take_made(&injection, out) || inject_locked(&injection, out, error);
	}
	g_ptr_array_unref(injection.inputs);
	g_free(injection.base_sha256);
	g_free(injection.stem);
	g_free(injection.name);
	g_free(injection.sum);
	g_free(injection.tmp);
	return ok;
}

void guest_injected_clear(struct guest_injected *injected)
{
	g_free(injected->image);
	g_free(injected->image_sha256);
	g_free(injected->base_sha256);
	g_free(injected->probe_sha256);
	*injected = (struct guest_injected){ 0 };
}
