import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, InvitationSummary } from '../protocol/index.js';
import { api } from './api.js';
import { Fresh, Panel } from './panel.js';
import { errorNotice, revocable } from './parts.js';
import './share.js';
import { invitationWords } from './words.js';

/** Who came by one shows without a reload. */
const REFRESH_MS = 10_000;

/** The invitations to an event that are still good, each with a way to revoke it. `made` changes with every new one. */
class Invitations extends Panel {
  static override properties = {
    event: { attribute: false },
    made: { attribute: false },
  };

  declare event: EventSummary | null;
  declare made: number;
  readonly #list = new Fresh<InvitationSummary>(
    this,
    () => (this.event === null ? null : api.invitations(this.event.id)),
    { everyMs: REFRESH_MS },
  );

  constructor() {
    super();
    this.event = null;
    this.made = 0;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const other = changed.has('event') && changed.get('event')?.id !== this.event?.id;
    if (other || changed.has('made')) this.#list.load();
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
      <ul class="rows">${this.#list.items.map((invitation) => this.#row(invitation))}</ul>
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
    await this.attempt(async () => {
      await api.revokeInvitation(event.id, invitation.id);
      this.#list.drop(({ id }) => id === invitation.id);
    }, this.#list);
  }
}

customElements.define('vc-invitations', Invitations);
