"""Handles messages with the standard library alone. Usage: plain.py PORT"""
import socketserver
import sys
from urllib.parse import unquote


class Message(socketserver.StreamRequestHandler):
    """One message. The server connects for each."""

    def frame(self):
        """The headers of the next frame, decoded; its body, if it has one, as `body`."""
        headers = {}
        while (line := self.rfile.readline().decode()) != "\n":
            if not line:
                raise EOFError("the server has closed the connection")
            name, _, value = line.strip("\n").partition(": ")
            headers[name] = unquote(value)
        headers["body"] = self.rfile.read(int(headers.get("Content-Length", 0))).decode()
        return headers

    def command(self, *lines):
        self.wfile.write(("\n".join(lines) + "\n\n").encode())
        while True:
            frame = self.frame()
            if frame.get("Content-Type") in ("command/reply", "api/response"):
                return frame

    def execute(self, app, data):
        reply = self.command("sendmsg", "call-command: execute", "execute-app-name: " + app, "execute-app-arg: " + data)
        assert reply["Reply-Text"] == "+OK", reply

    def handle(self):
        message = self.command("connect")
        assert message["Control"] == "full", message
        self.execute("set", "colour=blue")
        # The server fills this in: what a sender wrote is no place for more of ${...}.
        self.execute("reply", "${from_user}, you said: ${_body}")
        assert "uptime" in self.command("api help")["body"]
        print("handled", message["_body"], flush=True)
        self.command("exit")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1])), Message) as server:
    print("listening", flush=True)
    server.serve_forever()
