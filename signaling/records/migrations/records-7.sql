-- When a provider has last let its person in, to the minute: a role that follows from its rules lasts no longer than a session.
-- Of those of before it is not known, so their persons sign in there once more.
ALTER TABLE identity ADD COLUMN vouched INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 7;
