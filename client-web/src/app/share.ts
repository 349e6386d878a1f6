import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, Role } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { api } from './api.js';
import { toClipboard } from './clipboard.js';
import { stageLink, watchLink } from './parts.js';
import { confirmed } from './step-up.js';
import { span } from './words.js';

/** How long the button says that it is done, and how long it says something that is to be remembered. */
const DONE_MS = 2_500;
const READ_MS = 6_000;

const COPIED = 'Copied';

/** What the button says where somebody is invited as something. */
const IDLE: Partial<Record<Role | '', string>> = {
  broadcaster: 'Copy co-host invitation',
  moderator: 'Copy moderator invitation',
};

/** How long an invitation lets somebody in, in seconds. Whoever is in is out when it ends. */
const LIVES: readonly { seconds: number; words: string }[] = [
  { seconds: 3_600, words: 'Valid 1 hour' },
  { seconds: 12 * 3_600, words: 'Valid 12 hours' },
  { seconds: 24 * 3_600, words: 'Valid 1 day' },
  { seconds: 7 * 24 * 3_600, words: 'Valid 7 days' },
];

/** Long enough for an event that goes on into the night. */
const USUAL_LIFE = 12 * 3_600;

/**
 * Copies what a viewer needs: the link of an event that needs no invitation, or a fresh invitation. `choose` offers how long
 * that is valid. With `as`, a fresh invitation to be that. Fires `vc-invited` when it has made an invitation.
 */
class Share extends LitElement {
  static override properties = {
    event: { attribute: false },
    choose: { type: Boolean },
    invited: { attribute: 'as' },
    words: { state: true },
    link: { state: true },
  };

  declare event: EventSummary | null;
  declare choose: boolean;
  /** What somebody is invited as; where it is empty, what a viewer needs. */
  declare invited: Role | '';
  declare words: string;
  /** Shown for copying by hand where the clipboard is closed to us. */
  declare link: string;

  constructor() {
    super();
    this.event = null;
    this.choose = false;
    this.invited = '';
    this.words = '';
    this.link = '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const idle = IDLE[this.invited] ?? (this.#invites ? 'Copy invitation' : 'Copy link');
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
    return this.invited !== '' || this.event?.admission === 'invitation';
  }

  async #copy(): Promise<void> {
    const { event } = this;
    if (event === null) return;
    try {
      const life = Number(this.querySelector('select')?.value ?? USUAL_LIFE);
      const { link, words } = this.#invites
        ? await this.#invite(event, life)
        : { link: watchLink(event.id), words: COPIED };
      this.link = (await toClipboard(link)) ? '' : link;
      this.#say(this.link === '' ? words : 'Copy it here');
    } catch (thrown) {
      this.#say(VeilcastError.from(thrown, 'unreachable').title);
    }
  }

  /** Each is for one person: the first browser to come by it is the only one. */
  async #invite({ id }: EventSummary, life: number): Promise<{ link: string; words: string }> {
    const role = this.invited === '' ? 'viewer' : this.invited;
    const { code, expires_in } = await confirmed(() => api.invite(id, { role, expires_in: life }));
    this.dispatchEvent(new CustomEvent('vc-invited', { bubbles: true }));
    const link = role === 'broadcaster' ? stageLink(id, code) : watchLink(id, code);
    return { link, words: `Copied, for one person, valid for ${span(expires_in)}` };
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
  ${LIVES.map(({ seconds, words }) => html`<option value=${seconds} ?selected=${seconds === USUAL_LIFE}>${words}</option>`)}
</select>`;

customElements.define('vc-share', Share);
