"""
The function that Dask calls on a node, which is all that Dask is told to do.

It is named by this module, so it must not lie where a node begins: there it would be in ``__main__``.
"""

from __future__ import annotations


def perform(message: bytes) -> bytes:
    """Do the job in *message* on the node that this thread belongs to; the answer, as on the wire."""
    from anchord.cluster.node import this_node

    return this_node().perform(message)
