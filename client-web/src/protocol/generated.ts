// Generated from signaling/protocol; changed there, never here.

/**
 * scheduled → live → ended, and no way back.
 */
export type EventState = "scheduled" | "live" | "ended";

/**
 * Who may watch an event without being invited.
 */
export type Admission = "public" | "approval" | "sign-in" | "invitation";

/**
 * How long a viewer's player may hold sound and picture back, so that a bad network is noticed less.
 */
export type Latency = "interactive" | "balanced";

/**
 * How finely somebody's place may be told, from not at all.
 */
export type LocationPrecision = "none" | "country" | "region" | "city" | "precise";

/**
 * The most that anybody could agree to of where they are. A cap permits nothing: only the person does, each time.
 */
export type LocationCap = { 
/**
 * The finest.
 */
finest: LocationPrecision, 
/**
 * The longest time at once, in minutes: 0 to 1,440.
 */
minutes: number, };

/**
 * Accounts of people who are put out at an event are recorded from then on until then.
 */
export type BreakGlass = { 
/**
 * In seconds since 1970, to the minute.
 */
from: number, 
/**
 * In seconds since 1970, to the minute.
 */
until: number, 
/**
 * Two operators have asked for it; else, one has.
 */
by_two: boolean, };

/**
 * What is asked for, one by one, and off until it is granted.
 */
export type Purpose = "chat" | "presence" | "location" | "analytics" | "personalisation" | `x-${string}`;

/**
 * Asks for a question: nobody consents over a socket, which a page that embeds the player could speak through.
 */
export type ConsentRequest = { 
/**
 * What for.
 */
purpose: Purpose, 
/**
 * The person was told that Global Privacy Control speaks against it, and wants to be asked all the same. Counts on the server's own
 * pages alone: nobody else's page is where privacy is looked after.
 */
despite_signal?: boolean, };

/**
 * A question to put to the person, on a page of this server's own origin.
 */
export type ConsentQuestion = { 
/**
 * Names it to `POST /api/v1/consent`. Good once, for ten minutes and for as long as the socket is open.
 */
question: string, 
/**
 * What for.
 */
purpose: Purpose, 
/**
 * For how many seconds they can agree at most; `null`: until the event is over.
 */
longest: number | null, 
/**
 * Global Privacy Control speaks against it, and they want to be asked all the same: the question says so. Nothing that is kept does.
 */
despite_signal?: boolean, };

/**
 * Takes a grant back. Anybody who speaks for the person may: it takes away and gives nothing.
 */
export type ConsentWithdrawal = { 
/**
 * What for.
 */
purpose: Purpose, };

/**
 * How a person stands towards a purpose.
 */
export type ConsentStanding = "open" | "changed" | "refused" | "suspended" | "left-out" | "granted";

/**
 * As much of a purpose that was added as a page needs before it asks for the words.
 */
export type AddedPurpose = { 
/**
 * The question.
 */
title: string, 
/**
 * Whether Global Privacy Control refuses it.
 */
yields_to_signal: boolean, };

/**
 * How a person stands towards one purpose.
 */
export type PurposeState = { 
/**
 * Which.
 */
purpose: Purpose, 
/**
 * How.
 */
standing: ConsentStanding, 
/**
 * Of a grant: its number in this event.
 */
generation: number | null, 
/**
 * Of a grant that ends by itself: in so many seconds.
 */
expires_in: number | null, 
/**
 * Of one that whoever runs the server has added.
 */
added?: AddedPurpose, };

/**
 * How a person stands towards every purpose. Sent after `welcome` to whoever has decided something before, or finds purposes that
 * were added to what is built in, and whenever it changes.
 */
export type ConsentState = { 
/**
 * All of them.
 */
purposes: Array<PurposeState>, };

/**
 * Everything that came under this grant is to go from the screen, and whatever of it comes later is to be dropped.
 */
export type Retraction = { 
/**
 * What it was for.
 */
purpose: Purpose, 
/**
 * Which grant.
 */
generation: number, };

/**
 * A place in what is told over a socket.
 */
export type Sync = { 
/**
 * Chosen by the client.
 */
number: number, };

/**
 * What everybody who is at an event is told when break-glass is asked for there, begins sooner, is taken back or is over.
 */
export type BreakGlassNotice = { 
/**
 * `null`: none, any more.
 */
break_glass: BreakGlass | null, };

/**
 * What is asked, in the words that a person sees.
 */
export type PurposeTerms = { 
/**
 * What for.
 */
purpose: Purpose, 
/**
 * Of the words. A grant of another version is void.
 */
version: number, 
/**
 * The date of this version.
 */
since: string, 
/**
 * The question.
 */
title: string, 
/**
 * What is processed.
 */
what: string, 
/**
 * Who gets to see it.
 */
who: string, 
/**
 * For how long.
 */
how_long: string, 
/**
 * What refusing costs.
 */
refusing: string, 
/**
 * What no withdrawal undoes, where there is something.
 */
remains: string | null, 
/**
 * Whether Global Privacy Control refuses it.
 */
yields_to_signal: boolean, };

/**
 * All that is asked for.
 */
export type PurposeList = { 
/**
 * In the order in which it is shown.
 */
purposes: Array<PurposeTerms>, };

/**
 * What a person chose, sent by a page of this server's own origin.
 */
export type ConsentChoice = { 
/**
 * A compact JWS (ES256, `typ` `veilcast-consent+jwt`, the public key in its header) of the choice.
 */
statement: string, };

/**
 * What both have signed: a compact JWS (EdDSA, `typ` `veilcast-receipt+jwt`), a receipt after ISO/IEC TS 27560.
 */
export type ConsentReceipt = { 
/**
 * The receipt.
 */
receipt: string, };

/**
 * The receipts of whoever asks.
 */
export type ConsentReceipts = { 
/**
 * Oldest first.
 */
receipts: Array<string>, };

/**
 * A receipt that is kept for an account.
 */
export type AccountReceipt = { 
/**
 * Its name: `record_id` of the receipt.
 */
id: string, 
/**
 * A compact JWS, as [`ConsentReceipt`] has it.
 */
receipt: string, 
/**
 * When the server forgets it: seconds since 1970, to the minute.
 */
kept_until: number, };

/**
 * `GET /api/v1/account/receipts`: of the account of whoever asks.
 */
export type AccountReceipts = { 
/**
 * Newest first, so many at most.
 */
receipts: Array<AccountReceipt>, 
/**
 * There are older ones: `?before=` with the name of the last of these.
 */
more: boolean, };

/**
 * Shows where this person is, or that the area has changed. Needs consent to `location`; its first sharing settles the precision
 * until the consent ends, and its end is how the sharing stops. Another area is taken five minutes after the last.
 */
export type LocationShare = { 
/**
 * How finely: `none` is refused.
 */
precision: LocationPrecision, 
/**
 * For `country` two capitals (ISO 3166-1); else a cell of H3 in fifteen hexadecimal digits, of resolution 4 for `region`,
 * 6 for `city` and 9 for `precise`.
 */
area: string, };

/**
 * What is shown of this person, to their own pages.
 */
