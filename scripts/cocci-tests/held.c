// SPDX-License-Identifier: GPL-2.0
/*
 * Requests with held pages. There is no report.
 */

int pinned(struct foo_bo *bo)
{
	int ret;

	ret = drm_gem_shmem_pin(&bo->base);
	if (ret)
		return ret;
	ret = use(drm_gem_shmem_get_pages_sgt(&bo->base));
	if (ret)
		drm_gem_shmem_unpin(&bo->base);
	return ret;
}

int referenced(struct drm_gem_shmem_object *shmem)
{
	int ret;

	dma_resv_lock(shmem->base.resv, NULL);
	ret = drm_gem_shmem_get_pages_locked(shmem);
	if (!ret) {
		ret = use(drm_gem_shmem_get_pages_sgt_locked(shmem));
		drm_gem_shmem_put_pages_locked(shmem);
	}
	dma_resv_unlock(shmem->base.resv);
	return ret;
}

int adopted(struct drm_gem_shmem_object *shmem, struct page **pages)
{
	drm_gem_shmem_adopt_pages_locked(shmem, pages);
	return use(drm_gem_shmem_get_pages_sgt_locked(shmem));
}

int mapped(struct foo_bo *bo, struct iosys_map *map)
{
	if (drm_gem_vmap(&bo->base.base, map))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

int mapped_shmem(struct drm_gem_shmem_object *shmem, struct iosys_map *map)
{
	if (drm_gem_shmem_vmap_locked(shmem, map))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt_locked(shmem));
}

int alias(struct foo_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;

	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

int alias_back(struct foo_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(shmem));
}

int made(struct drm_device *drm, size_t size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, size);
	struct foo_bo *bo;

	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
	bo = to_foo_bo(&shmem->base);
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

int again(struct drm_gem_shmem_object *shmem)
{
	int i, ret;

	for (i = 0; i < 3; i++) {
		if (drm_gem_shmem_pin(shmem))
			return -ENOMEM;
		ret = use(drm_gem_shmem_get_pages_sgt(shmem));
		drm_gem_shmem_unpin(shmem);
	}
	return ret;
}

int taken_anew(struct drm_gem_shmem_object *shmem)
{
	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
	fill(shmem);
	drm_gem_shmem_unpin(shmem);
	if (drm_gem_shmem_get_pages(shmem))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(shmem));
}

/* Another object is dropped. */
int other_dropped(struct foo_bo *bo, struct foo_bo *other)
{
	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	drm_gem_shmem_unpin(&other->base);
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}

/* Imported objects have no pages to hold. */
int native(struct drm_gem_shmem_object *shmem)
{
	int ret;

	if (!drm_gem_is_imported(&shmem->base)) {
		ret = drm_gem_shmem_pin(shmem);
		if (ret)
			return ret;
	}
	return use(drm_gem_shmem_get_pages_sgt(shmem));
}

int native_else(struct foo_bo *bo)
{
	struct sg_table *sgt;

	if (bo->base.base.import_attach) {
		sgt = bo_map_attachment(bo);
	} else {
		if (drm_gem_shmem_pin(&bo->base))
			return -ENOMEM;
		sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	}
	return PTR_ERR_OR_ZERO(sgt);
}

int native_flag(struct foo_bo *bo)
{
	bool imported = drm_gem_is_imported(&bo->base.base);

	if (!imported && drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));
}
