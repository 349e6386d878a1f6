-- How soon viewers are to see what happens, and how smoothly.
ALTER TABLE event ADD COLUMN latency TEXT NOT NULL DEFAULT 'interactive' CHECK (latency IN ('interactive', 'balanced'));

PRAGMA user_version = 2;
