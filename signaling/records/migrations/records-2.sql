-- How many may broadcast to an event at once: the host and its co-hosts.
ALTER TABLE event ADD COLUMN broadcasters INTEGER NOT NULL DEFAULT 1 CHECK (broadcasters BETWEEN 1 AND 16);
-- How soon viewers are to see what happens, and how smoothly.
ALTER TABLE event ADD COLUMN latency TEXT NOT NULL DEFAULT 'interactive' CHECK (latency IN ('interactive', 'balanced'));

PRAGMA user_version = 2;