export type OwnLocation = { 
/**
 * Of the consent that it is shown under.
 */
generation: number, 
/**
 * How finely.
 */
precision: LocationPrecision, 
/**
 * See [`LocationShare::area`].
 */
area: string, 
/**
 * Another area is taken in so many seconds.
 */
changes_in: number, };

/**
 * Somebody who shows where they are.
 */
export type LocatedPerson = { 
/**
 * Of the consent that it is shown under: their name here, until it ends.
 */
generation: number, 
/**
 * How finely.
 */
precision: LocationPrecision, 
/**
 * See [`LocationShare::area`].
 */
area: string, 
/**
 * They broadcast.
 */
broadcaster: boolean, };

/**
 * Some of those who show where they are: all of them to whoever broadcasts, broadcasters to everybody. Whoever is not in it stays as
 * they were, until their consent is retracted or they are gone.
 */
export type Locations = { 
/**
 * In no order.
 */
people: Array<LocatedPerson>, };

/**
 * Somebody who showed where they are has been away for a while.
 */
export type LocationGone = { 
/**
 * Who.
 */
generation: number, };

/**
 * How many people an area stands for, roughly.
 */
export type Shade = "light" | "medium" | "strong";

/**
 * One area of the viewers' map.
 */
export type MapArea = { 
/**
 * A country, or a cell of resolution 4 or 6, as [`LocationShare::area`] has them.
 */
area: string, 
/**
 * How strongly it is shaded.
 */
shade: Shade, };

/**
 * The viewers' map as of the last tick: all of it.
 */
export type LocationMap = { 
/**
 * In the order of their names.
 */
areas: Array<MapArea>, };

/**
 * An event as its pages show it.
 */
export type EventSummary = { 
/**
 * 26 characters `[a-z2-7]`, 128 random bits.
 */
id: string, 
/**
 * Its title.
 */
title: string, 
/**
 * Where it stands.
 */
state: EventState, 
/**
 * Who may watch without being invited.
 */
admission: Admission, 
/**
 * Stands on the home page.
 */
listed: boolean, 
/**
 * How many may broadcast at once.
 */
broadcasters: number, 
/**
 * How soon viewers see what happens.
 */
latency: Latency, 
/**
 * The most that anybody here could agree to of where they are.
 */
location: LocationCap, 
/**
 * When it is to begin, in seconds since 1970, to the minute; `null` where nobody has said.
 */
starts_at: number | null, 
/**
 * Nobody is asked for anything that needs consent.
 */
asks_nothing: boolean, 
/**
 * Accounts of people who are put out are recorded here, now or soon; mostly left out.
 */
break_glass?: BreakGlass, };

/**
 * `GET /api/v1/events`: the listed ones, or all of them for the operator.
 */
export type EventList = { 
/**
 * Newest first.
 */
events: Array<EventSummary>, };

/**
 * `POST /api/v1/events`
 */
export type NewEvent = { 
/**
 * 1–120 characters, shown to viewers.
 */
title: string, 
/**
 * Who may watch without being invited; nobody where it is left out.
 */
admission: Admission, 
/**
 * Shows the event on the home page.
 */
listed: boolean, 
/**
 * How many may broadcast at once: the host and its co-hosts, 1 to [`MAX_BROADCASTERS`]. One where it is left out.
 */
broadcasters?: number, 
/**
 * How soon viewers see what happens, against how smoothly; `interactive` where it is left out.
 */
latency: Latency, 
/**
 * The most that anybody could agree to of where they are; nothing where it is left out.
 */
location?: LocationCap, 
/**
 * When it is to begin, in seconds since 1970; kept to the minute.
 */
starts_at?: number, 
/**
 * Nobody is asked for anything that needs consent: there is no chat, no list of names, no locations and no counting. It stays so.
 */
asks_nothing?: boolean, };

/**
 * `PATCH /api/v1/events/{id}`: what is left out stays as it is.
 */
export type EventChange = { 
/**
 * How many may broadcast at once from now on, 1 to [`MAX_BROADCASTERS`]. Whoever is on stays on.
 */
broadcasters?: number, 
/**
 * The most that anybody could agree to of where they are, in tokens that are given from now on.
 */
location?: LocationCap, 
/**
 * When it is to begin, in seconds since 1970; not once it has.
 */
starts_at?: number, };

/**
 * What a token lets its holder do in an event.
 */
export type Role = "broadcaster" | "viewer" | "moderator";

/**
 * `POST /api/v1/events/{id}/token`: a token for a page of whoever has signed in, or holds a token of a trusted provider.
 */
export type TokenRequest = { 
/**
 * What the token shall permit.
 */
role: Role, };

/**
 * A token for one event, bound to the key of the request's proof; also the answer of `guest` and `join`.
 */
export type EventToken = { 
/**
 * The token.
 */
token: string, 
/**
 * Its life from now, in seconds.
 */
expires_in: number, };

/**
 * `POST /api/v1/events/{id}/invitations`, for the operator: lets one person in, whoever uses it first.
 */
export type NewInvitation = { 
/**
 * What it permits. A broadcaster's invites a co-host, a moderator's somebody who looks after the event.
 */
role: Role, 
/**
 * Its life in seconds: 60 to 604,800 (a week).
 */
expires_in: number, 
/**
 * What it leaves of the event's cap on locations; all of it where this is left out.
 */
location?: LocationCap, };

/**
 * An invitation, on the one occasion that its code is told. Holds a secret, so it has no Debug.
 */
export type Invitation = { 
/**
 * Its name, to list and to revoke it.
 */
id: string, 
/**
 * For a link's fragment: `#invitation=CODE`.
 */
code: string, 
/**
 * Its life from now, in seconds.
 */
expires_in: number, };

/**
 * What an operator may know of an invitation: not who uses it.
 */
export type InvitationSummary = { 
/**
 * Its name.
 */
id: string, 
/**
 * What it permits.
 */
role: Role, 
/**
 * Its life from now, in seconds.
 */
expires_in: number, 
/**
 * Whether somebody has come by it.
 */
used: boolean, };

/**
 * `GET /api/v1/events/{id}/invitations`
 */
export type InvitationList = { 
/**
 * Those that are still good, the last to end first.
 */
invitations: Array<InvitationSummary>, };

/**
 * `POST /api/v1/events/{id}/join`, for whoever was invited; answered by a token.
 */
export type JoinRequest = { 
/**
 * The code of the invitation.
 */
invitation: string, };

/**
 * `POST /api/v1/events/{id}/stream-keys`, for the operator: lets a program broadcast by WHIP.
 */
export type NewStreamKey = { 
/**
 * Its life in seconds: 60 to 31,536,000 (a year). The event's end ends it, too.
 */
expires_in: number, 
/**
 * Whom to ask about it: 1 to 64 characters.
 */
owner?: string, };

/**
 * A stream key, on the one occasion that it is told. Holds a secret, so it has no Debug.
 */
export type StreamKey = { 
/**
 * Its name, to list and to revoke it.
 */
id: string, 
/**
 * For the program's "Bearer Token".
 */
key: string, 
/**
 * Its life from now, in seconds.
 */
expires_in: number, };

