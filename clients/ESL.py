"""FreeSWITCH's ESL library for Python 3, in Python alone: no compiler, nothing to install.

Put this file beside your script, or its folder on PYTHONPATH. It speaks to every event socket: chappe's, and a
FreeSWITCH's. One thing differs from the original: `sendEvent` gives the server's reply, with the event's identifier in
Reply-Text, where the original gives whatever came last.

    from ESL import ESLconnection, ESLevent
    con = ESLconnection("127.0.0.1", "8021", "ClueCon")
    if con.connected():
        con.events("plain", "MESSAGE")
        event = con.recvEvent()
        print(event.getHeader("from"), event.getBody())
"""

import json
import os
import select
import socket
import threading
import time
import urllib.parse
import xml.sax.saxutils

__all__ = ["ESLconnection", "ESLevent", "eslSetLogLevel"]

# How long a head and a body may be; a server that sends more is not one.
_MAX_HEAD = 1 << 20
_MAX_BODY = 1 << 28

_ARRAY = "ARRAY::"
_BETWEEN = "|:"
_PRIORITIES = {0: "NORMAL", 1: "LOW", 2: "HIGH"}

# What the wire form of a header keeps as it is.
_SAFE = "".join(chr(code) for code in range(33, 127) if chr(code) not in "\"#%&+:;<=>?@[\\]^`{|}")

_NAMES = frozenset(
    "CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE "
    "CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK "
    "CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH "
    "UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT "
    "PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE "
    "PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE "
    "PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT "
    "CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT "
    "RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START "
    "MEDIA_BUG_STOP CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE "
    "TEXT SHUTDOWN_REQUESTED ALL".split()
)

_log_level = 0


def eslSetLogLevel(level):
    """From level 7 on what is sent and received goes to standard error."""
    global _log_level
    _log_level = int(level)


def _log(what, text):
    if _log_level >= 7:
        import sys

        print("[ESL] %s\n%s" % (what, text), file=sys.stderr)


def _text(octets):
    return octets.decode("utf-8", "surrogateescape")


def _octets(text):
    return text.encode("utf-8", "surrogateescape")


def _decode(value):
    return _text(urllib.parse.unquote_to_bytes(_octets(value)))


def _encode(value):
    return urllib.parse.quote_from_bytes(_octets(value), safe=_SAFE)


def _one_line(value):
    """Header values go over the wire as they are: a line break would begin another header."""
    return value.replace("\r", " ").replace("\n", " ")


class _Header:
    """A header: one value, or an array of them."""

    def __init__(self, name, value):
        self.name = name
        self.values = None
        self.value = value
        if value.startswith(_ARRAY):
            self.values = value[len(_ARRAY) :].split(_BETWEEN)

    def put(self, value, first):
        """Adds a value at one end; it is an array from here on."""
        values = [self.value] if self.values is None else self.values
        values.insert(0 if first else len(values), value)
        self.values = values
        self.value = _ARRAY + _BETWEEN.join(values)


