#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make the L1 appliance, a read-only EROFS image, from the packages of this machine:
#
#   mkappliance.sh AGENT IMAGE
#
# The same packages and agent give the same bytes. The image appears whole or not at all. IMAGE.parts
# has a digest of what a record names apart: the agent, QEMU with its firmware, libvirt.
set -euo pipefail

agent=$1
image=$2
here=$(dirname "$0")
files=()
while read -r file path; do
	case $file in
	'' | '#'*) continue ;;
	optional)
		[ ! -e "$path" ] || files+=("$path")
		continue
		;;
	esac
	if [ ! -e "$file" ]; then
		echo "L0: $file is missing, which belongs into the L1 appliance; run \"make deps\" as root" >&2
		exit 2
	fi
	files+=("$file")
done <"$here/files"

work=$(mktemp -d "$image.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

# The loader's own path in a program's header is /lib64/…; libraries are where ldd finds them.
mapfile -t libraries < <(find "$agent" "${files[@]}" -type f \( -perm /111 -o -name '*.so' \) \
	-exec ldd {} + 2>/dev/null | awk '$2 == "=>" { print $3 } $1 ~ /^\// && NF == 2 { print $1 }' |
	grep '^/' | sort -u)

mkdir -p "$root"/{dev,proc,sys,run,tmp,job}
for file in "${files[@]}" "${libraries[@]}"; do
	mkdir -p "$root$(dirname "$file")"
	cp -rL --no-preserve=all "$file" "$root$file"
done
find "$root" -type f -exec chmod 755 {} +
cp -r "$here/root/." "$root/"
install -s -m 755 "$agent" "$root/init"

# One time for all files: libvirt compares QEMU's with that in its cache of what QEMU can do.
mkfs.erofs -T 946684800 -U e97ab000-0000-4000-8000-000000000001 --all-root --quiet \
	"$work/image" "$root" >/dev/null
# The kernel finds its root by PARTUUID (harness/l1/medium.c), wherever the disk is: a partition table
# with that signature in the first sector, which EROFS leaves free, and one partition of type 0x83 that
# is the whole disk.
sectors=$(printf '%08x' $(($(stat -c %s "$work/image") / 512)))
{
	printf '\x00\xb0\x7a\xe9\0\0'
	printf '\0\0\x02\0\x83\xff\xff\xff\0\0\0\0'
	printf '%b' "\x${sectors:6:2}\x${sectors:4:2}\x${sectors:2:2}\x${sectors:0:2}"
	printf '\0%.0s' {1..48}
	printf '\x55\xaa'
} | dd of="$work/image" bs=1 seek=440 conv=notrunc status=none

digest() { sha256sum | cut -d ' ' -f 1; }
of_files() { (cd "$root" && find . -type f "$@" -print0 | sort -z | xargs -0 sha256sum) | digest; }
{
	echo "agent $(digest <"$root/init")"
	echo "qemu $(of_files '(' -name '*qemu*' -o -path '*/qemu/*' -o -path '*/seabios/*' ')' ! -path '*libvirt*')"
	echo "libvirt $(of_files -path '*libvirt*')"
} >"$work/parts"
mv "$work/parts" "$image.parts"
mv "$work/image" "$image"
