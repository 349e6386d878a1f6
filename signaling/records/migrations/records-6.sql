-- Who may watch an event: everybody, whoever has signed in, or whoever was invited.
ALTER TABLE event ADD COLUMN admission TEXT NOT NULL DEFAULT 'invitation'
    CHECK (admission IN ('public', 'sign-in', 'invitation'));
UPDATE event SET admission = 'public' WHERE public = 1;
ALTER TABLE event DROP COLUMN public;

-- Whom a provider vouches for. Neither its name for them nor the provider itself is kept, only a digest that it is found by.
CREATE TABLE identity (
    mark    BLOB PRIMARY KEY CHECK (length(mark) = 32), -- HMAC of issuer and subject
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX identity_account ON identity (account);

-- A provider's session, by which it may say later that it has ended.
CREATE TABLE identity_session (
    mark    BLOB PRIMARY KEY CHECK (length(mark) = 32), -- HMAC of issuer and session
    account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 6;