class ESLevent:
    """An event: headers in order, and a body."""

    def __init__(self, type, subclass_name=None):
        self._headers = []
        self._body = None
        self._at = 0
        if isinstance(type, ESLevent):
            self._headers, self._body, self._type = type._headers, type._body, type._type
            return
        if type.lower() == "json" and subclass_name:
            self._type = "CLONE"
            self._read_json(subclass_name)
            return
        self._type = type.upper() if type.upper() in _NAMES else "MESSAGE"
        if subclass_name and self._type != "CUSTOM":
            _log("WARNING", "Changing event type to custom because you specified a subclass name!")
            self._type = "CUSTOM"
        if self._type != "CLONE":
            self._add("Event-Name", self._type)
        if subclass_name:
            self._add("Event-Subclass", subclass_name)

    def _add(self, name, value):
        self._headers.append(_Header(name, value))

    def _find(self, name):
        wanted = name.lower()
        return next((header for header in self._headers if header.name.lower() == wanted), None)

    def _read_json(self, text):
        try:
            members = json.loads(text)
        except ValueError:
            return
        if not isinstance(members, dict):
            return
        for name, value in members.items():
            if name == "_body":
                self._body = value if isinstance(value, str) else json.dumps(value)
            elif isinstance(value, list):
                self._add(name, _ARRAY + _BETWEEN.join(str(one) for one in value))
            else:
                self._add(name, value if isinstance(value, str) else json.dumps(value))
        named = self._find("Event-Name")
        if named:
            self._type = named.value

    def serialize(self, format=None):
        """The event as text: plain (the default), json or xml."""
        kind = (format or "").lower()
        if kind == "json":
            members = {}
            for header in self._headers:
                members[header.name] = header.value if header.values is None else header.values
            if self._body is not None:
                members["Content-Length"] = str(len(_octets(self._body)))
                members["_body"] = self._body
            return json.dumps(members, ensure_ascii=False)
        if kind == "xml":
            return self._xml()
        return self._plain(_encode)

    def _plain(self, written):
        lines = []
        for header in self._headers:
            # Its own length is told below.
            if self._body is None or header.name.lower() != "content-length":
                lines.append("%s: %s\n" % (_one_line(header.name), written(header.value)))
        if self._body is None:
            return "".join(lines) + "\n"
        return "%sContent-Length: %d\n\n%s" % ("".join(lines), len(_octets(self._body)), self._body)

    def _xml(self):
        def element(name, value):
            return "    <%s>%s</%s>\n" % (name, xml.sax.saxutils.escape(_encode(value)), name)

        headers = "".join(element(header.name, header.value) for header in self._headers)
        text = "<event>\n  <headers>\n%s  </headers>\n" % headers
        if self._body is not None:
            length = len(_octets(self._body))
            body = xml.sax.saxutils.escape(self._body)
            text += "  <Content-Length>%d</Content-Length>\n  <body>%s</body>\n" % (length, body)
        return text + "</event>\n"

    def setPriority(self, priority=0):
        """NORMAL (0), LOW (1) or HIGH (2)."""
        name = _PRIORITIES.get(priority, priority if isinstance(priority, str) else "NORMAL")
        self.delHeader("priority")
        self._add("priority", name)
        return True

    def getHeader(self, name, idx=-1):
        """A header's value, or None; of an array the value at `idx`. `_body` is the body."""
        header = self._find(name)
        if header is None:
            return self._body if name == "_body" else None
        if idx < 0:
            return header.value
        return header.values[idx] if header.values is not None and idx < len(header.values) else None

    def getBody(self):
        return self._body

    def getType(self):
        return self._type

    def addBody(self, value):
        self._body = str(value)
        return True

    def addHeader(self, name, value):
        if name is None or value is None:
            return False
        self._add(str(name), str(value))
        return True

    def pushHeader(self, name, value):
        return self._put(name, value, False)

    def unshiftHeader(self, name, value):
        return self._put(name, value, True)

    def _put(self, name, value, first):
        header = self._find(name)
        if header is None:
            return self.addHeader(name, value)
        header.put(str(value), first)
        return True

    def delHeader(self, name):
        before = len(self._headers)
        self._headers = [header for header in self._headers if header.name.lower() != name.lower()]
        return len(self._headers) < before

    def firstHeader(self):
        """The name of the first header, or None."""
        self._at = 0
        return self.nextHeader()

    def nextHeader(self):
        if self._at >= len(self._headers):
            return None
        self._at += 1
        return self._headers[self._at - 1].name


class _Broken(Exception):
    """The connection is of no further use."""


