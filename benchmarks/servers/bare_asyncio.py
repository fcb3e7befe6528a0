"""A bare asyncio server with one deadline scheduler: what Python can do without any of the features.

Arguments: port, file of the frames (lines of `moment_ns length`, then the bytes after a blank line).
A request ends with its Content-Length; it is parsed and thrown away. A heap of absolute deadlines serves
all streams; what a stream has due is one write.
"""

import asyncio
import gc
import heapq
import json
import sys
from pathlib import Path

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
Step = tuple[float, bytes]


def steps(path: str) -> list[Step]:
    """The chunks and their moments in seconds; what is due together is one."""
    table, _, data = Path(path).read_bytes().partition(b"\n\n")
    found: list[Step] = []
    at = 0
    for line in table.splitlines():
        moment, length = map(int, line.split())
        frame = data[at : at + length]
        at += length
        if found and found[-1][0] == moment / 1e9:
            found[-1] = (found[-1][0], found[-1][1] + frame)
        else:
            found.append((moment / 1e9, frame))
    chunks = [(moment, b"%x\r\n%b\r\n" % (len(data), data)) for moment, data in found]
    chunks[0] = (chunks[0][0], HEAD + chunks[0][1])
    chunks[-1] = (chunks[-1][0], chunks[-1][1] + b"0\r\n\r\n")
    return chunks


STEPS = steps(sys.argv[2])


class Scheduler:
    """One heap and one timer for all streams."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.heap: list[tuple[float, int, Connection]] = []
        self.count = 0
        self.timer: asyncio.TimerHandle | None = None

    def add(self, moment: float, connection: "Connection") -> None:
        self.count += 1
        heapq.heappush(self.heap, (moment, self.count, connection))
        if self.timer is None or moment < self.timer.when():
            self.arm()

    def arm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.loop.call_at(self.heap[0][0], self.fire) if self.heap else None

    def fire(self) -> None:
        self.timer = None
        now = self.loop.time()
        while self.heap and self.heap[0][0] <= now:
            _, _, connection = heapq.heappop(self.heap)
            if (moment := connection.due(now)) is not None:
                self.count += 1
                heapq.heappush(self.heap, (moment, self.count, connection))
        self.arm()


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        json.loads(rest[:length])
        self.buffer = rest[length:]
        self.origin = scheduler.loop.time()
        self.done = 0
        if (moment := self.due(self.origin)) is not None:
            scheduler.add(moment, self)

    def due(self, now: float) -> float | None:
        """Send all that is due; the moment of the next, None at the end."""
        first = self.done
        while self.done < len(STEPS) and self.origin + STEPS[self.done][0] <= now:
            self.done += 1
        if self.transport.is_closing():
            return None
        self.transport.write(b"".join(data for _, data in STEPS[first : self.done]))
        return self.origin + STEPS[self.done][0] if self.done < len(STEPS) else None


async def main() -> None:
    """Serve for ever."""
    global scheduler
    scheduler = Scheduler()
    server = await scheduler.loop.create_server(Connection, "127.0.0.1", int(sys.argv[1]), backlog=2048)
    gc.freeze()
    await server.serve_forever()


scheduler: Scheduler
asyncio.run(main())
