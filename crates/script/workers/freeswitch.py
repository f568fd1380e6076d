"""What a script can call: FreeSWITCH's module of that name.

Each function and method asks the server, which knows what to do; only what a script reads of an event is kept here, until
the script changes the event.
"""

__all__ = [
    "API", "CoreSession", "DTMF", "Dbh", "Error", "Event", "EventConsumer", "IVRMenu", "Session", "Stream", "bridge",
    "consoleCleanLog", "consoleLog", "consoleLog2", "console_clean_log", "console_log", "console_log2", "email",
    "getGlobalVariable", "globalSetVariable", "msleep", "running", "setGlobalVariable",
]


class Error(RuntimeError):
    """The server can't do what the script asks."""


# What talks to the server, put here by the worker.
_server = None


def consoleLog(level, text):
    _server.post("freeswitch", "consoleLog", level, text)
    _server.flush()


def consoleLog2(level, file, function, line, text):
    _server.post("freeswitch", "consoleLog2", level, file, function, line, text)
    _server.flush()


def consoleCleanLog(text):
    _server.post("freeswitch", "consoleCleanLog", text)
    _server.flush()


def getGlobalVariable(name):
    return _server.call("freeswitch", "getGlobalVariable", name)


def setGlobalVariable(name, value):
    return _server.call("freeswitch", "setGlobalVariable", name, value)


def globalSetVariable(name, value, expected=None):
    return _server.call("freeswitch", "globalSetVariable", name, value, expected)


def running():
    return _server.call("freeswitch", "running")


def msleep(milliseconds):
    return _server.call("freeswitch", "msleep", milliseconds)


def email(*args):
    return _server.call("freeswitch", "email", *args)


def bridge(*args):
    return _server.call("freeswitch", "bridge", *args)


console_log = consoleLog
console_log2 = consoleLog2
console_clean_log = consoleCleanLog


class _Object:
    """Something that the server keeps for the script, until the run ends."""

    _class = ""
    _id = None
    # The server keeps it until it is released.
    _made = False

    def __init__(self, *args):
        self._run = _server.run
        made = _server.call(self._class, "new", *args)
        if made is not None:
            self._id = made[1]
            self._made = True

    @classmethod
    def _of(cls, number, made=False):
        self = cls.__new__(cls)
        self._run = _server.run
        self._id = number
        self._made = made
        return self

    def _call(self, name, *args):
        return _server.call(self._class, name, self, *args)

    def _post(self, name, *args):
        _server.post(self._class, name, self, *args)

    def __del__(self):
        # There may be no server any more when the interpreter ends.
        if self._made and _server is not None and self._run == _server.run:
            _server.release(self)


class Event(_Object):
    _class = "Event"
    # What the server said the event has: its type, its headers, its body.
    _content = None
    _headers = None

    def __init__(self, type, subclass_name=None):
        super().__init__(type, subclass_name)

    @classmethod
    def _given(cls, number, content):
        self = cls._of(number)
        self._content = content
        return self

    def _read(self):
        if self._content is None or self._run != _server.run:
            self._content = _server.read(self)
        return self._content

    def _changed(self):
        self._content = None
        self._headers = None

    def getHeader(self, header_name):
        if not header_name or type(header_name) is not str:
            return self._call("getHeader", header_name)
        if self._headers is None or self._content is None:
            fields = self._read()[1].split("\0")
            # The first of several headers of a name counts.
            names = map(str.lower, fields[-3::-2])
            self._headers = dict(zip(names, fields[-2::-2]))
        value = self._headers.get(header_name.lower())
        if value is None and ("[" in header_name or header_name == "_body"):
            return self._call("getHeader", header_name)
        return value

    def getBody(self):
        return self._read()[2]

    def getType(self):
        return self._read()[0]

    def serialize(self, format=None):
        return self._call("serialize", format)

    def addHeader(self, header_name, value):
        self._changed()
        if type(header_name) is str and type(value) is str:
            self._post("addHeader", header_name, value)
            return True
        return self._call("addHeader", header_name, value)

    def delHeader(self, header_name):
        self._changed()
        return self._call("delHeader", header_name)

    def addBody(self, value):
        self._changed()
        return self._call("addBody", value)

    def setPriority(self, priority=0):
        self._changed()
        return self._call("setPriority", priority)

    def merge(self, to_merge):
        self._changed()
        return self._call("merge", to_merge)

    def fire(self):
        return self._call("fire")

    def chat_execute(self, app, data=None):
        self._changed()
        return self._call("chat_execute", app, data)

    def chat_send(self, dest_proto=None):
        return self._call("chat_send", dest_proto)


class API(_Object):
    _class = "API"

    def __init__(self, session=None):
        # There is nothing to keep for it.
        self._run = _server.run
        self._id = 0

    def execute(self, command, data=None):
        return self._call("execute", command, data)

    def executeString(self, command):
        return self._call("executeString", command)

    def getTime(self):
        return self._call("getTime")


class EventConsumer(_Object):
    _class = "EventConsumer"

    def __init__(self, event_name=None, subclass_name="", len=5000):
        super().__init__(event_name, subclass_name, len)

    def bind(self, event_name, subclass_name=""):
        return self._call("bind", event_name, subclass_name)

    def pop(self, block=0, timeout=0):
        event = self._call("pop", block, timeout)
        return None if event is None else Event._of(event[1], made=True)

    def cleanup(self):
        return self._call("cleanup")


class Dbh(_Object):
    _class = "Dbh"

    def __init__(self, dsn, user=None, password=None):
        super().__init__(dsn, user, password)

    def connected(self):
        return self._call("connected")

    def query(self, sql, callback=None):
        rows = self._call("query", sql, callback)
        if not isinstance(rows, list):
            return rows
        for row in rows:
            if callback(row) not in (None, 0):
                break
        return True

    def query_rows(self, sql):
        return self._call("query_rows", sql)

    def affected_rows(self):
        return self._call("affected_rows")

    def last_error(self):
        return self._call("last_error")

    def test_reactive(self, test_sql, drop_sql=None, reactive_sql=None):
        return self._call("test_reactive", test_sql, drop_sql, reactive_sql)

    def clear_error(self):
        return self._call("clear_error")

    def load_extension(self, *args):
        return self._call("load_extension", *args)

    def release(self):
        return self._call("release")


class Stream(_Object):
    _class = "Stream"

    def __init__(self):
        raise Error("a Stream is given to a script, not made by one")

    def write(self, data):
        if type(data) is str:
            self._post("write", data)
        else:
            self._call("write", data)

    def raw_write(self, data, len=None):
        return self._call("raw_write", data, len)

    def read(self):
        return self._call("read")

    def get_data(self):
        return self._call("get_data")


class Session(_Object):
    """Belongs to calls: raises an error."""

    _class = "Session"


class IVRMenu(_Object):
    """Belongs to calls: raises an error."""

    _class = "IVRMenu"


class DTMF(_Object):
    """Belongs to calls: raises an error."""

    _class = "DTMF"


CoreSession = Session