class ESLconnection:
    """A connection to an event socket.

    ESLconnection(host, port, password), ESLconnection(host, port, user, password), or ESLconnection(fd) for a socket
    that a server connected to us (outbound). What fails leaves a connection that is not connected(); nothing raises.
    """

    def __init__(self, *args):
        self._socket = None
        self._connected = False
        self._pending = bytearray()
        self._race = []
        self._info = None
        self._async = False
        self._lock = False
        self._turn = threading.RLock()
        try:
            if len(args) == 1:
                self._attach(args[0])
            elif len(args) == 3:
                self._connect(args[0], args[1], None, args[2])
            elif len(args) == 4:
                self._connect(*args)
            else:
                raise TypeError("ESLconnection takes a socket's number, or host, port[, user], password")
        except (OSError, ValueError, _Broken) as error:
            _log("ERROR", str(error))
            self._close()

    def __del__(self):
        if getattr(self, "_socket", None) is not None:
            self._close()

    def _connect(self, host, port, user, password):
        self._socket = socket.create_connection((host, int(port)))
        self._setup()
        if (self._read(None).getHeader("Content-Type") or "").lower() != "auth/request":
            raise _Broken("it is no event socket")
        said = "auth %s" % password if not user else "userauth %s:%s" % (user, password)
        self._write(_one_line(said))
        if not (self._read(None).getHeader("Reply-Text") or "").startswith("+OK"):
            raise _Broken("wrong password")

    def _attach(self, fd):
        # The script keeps its own, which may be closed at any time.
        number = fd.fileno() if hasattr(fd, "fileno") else int(fd)
        self._socket = socket.socket(fileno=os.dup(number))
        self._setup()
        self._info = self.sendRecv("connect")
        if self._info is None:
            raise _Broken("no answer to connect")

    def _setup(self):
        self._socket.settimeout(None)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            pass  # Not every socket is one of TCP.
        self._connected = True

    def _close(self):
        self._connected = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def socketDescriptor(self):
        return self._socket.fileno() if self._connected else -1

    def connected(self):
        return int(self._connected)

    def getInfo(self):
        """The event that the server greeted an outbound connection with, or None."""
        return self._info if self._connected else None

    def send(self, cmd):
        """Sends a command and waits for nothing; 0 when it went out."""
        with self._turn:
            try:
                self._write(cmd)
                return 0
            except (OSError, _Broken):
                self._close()
                return -1

    def sendRecv(self, cmd):
        """Sends a command; its reply, or None when the connection is gone."""
        with self._turn:
            try:
                self._write(cmd)
                return self._reply()
            except (OSError, _Broken):
                self._close()
                return None

    def _reply(self):
        while True:
            event = self._read(None)
            kind = (event.getHeader("Content-Type") or "").lower()
            if kind in ("api/response", "command/reply", ""):
                return event
            self._race.append(event)

    def api(self, cmd, arg=None):
        return self.sendRecv("api %s %s" % (cmd, arg or ""))

    def bgapi(self, cmd, arg=None, job_uuid=None):
        line = "bgapi %s%s" % (cmd, " " + arg if arg else "")
        return self.sendRecv(line + ("\nJob-UUID: " + _one_line(job_uuid) if job_uuid else ""))

    def sendEvent(self, event):
        """Fires an event on the server. The reply, or an event SERVER_DISCONNECTED."""
        reply = self.sendRecv("sendevent %s\n%s" % (event.getType(), event._plain(_one_line)))
        return reply or ESLevent("SERVER_DISCONNECTED")

    def sendMSG(self, event, uuid=None):
        """Sends an order to a session; 0 when there was a reply."""
        head = "sendmsg %s" % uuid if uuid else "sendmsg"
        return 0 if self.sendRecv("%s\n%s" % (head, event._plain(_one_line))) else 1

    def execute(self, app, arg=None, uuid=None):
        return self._execute(app, arg, uuid, self._async)

    def executeAsync(self, app, arg=None, uuid=None):
        return self._execute(app, arg, uuid, True)

    def _execute(self, app, arg, uuid, is_async):
        lines = ["sendmsg %s" % uuid if uuid else "sendmsg", "call-command: execute"]
        lines.append("execute-app-name: " + _one_line(app))
        if arg:
            lines.append("execute-app-arg: " + _one_line(arg))
        if self._lock:
            lines.append("event-lock: true")
        if is_async:
            lines.append("async: true")
        return self.sendRecv("\n".join(lines))

    def setAsyncExecute(self, value=None):
        if value is not None:
            self._async = _is_true(value)
        return int(self._async)

    def setEventLock(self, value=None):
        if value is not None:
            self._lock = _is_true(value)
        return int(self._lock)

    def filter(self, header, value):
        return self.sendRecv("filter %s %s" % (header, value))

    def events(self, etype, value):
        """Subscribes: plain, json or xml, and the names of events. 0 when there was a reply."""
        kind = etype if etype in ("json", "xml") else "plain"
        return 0 if self.sendRecv("event %s %s" % (kind, value)) else -1

    def recvEvent(self):
        """The next event or log line; waits. An event SERVER_DISCONNECTED when the connection is gone."""
        return self._receive(None) or ESLevent("SERVER_DISCONNECTED")

    def recvEventTimed(self, ms):
        """As recvEvent, but None when nothing came within `ms` milliseconds, or the connection is gone."""
        return self._receive(time.monotonic() + ms / 1000.0 if ms > 0 else None)

    def _receive(self, deadline):
        with self._turn:
            try:
                event = self._race.pop(0) if self._race else self._read(deadline)
                return None if event is None else self._inner(event)
            except (OSError, _Broken):
                self._close()
                return None

    def disconnect(self):
        self._close()
        return 0

    def _write(self, cmd):
        if not self._connected:
            raise _Broken("not connected")
        _log("SEND", cmd)
        # A body may end as it likes, and blank lines after a command mean nothing.
        octets = _octets(cmd)
        self._socket.sendall(octets if octets.endswith(b"\n\n") else octets + b"\n\n")

    def _read(self, deadline):
        """The next frame; None when the time is over, and what came of it so far is kept."""
        if not self._connected:
            raise _Broken("not connected")
        while True:
            frame = self._take()
            if frame is not None:
                _log("RECV", frame.serialize())
                self._heed(frame)
                return frame
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                    return None
            piece = self._socket.recv(65536)
            if not piece:
                raise _Broken("the server closed the connection")
            self._pending += piece

    def _take(self):
        start = 0
        while self._pending[start : start + 1] in (b"\n", b"\r"):
            start += 1
        del self._pending[:start]
        end = self._pending.find(b"\n\n")
        if end < 0:
            if len(self._pending) > _MAX_HEAD:
                raise _Broken("a head without end")
            return None
        event = ESLevent("SOCKET_DATA")
        for line in _text(bytes(self._pending[:end])).split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                event._add(name, _decode(value.strip(" \t\r")))
        length = event.getHeader("Content-Length")
        length = int(length) if length and length.isdigit() else 0
        if length > _MAX_BODY:
            raise _Broken("a body of %d octets" % length)
        if len(self._pending) < end + 2 + length:
            return None
        if length:
            event._body = _text(bytes(self._pending[end + 2 : end + 2 + length]))
        del self._pending[: end + 2 + length]
        return event

    def _heed(self, frame):
        kind = (frame.getHeader("Content-Type") or "").lower()
        lingers = (frame.getHeader("Content-Disposition") or "").lower() == "linger"
        if kind == "text/disconnect-notice" and frame._body and not lingers:
            raise _Broken("the server says good-bye")

    @staticmethod
    def _inner(frame):
        """The event in a frame; a frame that holds none as it is."""
        kind = (frame.getHeader("Content-Type") or "").lower()
        if kind == "text/event-json" and frame._body:
            return ESLevent("json", frame._body)
        if kind != "text/event-plain" or not frame._body:
            return frame
        event = ESLevent("CLONE")
        head, blank, body = frame._body.partition("\n\n")
        for line in head.split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                event._add(name, _decode(value.lstrip(" ")))
        named = event._find("Event-Name")
        if named:
            event._type = named.value
        if blank and event._find("Content-Length"):
            event._body = body
        return event


def _is_true(value):
    return str(value).lower() in ("yes", "on", "true", "t", "enabled", "active", "allow") or (
        str(value).isdigit() and int(value) != 0
    )
