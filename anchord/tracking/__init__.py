"""A video in, a timeline out; knows nothing of folders that are watched."""
