#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# install.sh TREE: add the bench to a scratch kernel tree, and the helper of its
# tag "base" under other names: base_gem_shmem_* for drm_gem_shmem_*, with those
# functions of drm_gem.c that get and put the pages.

set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
drm=drivers/gpu/drm

cd "$1"

# One function is static in the base; a row needs it.
renamed()
{
	git show "base:$1" | sed -e 's/drm_gem_shmem_/base_gem_shmem_/g' -e 's/DRM_GEM_SHMEM_/BASE_GEM_SHMEM_/g' \
		-e 's/\bdrm_gem_\(get\|put\)_pages\b/base_gem_\1_pages/g' \
		-e 's/^static \(int base_gem_shmem_get_pages_locked(.*)\)$/int base_gem_shmem_get_pages_locked(struct base_gem_shmem_object *shmem);\n\1/'
}

mkdir -p $drm/bench
cp "$bench"/shmem-bench* $drm/bench/
renamed include/drm/drm_gem_shmem_helper.h >include/drm/base_gem_shmem_helper.h
{
	# Static there.
	echo '#include "base-gem.h"'
	renamed $drm/drm_gem_shmem_helper.c
} >$drm/bench/base.c
grep -q '^int base_gem_shmem_get_pages_locked' $drm/bench/base.c
{
	printf '#include <linux/%s.h>\n' file folio_batch fs mm shmem_fs slab swap
	printf '#include <drm/drm_gem.h>\n\n'
	renamed $drm/drm_gem.c | sed -n -e 's/^\(struct page \*\*\|void \)base_gem_/static &/' \
		-e '/^static void drm_gem_check_release_batch(/,/^}/p' \
		-e '/^static struct page \*\*base_gem_get_pages(/,/^}/p' -e '/^static void base_gem_put_pages(/,/^}/p'
} >$drm/bench/base-gem.h

# shellcheck disable=SC2016
echo 'obj-$(CONFIG_DRM_SHMEM_BENCH) += bench/' >>$drm/Makefile
echo 'obj-y += base.o shmem-bench.o' >$drm/bench/Makefile
cat >>$drm/Kconfig <<'END'

config DRM_SHMEM_BENCH
	def_bool y
	depends on DRM=y && MMU
	select DRM_GEM_SHMEM_HELPER
END
