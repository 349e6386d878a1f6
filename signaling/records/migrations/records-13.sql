-- A fourth way to get in: whoever asks is let in by hand.
ALTER TABLE event ADD COLUMN entry TEXT NOT NULL DEFAULT 'invitation'
    CHECK (entry IN ('public', 'approval', 'sign-in', 'invitation'));
UPDATE event SET entry = admission;
ALTER TABLE event DROP COLUMN admission;
ALTER TABLE event RENAME COLUMN entry TO admission;

-- What others hold is reviewed alike: whom to ask about it, since when it goes unused, what it got. Of keys of before nobody knows when they
-- were made: they count from now.
ALTER TABLE stream_key ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
UPDATE stream_key SET created = unixepoch() / 60 * 60;
ALTER TABLE stream_key ADD COLUMN owner_sealed BLOB;     -- under the instance's key; NULL: nobody has said
ALTER TABLE webhook ADD COLUMN owner_sealed BLOB;
ALTER TABLE webhook ADD COLUMN taken INTEGER NOT NULL DEFAULT 0; -- messages that it took

PRAGMA user_version = 13;
