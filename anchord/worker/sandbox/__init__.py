"""What holds the worker process in, put on by itself before it is given its first video."""
