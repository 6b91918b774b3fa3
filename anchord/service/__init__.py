"""When to work and how to stay up; never touches a pixel."""
