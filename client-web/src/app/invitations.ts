import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, InvitationSummary } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { api } from './api.js';
import { errorNotice, revocable } from './parts.js';
import './share.js';
import { invitationWords } from './words.js';

/** Who came by one shows without a reload. */
const REFRESH_MS = 10_000;

/** The invitations to an event that are still good, each with a way to revoke it. `made` changes with every new one. */
class Invitations extends LitElement {
  static override properties = {
    event: { attribute: false },
    made: { attribute: false },
    list: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare event: EventSummary | null;
  declare made: number;
  declare list: readonly InvitationSummary[];
  declare error: VeilcastError | null;
  declare busy: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.event = null;
    this.made = 0;
    this.list = [];
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => {
      if (this.list.length > 0 && document.visibilityState === 'visible') this.#load();
    }, REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  protected override updated(changed: PropertyValues<this>): void {
    const other = changed.has('event') && changed.get('event')?.id !== this.event?.id;
    if (other || changed.has('made')) this.#load();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { event } = this;
    if (event === null) return nothing;
    return html`<section class="sheet invitations" aria-labelledby="invitations">
      <h2 id="invitations">${icons.lock} Invitations</h2>
      <p class="lead">
        Each lets one person in, in the first browser that opens it. When it ends, or when you revoke it, whoever came by
        it is out at once.
      </p>
      ${errorNotice(this.error)}
      <ul class="rows">${this.list.map((invitation) => this.#row(invitation))}</ul>
      <div class="invite">
        <vc-share .event=${event} choose as="moderator"></vc-share>
        <p class="hint">
          A moderator watches, and may remove people from this event and keep them out. Nothing else.
        </p>
      </div>
    </section>`;
  }

  #row(invitation: InvitationSummary): TemplateResult {
    const { purpose, state } = invitationWords(invitation);
    const words = { name: purpose, state, what: `the invitation: ${purpose}` };
    return revocable(words, this.busy, () => this.#revoke(invitation));
  }

  async #revoke(invitation: InvitationSummary): Promise<void> {
    const { event } = this;
    if (event === null) return;
    this.busy = true;
    this.error = null;
    try {
      await api.revokeInvitation(event.id, invitation.id);
      this.list = this.list.filter(({ id }) => id !== invitation.id);
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
    await this.#load();
  }

  /** What was known stands while there is no newer answer. */
  async #load(): Promise<void> {
    const id = this.event?.id;
    if (id === undefined) return;
    const list = await api.invitations(id).catch(() => null);
    if (list !== null && this.event?.id === id) this.list = list;
  }
}

customElements.define('vc-invitations', Invitations);
