// Runs JavaScript for the server. The server starts this program with a socket as file 3 and hands it over there; `take`
// and `text`, which read from the socket, are given by whoever read it.
'use strict';

const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { createRequire } = require('module');

const WIRE = 3;
// No frame is longer; the server would end the worker.
const MOST = 16 << 20;

// The server, as scripts see it. Frames and values are described in the server's `wire.rs`.
const server = {
    // Objects of an earlier run mean nothing to the server.
    run: 0,
    running: true,
    unsent: [],

    call(owner, name, args) {
        this.send('C', [owner, name, ...args]);
        return this.ask();
    },

    post(owner, name, args) { this.send('P', [owner, name, ...args]); },

    content(event) {
        this.send('G', [event]);
        return this.ask();
    },

    release(thing) {
        if (thing._run === this.run && thing._id > 2) this.send('Z', [thing]);
    },

    ask() {
        this.flush();
        const [kind, value] = receive();
        if (kind === 'V') return value;
        throw new Error(value);
    },

    send(kind, values) {
        if (!this.running) throw new Error('no script is running');
        const pieces = [Buffer.from(kind)];
        for (const value of values) encode(value, pieces);
        const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
        if (length > MOST) throw new Error(`${length} octets are too much for the server`);
        this.unsent.push(number(length), ...pieces);
    },

    flush() {
        const octets = Buffer.concat(this.unsent);
        this.unsent = [];
        for (let at = 0; at < octets.length;) at += fs.writeSync(WIRE, octets, at);
    },

    end(kind, ...values) {
        this.send(kind, values);
        this.flush();
        this.running = false;
    },
};

function number(value) {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(value);
    return octets;
}

function encode(value, pieces) {
    if (value === null || value === undefined) {
        pieces.push(Buffer.from('N'));
    } else if (typeof value === 'string') {
        const octets = Buffer.from(value);
        pieces.push(Buffer.from('S'), number(octets.length), octets);
    } else if (typeof value === 'boolean') {
        pieces.push(Buffer.from(value ? 'T' : 'F'));
    } else if (typeof value === 'number') {
        const octets = Buffer.alloc(9);
        const whole = Number.isSafeInteger(value);
        octets.write(whole ? 'I' : 'D');
        if (whole) octets.writeBigInt64BE(BigInt(value), 1);
        else octets.writeDoubleBE(value, 1);
        pieces.push(octets);
    } else if (typeof value === 'function') {
        pieces.push(Buffer.from('C'));
    } else if (value instanceof Thing) {
        if (value._id === undefined || value._run !== server.run) throw new Error('the object is gone');
        const kind = Buffer.from(value._kind);
        pieces.push(Buffer.from('O'), number(kind.length), kind, number(value._id));
    } else {
        // Values of scripts are converted, as mod_v8 does.
        encode(String(value), pieces);
    }
}

function decode(frame) {
    const kind = String.fromCharCode(frame.octets[frame.at++]);
    switch (kind) {
        case 'N': return null;
        case 'T': return true;
        case 'F': return false;
        case 'I': return Number(frame.octets.readBigInt64BE((frame.at += 8) - 8));
        case 'D': return frame.octets.readDoubleBE((frame.at += 8) - 8);
        case 'S': return words(frame);
        case 'O': {
            const of = freeswitch[words(frame)];
            return Thing.given(of, count(frame));
        }
        case 'R': return Object.fromEntries(Array.from({ length: count(frame) }, () => [words(frame), decode(frame)]));
        default: return Array.from({ length: count(frame) }, () => decode(frame));
    }
}

function count(frame) { return frame.octets.readUInt32BE((frame.at += 4) - 4); }

function words(frame) {
    const length = count(frame);
    return frame.octets.toString('utf8', frame.at, (frame.at += length));
}

function receive() {
    const frame = { octets: take(take(4).readUInt32BE(0)), at: 1 };
    const values = [];
    while (frame.at < frame.octets.length) values.push(decode(frame));
    return [String.fromCharCode(frame.octets[0]), ...values];
}

const { freeswitch, Thing } = vm.compileFunction(text(), ['server'], { filename: '<chappe freeswitch.js>' })(server);
text();

const folder = (process.env.NODE_PATH ?? '').split(':').pop();
const nodes = createRequire(path.join(folder, 'script.js'));

// What `exit` throws in a script.
class Exit {
    constructor(why) { this.why = why; }
}

// Compiled files, by path, until they change.
const compiled = new Map();

function load(file) {
    const { mtimeNs, size, ino } = fs.statSync(file, { bigint: true });
    const stamp = `${mtimeNs} ${size} ${ino}`;
    const known = compiled.get(file);
    if (known !== undefined && known.stamp === stamp) return known.script;
    compiled.delete(file);
    const script = new vm.Script(fs.readFileSync(file, 'utf8'), { filename: file });
    compiled.set(file, { stamp, script });
    return script;
}

