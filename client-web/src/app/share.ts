import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { api } from './api.js';
import { stageLink, watchLink } from './parts.js';

/** How long the button says that it is done, and how long it says something that is to be remembered. */
const DONE_MS = 2_500;
const READ_MS = 6_000;

const COPIED = 'Copied';

/** How long an invitation lets people in, in seconds. Whoever is in stays in. */
const LIVES: readonly { seconds: number; words: string }[] = [
  { seconds: 3_600, words: 'Valid 1 hour' },
  { seconds: 12 * 3_600, words: 'Valid 12 hours' },
  { seconds: 24 * 3_600, words: 'Valid 1 day' },
  { seconds: 7 * 24 * 3_600, words: 'Valid 7 days' },
];

/**
 * Copies what a viewer needs: the link of a public event, or a fresh invitation to a private one. `choose` offers how long
 * that is valid. With `stage`, a fresh invitation to broadcast.
 */
class Share extends LitElement {
  static override properties = {
    event: { attribute: false },
    choose: { type: Boolean },
    stage: { type: Boolean },
    words: { state: true },
    link: { state: true },
  };

  declare event: EventSummary | null;
  declare choose: boolean;
  declare stage: boolean;
  declare words: string;
  /** Shown for copying by hand where the clipboard is closed to us. */
  declare link: string;

  constructor() {
    super();
    this.event = null;
    this.choose = false;
    this.stage = false;
    this.words = '';
    this.link = '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const idle = this.stage ? 'Copy co-host invitation' : this.#invites ? 'Copy invitation' : 'Copy link';
    return html`${this.choose && this.#invites ? LIFE : nothing}
      <button
        type="button"
        class="button quiet small"
        aria-label="${idle} for ${this.event?.title ?? 'the event'}"
        @click=${this.#copy}
      >
        ${this.words === '' ? icons.copy : icons.check} ${this.words || idle}
      </button>
      <span class="unseen" role="status">${this.words}</span>
      ${this.link === '' ? '' : html`<input readonly aria-label="Link" .value=${this.link} />`}`;
  }

  /** What is copied runs out. */
  get #invites(): boolean {
    return this.stage || this.event?.public === false;
  }

  async #copy(): Promise<void> {
    const { event } = this;
    if (event === null) return;
    try {
      const life = Number(this.querySelector('select')?.value ?? LIVES[0]?.seconds);
      const { link, words } = await (this.stage ? invitation(event, life) : shareable(event, life));
      this.link = (await toClipboard(link)) ? '' : link;
      this.#say(this.link === '' ? words : 'Copy it here');
    } catch (thrown) {
      this.#say(VeilcastError.from(thrown, 'unreachable').title);
    }
  }

  #say(words: string): void {
    this.words = words;
    setTimeout(
      () => {
        this.words = '';
      },
      words === COPIED ? DONE_MS : READ_MS,
    );
  }
}

const LIFE: TemplateResult = html`<select aria-label="How long the invitation is valid">
  ${LIVES.map(({ seconds, words }) => html`<option value=${seconds}>${words}</option>`)}
</select>`;

async function shareable(event: EventSummary, life: number): Promise<{ link: string; words: string }> {
  if (event.public) return { link: watchLink(event.id), words: COPIED };
  const { token, expires_in } = await api.eventToken(event.id, { role: 'viewer', expires_in: life });
  return { link: watchLink(event.id, token), words: `Copied, valid for ${span(expires_in)}` };
}

/** Each is for one person: whoever comes with the same one again takes over. */
async function invitation(event: EventSummary, life: number): Promise<{ link: string; words: string }> {
  const { token, expires_in } = await api.eventToken(event.id, { role: 'broadcaster', expires_in: life });
  return { link: stageLink(event.id, token), words: `Copied, valid for ${span(expires_in)}` };
}

function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return hours === 1 ? '1 hour' : `${hours} hours`;
  const days = Math.round(hours / 24);
  return days === 1 ? '1 day' : `${days} days`;
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

customElements.define('vc-share', Share);
