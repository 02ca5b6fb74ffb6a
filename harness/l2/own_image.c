/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/own_image.h"

#include <errno.h>

#include "l2/digest.h"
#include "base/error.h"
#include "base/folder.h"
#include "virt/supervisor.h"

static bool make_folder(const struct own_image_request *request, struct own_image *own,
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
	own->folder = g_steal_pointer(&folder);
	own->overlay = g_build_filename(own->folder, "overlay.qcow2", NULL);
	return true;
}

static bool run_helper(const struct own_image_request *request, const struct own_image *own,
		       GError **error)
{
	const char *const argv[] = {
		request->helper,
		request->image,
		own->overlay,
		request->cache,
		own->folder,
		request->probe,
		request->workload,
		request->hold ? "1" : "0",
		NULL,
	};
	const struct guestfs_helper_job job = {
		.argv = argv,
		.seconds = request->seconds,
		.progress = request->progress,
		.progress_data = request->progress_data,
		.cancellable = request->cancellable,
	};

	return guestfs_helper_run(&job, error);
}

bool own_image_make(const struct own_image_request *request, struct own_image *own, GError **error)
{
	*own = (struct own_image){ .folder = NULL };
	request->progress("hashing the image", request->progress_data);
	own->image_sha256 = digest_file(request->image, error);
	own->probe_sha256 = own->image_sha256 != NULL ? digest_file(request->probe, error) : NULL;
	if (own->probe_sha256 != NULL && make_folder(request, own, error) &&
	    run_helper(request, own, error))
		return true;
	own_image_clear(own);
	return false;
}

bool own_image_is_unchanged(const struct own_image *own, const char *image, GError **error)
{
	g_autofree char *now = digest_file(image, error);

	if (now == NULL)
		return false;
	if (g_str_equal(now, own->image_sha256))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: the image %s was changed during the experiment (SHA-256 %.16s…, now "
		"%.16s…), so that the two runs may have booted different systems; end what "
		"writes to it and run again",
		image, own->image_sha256, now);
}

void own_image_clear(struct own_image *own)
{
	if (own->folder != NULL)
		folder_remove(own->folder);
	g_free(own->folder);
	g_free(own->overlay);
	g_free(own->image_sha256);
	g_free(own->probe_sha256);
	*own = (struct own_image){ .folder = NULL };
}
