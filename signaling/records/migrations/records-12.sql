-- Receipts of what people have agreed to: signed by them and by the server, which can show them for as long as somebody may ask.
CREATE TABLE receipt (
    id      TEXT PRIMARY KEY,
    event   TEXT NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    account TEXT REFERENCES account (id) ON DELETE CASCADE,
    holder  BLOB NOT NULL CHECK (length(holder) = 32), -- HMAC of the thumbprint of the key that the person signed with
    sealed  BLOB NOT NULL,                             -- under the person's key; a guest's under the instance's
    until   INTEGER NOT NULL
) STRICT;

CREATE INDEX receipt_holder ON receipt (holder);
CREATE INDEX receipt_account ON receipt (account);

-- A guest's are shown for a day after the event.
CREATE TRIGGER receipt_event_ended AFTER UPDATE OF state ON event
WHEN NEW.state = 'ended' AND OLD.state <> 'ended'
BEGIN
    UPDATE receipt SET until = min(until, unixepoch() + 86400) WHERE event = NEW.id AND account IS NULL;
END;

-- The public halves stay: what a key has signed can be looked at long after.
CREATE TABLE receipt_key (
    id         TEXT PRIMARY KEY,
    public     BLOB NOT NULL CHECK (length(public) = 32),
    key_sealed BLOB,                                   -- PKCS#8, under the instance's key; gone when the key signs no more
    signs_from INTEGER NOT NULL,
    until      INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 12;
