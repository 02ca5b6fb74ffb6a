/* SPDX-License-Identifier: GPL-2.0-only */
#include "guest/l2_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"

#define SECTOR_SIZE 512

/* Offsets in the MBR. */
#define MBR_ENTRY     446 /* the first of four entries */
#define MBR_TYPE      4	  /* within an entry */
#define MBR_START     8
#define MBR_COUNT     12
#define MBR_SIGNATURE 510
#define MBR_LINUX     0x83

/* Offsets in the ext4 superblock, which stands 1024 bytes into the file system. */
#define SUPER_OFFSET	1024
#define SUPER_SIZE	1024
#define SUPER_BLOCKS	0x04
#define SUPER_FREE	0x0c
#define SUPER_LOG_BLOCK 0x18
#define SUPER_MAGIC	0x38
#define SUPER_STATE	0x3a
#define SUPER_LABEL	0x78
#define LABEL_SIZE	16
#define EXT4_MAGIC	0xef53
#define STATE_CLEAN	1
#define LAST_BLOCKS	16
#define LOG_BLOCK_MAX	6 /* 64 KiB, the largest block there is */

static uint32_t get_le16(const uint8_t *bytes)
{
	return (uint32_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get_le32(const uint8_t *bytes)
{
	return get_le16(bytes) | get_le16(bytes + 2) << 16;
}

static bool fail(const char *path, const char *what, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: %s cannot be used as the L2 image: %s; build it again with "
			   "`make clean` and `make`",
			   path, what);
}

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return pread(fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

static const char *check_partition(const uint8_t *mbr, struct l2_image *out)
{
	const uint8_t *entry = mbr + MBR_ENTRY;
	uint64_t start = (uint64_t)get_le32(entry + MBR_START) * SECTOR_SIZE;
	uint64_t count = (uint64_t)get_le32(entry + MBR_COUNT) * SECTOR_SIZE;

	if (mbr[MBR_SIGNATURE] != 0x55 || mbr[MBR_SIGNATURE + 1] != 0xaa)
		return "it is not a raw disk image, its first sector does not end with 55 AA";
	if (entry[MBR_TYPE] != MBR_LINUX || start == 0 || count < SUPER_OFFSET + SUPER_SIZE)
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
static uint64_t unused_blocks(const uint8_t *super)
{
	uint32_t unused = get_le32(super + SUPER_FREE);
	uint32_t kept = MIN(get_le32(super + SUPER_BLOCKS) / 50, 4096) + LAST_BLOCKS;

	return unused > kept ? unused - kept : 0;
}

static const char *check_super(const uint8_t *super, struct l2_image *out)
{
	uint32_t log_block = get_le32(super + SUPER_LOG_BLOCK);
	char label[LABEL_SIZE + 1] = { 0 };

	if (get_le16(super + SUPER_MAGIC) != EXT4_MAGIC || log_block > LOG_BLOCK_MAX)
		return "its first partition holds no ext4 file system";
	memcpy(label, super + SUPER_LABEL, LABEL_SIZE);
	if (strcmp(label, L2_IMAGE_LABEL) != 0)
		return "its file system does not have the label " L2_IMAGE_LABEL;
	if (!(get_le16(super + SUPER_STATE) & STATE_CLEAN))
		return "its file system was not unmounted cleanly";
	out->block = UINT64_C(1024) << log_block;
	out->unused = unused_blocks(super) * out->block;
	return NULL;
}

static const char *check_file(int fd, struct l2_image *out)
{
	uint8_t mbr[SECTOR_SIZE];
	uint8_t super[SUPER_SIZE];
	struct stat status;
	const char *wrong;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return "it is not a regular file";
	out->size = (uint64_t)status.st_size;
	if (!read_at(fd, mbr, sizeof(mbr), 0))
		return "it has less than one sector";
	wrong = check_partition(mbr, out);
	if (wrong)
		return wrong;
	if (!read_at(fd, super, sizeof(super), out->start + SUPER_OFFSET))
		return "its file system cannot be read";
	return check_super(super, out);
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
