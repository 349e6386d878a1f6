-- One person each: whoever uses it first. Only a digest of the code is kept; a mark of the key says which browser may come
-- again, and the subject stands for that person in this event alone.
CREATE TABLE invitation (
    code_hash      BLOB PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    event          TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    broadcasts     INTEGER NOT NULL CHECK (broadcasts IN (0, 1)),
    subject        BLOB NOT NULL CHECK (length(subject) = 16),
    key_mark       BLOB CHECK (length(key_mark) = 32), -- HMAC of the key's thumbprint
    expires        INTEGER NOT NULL
) STRICT;

CREATE INDEX invitation_event ON invitation (event);

PRAGMA user_version = 3;