/**
 * What an operator may know of a stream key.
 */
export type StreamKeySummary = { 
/**
 * Its name.
 */
id: string, 
/**
 * Its life from now, in seconds, if nobody uses it before.
 */
expires_in: number, 
/**
 * It ends then because nobody uses it: each use moves that.
 */
idle: boolean, 
/**
 * Whom to ask about it, where that was said.
 */
owner?: string, 
/**
 * How many minutes ago it was last shown to the server; `null` if it never was.
 */
used_minutes_ago: number | null, };

/**
 * `GET /api/v1/events/{id}/stream-keys`
 */
export type StreamKeyList = { 
/**
 * Those that are still good, the last to end first.
 */
stream_keys: Array<StreamKeySummary>, };

/**
 * `POST /api/v1/events/{id}/removals` and `POST /api/v1/events/{id}/bans`, for moderators and operators: whom to put out.
 */
export type Removal = { 
/**
 * Their place on stage, from 0.
 */
place: number, 
/**
 * Whose turn there it was when whoever asks has looked: `tenures` of the stage.
 */
tenure: number, };

/**
 * `GET /api/v1/events/{id}/stage`, for whoever looks after the event without a socket.
 */
export type TakenPlaces = { 
/**
 * Those that somebody has now.
 */
places: Array<Removal>, };

/**
 * What a ban holds for: by what somebody came.
 */
export type BanReach = "account" | "provider" | "invitation" | "stream-key" | "token" | "guest";

/**
 * A ban, as whoever looks after the event sees it: not of whom it is.
 */
export type Ban = { 
/**
 * Its name.
 */
id: string, 
/**
 * The minute in which it was made, in seconds since 1970.
 */
made: number, 
/**
 * What it holds for.
 */
holds_for: BanReach, 
/**
 * The same in a sentence or two.
 */
title: string, 
/**
 * What else can be done, where it holds for little.
 */
remedy?: string, };

/**
 * `GET /api/v1/events/{id}/bans`
 */
export type BanList = { 
/**
 * The last first.
 */
bans: Array<Ban>, };

/**
 * In `hello`: asks to be let in to an event whose host decides about each person. Holds what somebody typed, so it has no Debug.
 */
export type Knock = { 
/**
 * How whoever decides may call them, for this event only: 1 to 32 characters that can be seen, or nothing.
 */
name?: string, };

/**
 * Whoever decides has been asked. `let-in`, a fault or the end of the event follows.
 */
export type Waiting = { 
/**
 * Until the lease ends, in seconds; `renew` goes on waiting.
 */
expires_in: number, };

/**
 * Somebody at the door, as whoever decides sees them: neither who they are nor where they come from.
 */
export type KnockSummary = { 
/**
 * Theirs at this event, and never anybody else's there.
 */
number: number, 
/**
 * What they have called themselves. Anybody can type any name.
 */
name?: string, 
/**
 * They have an account here, so that a decision holds on all their devices; whose, is not said.
 */
signed_in: boolean, 
/**
 * For how long they have been asking, in whole minutes; 0 for whoever was turned away.
 */
minutes: number, 
/**
 * They were turned away, and may be let in after all.
 */
turned_away: boolean, };

/**
 * `GET /api/v1/events/{id}/knocks`
 */
export type KnockList = { 
/**
 * Who waits, whoever asked first, first; then who was turned away.
 */
knocks: Array<KnockSummary>, };

/**
 * `POST /api/v1/events/{id}/knocks/{number}`
 */
export type KnockAnswer = { 
/**
 * Whether they may come in.
 */
let_in: boolean, };

/**
 * What a program may do; no scope includes another.
 */
export type ClientScope = "events:read" | "events:manage" | "grants:issue";

/**
 * `POST /api/v1/clients`, for an operator: registers a program of an integrator.
 */
export type NewClient = { 
/**
 * What the operator calls it: 1 to 64 characters.
 */
label: string, 
/**
 * Whom to ask about it: 1 to 64 characters.
 */
owner: string, 
/**
 * What it may do: one at least.
 */
scopes: Array<ClientScope>, 
/**
 * Its public key as a JWK, or up to four of them as a JWK set: P-256 or Ed25519.
 */
keys: unknown, 
/**
 * Its life in seconds: 3,600 to 31,536,000 (a year).
 */
expires_in: number, };

/**
 * `POST /api/v1/clients/{client}/keys`, for an operator: another key in the place of the older ones.
 */
export type NewClientKey = { 
/**
 * The public key as a JWK.
 */
key: unknown, 
/**
 * How many seconds the older ones still count, at most 604,800 (a week); 0 ends them, and tokens that came of them, now.
 */
overlap: number, };

/**
 * A program that was registered.
 */
export type RegisteredClient = { 
/**
 * What it calls itself by: `iss` and `sub` of its assertions.
 */
id: string, };

/**
 * A program's public key.
 */
export type ClientKeySummary = { 
/**
 * Its RFC 7638 thumbprint in base64url, which its holder can compute as well.
 */
thumbprint: string, 
/**
 * When it stops counting because another has taken its place, in seconds since 1970.
 */
ends: number | null, };

/**
 * A program as operators review it. No person is in it.
 */
export type ClientSummary = { 
/**
 * What it calls itself by.
 */
id: string, 
/**
 * What the operator calls it.
 */
label: string, 
/**
 * Whom to ask about it.
 */
owner: string, 
/**
 * What it may do.
 */
scopes: Array<ClientScope>, 
/**
 * The last minute in which it got a token, in seconds since 1970; `null`: none yet.
 */
last_used: number | null, 
/**
 * When it ends, in seconds since 1970.
 */
ends: number, 
/**
 * That is so because nobody uses it: each use moves it.
 */
idle: boolean, 
/**
 * It ends within two weeks.
 */
soon: boolean, 
/**
 * How many events it has made.
 */
events: number, 
/**
 * How many grants it has issued.
 */
grants: number, 
/**
 * Its public keys.
 */
keys: Array<ClientKeySummary>, };

/**
 * A stream key among everything that others hold.
 */
export type HeldStreamKey = { 
/**
 * Its name, to revoke it.
 */
id: string, 
/**
 * The event that it broadcasts to.
 */
event: string, 
/**
 * That event's title.
 */
title: string, 
/**
 * Whom to ask about it, where that was said.
 */
owner?: string, 
/**
 * When it ends, in seconds since 1970.
 */
ends: number, 
/**
 * That is so because nobody uses it: each use moves it.
 */
idle: boolean, 
/**
 * It ends within two weeks, and was made for longer.
 */
soon: boolean, 
/**
 * The last minute in which it was shown to the server, in seconds since 1970; `null`: not yet.
 */
last_used: number | null, };

/**
 * A receiver of webhooks among everything that others hold. Its address may hold a credential, and is not told.
 */
