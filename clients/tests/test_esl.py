"""ESL.py against a server that says what the test wrote down."""

import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import ESL

GREETING = "Content-Type: auth/request\n\n"
ACCEPTED = "Content-Type: command/reply\nReply-Text: +OK accepted\n\n"


def frame(kind, body, more=""):
    return "Content-Length: %d\nContent-Type: %s\n%s\n%s" % (len(body.encode()), kind, more, body)


class Server:
    """Plays a script: texts are said, a number of octets a pause after which the rest is, `None` waits for a command."""

    def __init__(self, *script, greeting=(GREETING, None, ACCEPTED)):
        self.heard = []
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1)
        self.port = str(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._play, args=(greeting + script,))
        self._thread.start()

    def _play(self, script):
        connection, _ = self._socket.accept()
        self._socket.close()
        with connection:
            for step in script:
                if step is None:
                    self.heard.append(self._command(connection))
                else:
                    for octet in step.encode() if len(step) < 200 else [step.encode()]:
                        connection.sendall(octet if isinstance(octet, bytes) else bytes([octet]))

    @staticmethod
    def _command(connection):
        text = b""
        while not text.endswith(b"\n\n"):
            piece = connection.recv(4096)
            if not piece:
                break
            text += piece
        return text.decode()

    def connect(self, *credentials):
        return ESL.ESLconnection("127.0.0.1", self.port, *(credentials or ("ClueCon",)))

    def end(self):
        self._thread.join(10)
        return self.heard


class Connections(unittest.TestCase):
    def test_who_gets_in(self):
        server = Server()
        self.assertEqual(server.connect().connected(), 1)
        self.assertEqual(server.end(), ["auth ClueCon\n\n"])
        server = Server()
        self.assertEqual(server.connect("u@d", "pw").connected(), 1)
        self.assertEqual(server.end(), ["userauth u@d:pw\n\n"])

    def test_who_does_not(self):
        refused = "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"
        for greeting in [
            (GREETING, None, refused),
            ("Content-Type: text/rude-rejection\nContent-Length: 5\n\nAway\n",),
            ("HTTP/1.1 400 Bad Request\n\n",),
            ("half of a fra",),
            (),
        ]:
            server = Server(greeting=greeting)
            con = server.connect()
            self.assertEqual(con.connected(), 0, greeting)
            self.assertIsNone(con.sendRecv("api status"))
            self.assertIsNone(con.recvEventTimed(10))
            self.assertEqual(con.recvEvent().getType(), "SERVER_DISCONNECTED")
            self.assertEqual(con.send("x"), -1)
            self.assertEqual(con.socketDescriptor(), -1)
            server.end()
        self.assertEqual(ESL.ESLconnection("127.0.0.1", "1", "x").connected(), 0)
        self.assertEqual(ESL.ESLconnection("127.0.0.1", "no port", "x").connected(), 0)

    def test_events_that_come_before_the_reply_wait_in_order(self):
        event = "Event-Name: MESSAGE\nto: a%%40b\nnumber: %d\n\n"
        server = Server(
            frame("text/event-plain", event % 1)
            + frame("log/data", "a line\n", "Log-Level: 7\n"),
            None,
            frame("text/event-plain", event % 2) + frame("api/response", "+OK žluť\n"),
        )
        con = server.connect()
        answer = con.api("status", "now")
        self.assertEqual((answer.getBody(), answer.getHeader("content-type")), ("+OK žluť\n", "api/response"))
        one, line, two = con.recvEvent(), con.recvEventTimed(1000), con.recvEvent()
        self.assertEqual([one.getHeader("number"), two.getHeader("number")], ["1", "2"])
        self.assertEqual((one.getType(), one.getHeader("TO")), ("MESSAGE", "a@b"))
        self.assertEqual((line.getType(), line.getBody(), line.getHeader("Log-Level")), ("SOCKET_DATA", "a line\n", "7"))
        self.assertEqual(con.recvEvent().getType(), "SERVER_DISCONNECTED")
        self.assertEqual(server.end()[1], "api status now\n\n")

    def test_bodies_and_arrays(self):
        plain = "Event-Name: CUSTOM\nEvent-Subclass: a%3A%3Ab\nlist: ARRAY%3A%3Aone%7C%3Atwo\nContent-Length: 7\n\nx\n\ny\n\nz"
        json = '{"Event-Name":"MESSAGE","list":["one","two"],"n":"ž","Content-Length":"2","_body":"é"}'
        server = Server(frame("text/event-plain", plain) + frame("text/event-json", json))
        con = server.connect()
        one, two = con.recvEvent(), con.recvEvent()
        self.assertEqual((one.getType(), one.getBody(), one.getHeader("_body")), ("CUSTOM", "x\n\ny\n\nz", "x\n\ny\n\nz"))
        self.assertEqual((two.getType(), two.getBody(), two.getHeader("n")), ("MESSAGE", "é", "ž"))
        for event in (one, two):
            self.assertEqual(event.getHeader("list"), "ARRAY::one|:two")
            self.assertEqual([event.getHeader("list", at) for at in (0, 1, 2)], ["one", "two", None])
        server.end()

    def test_a_pause_in_a_frame_loses_nothing(self):
        whole = frame("text/event-plain", "Event-Name: MESSAGE\n\n")
        server = Server(whole[:20], None, whole[20:])
        con = server.connect()
        self.assertIsNone(con.recvEventTimed(50))
        con.send("go on")
        self.assertEqual(con.recvEvent().getType(), "MESSAGE")
        server.end()

    def test_a_notice_ends_it_unless_it_lingers(self):
        notice = frame("text/disconnect-notice", "Disconnected, goodbye.\n", "%s")
        server = Server(notice % "Content-Disposition: linger\n", notice % "")
        con = server.connect()
        self.assertEqual(con.recvEvent().getHeader("Content-Disposition"), "linger")
        self.assertEqual((con.recvEvent().getType(), con.connected()), ("SERVER_DISCONNECTED", 0))
        server.end()

    def test_what_is_said(self):
        reply = "Content-Type: command/reply\nReply-Text: +OK\n\n"
        server = Server(*[None, reply] * 7)
        con = server.connect()
        con.events("xml", "all")
        con.filter("to", "/x/")
        con.bgapi("status", "", "id")
        con.execute("reply", "hi\nthere", "uuid")
        con.setAsyncExecute("1")
        con.setEventLock("true")
        con.execute("stop")
        event = ESL.ESLevent("CUSTOM", "a::b")
        event.addHeader("evil", "x\n\napi shutdown")
        event.addBody("ž")
        self.assertEqual(con.sendEvent(event).getHeader("Reply-Text"), "+OK")
        self.assertEqual(con.sendMSG(ESL.ESLevent("CLONE"), "uuid"), 0)
        self.assertEqual(
            server.end()[1:],
            [
                "event xml all\n\n",
                "filter to /x/\n\n",
                "bgapi status\nJob-UUID: id\n\n",
                "sendmsg uuid\ncall-command: execute\nexecute-app-name: reply\nexecute-app-arg: hi there\n\n",
                "sendmsg\ncall-command: execute\nexecute-app-name: stop\nevent-lock: true\nasync: true\n\n",
                "sendevent CUSTOM\nEvent-Name: CUSTOM\nEvent-Subclass: a::b\nevil: x  api shutdown\n"
                "Content-Length: 2\n\nž\n\n",
                "sendmsg uuid\n\n",
            ],
        )

    def test_a_connection_that_a_server_made(self):
        ours, theirs = socket.socketpair()
        info = "Content-Type: command/reply\nReply-Text: +OK\nUnique-ID: 1\n\n"
        theirs.sendall(info.encode())
        con = ESL.ESLconnection(ours.fileno())
        self.assertEqual((theirs.recv(100), con.getInfo().getHeader("unique-id")), (b"connect\n\n", "1"))
        ours.close()
        self.assertEqual(con.send("exit"), 0)
        self.assertEqual(theirs.recv(100), b"exit\n\n")
        con.disconnect()
        self.assertEqual((con.connected(), con.getInfo(), theirs.recv(100)), (0, None, b""))
        theirs.close()

    def test_a_body_that_is_too_long_ends_it(self):
        server = Server("Content-Length: 99999999999\n\n")
        con = server.connect()
        self.assertEqual((con.recvEvent().getType(), con.connected()), ("SERVER_DISCONNECTED", 0))
        server.end()


