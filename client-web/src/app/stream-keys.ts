import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, StreamKey, StreamKeySummary } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { api } from './api.js';
import './copy-field.js';
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
class StreamKeys extends LitElement {
  static override properties = {
    event: { attribute: false },
    list: { state: true },
    made: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare event: EventSummary | null;
  declare list: readonly StreamKeySummary[];
  /** Nobody can show it again when it is gone from here. */
  declare made: StreamKey | null;
  declare error: VeilcastError | null;
  declare busy: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.event = null;
    this.list = [];
    this.made = null;
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
    this.made = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('event') || changed.get('event')?.id === this.event?.id) return;
    this.made = null;
    this.#load();
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
        this.list.length === 0
          ? nothing
          : html`<ul class="rows" aria-label="Stream keys">${this.list.map((key) => this.#row(key))}</ul>`
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
    return this.#attempt(async (id) => {
      this.made = await confirmed(() => api.makeStreamKey(id, { expires_in: life }));
    });
  }

  #revoke({ id: key }: StreamKeySummary): Promise<void> {
    return this.#attempt(async (id) => {
      await api.revokeStreamKey(id, key);
      this.list = this.list.filter((other) => other.id !== key);
      if (this.made?.id === key) this.made = null;
    });
  }

  async #attempt(act: (event: string) => Promise<void>): Promise<void> {
    const { event } = this;
    if (event === null) return;
    this.busy = true;
    this.error = null;
    try {
      await act(event.id);
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
    const list = await api.streamKeys(id).catch(() => null);
    if (list !== null && this.event?.id === id) this.list = list;
  }
}

customElements.define('vc-stream-keys', StreamKeys);