export type HeldWebhook = { 
/**
 * Its name.
 */
id: string, 
/**
 * Scheme, host and port of its address.
 */
origin: string, 
/**
 * Whom to ask about it, where that was said.
 */
owner?: string, 
/**
 * What it is told.
 */
kinds: Array<WebhookKind>, 
/**
 * When it ends, in seconds since 1970.
 */
ends: number, 
/**
 * That is so because it takes nothing: each message that it takes moves it.
 */
idle: boolean, 
/**
 * It ends within two weeks, and was made for longer.
 */
soon: boolean, 
/**
 * The last minute in which it took a message, in seconds since 1970; `null`: not yet.
 */
last_used: number | null, 
/**
 * How many messages it took.
 */
taken: number, 
/**
 * How many found no room while it was away.
 */
dropped: number, 
/**
 * What came of the last one.
 */
outcome: WebhookOutcome | null, 
/**
 * It has said that it is gone for good.
 */
ended: boolean, };

/**
 * `GET /api/v1/third-parties`: everything that others can use this server by, or are told by it.
 */
export type ThirdParties = { 
/**
 * Programs of integrators, the newest last.
 */
clients: Array<ClientSummary>, 
/**
 * What programs broadcast with, the last to end first.
 */
stream_keys: Array<HeldStreamKey>, 
/**
 * Who is told what happens here, the last to end first.
 */
webhooks: Array<HeldWebhook>, };

/**
 * Every way in which a request can be refused.
 */
export type FaultCode = "bad-request" | "sdp-invalid" | "codec-unsupported" | "certificate-unsupported" | "token-missing" | "token-unbound" | "proof-missing" | "proof-invalid" | "proof-nonce" | "token-invalid" | "token-expired" | "client-refused" | "scope-missing" | "step-up-required" | "sign-in-failed" | "code-missing" | "factor-invalid" | "factor-last" | "passkeys-unavailable" | "sign-in-required" | "setup-invalid" | "origin-refused" | "event-unknown" | "event-ended" | "event-private" | "event-sign-in" | "event-approval" | "turned-away" | "knock-unanswered" | "provider-refused" | "provider-cancelled" | "provider-not-admitted" | "provider-unavailable" | "invitation-invalid" | "invitation-used" | "access-revoked" | "removed" | "banned" | "question-unknown" | "consent-missing" | "purpose-unknown" | "statement-invalid" | "consent-outdated" | "consent-signal" | "consent-left-out" | "consent-too-often" | "consent-full" | "chat-muted" | "chat-slow" | "chat-gone" | "chat-text" | "chat-name" | "location-invalid" | "location-too-fine" | "location-fixed" | "location-too-soon" | "origin-foreign" | "place-empty" | "place-changed" | "nobody-knocks" | "not-removable" | "broadcaster-present" | "replaced" | "session-unknown" | "precondition-failed" | "precondition-required" | "method-not-allowed" | "media-type-unsupported" | "too-large" | "too-many" | "codes-spent" | "draining" | "not-found" | "connection-failed" | "connection-lost" | "fingerprint-mismatch" | "internal";

/**
 * A refusal, the same over HTTP (`application/problem+json`, RFC 9457) and WebSocket: what went wrong and
 * how to mend it, and nothing about the inside.
 */
export type Fault = { 
/**
 * `/problems/CODE`
 */
type: string, 
/**
 * Machine-readable.
 */
code: FaultCode, 
/**
 * One sentence: what went wrong.
 */
title: string, 
/**
 * What it was about, where that helps: a line, a field, a limit. Never a value that somebody sent.
 */
detail?: string, 
/**
 * One sentence: how to mend it.
 */
remedy: string, 
/**
 * The HTTP status.
 */
status: number, };

/**
 * The server's first message: what the client's proofs on this connection carry as their nonce.
 */
export type Challenge = { 
/**
 * 128 random bits.
 */
nonce: string, };

/**
 * The first message of a client, due within five seconds.
 */
export type Hello = { 
/**
 * An access token for one event, bound to the client's key.
 */
token: string, 
/**
 * Its proof of that key (RFC 9449), with the challenge as its nonce.
 */
proof: string, 
/**
 * What its holder comes as, if it is less than the token permits: a broadcaster may come as a viewer, to see the others.
 */
role?: Role, 
/**
 * Asks to be let in, where the host decides about each person. Whoever was let in, or need not ask, hears so at once.
 */
knock?: Knock, 
/**
 * The page sees Global Privacy Control (`navigator.globalPrivacyControl`). It holds for this connection, as `Sec-GPC: 1` does, and
 * is not stored; without it nothing is said.
 */
gpc?: boolean, };

/**
 * A fresh token before the old one runs out: of the same subject, event and key.
 */
export type Renewal = { 
/**
 * The fresh token.
 */
token: string, 
/**
 * A new proof of its key.
 */
proof: string, };

/**
 * The answer to [`Renewal`].
 */
export type Renewed = { 
/**
 * Until the lease ends, in seconds.
 */
expires_in: number, };

/**
 * An SDP offer (RFC 8829).
 */
export type Offer = { 
/**
 * Chosen by the client; the answer repeats it.
 */
number: number, 
/**
 * The description. Its candidates and addresses are dropped unread: this server is ICE-lite and needs none.
 */
sdp: string, 
/**
 * With the first offer of a media session: a proof of the token's key that names the offer's certificate
 * (`dtls_fingerprint`). Later offers keep that certificate and need none.
 */
proof?: string, };

/**
 * The best picture that a viewer wants. Of a broadcaster with two layers, `medium` gets the lower one.
 */
export type QualityCap = "off" | "low" | "medium" | "high";

/**
 * What a viewer wants of the picture. Kept by the server for as long as the socket is open, over any number of media
 * sessions; a client that reconnects says it again.
 */
export type QualityWish = { 
/**
 * The best that it wants; its network may carry less.
 */
max: QualityCap, };

/**
 * The reactions that there are.
 */
export type ChatReaction = "like" | "love" | "laugh" | "wow" | "sad" | "applause";

/**
 * What an author is in the event. Names cannot claim it.
 */
export type ChatRole = "viewer" | "host" | "moderator";

/**
 * What somebody does in a chat. Messages and authors go by names that are random and good in one event alone.
 */
export type ChatVerb = { "verb": "say", 
/**
 * What. At most [`MAX_CHAT_TEXT`] characters on one line.
 */
text: string, 
/**
 * The message that it answers.
 */
reply: string | null, } | { "verb": "name", 
/**
 * At most [`MAX_CHAT_NAME`] characters. One that can be taken for somebody else's gets a number.
 */
name: string, } | { "verb": "delete", 
/**
 * Which.
 */
message: string, } | { "verb": "react", 
/**
 * Which.
 */
message: string, 
/**
 * How.
 */
reaction: ChatReaction, 
/**
 * False: no longer.
 */
on: boolean, } | { "verb": "list-me", 
/**
 * As in `name`.
 */
name: string, } | { "verb": "remove", 
/**
 * Which.
 */
message: string, } | { "verb": "mute", 
/**
 * Who.
 */
author: string, 
/**
 * False: no longer.
 */
on: boolean, } | { "verb": "pin", 
/**
 * Which; none takes it down.
 */
message: string | null, } | { "verb": "slow", 
/**
 * For so many seconds; 0 ends it. At most 300.
 */
seconds: number, } | { "verb": "ban", 
/**
 * Who.
 */
author: string, };

