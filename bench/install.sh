#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# install.sh TREE [COMMIT]: add the bench to a scratch kernel tree, and the helper
# of a commit, which is the tag "base" if none is given, under other names:
# base_gem_shmem_* for drm_gem_shmem_*.

set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
drm=drivers/gpu/drm
against=${2:-base}

cd "$1"

# One function is static in the base; a row needs it.
renamed()
{
	git show "$against:$1" | sed -e 's/drm_gem_shmem_/base_gem_shmem_/g' -e 's/DRM_GEM_SHMEM_/BASE_GEM_SHMEM_/g' \
		-e 's/^static \(int base_gem_shmem_get_pages_locked(.*)\)$/int base_gem_shmem_get_pages_locked(struct base_gem_shmem_object *shmem);\n\1/'
}

mkdir -p $drm/bench
cp "$bench"/shmem-bench* $drm/bench/
renamed include/drm/drm_gem_shmem_helper.h >include/drm/base_gem_shmem_helper.h
renamed $drm/drm_gem_shmem_helper.c >$drm/bench/base.c
grep -q '^int base_gem_shmem_get_pages_locked' $drm/bench/base.c

# The helper may have a shrinker. No device of the bench asks for it.
if git cat-file -e "$against:$drm/drm_gem_shmem_internal.h" 2>/dev/null; then
	renamed $drm/drm_gem_shmem_internal.h >$drm/bench/base_gem_shmem_internal.h
	cat >>$drm/bench/base.c <<-'END'

		void __base_gem_shmem_update_lru(struct base_gem_shmem_object *shmem)
		{
			WARN_ON_ONCE(1);
		}

		int base_gem_shmem_swapin_locked(struct base_gem_shmem_object *shmem)
		{
			WARN_ON_ONCE(1);
			return -EINVAL;
		}
	END
fi

# shellcheck disable=SC2016
echo 'obj-$(CONFIG_DRM_SHMEM_BENCH) += bench/' >>$drm/Makefile
echo 'obj-y += base.o shmem-bench.o' >$drm/bench/Makefile
! grep -q '^int base_gem_shmem_get_pages(' $drm/bench/base.c ||
	echo 'ccflags-y += -DBENCH_BASE_HAS_GET' >>$drm/bench/Makefile
cat >>$drm/Kconfig <<'END'

config DRM_SHMEM_BENCH
	def_bool y
	depends on DRM=y && MMU
	select DRM_GEM_SHMEM_HELPER
END
