/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/l2_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ext2fs/ext2_fs.h>

#include "base/error.h"

#define SECTOR_SIZE  512
#define SUPER_OFFSET 1024 /* of the superblock, from the start of the file system */
#define LAST_BLOCKS  16

#define MBR_LINUX 0x83

/* Both are little-endian on the disk, as is every machine that this is for. */
struct __attribute__((packed)) mbr {
	uint8_t code[446];
	struct __attribute__((packed)) {
		uint32_t status;
		uint8_t type;
		uint8_t end[3];
		uint32_t start; /* in sectors */
		uint32_t count;
	} entries[4];
	uint8_t signature[2];
};

static bool fail(const char *path, const char *what, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s cannot be used as the L2 image: %s; build it again with "
			   "`make distclean` and `make`",
			   path, what);
}

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return pread(fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

static const char *check_partition(const struct mbr *mbr, struct l2_image *out)
{
	const uint64_t start = (uint64_t)mbr->entries[0].start * SECTOR_SIZE;
	const uint64_t count = (uint64_t)mbr->entries[0].count * SECTOR_SIZE;

	if (mbr->signature[0] != 0x55 || mbr->signature[1] != 0xaa)
		return "it is not a raw disk image, its first sector does not end with 55 AA";
	if (mbr->entries[0].type != MBR_LINUX || start == 0 ||
	    count < SUPER_OFFSET + sizeof(struct ext2_super_block))
		return "its partition table has no Linux partition as its first";
	if (start + count > out->size)
		return "its first partition ends behind the end of the file, so it was cut off";
	out->start = start;
	return NULL;
}

/*
 * What can be written: ext4 keeps 2 % of all blocks, at most 4096, for itself
 * (ext4_set_resv_clusters in the kernel's fs/ext4/super.c), and refuses the last blocks to files
 * whose place on the disk it has not decided on yet (ext4_has_free_clusters in balloc.c).
 */
static uint64_t unused_blocks(const struct ext2_super_block *super)
{
	uint32_t kept = MIN(super->s_blocks_count / 50, 4096) + LAST_BLOCKS;

	return super->s_free_blocks_count > kept ? super->s_free_blocks_count - kept : 0;
}

static const char *check_super(const struct ext2_super_block *super, struct l2_image *out)
{
	if (super->s_magic != EXT2_SUPER_MAGIC ||
	    super->s_log_block_size > EXT2_MAX_BLOCK_LOG_SIZE - EXT2_MIN_BLOCK_LOG_SIZE)
		return "its first partition holds no ext4 file system";
	if (strncmp((const char *)super->s_volume_name, L2_IMAGE_LABEL, EXT2_LABEL_LEN) != 0)
		return "its file system does not have the label " L2_IMAGE_LABEL;
	if (!(super->s_state & EXT2_VALID_FS))
		return "its file system was not unmounted cleanly";
	out->block = EXT2_BLOCK_SIZE(super);
	out->unused = unused_blocks(super) * out->block;
	return NULL;
}

static const char *check_file(int fd, struct l2_image *out)
{
	struct mbr mbr;
	struct ext2_super_block super;
	struct stat status;
	const char *wrong;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return "it is not a regular file";
	out->size = (uint64_t)status.st_size;
	if (out->size > L2_IMAGE_MOST)
		return "it is larger than " L2_IMAGE_MOST_TEXT;
	if (!read_at(fd, &mbr, sizeof(mbr), 0))
		return "it has less than one sector";
	wrong = check_partition(&mbr, out);
	if (wrong)
		return wrong;
	if (!read_at(fd, &super, sizeof(super), out->start + SUPER_OFFSET))
		return "its file system cannot be read";
	return check_super(&super, out);
}

bool l2_image_read(const char *path, struct l2_image *out, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *wrong;

	if (fd < 0)
		return fail(path, g_strerror(errno), error);
	wrong = check_file(fd, out);
	close(fd);
	return wrong ? fail(path, wrong, error) : true;
}

bool l2_image_flush(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}