/**
 * Something said.
 */
export type ChatMessage = { 
/**
 * Random.
 */
id: string, 
/**
 * Random by person and event.
 */
author: string, 
/**
 * What they were when they said it.
 */
role: ChatRole, 
/**
 * What they went by.
 */
name: string, 
/**
 * Of the grant it was said under.
 */
generation: number, 
/**
 * On one line. Text and nothing else.
 */
text: string, 
/**
 * The message it answers. Its words are not repeated: they stand in one place, and go from one.
 */
reply: string | null, };

/**
 * How many react in one way.
 */
export type ChatSum = { 
/**
 * How.
 */
reaction: ChatReaction, 
/**
 * How many.
 */
count: number, };

/**
 * The reactions to a message, once a second at most.
 */
export type ChatSums = { 
/**
 * Which.
 */
message: string, 
/**
 * Those that are there.
 */
sums: Array<ChatSum>, };

/**
 * What stands above the messages.
 */
export type ChatBoard = { 
/**
 * The message that was pinned.
 */
pinned: string | null, 
/**
 * So many seconds between two messages of one person; 0: as many as they like, within reason.
 */
slow: number, };

/**
 * What a person goes by in this event, for themselves.
 */
export type ChatSelf = { 
/**
 * Marks their own messages.
 */
author: string, 
/**
 * Perhaps with a number.
 */
name: string, };

/**
 * Somebody who has agreed to be listed.
 */
export type ChatListed = { 
/**
 * Chosen for this event.
 */
name: string, 
/**
 * Of the grant to be listed.
 */
generation: number, };

/**
 * What happens in a chat, for those who have agreed to take part.
 */
export type ChatNews = { "news": "begin" } | { "news": "message" } & ChatMessage | { "news": "removed", 
/**
 * Which.
 */
messages: Array<string>, } | { "news": "sums" } & ChatSums | { "news": "board" } & ChatBoard | { "news": "own" } & ChatSelf | { "news": "end" } | { "news": "listed", 
/**
 * In the order of their names.
 */
people: Array<ChatListed>, };

/**
 * What a client says over `/ws`. The first message is `hello`.
 */
export type ClientMessage = { "type": "hello" } & Hello | { "type": "renew" } & Renewal | { "type": "offer" } & Offer | { "type": "quality" } & QualityWish | { "type": "request-consent" } & ConsentRequest | { "type": "withdraw-consent" } & ConsentWithdrawal | { "type": "sync" } & Sync | { "type": "chat" } & ChatVerb | { "type": "share-location" } & LocationShare | { "type": "leave" };

/**
 * Whether a track of the stage carries anything.
 */
export type Activity = "absent" | "muted" | "live";

/**
 * What a place on stage carries.
 */
export type PlaceState = { 
/**
 * Sound.
 */
audio: Activity, 
/**
 * Picture.
 */
video: Activity, };

/**
 * What the stage carries.
 */
export type StageState = { 
/**
 * Sound, of anybody.
 */
audio: Activity, 
/**
 * Picture, of anybody.
 */
video: Activity, 
/**
 * Each broadcaster by place; places that are left out at the end are empty. A viewer's n-th section of a kind is for the
 * n-th place: to see more places, it offers more sections. A section of a place that has become empty stays, and carries
 * whoever has the place next.
 */
places: Array<PlaceState>, 
/**
 * By place: whose turn there it is, or was last. Another person's is another number, for as long as the event lasts; who comes back
 * to a place of theirs keeps it. Whoever looks after the event says by it whom they have seen.
 */
tenures?: Array<number>, };

/**
 * The place of this socket's broadcaster.
 */
export type OwnPlace = { 
/**
 * From 0; `null` while it is not on air.
 */
place: number | null, };

/**
 * A STUN or TURN server (RFC 7064, RFC 7065), as WHIP and WHEP name it in `Link`. Holds a credential, so it has no Debug.
 */
export type IceServer = { 
/**
 * `stun:HOST:PORT` or `turn:HOST:PORT?transport=udp`.
 */
url: string, 
/**
 * Of a TURN server.
 */
username?: string, 
/**
 * Of a TURN server.
 */
credential?: string, };

/**
 * The event as the newcomer finds it.
 */
export type Welcome = { 
/**
 * What the newcomer is here.
 */
role: Role, 
/**
 * The event.
 */
event: EventSummary, 
/**
 * What its stage carries.
 */
stage: StageState, 
/**
 * Until the lease ends, in seconds: at the end of its token everything of this socket is over, unless it is renewed.
 */
expires_in: number, 
/**
 * For the client's peer connection, as the operator configured them: none, unless networks stand in the way.
 */
ice_servers: Array<IceServer>, };

/**
 * An SDP answer.
 */
export type Answer = { 
/**
 * The offer's number.
 */
number: number, 
/**
 * The description.
 */
sdp: string, };

/**
 * A track of the stage that this viewer's browser did not offer to decode.
 */
export type Unplayable = { 
/**
 * The place on stage that sends it.
 */
place: number, 
/**
 * The codec's name, such as `H264`.
 */
codec: string, 
/**
 * One sentence for the viewer.
 */
title: string, };

/**
 * How much of the picture a viewer gets. The only layer there is counts as `high`, two count as `low` and `high`.
 */
export type Quality = "off" | "paused" | "low" | "medium" | "high";

/**
 * What a viewer gets of the pictures now.
 */
export type QualityState = { 
/**
 * The best of what arrives.
 */
video: Quality, 
/**
 * What arrives, or arrived last, of each place; `null` where nothing has yet.
 */
places: Array<Quality | null>, };

/**
 * Whether a simulcast layer is to be sent.
 */
export type LayerState = { 
/**
 * Its `a=rid` (RFC 8851).
 */
rid: string, 
/**
 * False: nobody needs it, so it may rest. Said 5 s after the last viewer left it, and taken back at once when one comes.
 */
active: boolean, };

/**
 * Which simulcast layers of a broadcaster anybody needs.
 */
export type LayerStates = { 
/**
 * Every layer that the answer accepted, in the order of the offer.
 */
layers: Array<LayerState>, };

/**
 * Roughly how many watch: a number, never a list.
 */
export type Audience = { 
/**
 * Viewers whose media is connected: a multiple of five from five on, of ten from a hundred, with two digits that count from a
 * thousand; `null` for fewer than five. It follows with some delay, so that no change is one person.
 */
viewers: number | null, };

/**
 * How the picture arrives at those who watch: rough numbers, never a list.
 *
 * Each number is as rough as that of [`Audience`] and comes on the same tick: the exact number stays on the server, so that no
 * difference between two numbers is one person.
 */
export type AudienceHealth = { 
/**
 * Viewers who get the best picture.
 */
high: number | null, 
/**
 * Viewers who get a middle one.
 */
medium: number | null, 
/**
 * Viewers who get the least.
 */
low: number | null, 
/**
 * Viewers who chose sound only.
 */
sound_only: number | null, 
/**
 * Viewers whose network carries sound only.
 */
paused: number | null, };

