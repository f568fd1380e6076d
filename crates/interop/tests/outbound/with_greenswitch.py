"""Handles messages with greenswitch. Usage: with_greenswitch.py PORT"""
import sys

import gevent
from greenswitch import OutboundESLServer


class Message:
    def __init__(self, session):
        self.session = session

    def run(self):
        self.session.myevents()
        self.session.linger()
        assert self.session.uuid and self.session.caller_id_number == "1004"
        self.session.call_command("set", "colour=blue", block=True, response_timeout=5)
        text = "${from_user}, you said: ${_body}"
        done = self.session.call_command("reply", text, block=True, response_timeout=5)
        assert done.headers["Application"] == "reply", done.headers
        print("handled", self.session.session_data["_body"], flush=True)


server = OutboundESLServer(bind_address="127.0.0.1", bind_port=int(sys.argv[1]), application=Message)


def tell():
    while not server._running:
        gevent.sleep(0.01)
    print("listening", flush=True)


gevent.spawn(tell)
server.listen()
