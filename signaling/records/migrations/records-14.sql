-- What signs the session log. The public half stays; the private one goes when its time to sign is over.
CREATE TABLE journal_key (
    id          TEXT PRIMARY KEY,
    seed_sealed BLOB,                      -- under the instance's key
    public      TEXT NOT NULL,             -- a JWK with its dates
    until       INTEGER NOT NULL
) STRICT;

-- What is left of the session log's epochs: signed statements that anybody may read. Nobody is in them.
CREATE TABLE journal_epoch (
    id        TEXT PRIMARY KEY,
    begins    INTEGER NOT NULL,
    opening   TEXT NOT NULL,
    head      TEXT,
    tombstone TEXT
) STRICT;

-- Figures of an event that is over, with noise. Drawn once: another draw would wear the noise away.
CREATE TABLE figure (
    event   TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    counter TEXT NOT NULL,
    value   INTEGER,                       -- NULL: too small to tell
    PRIMARY KEY (event, counter)
) STRICT;

PRAGMA user_version = 14;
