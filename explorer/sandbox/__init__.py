"""Reading files that nobody vouches for, in processes of their own that can be ended.

A decoder that loops, takes all memory or crashes takes its process with it and nothing else. What
comes back is JSON and plain bytes, never a pickled object.
"""

from explorer.sandbox.limits import Limits
from explorer.sandbox.messages import Message
from explorer.sandbox.pool import Pool
from explorer.sandbox.process import ReadingFailed, Refused

__all__ = ["Limits", "Message", "Pool", "ReadingFailed", "Refused"]
