"""Where the releases come from: a web server on loopback that counts what it is asked for."""

import http.server
import re
import shutil
import threading


class Origin:
    """Serves archives by name and remembers every request, so that a second download shows."""

    def __init__(self, archives):
        self.files = {f"/{archive.path.name}": archive for archive in archives}
        self.requests = []
        self.lock = threading.Lock()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                origin.answer(self)

            def do_HEAD(self):
                origin.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, archive):
        return f"http://127.0.0.1:{self.server.server_port}/{archive.path.name}"

    def downloads(self, archive):
        """How often the archive's bytes were asked for, whole or in part."""
        with self.lock:
            return sum(1 for method, path in self.requests
                       if method == "GET" and path == f"/{archive.path.name}")

    def answer(self, request):
        with self.lock:
            self.requests.append((request.command, request.path))
        archive = self.files.get(request.path)
        if archive is None:
            request.send_error(404)
            return
        start = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if wanted and int(wanted.group(1)) < archive.size:
            start = int(wanted.group(1))
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{archive.size - 1}/{archive.size}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(archive.size - start))
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("ETag", f'"{archive.sha256}"')
        request.end_headers()
        if request.command == "GET":
            with open(archive.path, "rb") as file:
                file.seek(start)
                try:
                    self.send(file, request.wfile)
                except (BrokenPipeError, ConnectionResetError):
                    pass

    def send(self, file, connection):
        shutil.copyfileobj(file, connection, 1 << 20)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
