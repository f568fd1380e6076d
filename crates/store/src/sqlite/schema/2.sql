-- The flows of one device may have one contact.
CREATE TABLE binding_by_flow (
    profile TEXT NOT NULL,
    aor TEXT NOT NULL,
    contact TEXT NOT NULL,
    flow TEXT NOT NULL,
    expires INTEGER NOT NULL,
    octets BLOB NOT NULL,
    PRIMARY KEY (profile, aor, contact, flow)
) STRICT, WITHOUT ROWID;
-- Which flow a row of before is of, its octets say.
INSERT INTO binding_by_flow SELECT profile, aor, contact, '', expires, octets FROM binding;
DROP TABLE binding;
ALTER TABLE binding_by_flow RENAME TO binding;
