/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/user_image.h"

#include <errno.h>

#include "l2/digest.h"
#include "base/each.h"
#include "base/error.h"
#include "base/folder.h"
#include "virt/supervisor.h"

static bool make_folder(const struct user_image_request *request, struct user_image *made,
			GError **error)
{
	g_autofree char *folder = g_build_filename(request->cache, "own-XXXXXX", NULL);

	g_mkdir_with_parents(request->cache, 0755);
	if (g_mkdtemp(folder) == NULL)
		return eptlab_fail(
			error, EPTLAB_ERROR_MACHINE,
			"L0: no folder for an overlay could be made in %s (%s); free some disk "
			"space",
			request->cache, g_strerror(errno));
	supervisor_remove(folder);
	made->folder = g_steal_pointer(&folder);
	made->overlay = g_build_filename(made->folder, "overlay.qcow2", NULL);
	return true;
}

static bool run_helper(const struct user_image_request *request, const struct user_image *made,
		       GError **error)
{
	const char *const fixed[] = {
		request->helper,   request->image, made->overlay,
		request->cache,	   made->folder,   request->probe,
		request->workload, request->name,  request->operations,
	};
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	struct guestfs_helper_job job = {
		.seconds = request->seconds,
		.progress = request->progress,
		.progress_data = request->progress_data,
		.cancellable = request->cancellable,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, (char *)fixed[i]);
	each (const struct guest_file, file, request->files) {
		g_ptr_array_add(argv, file->host);
		g_ptr_array_add(argv, file->guest);
	}
	g_ptr_array_add(argv, NULL);
	job.argv = (const char *const *)argv->pdata;
	return guestfs_helper_run(&job, error);
}

bool user_image_make(const struct user_image_request *request, struct user_image *made,
		     GError **error)
{
	*made = (struct user_image){ .folder = NULL };
	request->progress("hashing the image", request->progress_data);
	made->image_sha256 = digest_file(request->image, error);
	made->probe_sha256 = made->image_sha256 != NULL ? digest_file(request->probe, error) : NULL;
	if (made->probe_sha256 != NULL && make_folder(request, made, error) &&
	    run_helper(request, made, error))
		return true;
	user_image_clear(made);
	return false;
}

bool user_image_is_unchanged(const struct user_image *made, const char *image, GError **error)
{
	g_autofree char *now = digest_file(image, error);

	if (now == NULL)
		return false;
	if (g_str_equal(now, made->image_sha256))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: the image %s was changed during the experiment (SHA-256 %.16s…, now "
		"%.16s…), so that the two runs may have booted different systems; end what "
		"writes to it and run again",
		image, made->image_sha256, now);
}

void user_image_clear(struct user_image *made)
{
	if (made->folder != NULL)
		folder_remove(made->folder);
	g_free(made->folder);
	g_free(made->overlay);
	g_free(made->image_sha256);
	g_free(made->probe_sha256);
	*made = (struct user_image){ .folder = NULL };
}
