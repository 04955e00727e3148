"""Many HTTP/1.1 clients at once, each asking the next thing as soon as it has its answer."""

import asyncio
import time

import msgspec
import uvloop


class Load(msgspec.Struct, frozen=True):
    """What a run came to: requests a second, and how long each request took in seconds, ascending."""

    rate: float
    durations: list[float]

    def percentile(self, share: float) -> float:
        """The duration that `share` of the requests did not pass, in milliseconds."""
        place = min(int(len(self.durations) * share), len(self.durations) - 1)
        return self.durations[place] * 1000


def load(port: int, request: bytes, *, clients: int, requests: int) -> Load:
    """Ask `requests` times over `clients` kept connections to loopback; every answer must be 200."""

    async def run() -> Load:
        left = requests
        durations: list[float] = []

        async def client() -> None:
            nonlocal left
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
            try:
                while left > 0:
                    left -= 1
                    started = time.perf_counter()
                    writer.write(request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                    await reader.readexactly(length)
                    durations.append(time.perf_counter() - started)
                    if not head.startswith(b"HTTP/1.1 200"):
                        raise RuntimeError(head.decode("latin-1"))
            finally:
                writer.close()

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        seconds = time.perf_counter() - started
        return Load(len(durations) / seconds, sorted(durations))

    return uvloop.run(run())


def request_of(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The octets of a request."""
    fields = (
        {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers} if body else {"Host": "127.0.0.1", **headers}
    )
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
