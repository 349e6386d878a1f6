-- Events in which nobody is asked for anything that needs consent.
ALTER TABLE event ADD COLUMN asks_nothing INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 15;
