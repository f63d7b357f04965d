"""The sandbox's own process: `python -m opskit.sandbox.child`, an engine on loopback.

It says which port it took as the first line of its standard output, then serves until it is
stopped. With `--until-eof` it also ends when its standard input does or its parent is gone, so
that not even a parent killed with -9 leaves it behind.
"""

import argparse
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

LOOPBACK = "127.0.0.1"
PARENT_LOOK_SECONDS = 1.0


def main() -> None:
    """Take the port, announce it and serve."""
    options = _options()
    try:
        listener = socket.create_server((LOOPBACK, options.port))
    except OSError as error:
        sys.exit(f"port {options.port} cannot be used: {os.strerror(error.errno or 0)}")
    serve: Callable[[socket.socket], None] = _moto
    if options.dynamodb_local:
        serve = _Java(options.dynamodb_local, lasting=not options.until_eof).serve
    if options.until_eof:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(listener)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="opskit.sandbox.child")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--until-eof", action="store_true")
    parser.add_argument("--dynamodb-local", type=Path)
    return parser.parse_args()


def _announce(port: int) -> None:
    """Tell the port, then join standard output to the log: the pipe's reader is about to go."""
    print(port, flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _end_with_parent() -> None:
    """Ask the main thread to stop when standard input ends or the parent changes."""
    parent = os.getppid()
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], PARENT_LOOK_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            break
    os.kill(os.getpid(), signal.SIGTERM)


def _moto(listener: socket.socket) -> None:
    """Serve moto on a socket; its access log is left out, it costs a tenth of the time."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    from opskit.sandbox.shortcut import install_shortcut

    class Handler(MotoRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            del code, size

    install_shortcut()
    gc.set_threshold(100_000, 50, 100)  # a reply is a million small objects and no cycle
    port = listener.getsockname()[1]
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        LOOPBACK,
        port,
        application,
        threaded=True,
        request_handler=Handler,
        fd=listener.fileno(),
    )
    _announce(port)
    server.serve_forever()


class _Java:
    """AWS's DynamoDB Local: its jar takes a port by number, so the socket is closed for it."""

    def __init__(self, folder: Path, *, lasting: bool) -> None:
        self.folder = folder
        self.lasting = lasting

    def serve(self, listener: socket.socket) -> None:
        """Become the engine, or run it as a child that never outlives this process's end."""
        port = listener.getsockname()[1]
        listener.close()
        command = dynamodb_local_command(port)
        os.chdir(self.folder)
        _announce(port)
        if self.lasting:
            os.execvp(command[0], command)  # noqa: S606
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as engine:
            try:
                engine.wait()
            finally:
                engine.kill()


def dynamodb_local_command(port: int) -> list[str]:
    """How DynamoDB Local is started, in its own folder."""
    library = "-Djava.library.path=DynamoDBLocal_lib"
    jar = ["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-port", str(port)]
    return ["java", library, *jar]


if __name__ == "__main__":
    main()
