-- What a program broadcasts to one event with. Only a digest of the key is kept; the subject stands for its holder in this event
-- alone, and is nobody else's.
CREATE TABLE stream_key (
    digest    BLOB PRIMARY KEY CHECK (length(digest) = 32),
    id        TEXT NOT NULL UNIQUE,
    event     TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    subject   BLOB NOT NULL UNIQUE CHECK (length(subject) = 16),
    expires   INTEGER NOT NULL,
    last_used INTEGER                   -- to the minute
) STRICT;

CREATE INDEX stream_key_event ON stream_key (event);

PRAGMA user_version = 4;
