// SPDX-License-Identifier: GPL-2.0
/*
 * The pointer that is the helper's.
 */

int pointer(struct drm_gem_shmem_object *shmem)
{
	return use(shmem->sgt);	/* FOUND: reads */
}

int local(struct foo_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->base;

	if (!shmem->sgt)	/* FOUND: reads */
		return 0;
	dma_sync_sgtable_for_cpu(bo->dev, shmem->sgt, DMA_BIDIRECTIONAL);	/* FOUND: reads */
	return 0;
}

int embedded(struct foo_bo *bo)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(bo->base.sgt, sg, i)	/* FOUND: reads */
		foo_map(bo, sg_dma_address(sg), sg_dma_len(sg));
	return 0;
}

int by_value(struct foo_job *job)
{
	return use(job->bo.base.sgt);	/* FOUND: reads */
}

void takes(struct foo_bo *bo, struct sg_table *sgt)
{
	kfree(bo->base.sgt);	/* FOUND: reads */
	bo->base.sgt = NULL;	/* FOUND: reads */
}

int native(struct foo_bo *bo)
{
	if (drm_gem_is_imported(&bo->base.base))
		return 0;
	return use(bo->base.sgt);	/* FOUND: reads */
}

/* No report from here on: imports, tables of something else. */

void unmap(struct foo_bo *bo)
{
	if (drm_gem_is_imported(&bo->base.base)) {
		if (bo->base.sgt) {
			dma_buf_unmap_attachment(bo->base.base.import_attach, bo->base.sgt, DMA_BIDIRECTIONAL);
			bo->base.sgt = NULL;
		}
		return;
	}
	drm_gem_shmem_unpin(&bo->base);
}

int sync(struct drm_gem_shmem_object *shmem)
{
	if (shmem->base.import_attach)
		dma_sync_sgtable_for_cpu(shmem->base.dev->dev, shmem->sgt, DMA_BIDIRECTIONAL);
	return 0;
}

void free_imported(struct foo_bo *bo)
{
	dma_buf_unmap_attachment_unlocked(bo->attach, bo->base.sgt, DMA_BIDIRECTIONAL);
}

struct sg_table *map_attachment(struct foo_bo *bo)
{
	if (!bo->base.sgt)
		bo->base.sgt = dma_buf_map_attachment(bo->base.base.import_attach, DMA_BIDIRECTIONAL);
	return bo->base.sgt;
}

int own(struct foo_bo *bo)
{
	return use(bo->sgt);
}
