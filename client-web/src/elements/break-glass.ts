import { html, nothing, type TemplateResult } from 'lit';
import type { BreakGlass } from '../protocol/index.js';
import { icons } from './icons.js';

/** What everybody at an event is told of break-glass there. `now` in seconds since 1970. */
export function breakGlassWords({ from, until, by_two }: BreakGlass, now: number): string {
  const who = by_two ? 'Two operators of this server have' : 'The operator of this server has';
  const since = from > now ? `From ${moment(from)} to ${moment(until)}` : `Until ${moment(until)}`;
  return `${who} asked to learn who is put out here. ${since}, the account of whoever a moderator removes is written into the session log. Whoever watches in peace is not, and nothing from before is.`;
}

/** In a few words. */
export const BREAK_GLASS = 'Who is put out can be named';

/** The same where there is little room: a line that opens. Nobody learns afterwards that somebody could see who they are. */
export function breakGlassLine(told: BreakGlass | null): TemplateResult | typeof nothing {
  if (told === null) return nothing;
  return html`<details class="glass">
    <summary>${icons.info}${BREAK_GLASS}</summary>
    <p>${breakGlassWords(told, Date.now() / 1_000)}</p>
  </details>`;
}

function moment(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