/**
 * The event is over.
 */
export type Ended = { 
/**
 * One sentence for the viewer.
 */
title: string, };

/**
 * The server is about to stop.
 */
export type Draining = { 
/**
 * Wait this long before connecting again, in milliseconds. Different for each client, so that they do not come back at once.
 */
retry_after_ms: number, };

/**
 * What the server says over `/ws`.
 */
export type ServerMessage = { "type": "challenge" } & Challenge | { "type": "waiting" } & Waiting | { "type": "let-in" } | { "type": "welcome" } & Welcome | { "type": "renewed" } & Renewed | { "type": "answer" } & Answer | { "type": "connected" } | { "type": "disconnected", 
/**
 * The reason, in words for a person.
 */
fault: Fault | null, } | { "type": "stage" } & StageState | { "type": "place" } & OwnPlace | { "type": "unplayable" } & Unplayable | { "type": "quality" } & QualityState | { "type": "layers" } & LayerStates | { "type": "audience" } & Audience | { "type": "health" } & AudienceHealth | { "type": "consent-question" } & ConsentQuestion | { "type": "consent" } & ConsentState | { "type": "consent-receipt" } & ConsentReceipt | { "type": "retracted" } & Retraction | { "type": "synced" } & Sync | { "type": "chat" } & ChatNews | { "type": "own-location" } & OwnLocation | { "type": "locations" } & Locations | { "type": "location-gone" } & LocationGone | { "type": "location-map" } & LocationMap | { "type": "break-glass" } & BreakGlassNotice | { "type": "ended" } & Ended | { "type": "draining" } & Draining | { "type": "fault", 
/**
 * Why. Nested, because a fault has a `type` of its own.
 */
fault: Fault, };

/**
 * A provider that people may sign in at.
 */
export type SignInProvider = { 
/**
 * For [`ProviderChoice`].
 */
number: number, 
/**
 * For the button.
 */
name: string, };

/**
 * `GET /api/v1/instance`: what a page needs to know before anybody signs in.
 */
export type Instance = { 
/**
 * Whether an operator's account exists.
 */
ready: boolean, 
/**
 * Where people may sign in besides here.
 */
providers: Array<SignInProvider>, 
/**
 * Whether its public address can have passkeys: a name can, an address in numbers cannot.
 */
passkeys: boolean, };

/**
 * `POST /oauth/provider/start`: begins to sign in at a provider.
 */
export type ProviderChoice = { 
/**
 * Which.
 */
provider: number, };

/**
 * The answer to [`ProviderChoice`].
 */
export type Departure = { 
/**
 * Where the browser goes from here, in the same tab.
 */
location: string, };

/**
 * `POST /api/v1/setup`: makes the operator's account with the one-time token of the printed link.
 */
export type Setup = { 
/**
 * From the link's fragment.
 */
token: string, 
/**
 * Sign-in name, 1–64 characters. It is not shown to anyone and need not be a real name.
 */
name: string, 
/**
 * At least 12 characters.
 */
password: string, };

/**
 * `POST /oauth/sign-in`: opens a session at the issuer, kept in an HttpOnly cookie.
 */
export type SignIn = { 
/**
 * Sign-in name.
 */
name: string, 
/**
 * Password.
 */
password: string, 
/**
 * The code of the account's authenticator app, where it has one, or a recovery code.
 */
code?: string, };

/**
 * The answer to [`SignIn`] and [`Setup`].
 */
export type SignedIn = { 
/**
 * Life of the session at the issuer, in seconds.
 */
expires_in: number, };

/**
 * `POST /oauth/par` (RFC 9126 section 2.2): [`AuthorizationRequest`] as a form is answered by this.
 */
export type PushedAuthorization = { 
/**
 * For `/oauth/authorize`, with `client_id` and nothing else; good once.
 */
request_uri: string, 
/**
 * Its life, in seconds.
 */
expires_in: number, };

/**
 * `GET /oauth/authorize` (RFC 6749 section 4.1.1 with PKCE, RFC 7636).
 */
export type AuthorizationRequest = { 
/**
 * `code`
 */
response_type: string, 
/**
 * `veilcast-web`
 */
client_id: string, 
/**
 * Exactly as registered.
 */
redirect_uri: string, 
/**
 * Repeated in the redirect.
 */
state: string, 
/**
 * BASE64URL(SHA256(verifier))
 */
code_challenge: string, 
/**
 * `S256`
 */
code_challenge_method: string, 
/**
 * Space-separated scopes.
 */
scope: string, };

/**
 * `POST /oauth/token` (RFC 6749 section 5.1).
 */
export type TokenResponse = { 
/**
 * The access token (RFC 9068).
 */
access_token: string, 
/**
 * `DPoP`
 */
token_type: string, 
/**
 * Its life, in seconds.
 */
expires_in: number, 
/**
 * What it permits.
 */
scope: string, };

/**
 * What an account may do.
 */
export type AccountRole = "operator" | "member";

/**
 * What a person shows to be recognised.
 */
export type FactorKind = "password" | "passkey" | "totp";

/**
 * A way to be recognised.
 */
export type Factor = { 
/**
 * Its name in addresses.
 */
id: string, 
/**
 * What it is.
 */
kind: FactorKind, 
/**
 * What its person calls it.
 */
label: string, 
/**
 * Seconds since 1970, to the minute.
 */
created: number, 
/**
 * Seconds since 1970, to the minute; `null` before its first use.
 */
last_used: number | null, };

/**
 * Somebody who is signed in.
 */
export type AccountSession = { 
/**
 * Its name in addresses.
 */
id: string, 
/**
 * The label of what it was opened with.
 */
label: string, 
/**
 * Seconds since 1970, to the minute.
 */
opened: number, 
/**
 * The one that asks.
 */
current: boolean, };

/**
 * `GET /api/v1/account`: everything that a person may know of their account, but what happened to it.
 */
export type Account = { 
/**
 * What it may do.
 */
role: AccountRole, 
/**
 * The sign-in name, for whoever has a password.
 */
name: string | null, 
/**
 * Ways to be recognised, oldest first.
 */
factors: Array<Factor>, 
/**
 * How many recovery codes are left.
 */
recovery_codes: number, 
/**
 * Who is signed in, newest first.
 */
sessions: Array<AccountSession>, };

/**
 * What happened to an account.
 */
export type ActivityKind = "sign-in" | "step-up" | "session-ended" | "not-me" | "factor-added" | "factor-replaced" | "factor-removed" | "recovered" | "code-wrong" | "code-missing" | "refresh-copied" | "journal-read" | "break-glass";

/**
 * Something that happened to an account.
 */
export type AccountActivity = { 
/**
 * Its name in addresses.
 */
id: string, 
/**
 * What.
 */
kind: ActivityKind, 
/**
 * The label of the factor that it was about; empty if it was about none.
 */
label: string, 
/**
 * Seconds since 1970, to the minute.
 */
at: number, };

/**
 * `GET /api/v1/account/activity`: the last ninety days, newest first.
 */
