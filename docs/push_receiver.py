#!/usr/bin/env python3
"""Takes what chappe's push-webhook sends, checks who sent it, and hands it on.

    PUSH_SECRET=... push_receiver.py PORT

It prints a line for each device that is to be woken; instead of that, ask APNs, FCM or another service."""

import hashlib
import hmac
import http.server
import json
import os
import sys
import time

SECRET = os.environ["PUSH_SECRET"].encode()
# Seconds that a request may be old: a copy of an earlier one is refused.
OLDEST = 300
LARGEST = 64 * 1024


def is_genuine(header, body):
    """Whether the request is chappe's, and new."""
    fields = dict(field.partition("=")[::2] for field in header.split(","))
    moment, signature = fields.get("t", ""), fields.get("v1", "")
    if not moment.isdigit() or abs(time.time() - int(moment)) > OLDEST:
        return False
    wanted = hmac.new(SECRET, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, signature)


def wake(event):
    """Here a push service would be asked; event["pn-prid"] is the device's token there."""
    who = f"{event['user']}@{event['domain']}"
    print("wake", who, event["event"], event["pn-provider"], event["pn-prid"], flush=True)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > LARGEST:
            return self.answer(413)
        body = self.rfile.read(length)
        if not is_genuine(self.headers.get("X-Chappe-Signature", ""), body):
            return self.answer(401)
        wake(json.loads(body))
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print("listens", flush=True)
    server.serve_forever()
