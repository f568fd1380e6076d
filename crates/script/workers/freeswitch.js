// What a script can call: FreeSWITCH's functions, by the names that mod_v8 has for them, and in `freeswitch` by those of
// the other languages. Each asks the server, which knows what to do; only what a script reads of an event is kept here,
// until the script changes the event.
'use strict';

const freeswitch = {};

for (const name of ['consoleLog', 'consoleLog2', 'consoleCleanLog']) {
    freeswitch[name] = (...args) => { server.post('freeswitch', name, args); server.flush(); };
}
for (const name of ['getGlobalVariable', 'setGlobalVariable', 'globalSetVariable', 'running', 'msleep', 'email', 'bridge']) {
    freeswitch[name] = (...args) => server.call('freeswitch', name, args);
}

// Something that the server keeps for the script, until the run ends.
class Thing {
    constructor(kind, args) {
        this._kind = kind;
        this._run = server.run;
        const made = args === undefined ? null : server.call(kind, 'new', args);
        if (made !== null) this._id = made._id;
    }

    static given(kind, id) {
        const thing = Object.create(kind.prototype);
        thing._kind = kind.kind;
        thing._run = server.run;
        thing._id = id;
        return thing;
    }

    _call(name, args) { return server.call(this._kind, name, [this, ...args]); }
}

function methods(kind, names) {
    for (const name of names) {
        kind.prototype[name] = function (...args) { return this._call(name, args); };
    }
}

class Event extends Thing {
    constructor(...args) { super('Event', args); }

    get ready() { return this._id !== undefined && this._run === server.run; }

    _read() {
        if (this._run !== server.run) throw new Error('the object is gone');
        this._content ??= server.content(this);
        return this._content;
    }

    _changed() { this._content = this._headers = undefined; }

    getType() { return this._read()[0]; }

    getBody() { return this._read()[2] ?? ''; }

    getHeader(name, index) {
        if (arguments.length === 0) return false;
        name = String(name);
        if (index >= 0 && this.isArrayHeader(name)) return this._call('getHeader', [`${name}[${index}]`]);
        if (this._headers === undefined) {
            const fields = this._read()[1].split('\0');
            this._headers = new Map();
            for (let at = 0; at + 1 < fields.length; at += 2) {
                const key = fields[at].toLowerCase();
                // The first of several headers of a name counts.
                if (!this._headers.has(key)) this._headers.set(key, fields[at + 1]);
            }
        }
        const value = this._headers.get(name.toLowerCase());
        if (value !== undefined) return value;
        return (name === '_body' || name.includes('[') ? this._call('getHeader', [name]) : null) ?? '';
    }

    isArrayHeader(name) { return this.getHeader(String(name)).startsWith('ARRAY::'); }

    addHeader(name, value, push) {
        if (arguments.length < 2) return false;
        let text = String(value);
        const before = push ? this.getHeader(name) : '';
        if (before !== '') {
            text = `${before.startsWith('ARRAY::') ? '' : 'ARRAY::'}${before}|:${text}`;
            this.delHeader(String(name));
        }
        this._changed();
        server.post('Event', 'addHeader', [this, String(name), text]);
        return true;
    }

    destroy() {
        server.release(this);
        this._run = -1;
        return true;
    }
}
for (const name of ['delHeader', 'addBody', 'setPriority', 'merge', 'chat_execute']) {
    Event.prototype[name] = function (...args) {
        this._changed();
        return this._call(name, args);
    };
}
methods(Event, ['serialize', 'fire', 'chat_send']);
Event.prototype.chatExecute = function (app, data) {
    if (app === undefined) return false;
    this.chat_execute(app, data);
    return true;
};

class API extends Thing {
    constructor() {
        super('API');
        this._id = 0;
    }
}
methods(API, ['execute', 'executeString', 'getTime']);

class EventConsumer extends Thing {
    constructor(...args) { super('EventConsumer', args); }
}
methods(EventConsumer, ['bind', 'pop', 'cleanup']);

class Dbh extends Thing {
    constructor(...args) { super('Dbh', args); }

    query(sql, callback) {
        const rows = this._call('query', callback === undefined ? [sql] : [sql, callback]);
        if (!Array.isArray(rows)) return rows;
        rows.some((row) => callback(row));
        return true;
    }
}
methods(Dbh, [
    'connected', 'query_rows', 'affected_rows', 'test_reactive', 'last_error', 'clear_error', 'load_extension', 'release',
]);

class Stream extends Thing {}
methods(Stream, ['write', 'raw_write', 'read', 'get_data']);

// What belongs to calls: the server says so.
class Session extends Thing {
    constructor(...args) { super('Session', args); }
}
class IVRMenu extends Thing {
    constructor(...args) { super('IVRMenu', args); }
}
class DTMF extends Thing {
    constructor(...args) { super('DTMF', args); }
}

Object.assign(freeswitch, { API, DTMF, Dbh, Event, EventConsumer, IVRMenu, Session, Stream });
for (const kind of Object.keys(freeswitch)) {
    if (freeswitch[kind].prototype instanceof Thing) freeswitch[kind].kind = kind;
}

return { freeswitch, Thing };
