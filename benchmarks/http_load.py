"""A load generator for one HTTP request, sent over and over on connections that stay open.

    python benchmarks/http_load.py HOST PORT PATH CONNECTIONS SECONDS CONTENT_TYPE < BODY

One process, one thread, plain sockets and no HTTP library, so that it takes as little as possible of the
cores that it shares with the server. Each connection sends its next request when it has the whole answer to
the last one (a closed loop). Prints one JSON object: answers, seconds, the latencies' percentiles, what was
wrong, and the processor time that this process itself took.
"""

import json
import select
import socket
import sys
import time

WARM_UP = 0.15  # share of the time whose answers are not counted


def request_bytes(host: str, port: int, path: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {content_type}\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer_length(received: bytes) -> int | None:
    """How many bytes the answer that begins here has, or None if that is not known yet."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    at = head.find(b"content-length:")
    if at < 0:
        raise ValueError(f"an answer without Content-Length: {received[:200]!r}")
    line_end = head.find(b"\r\n", at)
    return end + 4 + int(head[at + 15 : line_end if line_end > 0 else end])


def load(host: str, port: int, connections: int, seconds: float, request: bytes) -> dict[str, object]:
    poller = select.epoll()
    sockets, started, received = {}, {}, {}
    for _ in range(connections):
        connection = socket.create_connection((host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = connection.fileno()
        sockets[number], received[number] = connection, b""
        poller.register(number, select.EPOLLIN)
    begin = time.perf_counter()
    counting, stop = begin + WARM_UP * seconds, begin + seconds
    latencies: list[float] = []
    failures: dict[str, int] = {}
    for number, connection in sockets.items():
        started[number] = time.perf_counter()
        connection.sendall(request)
    processor = time.process_time()
    now, everything = begin, 0
    while now < stop:
        for number, _ in poller.poll(5):
            connection = sockets[number]
            content = received[number] + connection.recv(65536)
            if not content:
                raise ConnectionError("the server closed a connection")
            length = answer_length(content)
            if length is None or len(content) < length:
                received[number] = content
                continue
            received[number] = b""
            everything += 1
            now = time.perf_counter()
            status = content[9:12]
            if now >= counting:
                if status == b"200":
                    latencies.append(now - started[number])
                else:
                    failures[status.decode()] = failures.get(status.decode(), 0) + 1
            started[number] = now
            connection.send(request)
        now = max(now, time.perf_counter())
    processor = time.process_time() - processor
    total = max(everything, 1)
    latencies.sort()
    count = len(latencies)
    return {
        "answers": count,
        "requests_per_second": count / (stop - counting),
        "p50_ms": 1000 * latencies[count // 2] if count else None,
        "p99_ms": 1000 * latencies[int(count * 0.99)] if count else None,
        "failures": failures,
        "all_answers": everything,
        "generator_us": 1e6 * processor / total,
    }


def main() -> None:
    host, port, path, connections, seconds, content_type = sys.argv[1:]
    request = request_bytes(host, int(port), path, content_type, sys.stdin.buffer.read())
    print(json.dumps(load(host, int(port), int(connections), float(seconds), request)))


if __name__ == "__main__":
    main()
