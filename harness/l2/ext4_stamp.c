/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/ext4_stamp.h"

#include <string.h>
#include <et/com_err.h>
#include <ext2fs/ext2fs.h>

#include "base/error.h"

/* 2023-01-01 00:00 UTC: any fixed moment will do, 0 would mean "never". */
#define STAMP 1672531200

static bool fail(const char *image, const char *what, GError **error)
{
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: cannot fix the time stamps in %s: %s; check the disk's free space, then "
		"build the image again with `make distclean` and `make`",
		image, what);
}

static void stamp_inode(struct ext2_inode_large *inode)
{
	inode->i_atime = STAMP;
	inode->i_ctime = STAMP;
	inode->i_mtime = STAMP;
	inode->i_dtime = 0;
	inode->i_generation = 0;
	inode->i_ctime_extra = 0;
	inode->i_mtime_extra = 0;
	inode->i_atime_extra = 0;
	inode->i_crtime = STAMP;
	inode->i_crtime_extra = 0;
}

static errcode_t stamp_inodes(ext2_filsys fs)
{
	union {
		struct ext2_inode_large large;
		struct ext2_inode small;
		char bytes[1024]; /* with room for extended attributes in the inode */
	} inode;
	int size = EXT2_INODE_SIZE(fs->super);
	errcode_t status;
	ext2_ino_t number;

	if (size < (int)sizeof(inode.large) || size > (int)sizeof(inode))
		return EXT2_ET_UNSUPP_FEATURE;
	for (number = 1; number <= fs->super->s_inodes_count; number++) {
		memset(&inode, 0, sizeof(inode));
		if (ext2fs_test_inode_bitmap2(fs->inode_map, number)) {
			status = ext2fs_read_inode_full(fs, number, &inode.small, size);
			if (status)
				return status;
			if (inode.large.i_flags & EXT2_INDEX_FL)
				return EXT2_ET_UNSUPP_FEATURE;
			stamp_inode(&inode.large);
		}
		status = ext2fs_write_inode_full(fs, number, &inode.small, size);
		if (status)
			return status;
	}
	return 0;
}

static void stamp_super(ext2_filsys fs)
{
	static const uint8_t seed[16] = "eptlab-l2-image";
	struct ext2_super_block *super = fs->super;

	fs->now = STAMP; /* what libext2fs writes as s_wtime */
	super->s_mtime = STAMP;
	super->s_wtime = STAMP;
	super->s_lastcheck = STAMP;
	super->s_mkfs_time = STAMP;
	super->s_mtime_hi = 0;
	super->s_wtime_hi = 0;
	super->s_lastcheck_hi = 0;
	super->s_mkfs_time_hi = 0;
	super->s_mnt_count = 0;
	super->s_kbytes_written = 0;
	memset(super->s_last_mounted, 0, sizeof(super->s_last_mounted));
	memcpy(super->s_hash_seed, seed, sizeof(seed));
	ext2fs_mark_super_dirty(fs);
}

static errcode_t stamp(ext2_filsys fs)
{
	errcode_t status;

	if (ext2fs_has_feature_metadata_csum(fs->super) || ext2fs_has_feature_gdt_csum(fs->super))
		return EXT2_ET_UNSUPP_FEATURE;
	status = ext2fs_read_inode_bitmap(fs);
	if (!status)
		status = stamp_inodes(fs);
	if (!status)
		stamp_super(fs);
	return status;
}

bool ext4_stamp(const char *image, uint64_t start, GError **error)
{
	g_autofree char *options = g_strdup_printf("offset=%" G_GUINT64_FORMAT, start);
	errcode_t status, closed;
	ext2_filsys fs;

	initialize_ext2_error_table();
	status = ext2fs_open2(image, options, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0,
			      unix_io_manager, &fs);
	if (status)
		return fail(image, error_message(status), error);
	status = stamp(fs);
	closed = ext2fs_close_free(&fs);
	if (status || closed)
		return fail(image, error_message(status ? status : closed), error);
	return true;
}