export type ActivityList = { 
/**
 * What happened.
 */
activity: Array<AccountActivity>, };

/**
 * A question for the browser's authenticators: the answer to every address that ends with `/start` but that of an app.
 */
export type PasskeyQuestion = { 
/**
 * What the answer has to name; once, and for two minutes.
 */
ceremony: string, 
/**
 * For `navigator.credentials` (WebAuthn), binary members in base64url.
 */
options: unknown, };

/**
 * `POST /oauth/sign-in/passkey` and `POST /api/v1/account/step-up/passkey`: what an authenticator answered.
 */
export type PasskeyAnswer = { 
/**
 * From the question.
 */
ceremony: string, 
/**
 * `PublicKeyCredential.toJSON()`
 */
credential: unknown, };

/**
 * `POST /api/v1/account/passkeys` and `POST /api/v1/setup/passkey`: a new passkey.
 */
export type NewPasskey = { 
/**
 * From the question.
 */
ceremony: string, 
/**
 * `PublicKeyCredential.toJSON()`
 */
credential: unknown, 
/**
 * What its person calls it, 1 to 64 characters.
 */
label: string, };

/**
 * `POST /api/v1/setup/passkey/start`: asks for the passkey of a setup link.
 */
export type SetupPasskey = { 
/**
 * From the link's fragment.
 */
token: string, };

/**
 * `POST /api/v1/account/totp/start`: a secret for an authenticator app.
 */
export type TotpSecret = { 
/**
 * What the answer has to name; once, and for two minutes.
 */
ceremony: string, 
/**
 * Base32, to be typed.
 */
secret: string, 
/**
 * `otpauth://`, for an app on the same device.
 */
link: string, };

/**
 * `POST /api/v1/account/totp`: the first code of an app, which shows that it has the secret.
 */
export type NewTotp = { 
/**
 * From the secret's answer.
 */
ceremony: string, 
/**
 * Six digits.
 */
code: string, 
/**
 * What its person calls it, 1 to 64 characters.
 */
label: string, };

/**
 * `POST /api/v1/account/password`: a password, or another one.
 */
export type NewPassword = { 
/**
 * A sign-in name for whoever has none, or another one.
 */
name?: string, 
/**
 * At least 12 characters, none of the common ones.
 */
password: string, };

/**
 * `PATCH /api/v1/account/factors/{id}`
 */
export type FactorChange = { 
/**
 * What its person calls it, 1 to 64 characters.
 */
label: string, };

/**
 * `POST /api/v1/account/recovery-codes`: the answer, this once. Older codes are worth nothing any more.
 */
export type RecoveryCodes = { 
/**
 * Ten, each for one use.
 */
codes: Array<string>, };

/**
 * `POST /api/v1/account/step-up/password`: somebody who is signed in is recognised again.
 */
export type PasswordAgain = { 
/**
 * As at signing in.
 */
password: string, 
/**
 * Six digits, where the account has an authenticator app.
 */
code?: string, };

/**
 * `POST /oauth/sign-in/recovery`: for whoever has no password.
 */
export type RecoverySignIn = { 
/**
 * One of the ten.
 */
code: string, };

/**
 * What a receiver can be told.
 */
export type WebhookKind = "event.started" | "event.ended" | "broadcast.live" | "broadcast.off" | "security.raised";

/**
 * What came of sending a message.
 */
export type WebhookOutcome = "delivered" | "gone" | "redirected" | "refused" | "failing" | "unreachable" | "certificate" | "address";

/**
 * `POST /api/v1/webhooks`, for the operator: a server to be told what happens here.
 */
export type NewWebhook = { 
/**
 * An https address. May hold a credential; only its origin is shown again.
 */
url: string, 
/**
 * What it is told; at least one.
 */
kinds: Array<WebhookKind>, 
/**
 * Its life in seconds: 3,600 to 31,536,000 (a year).
 */
expires_in: number, 
/**
 * Whom to ask about it: 1 to 64 characters.
 */
owner?: string, };

/**
 * A receiver's secret, on the one occasion that it is told. Has no Debug.
 */
export type WebhookSecret = { 
/**
 * The receiver's name, to list and to remove it.
 */
id: string, 
/**
 * `whsec_…`, for the receiver's settings.
 */
secret: string, };

/**
 * What an operator may know of a receiver.
 */
export type WebhookSummary = { 
/**
 * Its name.
 */
id: string, 
/**
 * Scheme, host and port of its address.
 */
origin: string, 
/**
 * What it is told.
 */
kinds: Array<WebhookKind>, 
/**
 * Its life from now, in seconds.
 */
expires_in: number, 
/**
 * How many minutes ago it last took a message; `null` if it never did.
 */
delivered_minutes_ago: number | null, 
/**
 * How many minutes ago it was last sent one; `null` if it never was.
 */
tried_minutes_ago: number | null, 
/**
 * What came of that.
 */
outcome: WebhookOutcome | null, 
/**
 * Messages that wait for it.
 */
waiting: number, 
/**
 * Messages that found no room while it was away.
 */
dropped: number, 
/**
 * A secret that was replaced still signs, too.
 */
rotating: boolean, 
/**
 * It has said that it is gone for good and is sent nothing more.
 */
ended: boolean, };

/**
 * `GET /api/v1/webhooks`
 */
export type WebhookList = { 
/**
 * The last to end first.
 */
webhooks: Array<WebhookSummary>, };

/**
 * `POST /api/v1/webhooks/{id}/test`
 */
export type WebhookTested = { 
/**
 * What came of it.
 */
outcome: WebhookOutcome, };

/**
 * An event and its name towards one receiver.
 */
export type WebhookEvent = { 
/**
 * Its id here.
 */
id: string, 
/**
 * `data.event` of the receiver's messages.
 */
name: string, };

/**
 * `GET /api/v1/webhooks/{id}/events`: which event is meant by which name in this receiver's messages.
 */
export type WebhookEventList = { 
/**
 * Every event of this server, the newest first.
 */
events: Array<WebhookEvent>, };

/**
 * A kind of suspicious thing.
 */
export type SecurityKind = "proof-replayed" | "code-replayed" | "refresh-replayed" | "invitation-reused" | "sign-ins-failed" | "sign-ins-failed-widely" | "joins-by-one" | "export-burst" | "foreign-probe" | "address-refused";

/**
 * Something suspicious, by the hour. Nobody is in it.
 */
export type SecurityEvent = { 
/**
 * What.
 */
kind: SecurityKind, 
/**
 * At which event, if at one.
 */
event: string | null, 
/**
 * How many whole hours ago.
 */
hours_ago: number, 
/**
 * How often in that hour.
 */
count: number, };

/**
 * `GET /api/v1/security-events`, for the operator.
 */
export type SecurityEventList = { 
/**
 * Those of the last 90 days, the latest first; at most 200.
 */
security_events: Array<SecurityEvent>, };

/**
 * The part of the session log that can be read now.
 */
export type SessionLogEpoch = { 
/**
 * When it began, in seconds since 1970, to the minute.
 */
begins: number, 
/**
 * When its key is destroyed.
 */
ends: number, 
/**
 * It is on the disk, too.
 */
on_disk: boolean, };

