"""Runs Python scripts for the server. The server starts this program with a socket as file 3 and hands it over there;
`take` and `text`, which read from the socket, are defined by whoever read it."""

import importlib
import os
import struct
import sys
import threading
import traceback
import types

WIRE = 3
# No frame is longer; the server would end the worker.
MOST = 16 << 20
# What is not waited for is sent together, up to so many octets.
TOGETHER = 1 << 15

freeswitch = types.ModuleType("freeswitch", "What a script can call.")


class Server:
    """The server, as scripts see it. Frames and values are described in the server's `wire.rs`."""

    def __init__(self):
        self.reader = open(WIRE, "rb", buffering=1 << 16, closefd=False)
        self.process = os.getpid()
        # Scripts may have threads.
        self.lock = threading.RLock()
        self.unsent = []
        self.size = 0
        self.released = []
        # Objects of an earlier run mean nothing to the server.
        self.run = 0
        self.running = False

    def call(self, owner, name, *args):
        with self.lock:
            self.send(b"C", (owner, name, *args))
            self.flush()
            return self.answer()

    def post(self, owner, name, *args):
        with self.lock:
            self.send(b"P", (owner, name, *args))

    def read(self, event):
        with self.lock:
            self.send(b"G", (event,))
            self.flush()
            return self.answer()

    def release(self, thing):
        # The garbage collector calls this in the middle of anything, in any thread: it is sent with what comes next.
        pieces = [b"Z"]
        encode(thing, pieces)
        self.released.append(framed(pieces))

    def answer(self):
        kind, values = self.receive()
        if kind == b"V":
            return values[0]
        raise freeswitch.Error(values[0])

    def send(self, kind, values):
        if not self.running:
            raise freeswitch.Error("no script is running")
        if self.process != os.getpid():
            raise freeswitch.Error("a forked process has no server")
        pieces = [kind]
        for value in values:
            encode(value, pieces)
        frame = framed(pieces)
        self.unsent.append(frame)
        self.size += len(frame)
        if self.size > TOGETHER:
            self.flush()

    def flush(self):
        with self.lock:
            released, self.released = self.released, []
            octets = memoryview(b"".join(self.unsent + released))
            self.unsent.clear()
            self.size = 0
            while octets:
                octets = octets[os.write(WIRE, octets):]

    def end(self, kind, *values):
        """The last words of a run."""
        with self.lock:
            self.send(kind, values)
            self.flush()
            self.running = False

    def begin(self):
        """The next run's order."""
        _, values = self.receive()
        self.run += 1
        self.released.clear()
        self.running = True
        return values

    def receive(self):
        length = self.reader.read(4)
        if len(length) < 4:
            os._exit(0)
        frame = self.reader.read(int.from_bytes(length, "big"))
        values = []
        at = 1
        while at < len(frame):
            value, at = decode(frame, at)
            values.append(value)
        return frame[:1], values


def framed(pieces):
    frame = b"".join(pieces)
    if len(frame) > MOST:
        raise freeswitch.Error("%d octets are too much for the server" % len(frame))
    return len(frame).to_bytes(4, "big") + frame


def encode(value, pieces):
    kind = type(value)
    if kind is str:
        octets = value.encode("utf-8", "surrogateescape")
        pieces.append(b"S" + len(octets).to_bytes(4, "big"))
        pieces.append(octets)
    elif value is None:
        pieces.append(b"N")
    elif kind is bool:
        pieces.append(b"T" if value else b"F")
    elif isinstance(value, int):
        pieces.append(struct.pack(">cq", b"I", value))
    elif isinstance(value, float):
        pieces.append(struct.pack(">cd", b"D", value))
    elif isinstance(value, str):
        encode(str(value), pieces)
    elif isinstance(value, (bytes, bytearray)):
        pieces.append(b"S" + len(value).to_bytes(4, "big"))
        pieces.append(bytes(value))
    elif isinstance(value, freeswitch._Object):
        if value._id is None or value._run != freeswitch._server.run:
            raise freeswitch.Error("the object is gone")
        name = value._class.encode()
        pieces.append(b"O" + len(name).to_bytes(4, "big") + name + value._id.to_bytes(4, "big"))
    elif isinstance(value, (list, tuple)):
        pieces.append(b"L" + len(value).to_bytes(4, "big"))
        for item in value:
            encode(item, pieces)
    elif callable(value):
        pieces.append(b"C")
    else:
        raise TypeError("the server has no use for a %s" % kind.__name__)