class Events(unittest.TestCase):
    def test_types(self):
        for args, kind in [
            (("custom", "a::b"), "CUSTOM"),
            (("MESSAGE", "a::b"), "CUSTOM"),
            (("nonsense",), "MESSAGE"),
            (("notify",), "NOTIFY"),
            (("json", '{"Event-Name":"API","a":1}'), "API"),
            (("json", "no json"), "CLONE"),
        ]:
            self.assertEqual(ESL.ESLevent(*args).getType(), kind, args)

    def test_headers(self):
        event = ESL.ESLevent("NOTIFY")
        event.addHeader("a", "1")
        event.addHeader("A", "2")
        event.pushHeader("list", "two")
        event.pushHeader("list", "three")
        event.unshiftHeader("list", "one")
        event.setPriority(2)
        names, name = [], event.firstHeader()
        while name:
            names.append(name)
            name = event.nextHeader()
        self.assertEqual(names, ["Event-Name", "a", "A", "list", "priority"])
        self.assertEqual((event.getHeader("list"), event.getHeader("list", 1)), ("ARRAY::one|:two|:three", "two"))
        self.assertEqual((event.getHeader("priority"), event.getHeader("none"), event.getBody()), ("HIGH", None, None))
        self.assertEqual((event.delHeader("a"), event.delHeader("a"), event.getHeader("a")), (True, False, None))
        self.assertFalse(event.addHeader("none", None))

    def test_forms(self):
        event = ESL.ESLevent("CUSTOM", "a::b")
        event.addHeader("to", "ž <a@b>\n%")
        event.addBody("é & <x>")
        self.assertEqual(
            event.serialize(),
            "Event-Name: CUSTOM\nEvent-Subclass: a%3A%3Ab\nto: %C5%BE%20%3Ca%40b%3E%0A%25\nContent-Length: 8\n\né & <x>",
        )
        again = ESL.ESLevent("json", event.serialize("json"))
        self.assertEqual(again.serialize("json"), event.serialize("json"))
        self.assertEqual(again.getHeader("to"), "ž <a@b>\n%")
        self.assertIn("<body>é &amp; &lt;x&gt;</body>", event.serialize("xml"))


if __name__ == "__main__":
    unittest.main()
