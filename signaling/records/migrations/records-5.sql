-- An account has factors instead of a password, and needs no name: whoever comes by a provider or with a passkey has none. What
-- is sealed is under the person's key. Sessions of before do not know when their holder was asked last: everybody signs in anew.
DROP TABLE issuer_session;

-- Gone at the end of this step: its password hashes are sealed by the program, which has the keys.
ALTER TABLE account RENAME TO account_4;

CREATE TABLE account (
    id          TEXT PRIMARY KEY,
    name_lookup BLOB UNIQUE,             -- HMAC of the name
    name_sealed BLOB,
    role        TEXT NOT NULL CHECK (role IN ('operator', 'member')),
    created     INTEGER NOT NULL,
    CHECK ((name_lookup IS NULL) = (name_sealed IS NULL))
) STRICT;

INSERT INTO account (id, name_lookup, name_sealed, role, created)
    SELECT id, name_lookup, name_sealed, role, created FROM account_4;

CREATE TABLE factor (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('password', 'passkey', 'totp', 'recovery')),
    lookup      BLOB UNIQUE,             -- HMAC of a passkey's credential id or of a recovery code
    body_sealed BLOB NOT NULL,
    created     INTEGER NOT NULL,
    last_used   INTEGER                  -- to the minute
) STRICT;

CREATE INDEX factor_account ON factor (account);

CREATE TABLE issuer_session (
    cookie_hash   BLOB PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    account       TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    opened        INTEGER NOT NULL,      -- to the minute
    authenticated INTEGER NOT NULL,      -- to the second: the claim auth_time
    level         TEXT NOT NULL CHECK (level IN ('single', 'multi')),
    how_sealed    BLOB NOT NULL,         -- the label of the factor that opened it
    stepped_at    INTEGER,               -- to the second: when its holder was asked again, and
    stepped_level TEXT CHECK (stepped_level IN ('single', 'multi')),
    stepped_key   BLOB CHECK (length(stepped_key) = 32), -- which key that counts for: HMAC of its thumbprint
    expires       INTEGER NOT NULL,
    CHECK ((stepped_at IS NULL) = (stepped_key IS NULL) AND (stepped_at IS NULL) = (stepped_level IS NULL))
) STRICT;

CREATE INDEX issuer_session_account ON issuer_session (account);

CREATE TABLE activity (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,        -- to the minute
    kind        TEXT NOT NULL,
    body_sealed BLOB NOT NULL
) STRICT;

CREATE INDEX activity_account ON activity (account, at);

-- A link that gives an operator's account new factors names it; one that makes the first operator does not.
ALTER TABLE setup_token ADD COLUMN account TEXT REFERENCES account (id) ON DELETE CASCADE;

PRAGMA user_version = 5;