def decode(frame, at):
    kind = frame[at]
    at += 1
    if kind == 0x53:  # S
        end = at + 4 + int.from_bytes(frame[at:at + 4], "big")
        return frame[at + 4:end].decode("utf-8", "surrogateescape"), end
    if kind == 0x4E:  # N
        return None, at
    if kind in b"TF":
        return kind == 0x54, at
    if kind == 0x49:  # I
        return struct.unpack_from(">q", frame, at)[0], at + 8
    if kind == 0x44:  # D
        return struct.unpack_from(">d", frame, at)[0], at + 8
    if kind == 0x4F:  # O
        name, at = octets(frame, at)
        return (name, int.from_bytes(frame[at:at + 4], "big")), at + 4
    count = int.from_bytes(frame[at:at + 4], "big")
    at += 4
    if kind == 0x52:  # R
        record = {}
        for _ in range(count):
            name, at = octets(frame, at)
            record[name], at = decode(frame, at)
        return record, at
    items = []
    for _ in range(count):
        item, at = decode(frame, at)
        items.append(item)
    return (items if kind == 0x4C else tuple(items)), at  # L, M


def octets(frame, at):
    end = at + 4 + int.from_bytes(frame[at:at + 4], "big")
    return frame[at + 4:end].decode("utf-8", "surrogateescape"), end


class Scripts:
    """The modules of scripts, which are loaded anew when one of their files has changed."""

    def __init__(self, always):
        self.always = always
        folders = os.environ.get("PYTHONPATH", "").split(":")
        self.folders = tuple(os.path.join(os.path.abspath(folder), "") for folder in folders if folder)
        # The file of each module, and its stamp when it was loaded.
        self.files = {}
        self.known = 0

    def function(self, module, name):
        if any(stamp(file) != known for file, known in self.files.values()):
            self.forget()
        loaded = sys.modules.get(module)
        if loaded is None:
            importlib.invalidate_caches()
            loaded = importlib.import_module(module)
        elif self.always:
            loaded = importlib.reload(loaded)
        self.note()
        function = getattr(loaded, name, None)
        if function is None:
            raise freeswitch.Error("Module does not define %s" % name)
        return function

    def forget(self):
        for name in self.files:
            sys.modules.pop(name, None)
        self.files.clear()

    def note(self):
        if len(sys.modules) == self.known and self.files:
            return
        self.known = len(sys.modules)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name not in self.files and isinstance(file, str) and file.startswith(self.folders):
                self.files[name] = (file, stamp(file))


def stamp(file):
    try:
        state = os.stat(file)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


# What a module has to define for each kind of run, unless the line says otherwise.
FUNCTIONS = {"chat": "chat", "api": "fsapi", "run": "runtime"}


def run(scripts, order):
    kind, message, env, event, module, name, args = order
    function = scripts.function(module, name or FUNCTIONS[kind])
    if kind == "chat":
        function(freeswitch.Event._given(0, message), args)
    elif kind == "api":
        function("na", freeswitch.Stream._of(0), freeswitch.Event._given(1, env), args)
    else:
        function(args)


def error(module):
    """The error in the words of the language, without this program's own part in it."""
    kind, value, trace = sys.exc_info()
    try:
        while trace and trace.tb_frame.f_code.co_filename in ("<chappe worker.py>", "<frozen importlib._bootstrap>"):
            trace = trace.tb_next
        text = "".join(traceback.format_exception(kind, value, trace)).rstrip("\n")
    except Exception:
        # There may be no memory left for words.
        text = kind.__name__
    return 'Python Error by calling script "%s": %s' % (module, text[:MOST // 64])


def serve(server, scripts):
    while True:
        order = server.begin()
        try:
            run(scripts, order)
        except SystemExit:
            failed = None
        except BaseException:
            failed = error(order[4])
        else:
            failed = None
        scripts.note()
        # What is printed shall stand in the log with its message.
        for printed in (sys.stdout, sys.stderr):
            try:
                printed.flush()
            except (AttributeError, OSError, ValueError):
                # The script may have closed or replaced it.
                pass
        if failed is None:
            server.end(b"D")
        else:
            server.end(b"E", failed)


def main():
    exec(compile(text(), "<chappe freeswitch.py>", "exec"), freeswitch.__dict__)
    always = text() == "always"
    server = Server()
    server.running = True
    if sys.version_info < (3, 7):
        server.end(b"U", "it is Python %s, and 3.7 is the oldest that will do" % sys.version.split()[0])
        return
    os.set_inheritable(WIRE, False)
    freeswitch._server = server
    sys.modules["freeswitch"] = freeswitch
    sys.dont_write_bytecode = True
    # The folder that the server happens to be in is no place for scripts.
    sys.path[:] = [folder for folder in sys.path if folder]
    sys.argv = ["chappe"]
    for printed in (sys.stdout, sys.stderr):
        printed.reconfigure(errors="backslashreplace", line_buffering=True)
    server.end(b"H", "Python %s" % sys.version.split()[0])
    serve(server, Scripts(always))


main()
