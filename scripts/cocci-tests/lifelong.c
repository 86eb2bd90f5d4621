// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that holds the pages for the whole life of its objects: their
 * creation pins them, and .free drops the pin. Requests are fine anywhere but
 * where the pin has not been taken yet, or has been dropped.
 */

static void foo_free(struct drm_gem_object *obj)
{
	struct foo_bo *bo = to_foo_bo(obj);

	foo_unmap(bo);
	if (!drm_gem_is_imported(obj))
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

int foo_create(struct drm_device *drm, size_t size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, size);

	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(shmem));
}

int foo_create_unpinned(struct drm_device *drm, size_t size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, size);

	return use(drm_gem_shmem_get_pages_sgt(shmem));	/* FOUND: calls */
}

int foo_release(struct drm_gem_shmem_object *shmem)
{
	drm_gem_shmem_unpin(shmem);
	return use(drm_gem_shmem_get_pages_sgt(shmem));	/* FOUND: calls */
}
