import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import { type Admission, type EventState, type EventSummary, MAX_BROADCASTERS } from '../protocol/index.js';
import type { VeilcastError } from '../sdk/errors.js';
import { moment } from './words.js';

/** What went wrong and how to mend it. */
export function errorNotice(error: VeilcastError | null): TemplateResult | typeof nothing {
  if (error === null) return nothing;
  return html`<p class="notice danger" role="alert">
    ${icons.alert}<strong>${error.title}</strong><span>${error.remedy}</span>
  </p>`;
}

const STATES: Record<EventState, { words: string; look: string }> = {
  scheduled: { words: 'Not started', look: '' },
  live: { words: 'Live', look: 'live' },
  ended: { words: 'Ended', look: '' },
};

export function stateBadge(state: EventState): TemplateResult {
  const { words, look } = STATES[state];
  return html`<span class="badge ${look}">${words}</span>`;
}

/** When it is to begin, while it has not. */
export function begins({ state, starts_at: at }: EventSummary): TemplateResult | typeof nothing {
  if (state !== 'scheduled' || at === null) return nothing;
  return html`<span class="with-icon">${icons.hourglass}Begins ${moment(at)}</span>`;
}

const ADMISSIONS: Record<Admission, { icon: TemplateResult; words: string; open: string }> = {
  public: { icon: icons.globe, words: 'Anyone with the link', open: 'Anyone' },
  approval: { icon: icons.people, words: 'Whom you let in', open: 'Whom you let in' },
  'sign-in': { icon: icons.people, words: 'Whoever signs in', open: 'Whoever signs in' },
  invitation: { icon: icons.lock, words: 'By invitation', open: 'By invitation' },
};

/** Who may come in, as an icon with its words. */
export function access(event: EventSummary): TemplateResult {
  const listed = event.listed ? ' · on the home page' : '';
  const { icon, words, open } = ADMISSIONS[event.admission];
  // On the home page the link is there for everybody.
  return html`<span class="with-icon">${icon}${event.listed ? open : words}${listed}</span>`;
}

export function loading(what: string): TemplateResult {
  return html`<p class="loading" role="status"><span class="dots" aria-hidden="true"></span>${what}</p>`;
}

/** How many may broadcast at once, for people: at most sixteen, as the server has it. */
export function broadcasterChoices(chosen: number): TemplateResult[] {
  return Array.from({ length: MAX_BROADCASTERS }, (_, index) => index + 1).map(
    (count) =>
      html`<option value=${count} ?selected=${count === chosen}>${broadcastersWords(count)}</option>`,
  );
}

function broadcastersWords(count: number): string {
  if (count === 1) return 'Only you';
  return count === 2 ? 'You and one co-host' : `You and up to ${count - 1} co-hosts`;
}

/** Where whoever is invited broadcasts from. */
export function stageLink(id: string, invitation: string): string {
  return `${location.origin}/studio/${id}#invitation=${invitation}`;
}

/** Where programs broadcast to. */
export function whipAddress(id: string): string {
  return `${location.origin}/whip/${id}`;
}

export function watchLink(id: string, invitation?: string): string {
  const link = `${location.origin}/watch/${id}`;
  return invitation === undefined ? link : `${link}#invitation=${invitation}`;
}

/** Something that was handed out and can be taken back. `what` begins the words of the button for whoever cannot see the row. */
export function revocable(
  { name, state, what }: { name: string; state: string; what: string },
  busy: boolean,
  revoke: () => void,
): TemplateResult {
  return html`<li class="row">
    <div class="what">
      <strong class="name">${name}</strong>
      <p class="meta">${state}</p>
    </div>
    <div class="actions">
      <button
        type="button"
        class="button danger small"
        aria-label="Revoke ${what}, ${state}"
        ?disabled=${busy}
        @click=${revoke}
      >
        Revoke
      </button>
    </div>
  </li>`;
}
