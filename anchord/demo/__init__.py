"""A sample pack, and films of a portrait that moves by a known motion; not part of the service."""
