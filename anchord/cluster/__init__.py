"""Videos worked on by other machines: a coordinator, a scheduler and nodes, on dask.distributed."""
