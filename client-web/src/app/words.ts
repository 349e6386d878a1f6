import type {
  AccountActivity,
  Ban,
  BanReach,
  Factor,
  InvitationSummary,
  KnockSummary,
  StreamKeySummary,
} from '../protocol/index.js';

const PURPOSES: Record<InvitationSummary['role'], string> = {
  broadcaster: 'To broadcast',
  viewer: 'To watch',
  moderator: 'To look after the event',
};

const REACHES: Record<BanReach, string> = {
  account: 'An account',
  provider: 'An account elsewhere',
  invitation: 'An invitation',
  'stream-key': 'A stream key',
  token: 'A program’s token',
  guest: 'A guest’s page',
};

/** What a ban holds for, and since when. */
export function banWords({ holds_for, made }: Ban): { name: string; state: string } {
  return { name: REACHES[holds_for], state: `Kept out since ${moment(made)}` };
}

/** What somebody at the door is called, and for how long they have been asking. */
export function knockWords({ number, name, signed_in, minutes, turned_away }: KnockSummary): {
  name: string;
  state: string;
} {
  const who = `${signed_in ? 'Member' : 'Guest'} ${number}`;
  const since = minutes < 1 ? 'Asks since just now' : `Asks since ${span(minutes * 60)}`;
  const state = turned_away ? 'Turned away' : signed_in ? `${since} · has signed in` : since;
  return { name: name === undefined ? who : `${who}, “${name}”`, state };
}

/** What an invitation is for, whether somebody came by it, and how long it goes on. */
export function invitationWords({ role, used, expires_in }: InvitationSummary): {
  purpose: string;
  state: string;
} {
  const purpose = PURPOSES[role];
  return { purpose, state: `${used ? 'Used' : 'Not used yet'} · ends in ${span(expires_in)}` };
}

/** What tells a stream key from the others of an event: the key itself is not known any more. */
export function keyName(id: string): string {
  return id.slice(0, 4);
}

/** Which stream key it is, when it was last used, and how long it goes on. */
export function streamKeyWords({ id, used_minutes_ago: used, expires_in, idle, owner }: StreamKeySummary): {
  name: string;
  state: string;
} {
  const use =
    used === null ? 'Not used yet' : used < 1 ? 'Used just now' : `Last used ${span(used * 60)} ago`;
  const end = idle ? `unless it is used, ends in ${span(expires_in)}` : `ends in ${span(expires_in)}`;
  const whose = owner === undefined ? '' : `${owner} · `;
  return { name: `Stream key ${keyName(id)}`, state: `${whose}${use} · ${end}` };
}

/** A time in words, to the nearest of what people count in. */
export function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return hours === 1 ? '1 hour' : `${hours} hours`;
  const days = Math.round(hours / 24);
  return days === 1 ? '1 day' : `${days} days`;
}

/** A minute in the person's own words, from seconds since 1970. */
export function moment(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** The hour and minute alone. */
export function hour(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString(undefined, { timeStyle: 'short' });
}

const KINDS: Record<Factor['kind'], string> = {
  password: 'Password',
  passkey: 'Passkey',
  totp: 'Authenticator app',
};

/** What a way to sign in is, and when it was last used. */
export function factorWords({ kind, label, created, last_used: used }: Factor): string {
  const use = used === null ? 'not used since' : `last used ${moment(used)}`;
  const added = `added ${new Date(created * 1_000).toLocaleDateString(undefined, { dateStyle: 'medium' })}, ${use}`;
  // A label that says what it is need not be said twice.
  return label === KINDS[kind] ? capital(added) : `${KINDS[kind]} · ${added}`;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What happened to an account. */
export function activityWords({ kind, label }: AccountActivity): string {
  switch (kind) {
    case 'sign-in':
      return `Signed in with “${label}”`;
    case 'step-up':
      return `Confirmed with “${label}”`;
    case 'session-ended':
      return 'Ended a sign-in';
    case 'not-me':
      return label === ''
        ? 'Something here was not you: everybody was signed out'
        : `“${label}” was not you: everybody was signed out`;
    case 'factor-added':
      return `Added “${label}”`;
    case 'factor-replaced':
      return `Changed “${label}”`;
    case 'factor-removed':
      return `Removed “${label}”`;
    case 'recovered':
      return 'Let in again by a link from the server; every older way to sign in is gone';
    case 'code-wrong':
      return 'Somebody entered your password and a wrong code. If it was not you, change the password';
    case 'code-missing':
      return 'Somebody entered your password and no code. If it was not you, change the password';
    case 'journal-read':
      return `The session log was read: ${label}`;
    case 'break-glass':
      return `Break-glass was ${label} at an event`;
    case 'refresh-copied':
      return 'A copy of what keeps a browser signed in was used, or its answer was lost: that sign-in has ended';
  }
}
