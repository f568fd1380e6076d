-- A message's story. States: 0 accepted, 1 waiting, 2 delivered, 3 refused, 4 expired, 5 cancelled, 6 done.
CREATE TABLE message (
    place INTEGER PRIMARY KEY,
    -- 16 octets when it is 32 hexadecimal digits, else the text
    id ANY NOT NULL,
    origin BLOB,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    state INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    -- checksum of id, origin, recipient, sender, accepted, not_before, expires
    sum INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX message_id ON message (id);
CREATE UNIQUE INDEX message_origin ON message (origin) WHERE origin IS NOT NULL;
-- A recipient's line in its order; covers the start, which reads all of them.
CREATE INDEX message_waiting ON message (recipient, place, not_before) WHERE state = 1;
CREATE INDEX message_accepted ON message (place) WHERE state = 0;
CREATE INDEX message_due ON message (not_before, recipient) WHERE state = 1 AND not_before > 0;
CREATE INDEX message_expires ON message (expires) WHERE state < 2;
CREATE INDEX message_ended ON message (ended) WHERE state >= 2;
-- What was said to a recipient, for operators.
CREATE INDEX message_story ON message (recipient, place) WHERE state >= 2;

-- Headers and body of a message that is not final, with a checksum over the id and them.
CREATE TABLE payload (
    place INTEGER PRIMARY KEY,
    octets BLOB NOT NULL
) STRICT;

-- The last tries of a message, numbered from 1.
CREATE TABLE attempt (
    place INTEGER NOT NULL,
    number INTEGER NOT NULL,
    octets BLOB NOT NULL,
    PRIMARY KEY (place, number)
) STRICT, WITHOUT ROWID;

-- Messages by state, kept along with each change.
CREATE TABLE count (
    state INTEGER PRIMARY KEY,
    messages INTEGER NOT NULL
) STRICT;
INSERT INTO count VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0);

CREATE TABLE binding (
    profile TEXT NOT NULL,
    aor TEXT NOT NULL,
    contact TEXT NOT NULL,
    expires INTEGER NOT NULL,
    octets BLOB NOT NULL,
    PRIMARY KEY (profile, aor, contact)
) STRICT, WITHOUT ROWID;

-- One row that is written and removed to see whether there is space.
CREATE TABLE probe (
    place INTEGER PRIMARY KEY,
    filling BLOB NOT NULL
) STRICT;
