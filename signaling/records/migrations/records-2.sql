-- How many may broadcast to an event at once: the host and its co-hosts.
ALTER TABLE event ADD COLUMN broadcasters INTEGER NOT NULL DEFAULT 1 CHECK (broadcasters BETWEEN 1 AND 16);

PRAGMA user_version = 2;
