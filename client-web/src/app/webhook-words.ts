import type { SecurityKind, WebhookKind, WebhookOutcome, WebhookSummary } from '../protocol/index.js';
import { span } from './words.js';

/** What a receiver can be told, as a choice. */
export const KIND_WORDS: Record<WebhookKind, string> = {
  'event.started': 'An event starts',
  'event.ended': 'An event ends',
  'broadcast.live': 'A broadcast goes on air',
  'broadcast.off': 'A broadcast goes off air',
  'security.raised': 'Something suspicious is seen',
};

/** What came of a message, and what to do where something is wrong. */
export const OUTCOME_WORDS: Record<WebhookOutcome, { state: string; remedy: string }> = {
  delivered: { state: 'Works: it took the last message', remedy: '' },
  gone: {
    state: 'Ended: it answered that it is gone for good',
    remedy: 'It is told nothing more. Remove it, and add it again if it is back.',
  },
  redirected: {
    state: 'Does not work: it answers with a redirect',
    remedy: 'Redirects are not followed. Add the address that it leads to.',
  },
  refused: {
    state: 'Does not work: it refuses messages',
    remedy: 'Its address may be wrong, or its secret. Its own log says why.',
  },
  failing: {
    state: 'Does not work: it fails',
    remedy: 'Its own log says why. Messages come again for a day.',
  },
  unreachable: {
    state: 'Does not work: nobody answers there within five seconds',
    remedy: 'Look whether it runs and can be reached from this server. Messages come again for a day.',
  },
  certificate: {
    state: 'Does not work: its certificate is not trusted for its name',
    remedy: 'Renew its certificate, or name its authority with webhook_root in the settings.',
  },
  address: {
    state: 'Does not work: its name leads to an address inside a private network',
    remedy:
      'If that is as it should be, name the network with webhook_allow in the settings. If not, look at who runs its name.',
  },
};

/** What a receiver is told. */
export function kindsWords(kinds: readonly WebhookKind[]): string {
  const words = kinds.map((kind) => KIND_WORDS[kind].charAt(0).toLowerCase() + KIND_WORDS[kind].slice(1));
  return words.length === Object.keys(KIND_WORDS).length
    ? 'Told everything'
    : `Told when ${words.join(', ')}`;
}

/** Whoever runs a receiver hears of its end while there is time to do something. */
const SOON = 30 * 24 * 3_600;

/** How a receiver is doing. */
export function webhookWords(webhook: WebhookSummary): { state: string; more: string } {
  const { outcome, expires_in, waiting, dropped, rotating, tried_minutes_ago: tried } = webhook;
  const ago = tried === null ? '' : tried < 1 ? ' (just now)' : ` (${span(tried * 60)} ago)`;
  const state = outcome === null ? 'Nothing sent yet' : `${OUTCOME_WORDS[outcome].state}${ago}`;
  const parts = [`Ends in ${span(expires_in)}${expires_in < SOON ? ': add it again before then' : ''}`];
  if (waiting > 0) parts.push(waiting === 1 ? '1 message waits' : `${waiting} messages wait`);
  if (dropped > 0) parts.push(dropped === 1 ? '1 message was lost' : `${dropped} messages were lost`);
  if (rotating) parts.push('the secret before the last still counts for a day');
  return { state, more: parts.join(' · ') };
}

/** What was seen, what it means, and what to do. */
export const SECURITY_WORDS: Record<SecurityKind, { title: string; meaning: string; remedy: string }> = {
  'proof-replayed': {
    title: 'Requests were sent a second time',
    meaning: 'Somebody may have recorded what a browser sent and tried it again. It was refused.',
    remedy:
      'Once is often a bad connection. If it goes on, look for a proxy or an extension that reads along.',
  },
  'code-replayed': {
    title: 'A sign-in was shown a second time',
    meaning: 'What one browser got for signing in, somebody showed again. Whoever came by it is signed out.',
    remedy: 'Ask your people to look at their account page, where each can end sign-ins that are not theirs.',
  },
  'refresh-replayed': {
    title: 'A sign-in may have been copied',
    meaning: 'An old renewal of a sign-in was shown again, so that sign-in has ended.',
    remedy: 'Ask your people to look at their account page, where each can end sign-ins that are not theirs.',
  },
  'invitation-reused': {
    title: 'Used invitations were opened by others',
    meaning: 'Personal links to one event are going round. Nobody came in by them a second time.',
    remedy: 'Tell whom you invited that a link is for one person, and send new ones to those who need one.',
  },
  'sign-ins-failed': {
    title: 'Somebody guesses at one account',
    meaning: 'Many sign-ins at one account failed. Guessing is slowed down.',
    remedy: 'A passkey cannot be guessed: ask your people to use one, and to remove their password.',
  },
  'sign-ins-failed-widely': {
    title: 'Somebody guesses at many accounts',
    meaning: 'Very many sign-ins failed, at whatever accounts. Guessing is slowed down.',
    remedy: 'Passkeys cannot be guessed. If it goes on, limit who reaches this server.',
  },
  'joins-by-one': {
    title: 'One person joins over and over',
    meaning:
      'One account or token joined far more often than a person does: it is shared, or a program uses it.',
    remedy: 'Let people in by invitation, which is for one person each, or revoke what was handed out.',
  },
  'export-burst': {
    title: 'One operator exports the session log over and over',
    meaning: 'Somebody takes the log out far more often than keeping a copy needs. It is encrypted.',
    remedy:
      'Each operator’s account page names their exports. “This was not me” beside one ends every sign-in of that account.',
  },
  'foreign-probe': {
    title: 'Somebody tries the doors of other events',
    meaning:
      'A token that is good for one event was shown at others, or a program asked for events that are not its own. Nothing opened.',
    remedy:
      'If an event is named, revoke its stream keys and invitations and hand out new ones; if none is, look through the programs.',
  },
  'address-refused': {
    title: 'A webhook receiver leads into a private network',
    meaning: 'Its name points to an address that this server does not ask. Nothing was sent.',
    remedy:
      'If you did not mean it, somebody may have changed the name to reach what is behind your firewall. Remove the receiver.',
  },
};

/** When an hour was, roughly: that is all that is known. */
export function hoursAgo(hours: number): string {
  return hours < 1 ? 'Within the last hour' : `${span(hours * 3_600)} ago`;
}
