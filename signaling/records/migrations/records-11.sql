-- Other people's servers that are told what happens here. The address may hold a credential, so it is sealed with the secrets.
CREATE TABLE webhook (
    id            TEXT PRIMARY KEY,
    url_sealed    BLOB NOT NULL,           -- under the instance's key, as all of these
    secret_sealed BLOB NOT NULL,
    former_sealed BLOB,                    -- the secret before the last rotation
    former_until  INTEGER,
    kinds         TEXT NOT NULL,           -- names of what it is told, separated by spaces
    created       INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    delivered     INTEGER,                 -- to the minute: when it last took a message,
    tried         INTEGER,                 -- when it was last sent one,
    outcome       TEXT,                    -- and what came of that
    dropped       INTEGER NOT NULL DEFAULT 0,
    ended         INTEGER,                 -- when it said that it is gone for good
    CHECK ((former_sealed IS NULL) = (former_until IS NULL))
) STRICT;

-- What a receiver has not taken yet.
CREATE TABLE webhook_message (
    id          TEXT PRIMARY KEY,
    webhook     TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    body_sealed BLOB NOT NULL,
    made        INTEGER NOT NULL,
    due         INTEGER NOT NULL,          -- to the second: when it is sent next
    attempts    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX webhook_message_webhook ON webhook_message (webhook, made);

-- What has become of events since the server last looked, whichever process did it. Nobody's name or title is in it.
CREATE TABLE webhook_news (
    number INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL CHECK (kind IN ('event.started', 'event.ended')),
    event  TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE TRIGGER event_started AFTER UPDATE OF state ON event
    WHEN NEW.state = 'live' AND OLD.state <> 'live' AND EXISTS (SELECT 1 FROM webhook)
BEGIN
    INSERT INTO webhook_news (kind, event, at) VALUES ('event.started', NEW.id, unixepoch() / 60 * 60);
END;

CREATE TRIGGER event_ended AFTER UPDATE OF state ON event
    WHEN NEW.state = 'ended' AND OLD.state <> 'ended' AND EXISTS (SELECT 1 FROM webhook)
BEGIN
    INSERT INTO webhook_news (kind, event, at) VALUES ('event.ended', NEW.id, unixepoch() / 60 * 60);
END;

-- How often a kind of suspicious thing was seen in an hour, and at which event, if at one: '' is none. Nobody is in it.
CREATE TABLE security_event (
    kind  TEXT NOT NULL,
    event TEXT NOT NULL,
    hour  INTEGER NOT NULL,                -- seconds since 1970, a multiple of 3600
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, event, hour)
) STRICT;

PRAGMA user_version = 11;
