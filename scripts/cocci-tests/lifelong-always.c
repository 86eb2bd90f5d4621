// SPDX-License-Identifier: GPL-2.0
/*
 * The same as lifelong.c for a driver that has no imported objects.
 */

static void foo_free(struct drm_gem_object *obj)
{
	struct foo_bo *bo = to_foo_bo(obj);

	foo_unmap(bo);
	drm_gem_shmem_unpin_locked(&bo->base);
	drm_gem_shmem_free(&bo->base);
}

static const struct drm_gem_object_funcs foo_funcs = {
	.free = foo_free,
	.mmap = drm_gem_shmem_object_mmap,
};

int foo_ioctl_prep(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, *(u32 *)data);

	return use(drm_gem_shmem_get_pages_sgt(&to_foo_bo(obj)->base));
}
