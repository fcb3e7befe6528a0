"""Local stand-ins for what lies between a streaming handler and a browser, with switches and limits."""

from converse_hops.hop import Hop
from converse_hops.journal import Journal
from converse_hops.pace import LimitReached, Pace
from converse_hops.passage import Passage, Record

__all__ = ["Hop", "Journal", "LimitReached", "Pace", "Passage", "Record"]
