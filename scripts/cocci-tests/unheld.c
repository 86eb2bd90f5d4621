// SPDX-License-Identifier: GPL-2.0
/*
 * Requests for the sgt without held pages.
 */

int nothing(struct foo_bo *bo)
{
	struct sg_table *sgt = drm_gem_shmem_get_pages_sgt(&bo->base);	/* FOUND: calls */

	return PTR_ERR_OR_ZERO(sgt);
}

int nothing_locked(struct drm_gem_shmem_object *shmem)
{
	return use(drm_gem_shmem_get_pages_sgt_locked(shmem));	/* FOUND: calls */
}

int nothing_prime(struct drm_gem_shmem_object *shmem)
{
	return use(drm_gem_shmem_get_sg_table(shmem));	/* FOUND: calls */
}

int other_object(struct foo_bo *a, struct foo_bo *b)
{
	int ret;

	ret = drm_gem_shmem_pin(&a->base);
	if (ret)
		return ret;
	ret = use(drm_gem_shmem_get_pages_sgt(&b->base));	/* FOUND: calls */
	drm_gem_shmem_unpin(&a->base);
	return ret;
}

int other_member(struct foo_job *job)
{
	int ret;

	ret = drm_gem_shmem_pin(&job->src->base);
	if (ret)
		return ret;
	ret = use(drm_gem_shmem_get_pages_sgt(&job->dst->base));	/* FOUND: calls */
	drm_gem_shmem_unpin(&job->src->base);
	return ret;
}

int other_pointer(struct foo_bo *a, struct foo_bo *b)
{
	struct drm_gem_shmem_object *shmem = &a->base;
	int ret;

	ret = drm_gem_shmem_pin(shmem);
	if (ret)
		return ret;
	ret = use(drm_gem_shmem_get_pages_sgt(&b->base));	/* FOUND: calls */
	drm_gem_shmem_unpin(shmem);
	return ret;
}

/* Nothing makes two variables one that were set to the like. */
int other_handle(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *a = drm_gem_object_lookup(file, handle);
	struct drm_gem_object *b = drm_gem_object_lookup(file, handle);

	if (drm_gem_shmem_pin(to_drm_gem_shmem_obj(a)))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(to_drm_gem_shmem_obj(b)));	/* FOUND: calls */
}

int other_null(struct foo_job *job)
{
	struct foo_bo *a = NULL, *b = NULL;

	foo_find(job, &a, &b);
	if (drm_gem_shmem_pin(&a->base))
		return -ENOMEM;
	return use(drm_gem_shmem_get_pages_sgt(&b->base));	/* FOUND: calls */
}

int other_mapping(struct foo_bo *a, struct foo_bo *b, struct iosys_map *map)
{
	int ret;

	ret = drm_gem_vmap(&a->base.base, map);
	if (ret)
		return ret;
	ret = use(drm_gem_shmem_get_pages_sgt(&b->base));	/* FOUND: calls */
	drm_gem_vunmap(&a->base.base, map);
	return ret;
}

int too_late(struct drm_gem_shmem_object *shmem)
{
	struct sg_table *sgt = drm_gem_shmem_get_pages_sgt(shmem);	/* FOUND: calls */

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	return drm_gem_shmem_pin(shmem);
}

int on_one_path(struct drm_gem_shmem_object *shmem, bool write)
{
	int ret;

	if (write) {
		ret = drm_gem_shmem_pin(shmem);
		if (ret)
			return ret;
	}
	return use(drm_gem_shmem_get_pages_sgt(shmem));	/* FOUND: calls */
}

int on_one_branch(struct drm_gem_shmem_object *shmem, int how)
{
	switch (how) {
	case 0:
		if (drm_gem_shmem_get_pages(shmem))
			return -ENOMEM;
		break;
	case 1:
		prepare(shmem);
		break;
	}
	return use(drm_gem_shmem_get_pages_sgt(shmem));	/* FOUND: calls */
}

int jumped_over(struct drm_gem_shmem_object *shmem, bool again)
{
	if (again)
		goto ask;
	if (drm_gem_shmem_pin(shmem))
		return -ENOMEM;
ask:
	return use(drm_gem_shmem_get_pages_sgt(shmem));	/* FOUND: calls */
}

int dropped(struct foo_bo *bo)
{
	struct sg_table *sgt;
	int ret;

	ret = drm_gem_shmem_pin(&bo->base);
	if (ret)
		return ret;
	fill(bo);
	drm_gem_shmem_unpin(&bo->base);
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);	/* FOUND: calls */
	return PTR_ERR_OR_ZERO(sgt);
}

int dropped_by_alias(struct foo_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;
	int ret;

	ret = drm_gem_shmem_get_pages(shmem);
	if (ret)
		return ret;
	fill(bo);
	drm_gem_shmem_put_pages(shmem);
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));	/* FOUND: calls */
}

int dropped_on_one_path(struct drm_gem_shmem_object *shmem)
{
	int ret;

	ret = drm_gem_shmem_pin_locked(shmem);
	if (ret)
		return ret;
	if (empty(shmem))
		drm_gem_shmem_unpin_locked(shmem);
	return use(drm_gem_shmem_get_pages_sgt_locked(shmem));	/* FOUND: calls */
}

int unmapped(struct drm_gem_shmem_object *shmem, struct iosys_map *map)
{
	if (drm_gem_shmem_vmap_locked(shmem, map))
		return -ENOMEM;
	fill(map);
	drm_gem_shmem_vunmap_locked(shmem, map);
	return use(drm_gem_shmem_get_pages_sgt_locked(shmem));	/* FOUND: calls */
}

int unmapped_by_gem(struct foo_bo *bo, struct iosys_map *map)
{
	if (drm_gem_vmap(&bo->base.base, map))
		return -ENOMEM;
	fill(map);
	drm_gem_vunmap(&bo->base.base, map);
	return use(drm_gem_shmem_get_pages_sgt(&bo->base));	/* FOUND: calls */
}

/* A test for imported objects is no reference on the pages of others. */
int native_only(struct drm_gem_shmem_object *shmem)
{
	if (drm_gem_is_imported(&shmem->base))
		return -EINVAL;
	return use(drm_gem_shmem_get_pages_sgt(shmem));	/* FOUND: calls */
}
