-- Times are seconds since 1970, rounded to the minute. Sealed: AES-256-GCM under a key of the keys file.
CREATE TABLE instance (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         TEXT NOT NULL,
    public_url TEXT
) STRICT;

CREATE TABLE account (
    id            TEXT PRIMARY KEY,
    name_lookup   BLOB NOT NULL UNIQUE, -- HMAC of the name
    name_sealed   BLOB NOT NULL,        -- under the person's key
    password_hash TEXT NOT NULL,        -- argon2id, PHC string
    role          TEXT NOT NULL CHECK (role IN ('operator')),
    created       INTEGER NOT NULL
) STRICT;

CREATE TABLE issuer_session (
    cookie_hash BLOB PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires     INTEGER NOT NULL
) STRICT;

CREATE TABLE setup_token (
    token_hash BLOB PRIMARY KEY,
    expires    INTEGER NOT NULL
) STRICT;

CREATE TABLE event (
    id           TEXT PRIMARY KEY,
    title_sealed BLOB NOT NULL,         -- under the instance's key
    public       INTEGER NOT NULL CHECK (public IN (0, 1)),
    listed       INTEGER NOT NULL CHECK (listed IN (0, 1)),
    state        TEXT NOT NULL CHECK (state IN ('scheduled', 'live', 'ended')),
    created      INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_key (
    id         TEXT PRIMARY KEY,
    key_sealed BLOB NOT NULL,           -- PKCS#8, under the instance's key
    created    INTEGER NOT NULL
) STRICT;

CREATE TABLE revocation (
    token_id TEXT PRIMARY KEY,
    expires  INTEGER NOT NULL           -- of the token: afterwards it is refused anyway
) STRICT;

PRAGMA user_version = 1;