/**
 * A line of the session log.
 */
export type SessionLogEntry = { 
/**
 * When it was written, in seconds since 1970, to the minute. It happened in that minute or some time before.
 */
written: number, 
/**
 * At which event.
 */
event: string, 
/**
 * Of whom: a name that means something at this event and in this epoch alone. `null`: of too few to tell apart.
 */
who: string | null, 
/**
 * `joined`, `left`, `quality`, `consent`, `moderated`, `fault`, `totals` or `revealed`.
 */
what: string, 
/**
 * What else there is to it, in words with spaces between them.
 */
detail: string, };

/**
 * `GET /api/v1/journal`, for an operator who was asked for two factors; reading it stands in their account's activity.
 */
export type SessionLog = { 
/**
 * `null`: it is off.
 */
epoch: SessionLogEpoch | null, 
/**
 * The last thousand, the latest first.
 */
entries: Array<SessionLogEntry>, };

/**
 * `POST /api/v1/events/{id}/break-glass`
 */
export type BreakGlassRequest = { 
/**
 * For so many hours, 1 to 24.
 */
hours: number, };

/**
 * `GET /api/v1/break-glass`, for everybody: where it is in force or about to be. It does not say at which event.
 */
export type BreakGlassList = { 
/**
 * Each at one event.
 */
break_glass: Array<BreakGlass>, };

/**
 * One of them.
 */
export type EventFigure = { 
/**
 * Of what.
 */
counter: string, 
/**
 * `null`: too small to tell.
 */
value: number | null, };

/**
 * `GET /api/v1/events/{id}/figures`, for the operator, once the event is over.
 */
export type EventFigures = { 
/**
 * Whom one unit stands for.
 */
unit: string, 
/**
 * Of all figures of the event together.
 */
epsilon: number, 
/**
 * One unit is in no more of them, and in each once.
 */
counters_each: number, 
/**
 * The noise of each, in words.
 */
noise: string, 
/**
 * A noisy figure below this is not told.
 */
suppressed_below: number, 
/**
 * None before the event's end, or where nobody had agreed to be counted.
 */
figures: Array<EventFigure>, };

/**
 * What something is kept for.
 */
export type PrivacyPurpose = { 
/**
 * As rows name it.
 */
name: string, 
/**
 * Of its words. Counts up; of what is asked for, a grant of another version is void.
 */
version: number, 
/**
 * The date of this version, `YYYY-MM-DD`.
 */
since: string, 
/**
 * The question; `null` where nobody is asked.
 */
title: string | null, 
/**
 * In plain words; of what is asked for, what is processed.
 */
words: string, 
/**
 * Who gets to see it.
 */
who: string, 
/**
 * For how long; `null` where that stands with each row that is kept for it.
 */
how_long: string | null, 
/**
 * What permits it: a letter of article 6(1) of the GDPR, such as `6(1)(b)`.
 */
basis: string, 
/**
 * Why it weighs more, and what objecting does; empty where there is nothing to object to.
 */
objection: string, 
/**
 * Whether people are asked, and nothing is kept before they agree.
 */
asked: boolean, };

/**
 * One kind of record.
 */
export type PrivacyRow = { 
/**
 * What machines know it by.
 */
kind: string, 
/**
 * `table`, `file`, `memory`, `cookie`, `session-storage`, `local-storage`, `indexed-db` or `cache-storage`.
 */
place: string, 
/**
 * `viewers`, `accounts`, `broadcasters`, `operators`, `everybody` or `nobody`.
 */
about: string, 
/**
 * In plain words; what stands before the first colon is its name.
 */
what: string, 
/**
 * Why it is kept at all; in a browser, why it is strictly necessary.
 */
why: string, 
/**
 * When it is forgotten.
 */
until: string, 
/**
 * The longest that it can be kept where time alone decides, in seconds.
 */
longest: number | null, 
/**
 * The name of one of the purposes.
 */
purpose: string, 
/**
 * What permits it, as the purpose has it.
 */
basis: string, 
/**
 * Who forgets it: `clock`, `end` or `person`.
 */
forgotten_by: string, };

/**
 * A version of the table.
 */
export type PrivacyChange = { 
/**
 * Its number.
 */
version: number, 
/**
 * The day from which it holds.
 */
date: string, 
/**
 * What is different from before.
 */
what: string, };

/**
 * `GET /.well-known/privacy.json`: everything that is kept, why, and for how long.
 */
export type PrivacyTable = { 
/**
 * Counts the versions, from 1.
 */
version: number, 
/**
 * The day from which this version holds, such as `2026-11-22`.
 */
last_update: string, 
/**
 * What for.
 */
purposes: Array<PrivacyPurpose>, 
/**
 * Every kind of record.
 */
rows: Array<PrivacyRow>, 
/**
 * What changed, the newest first.
 */
changes: Array<PrivacyChange>, };

/** Every fault code, for parsing. */
export const FAULT_CODES: readonly FaultCode[] = [
  "bad-request",
  "sdp-invalid",
  "codec-unsupported",
  "certificate-unsupported",
  "token-missing",
  "token-unbound",
  "proof-missing",
  "proof-invalid",
  "proof-nonce",
  "token-invalid",
  "token-expired",
  "client-refused",
  "scope-missing",
  "step-up-required",
  "sign-in-failed",
  "code-missing",
  "factor-invalid",
  "factor-last",
  "passkeys-unavailable",
  "sign-in-required",
  "setup-invalid",
  "origin-refused",
  "event-unknown",
  "event-ended",
  "event-private",
  "event-sign-in",
  "event-approval",
  "turned-away",
  "knock-unanswered",
  "provider-refused",
  "provider-cancelled",
  "provider-not-admitted",
  "provider-unavailable",
  "invitation-invalid",
  "invitation-used",
  "access-revoked",
  "removed",
  "banned",
  "question-unknown",
  "consent-missing",
  "purpose-unknown",
  "statement-invalid",
  "consent-outdated",
  "consent-signal",
  "consent-left-out",
  "consent-too-often",
  "consent-full",
  "chat-muted",
  "chat-slow",
  "chat-gone",
  "chat-text",
  "chat-name",
  "location-invalid",
  "location-too-fine",
  "location-fixed",
  "location-too-soon",
  "origin-foreign",
  "place-empty",
  "place-changed",
  "nobody-knocks",
  "not-removable",
  "broadcaster-present",
  "replaced",
  "session-unknown",
  "precondition-failed",
  "precondition-required",
  "method-not-allowed",
  "media-type-unsupported",
  "too-large",
  "too-many",
  "codes-spent",
  "draining",
  "not-found",
  "connection-failed",
  "connection-lost",
  "fingerprint-mismatch",
  "internal",
];

/** The most broadcasters that an event can have at once. */
export const MAX_BROADCASTERS = 16;

/** The longest message, in characters. */
export const MAX_CHAT_TEXT = 500;

/** The longest name, in characters. */
export const MAX_CHAT_NAME = 24;

/** The largest SDP body, in bytes. */
export const MAX_SDP = 49152;
