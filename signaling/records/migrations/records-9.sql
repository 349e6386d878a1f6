-- What an invitation is for, in one word: a moderator's is a third kind.
ALTER TABLE invitation ADD COLUMN role TEXT NOT NULL DEFAULT 'viewer'
    CHECK (role IN ('broadcaster', 'moderator', 'viewer'));
UPDATE invitation SET role = 'broadcaster' WHERE broadcasts = 1;
ALTER TABLE invitation DROP COLUMN broadcasts;

-- The most that anybody could agree to of where they are: at an event, and less for whoever came by an invitation that says so.
ALTER TABLE event ADD COLUMN location_finest TEXT NOT NULL DEFAULT 'none'
    CHECK (location_finest IN ('none', 'country', 'region', 'city', 'precise'));
ALTER TABLE event ADD COLUMN location_minutes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invitation ADD COLUMN location_finest TEXT
    CHECK (location_finest IN ('none', 'country', 'region', 'city', 'precise'));
ALTER TABLE invitation ADD COLUMN location_minutes INTEGER;

-- Who is kept out of an event, by a handle that means nothing without the event's key, and nothing at another event.
CREATE TABLE ban_key (
    event      TEXT PRIMARY KEY REFERENCES event (id) ON DELETE CASCADE,
    key_sealed BLOB NOT NULL            -- under the instance's key
) STRICT;

CREATE TABLE ban (
    event  TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    handle BLOB NOT NULL CHECK (length(handle) = 32), -- HMAC of whom its subject stands for, under the event's key
    id     TEXT NOT NULL UNIQUE,
    reach  TEXT NOT NULL CHECK (reach IN ('account', 'provider', 'invitation', 'stream-key', 'token', 'guest')),
    made   INTEGER NOT NULL,            -- to the minute
    PRIMARY KEY (event, handle)
) STRICT;

PRAGMA user_version = 9;