// FreeSWITCH mod_v8 src/fsglobal.cpp.
function globals(context) {
    const log = (level, ...rest) => {
        const text = rest.length > 0 ? rest[0] : level;
        freeswitch.consoleLog(rest.length > 0 ? String(level) : 'debug', String(text));
    };
    const include = (...files) => {
        for (const file of files.map(String)) {
            const places = path.isAbsolute(file) ? [file] : [path.join(String(context.scriptPath), file), path.join(folder, file)];
            const found = places.find((place) => fs.existsSync(place) && fs.statSync(place).isFile());
            if (found !== undefined) return load(found).runInContext(context);
        }
        throw new Error('Failed to include javascript file');
    };
    const later = (name) => () => { throw new Error(`${name} is not built in; the app and command curl are`); };
    return {
        freeswitch, Event: freeswitch.Event, session: false,
        console_log: log, consoleLog: log, log,
        console: { log: (...args) => log('info', args.join(' ')), error: (...args) => log('err', args.join(' ')) },
        getGlobalVariable: (name) => freeswitch.getGlobalVariable(String(name)) ?? '',
        setGlobalVariable: (name, value, expected) => expected === undefined
            ? (freeswitch.setGlobalVariable(String(name), String(value)), true)
            : freeswitch.globalSetVariable(String(name), String(value), String(expected)) === 0,
        exit: (why) => { throw new Exit(why); },
        include,
        // Node's own modules and those that are installed are found too.
        require: (...files) => {
            try {
                return include(...files);
            } catch (error) {
                if (error.message !== 'Failed to include javascript file') throw error;
                return nodes(String(files[0]));
            }
        },
        apiExecute: (command, args) => command === undefined
            ? '' : new freeswitch.API().execute(String(command), args === undefined ? undefined : String(args)),
        msleep: (milliseconds) => freeswitch.msleep(milliseconds),
        system: (command) => new freeswitch.API().execute('system', String(command)).startsWith('-ERR') ? -1 : 0,
        fileDelete: (file) => { try { fs.unlinkSync(String(file)); return true; } catch { return false; } },
        version: () => process.versions.v8,
        id: () => `${process.pid}-${server.run}`,
        use: (name) => { throw new Error(`Error loading ${name}`); },
        email: freeswitch.email, bridge: freeswitch.bridge,
        fetchURL: later('fetchURL'), fetchURLHash: later('fetchURLHash'), fetchURLFile: later('fetchURLFile'),
        fetchUrl: later('fetchUrl'), fetchUrlHash: later('fetchUrlHash'), fetchUrlFile: later('fetchUrlFile'),
    };
}

function event(id, content) {
    const event = Thing.given(freeswitch.Event, id);
    event._content = content;
    return event;
}

// FreeSWITCH mod_v8 src/fsrequest.cpp.
function request(env, command) {
    const stream = Thing.given(freeswitch.Stream, 0);
    return {
        stream,
        request: {
            command,
            write: (text) => { stream.write(String(text)); return true; },
            getHeader: (name) => env.getHeader(name),
            addHeader: (name, value) => env.addHeader(name, value),
            dumpEnv: (how) => env.serialize(how),
            dumpENV: (how) => env.serialize(how),
        },
    };
}

function run([kind, message, env, hooked, script, ...args]) {
    const context = vm.createContext({});
    Object.assign(context, globals(context));
    if (message !== null) context.message = event(0, message);
    if (hooked !== null) context.event = event(2, hooked);
    if (env !== null) {
        context.env = event(1, env);
        if (kind === 'api') Object.assign(context, request(context.env, script === null ? args[0] : [script, ...args].join(' ')));
    }
    if (script === null) {
        context.scriptPath = '.';
        return vm.runInContext(args[0], context, { filename: 'inline' });
    }
    const file = path.isAbsolute(script) ? script : path.join(folder, script);
    Object.assign(context, { argv: args, argc: args.length, scriptPath: path.dirname(file) });
    if (!fs.existsSync(file)) throw new Error(`Cannot Open File: ${file}`);
    return load(file).runInContext(context);
}

function words_of(error) {
    const stack = error !== null && typeof error === 'object' && typeof error.stack === 'string' ? error.stack : String(error);
    // This program's own part in it is of no interest.
    const lines = stack.split('\n').filter((line) => !/<chappe |node:|\[eval\]/.test(line));
    return `Exception: ${lines.join('\n')}`.slice(0, 1 << 17);
}

if (Number(process.versions.node.split('.')[0]) < 16) {
    server.end('U', `it is Node ${process.versions.node}, and 16 is the oldest that will do`);
    process.exit(0);
}
server.end('H', `Node ${process.versions.node}`);
for (;;) {
    const [, ...order] = receive();
    server.run += 1;
    server.running = true;
    let failed = null;
    try {
        run(order);
    } catch (error) {
        if (!(error instanceof Exit)) failed = words_of(error);
        else if (error.why !== undefined) freeswitch.consoleLog('notice', `Script exited with info [${error.why}]`);
    }
    if (failed === null) server.end('D');
    else server.end('E', failed);
}
