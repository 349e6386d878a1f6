import { html, nothing, type TemplateResult } from 'lit';
import '../../elements/player.js';
import { icons } from '../../elements/icons.js';
import type { PlayerModel } from '../../elements/player-view.js';
import type { EventSummary } from '../../protocol/index.js';
import type { Access } from '../../sdk/access.js';
import { api } from '../api.js';
import { takeInvitation } from '../invitation.js';
import { Page } from '../page.js';
import { stateBadge } from '../parts.js';

class Watch extends Page {
  static override properties = { summary: { state: true }, model: { state: true } };

  declare summary: EventSummary | null;
  declare model: PlayerModel | null;
  /** Of whoever was invited. */
  #access: Access | null = null;

  constructor() {
    super();
    this.summary = null;
    this.model = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#access = takeInvitation(this.#id);
    // The socket's welcome names the event too, but an ended event welcomes nobody.
    api.event(this.#id, this.#access).then(
      (event) => this.#named(event),
      () => {},
    );
  }

  get #id(): string {
    return this.params.id ?? '';
  }

  protected override render(): TemplateResult {
    return html`<div class="frame watch">
      <veilcast-player
        event=${this.#id}
        .access=${this.#access}
        @veilcast-event=${(event: CustomEvent<EventSummary>) => this.#named(event.detail)}
        @veilcast-model=${(event: CustomEvent<PlayerModel>) => {
          this.model = event.detail;
        }}
      ></veilcast-player>
      <div class="caption">
        <h1>${this.summary?.title ?? this.#untitled()}</h1>
        ${this.model?.session === 'ended' ? stateBadge('ended') : nothing}
      </div>
      ${this.#over ? this.#onward() : this.#assurance()}
    </div>`;
  }

  /** Nothing more comes: the event has ended, or it lets nobody in here. */
  get #over(): boolean {
    return this.model?.session === 'ended' || this.model?.session === 'failed';
  }

  /** The heading while the server does not tell the event's title. */
  #untitled(): string {
    const code = this.model?.session === 'failed' ? this.model.error?.code : undefined;
    if (code === 'event-private') return 'Private event';
    if (code === 'event-unknown') return 'Not found';
    return 'Live event';
  }

  #assurance(): TemplateResult {
    return html`<p class="assurance">
      ${icons.lock}
      <span>
        The server sees your address, because it delivers the video to you. It is not stored, and nobody else gets to see
        it. <a href="/privacy">What this server knows</a>
      </span>
    </p>`;
  }

  #onward(): TemplateResult {
    return html`<p class="onward"><a href="/">See other events</a> <a href="/privacy">What this server knows</a></p>`;
  }

  #named(event: EventSummary): void {
    this.summary = event;
    document.title = `${event.title} · Veilcast`;
  }
}

customElements.define('vc-watch', Watch);
