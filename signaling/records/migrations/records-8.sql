-- Pages stay signed in by refresh tokens: bound to a key, another one after each use. Nothing but digests is kept of them.
CREATE TABLE refresh_family (
    id       TEXT PRIMARY KEY,
    session  TEXT NOT NULL REFERENCES issuer_session (id) ON DELETE CASCADE,
    key_mark BLOB NOT NULL CHECK (length(key_mark) = 32), -- HMAC of the key's thumbprint
    current  BLOB NOT NULL CHECK (length(current) = 32),  -- SHA-256 of the token that is good next
    previous BLOB CHECK (length(previous) = 32),          -- of the one before, which is good for a moment yet
    rotated  INTEGER NOT NULL                             -- to the second: when that was used
) STRICT;

CREATE INDEX refresh_family_session ON refresh_family (session);

-- A key is published before it signs, and stays for as long as what it has signed may last.
ALTER TABLE signing_key ADD COLUMN signs_from INTEGER NOT NULL DEFAULT 0; -- to the second
ALTER TABLE signing_key ADD COLUMN until INTEGER;

PRAGMA user_version = 8;
