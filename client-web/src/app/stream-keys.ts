import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, StreamKey, StreamKeySummary } from '../protocol/index.js';
import { api } from './api.js';
import './copy-field.js';
import { text } from './form.js';
import { Fresh, Panel } from './panel.js';
import { errorNotice, revocable, whipAddress } from './parts.js';
import { confirmed } from './step-up.js';
import { keyName, streamKeyWords } from './words.js';

/** Uses are told to the minute. */
const REFRESH_MS = 30_000;

const DAY = 24 * 3_600;

/** How long a key lets a program broadcast, in seconds. */
const LIVES: readonly { seconds: number; words: string }[] = [
  { seconds: DAY, words: '1 day' },
  { seconds: 7 * DAY, words: '7 days' },
  { seconds: 30 * DAY, words: '30 days' },
  { seconds: 365 * DAY, words: '1 year' },
];

/** Long enough to set a program up once, and not for good. */
const USUAL_LIFE = 30 * DAY;

/** What another program needs to broadcast to an event: the address and a key, which is shown once. */
class StreamKeys extends Panel {
  static override properties = {
    event: { attribute: false },
    made: { state: true },
  };

  declare event: EventSummary | null;
  /** Nobody can show it again when it is gone from here. */
  declare made: StreamKey | null;
  readonly #list = new Fresh<StreamKeySummary>(
    this,
    () => (this.event === null ? null : api.streamKeys(this.event.id)),
    { everyMs: REFRESH_MS },
  );

  constructor() {
    super();
    this.event = null;
    this.made = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.made = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('event') || changed.get('event')?.id === this.event?.id) return;
    this.made = null;
    this.#list.load();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { event } = this;
    if (event === null) return nothing;
    return html`<section class="sheet stream-keys" aria-labelledby="stream-keys">
      <h2 id="stream-keys">${icons.camera} OBS and other programs</h2>
      <p class="lead">
        To broadcast from OBS, choose the service WHIP in its stream settings and fill in this server and, as bearer token, a
        stream key.
      </p>
      <vc-copy-field .label=${'Server'} .value=${whipAddress(event.id)}></vc-copy-field>
      ${this.made === null ? this.#form() : this.#shown(this.made)} ${errorNotice(this.error)}
      ${
        this.#list.items.length === 0
          ? nothing
          : html`<ul class="rows" aria-label="Stream keys">${this.#list.items.map((key) => this.#row(key))}</ul>`
      }
    </section>`;
  }

  #form(): TemplateResult {
    return html`<form class="actions" @submit=${this.#submit}>
      <label class="life">
        Valid for
        <select name="life">
          ${LIVES.map(
            ({ seconds, words }) =>
              html`<option value=${seconds} ?selected=${seconds === USUAL_LIFE}>${words}</option>`,
          )}
        </select>
      </label>
      <label class="life">
        For whom
        <input name="owner" maxlength="64" autocomplete="off" placeholder="Whom to ask about it" />
      </label>
      <button class="button quiet" ?disabled=${this.busy}>${icons.plus} Create a stream key</button>
    </form>`;
  }

  #shown(key: StreamKey): TemplateResult {
    return html`<div class="made" role="status">
      <vc-copy-field .label=${`Stream key ${keyName(key.id)}`} .value=${key.key}></vc-copy-field>
      <p class="hint">
        It is shown only now. Whoever has it can broadcast to this event, so keep it as you would a password. If it gets lost,
        revoke it and create another.
      </p>
      <button type="button" class="button quiet small" @click=${this.#hide}>I have copied it</button>
    </div>`;
  }

  #row(key: StreamKeySummary): TemplateResult {
    const { name, state } = streamKeyWords(key);
    return revocable({ name, state, what: name }, this.busy, () => this.#revoke(key));
  }

  #hide(): void {
    this.made = null;
  }

  #submit(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const life = Number(this.querySelector('select')?.value ?? USUAL_LIFE);
    const owner = text(submit, 'owner').trim();
    const wanted = owner === '' ? { expires_in: life } : { expires_in: life, owner };
    return this.#act(async (id) => {
      this.made = await confirmed(() => api.makeStreamKey(id, wanted));
    });
  }

  #revoke({ id: key }: StreamKeySummary): Promise<void> {
    return this.#act(async (id) => {
      await api.revokeStreamKey(id, key);
      this.#list.drop((other) => other.id === key);
      if (this.made?.id === key) this.made = null;
    });
  }

  async #act(act: (event: string) => Promise<void>): Promise<void> {
    const { event } = this;
    if (event !== null) await this.attempt(() => act(event.id), this.#list);
  }
}

customElements.define('vc-stream-keys', StreamKeys);
