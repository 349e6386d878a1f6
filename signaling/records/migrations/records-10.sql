-- Programs of integrators: with which public keys, for what and until when. A private key never comes here.
CREATE TABLE client (
    id           TEXT PRIMARY KEY,
    label_sealed BLOB NOT NULL,          -- under the instance's key
    owner_sealed BLOB NOT NULL,
    scopes       TEXT NOT NULL,          -- separated by spaces
    created      INTEGER NOT NULL,
    expires      INTEGER NOT NULL,
    last_used    INTEGER,                -- to the minute
    stale        INTEGER NOT NULL DEFAULT 0, -- tokens that end by then are refused: one of its keys was withdrawn
    events       INTEGER NOT NULL DEFAULT 0, -- how many it has made
    grants       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE client_key (
    thumbprint BLOB PRIMARY KEY CHECK (length(thumbprint) = 32), -- RFC 7638: no two clients share a key
    client     TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    jwk        TEXT NOT NULL,            -- the public members alone
    created    INTEGER NOT NULL,
    expires    INTEGER                   -- once another has taken its place
) STRICT;

CREATE INDEX client_key_client ON client_key (client);

-- Whose program has made an event; an operator's has none. When it is to begin, to the minute.
ALTER TABLE event ADD COLUMN client TEXT;
ALTER TABLE event ADD COLUMN starts INTEGER;

-- A grant is an invitation that a program has issued, for a person of whom only a digest under the program's key is kept.
ALTER TABLE invitation ADD COLUMN client TEXT;
ALTER TABLE invitation ADD COLUMN person BLOB CHECK (length(person) = 16);

CREATE INDEX invitation_client ON invitation (client);
CREATE INDEX invitation_subject ON invitation (subject);

PRAGMA user_version = 10;
