-- 'instance' seals titles and signing keys, 'lookup' finds accounts by name, 'pairwise' makes subjects;
-- 'person:ID' seals what is known of one person and is destroyed with the account.
CREATE TABLE key (
    name  TEXT PRIMARY KEY,
    bytes BLOB NOT NULL CHECK (length(bytes) = 32)
) STRICT;

PRAGMA user_version = 1;
