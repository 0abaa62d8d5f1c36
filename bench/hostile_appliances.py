"""Appliances that harm whoever polls them, each on a port of its own:

  bench/hostile_appliances.py FOLDER COUNT [KIND...]

COUNT of each kind, all kinds by default. Writes FOLDER/hostile.toml, a [[source]] table for each, says "ready", and
serves until it is ended. What it sends is made once, so that it costs the machine little beside what it measures.
"""

import asyncio
import datetime
import pathlib
import re
import sys

PASSWORD = "pass&<word>"
ROWS = 200
NOW = datetime.datetime.now(datetime.timezone.utc)
START = (NOW - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def response(body, status="200 OK", *headers, kind="application/json"):
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


def row(session, name="n"):
    return f'{{"id":"{session}","type":"Policy","name":"{name}","status":"Running","executionStartTime":"{START}"}}'


def page(rows):
    return response(('{"results":[' + ",".join(rows) + "]}").encode())


EMPTY = page([])
SOME = page([row(f"session-{i}") for i in range(20)])
LOG = response(b'{"log":[]}')
GRANT = response(b'{"access_token":"access","refresh_token":"refresh","expires_in":3600}')
HTML = response(b"<html><title>Please sign in</title></html>", kind="text/html")
HUGE = response(b"x" * (60 << 20))
LONG_NAME = "n" * 8_000


def offset_of(target):
    found = re.search(r"Offset=(\d+)", target)
    return int(found.group(1)) if found else 0


def numbered(first, name):
    return page([row(f"s-{first + i}", name) for i in range(ROWS)])


# Of each kind: what it says to a listing and to a request for a log; None: nothing, and the connection stays.
KINDS = {
    "endless_listing": (lambda target, count: numbered(offset_of(target), "n"), lambda target, count: LOG),
    "long_names": (lambda target, count: numbered(offset_of(target), LONG_NAME) if offset_of(target) < 91_000 else EMPTY,
                   lambda target, count: LOG),
    "hanging_logs": (lambda target, count: SOME, lambda target, count: None),
    "hanging": (lambda target, count: None, lambda target, count: None),
    "too_many_requests": (lambda target, count: SOME,
                          lambda target, count: response(b"{}", "429 Too Many Requests", "Retry-After: 3600")),
    "login_pages": (lambda target, count: HTML, lambda target, count: HTML),
    "page_with_a_number": (lambda target, count: SOME,
                           lambda target, count: response(f"<html>request {count} failed</html>".encode(), kind="text/html")),
    "huge_bodies": (lambda target, count: SOME, lambda target, count: HUGE),
    "forged_ids": (lambda target, count: page([row(i) for i in ("..", "x sink=file source=other", "\\u202e", "\\n", "\\u001b[2J")]),
                   lambda target, count: LOG),
    "unauthorized_logs": (lambda target, count: SOME, lambda target, count: response(b"{}", "401 Unauthorized")),
    "server_errors": (lambda target, count: SOME,
                      lambda target, count: response(PASSWORD.encode(), "500 Internal Server Error")),
}


class Appliance:
    def __init__(self, kind):
        self.listing, self.log = KINDS[kind]
        self.count = 0

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                length = 0
                while (header := await reader.readline()).strip():
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                await reader.readexactly(length)
                said = self.say(line.split()[1].decode())
                if said is None:
                    await asyncio.sleep(3_600)
                writer.write(said)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def say(self, target):
        self.count += 1
        if target.startswith("/api/v1/token"):
            return GRANT
        if target.startswith("/api/v1/sessions?"):
            return self.listing(target, self.count)
        return self.log(target, self.count)


async def main(folder, count, kinds):
    secret = folder / "hostile.password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    tables = []
    servers = []
    for kind in kinds:
        for number in range(count):
            server = await asyncio.start_server(Appliance(kind).serve, "127.0.0.1", 0)
            servers.append(server)
            port = server.sockets[0].getsockname()[1]
            tables.append(f'\n[[source]]\nname = "{kind}-{number}"\ndialect = "veeam-aws"\n'
                          f'url = "http://127.0.0.1:{port}"\nusername = "c"\npassword = "file:{secret}"\n')
    (folder / "hostile.toml").write_text("".join(tables))
    print("ready", len(servers), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(KINDS)))
