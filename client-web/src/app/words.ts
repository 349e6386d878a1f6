import type { InvitationSummary, StreamKeySummary } from '../protocol/index.js';

/** What an invitation is for, whether somebody came by it, and how long it goes on. */
export function invitationWords({ role, used, expires_in }: InvitationSummary): {
  purpose: string;
  state: string;
} {
  const purpose = role === 'broadcaster' ? 'To broadcast' : 'To watch';
  return { purpose, state: `${used ? 'Used' : 'Not used yet'} · ends in ${span(expires_in)}` };
}

/** What tells a stream key from the others of an event: the key itself is not known any more. */
export function keyName(id: string): string {
  return id.slice(0, 4);
}

/** Which stream key it is, when it was last used, and how long it goes on. */
export function streamKeyWords({ id, used_minutes_ago: used, expires_in }: StreamKeySummary): {
  name: string;
  state: string;
} {
  const use =
    used === null ? 'Not used yet' : used < 1 ? 'Used just now' : `Last used ${span(used * 60)} ago`;
  return { name: `Stream key ${keyName(id)}`, state: `${use} · ends in ${span(expires_in)}` };
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
