#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# install.sh TREE: add the bench to a scratch kernel tree, and the helper of its
# tag "base" under other names: stock_gem_shmem_* for drm_gem_shmem_*, with those
# functions of drm_gem.c that get and put the pages.

set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
drm=drivers/gpu/drm

cd "$1"

# One function is static in the base; a row needs it.
renamed()
{
	git show "base:$1" | sed -e 's/drm_gem_shmem_/stock_gem_shmem_/g' -e 's/DRM_GEM_SHMEM_/STOCK_GEM_SHMEM_/g' \
		-e 's/\bdrm_gem_\(get\|put\)_pages\b/stock_gem_\1_pages/g' \
		-e 's/^static \(int stock_gem_shmem_get_pages_locked(.*)\)$/int stock_gem_shmem_get_pages_locked(struct stock_gem_shmem_object *shmem);\n\1/'
}

mkdir -p $drm/bench
cp "$bench"/shmem-bench* $drm/bench/
renamed include/drm/drm_gem_shmem_helper.h >include/drm/stock_gem_shmem_helper.h
{
	# Static there.
	echo '#include "stock-gem.h"'
	renamed $drm/drm_gem_shmem_helper.c
} >$drm/bench/stock.c
grep -q '^int stock_gem_shmem_get_pages_locked' $drm/bench/stock.c
{
	printf '#include <linux/%s.h>\n' file folio_batch fs mm shmem_fs slab swap
	printf '#include <drm/drm_gem.h>\n\n'
	renamed $drm/drm_gem.c | sed -n -e 's/^\(struct page \*\*\|void \)stock_gem_/static &/' \
		-e '/^static void drm_gem_check_release_batch(/,/^}/p' \
		-e '/^static struct page \*\*stock_gem_get_pages(/,/^}/p' -e '/^static void stock_gem_put_pages(/,/^}/p'
} >$drm/bench/stock-gem.h

# shellcheck disable=SC2016
echo 'obj-$(CONFIG_DRM_SHMEM_BENCH) += bench/' >>$drm/Makefile
echo 'obj-y += stock.o shmem-bench.o' >$drm/bench/Makefile
cat >>$drm/Kconfig <<'END'

config DRM_SHMEM_BENCH
	def_bool y
	depends on DRM=y && MMU
	select DRM_GEM_SHMEM_HELPER
END
