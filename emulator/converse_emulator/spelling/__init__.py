"""From a performance to a timeline: the operations, and the bytes each of them sends."""
