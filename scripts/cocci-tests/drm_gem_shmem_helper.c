// SPDX-License-Identifier: GPL-2.0
/*
 * The helper itself, told by its name, is left out.
 */

struct sg_table *drm_gem_shmem_get_pages_sgt(struct drm_gem_shmem_object *shmem)
{
	if (shmem->sgt)
		return shmem->sgt;
	shmem->sgt = drm_gem_shmem_get_sg_table(shmem);
	return shmem->sgt;
}
