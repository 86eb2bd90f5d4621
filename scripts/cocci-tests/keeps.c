// SPDX-License-Identifier: GPL-2.0
/*
 * Tables that are kept for later, though they may be gone by then.
 */

static struct sg_table *latest;

int member(struct foo_bo *bo)
{
	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	bo->sgt = drm_gem_shmem_get_pages_sgt(&bo->base);	/* FOUND: keeps */
	return PTR_ERR_OR_ZERO(bo->sgt);
}

int member_of_member(struct foo_bo *bo)
{
	if (drm_gem_shmem_pin_locked(&bo->base))
		return -ENOMEM;
	bo->map.sgt = drm_gem_shmem_get_pages_sgt_locked(&bo->base);	/* FOUND: keeps */
	return 0;
}

int by_variable(struct foo_bo *bo)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	bo->sgt = sgt;	/* FOUND: keeps */
	return 0;
}

int array(struct foo_job *job, int i)
{
	if (drm_gem_shmem_pin(&job->bos[i]->base))
		return -ENOMEM;
	job->sgts[i] = drm_gem_shmem_get_pages_sgt(&job->bos[i]->base);	/* FOUND: keeps */
	return 0;
}

int array_by_variable(struct foo_bo *bo, struct sg_table **tables, int i)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	tables[i] = sgt;	/* FOUND: keeps */
	return 0;
}

int file_scope(struct foo_bo *bo)
{
	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	latest = drm_gem_shmem_get_sg_table(&bo->base);	/* FOUND: keeps */
	return 0;
}

int initialiser(struct foo_bo *bo)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (!IS_ERR(sgt)) {
		struct foo_map map = {
			.bo = bo,
			.sgt = sgt,	/* FOUND: keeps */
		};

		return foo_queue(&map);
	}
	return PTR_ERR(sgt);
}

int literal(struct foo_bo *bo)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	*bo->map = (struct foo_map) { .sgt = sgt, .size = 1 };	/* FOUND: keeps */
	return 0;
}

int insert(struct foo_bo *bo, unsigned long i)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	return xa_insert(&bo->tables, i, sgt, GFP_KERNEL);	/* FOUND: keeps */
}

int store(struct foo_bo *bo, unsigned long i)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	return xa_err(xa_store(&bo->tables, i, sgt, GFP_KERNEL));	/* FOUND: keeps */
}

int once(struct foo_bo *bo)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	WRITE_ONCE(bo->sgt, sgt);	/* FOUND: keeps */
	return 0;
}

/* No report from here on: used and forgotten. */
int used(struct foo_bo *bo)
{
	struct sg_table *sgt, *again;
	struct scatterlist *sg;
	int i;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	for_each_sgtable_dma_sg(sgt, sg, i)
		foo_map(bo, sg_dma_address(sg), sg_dma_len(sg));
	again = sgt;
	bo->nents = again->nents;
	bo->dma = sg_dma_address(sgt->sgl);
	return 0;
}

struct sg_table *returned(struct foo_bo *bo)
{
	if (drm_gem_shmem_pin(&bo->base))
		return ERR_PTR(-ENOMEM);
	return drm_gem_shmem_get_pages_sgt(&bo->base);
}

int returned_by_pointer(struct foo_bo *bo, struct sg_table **table, struct sg_table **again)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	*table = sgt;
	*again = drm_gem_shmem_get_pages_sgt(&bo->base);
	return 0;
}

/* Another table in the same variable. */
int other(struct foo_bo *bo)
{
	struct sg_table *sgt;

	if (drm_gem_shmem_pin(&bo->base))
		return -ENOMEM;
	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	foo_map_sgt(bo, sgt);
	sgt = foo_make_sgt(bo);
	bo->own = sgt;
	return 0;
}
