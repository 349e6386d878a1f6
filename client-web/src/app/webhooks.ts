import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { WebhookKind, WebhookSecret, WebhookSummary } from '../protocol/index.js';
import { WEBHOOK_KINDS } from '../sdk/parse-webhooks.js';
import { signals } from './api-signals.js';
import './copy-field.js';
import { text } from './form.js';
import { Fresh, Panel } from './panel.js';
import { errorNotice } from './parts.js';
import { confirmed } from './step-up.js';
import { KIND_WORDS, kindsWords, OUTCOME_WORDS, webhookWords } from './webhook-words.js';

const YEAR = 365 * 24 * 3_600;

/** Servers that are told what happens here: added, tried out, given another secret, removed. */
class Webhooks extends Panel {
  static override properties = {
    made: { state: true },
    adding: { state: true },
    asked: { state: true },
  };

  /** Nobody can show its secret again when it is gone from here. */
  declare made: WebhookSecret | null;
  declare adding: boolean;
  /** The receiver that is about to be removed. */
  declare asked: WebhookSummary | null;
  readonly #list = new Fresh<WebhookSummary>(this, () => signals.webhooks());

  constructor() {
    super();
    this.made = null;
    this.adding = false;
    this.asked = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#list.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.made = null;
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet webhooks" aria-labelledby="webhooks">
      <h2 id="webhooks">${icons.globe} Webhooks</h2>
      <p class="lead">
        Servers of yours that are told what happens here. A message says what and when, to the minute: no title, no name, no
        count.
      </p>
      ${errorNotice(this.error)} ${this.made === null ? nothing : this.#shown(this.made)}
      ${
        this.#list.items.length === 0
          ? nothing
          : html`<ul class="rows" aria-label="Receivers">${this.#list.items.map((webhook) => this.#row(webhook))}</ul>`
      }
      ${this.adding ? this.#form() : this.#opener()} ${this.#dialog()}
    </section>`;
  }

  #opener(): TemplateResult {
    return html`<div class="actions">
      <button type="button" class="button quiet" @click=${this.#open}>${icons.plus} Add a receiver</button>
    </div>`;
  }

  #form(): TemplateResult {
    return html`<form class="adding" @submit=${this.#add}>
      <label>
        Address
        <input name="url" type="url" required maxlength="2048" placeholder="https://" autocomplete="off" spellcheck="false" />
      </label>
      <label>
        Whose it is
        <input name="owner" maxlength="64" autocomplete="off" placeholder="Whom to ask about it" />
      </label>
      <fieldset>
        <legend>It is told when</legend>
        ${WEBHOOK_KINDS.map(
          (kind) =>
            html`<label class="check"><input type="checkbox" name=${kind} checked />${KIND_WORDS[kind]}</label>`,
        )}
      </fieldset>
      <div class="actions">
        <button class="button" ?disabled=${this.busy}>Add it</button>
        <button type="button" class="button quiet" @click=${this.#close}>Cancel</button>
      </div>
    </form>`;
  }

  #shown({ secret }: WebhookSecret): TemplateResult {
    return html`<div class="made" role="status">
      <vc-copy-field .label=${'Secret of the receiver'} .value=${secret}></vc-copy-field>
      <p class="hint">
        It is shown only now. Put it into the receiver’s settings: by it, the receiver tells our messages from anybody else’s. If
        it gets lost, make a new one.
      </p>
      <button type="button" class="button quiet small" @click=${this.#hide}>I have copied it</button>
    </div>`;
  }

  #row(webhook: WebhookSummary): TemplateResult {
    const { origin, outcome, ended } = webhook;
    const { state, more } = webhookWords(webhook);
    const remedy = outcome === null ? '' : OUTCOME_WORDS[outcome].remedy;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${origin}</strong>
        <p class="meta ${outcome === null || outcome === 'delivered' ? '' : 'wrong'}" role="status">${state}</p>
        ${remedy === '' ? nothing : html`<p class="hint">${remedy}</p>`}
        <p class="meta">${more}</p>
        <p class="meta">${kindsWords(webhook.kinds)}</p>
      </div>
      <div class="actions">
        ${
          ended
            ? nothing
            : html`<button type="button" class="button quiet small" aria-label="Send a test message to ${origin}"
                  ?disabled=${this.busy} @click=${() => this.#test(webhook)}>
                  Test
                </button>
                <button type="button" class="button quiet small" aria-label="New secret for ${origin}"
                  ?disabled=${this.busy} @click=${() => this.#rotate(webhook)}>
                  New secret
                </button>`
        }
        <button type="button" class="button danger small" aria-label="Remove ${origin}" ?disabled=${this.busy}
          @click=${() => this.#ask(webhook)}>
          Remove
        </button>
      </div>
    </li>`;
  }

  #dialog(): TemplateResult {
    return html`<dialog aria-labelledby="remove-title">
      <form method="dialog" @submit=${this.#decided}>
        <h2 id="remove-title">Remove ${this.asked?.origin ?? ''}?</h2>
        <p>It is told nothing more, and what waits for it is forgotten. To have it back, add it again, with a new secret.</p>
        <div class="actions">
          <button class="button quiet" value="keep">Keep it</button>
          <button class="button live" value="remove">Remove receiver</button>
        </div>
      </form>
    </dialog>`;
  }

  #open(): void {
    this.adding = true;
    this.updateComplete.then(() => this.querySelector<HTMLInputElement>('input[name=url]')?.focus());
  }

  #close(): void {
    this.adding = false;
    this.error = null;
  }

  #hide(): void {
    this.made = null;
  }

  #add(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const [url, owner] = [text(submit, 'url').trim(), text(submit, 'owner').trim()];
    const kinds: WebhookKind[] = WEBHOOK_KINDS.filter(
      (kind) => this.querySelector<HTMLInputElement>(`input[name="${kind}"]`)?.checked === true,
    );
    return this.attempt(async () => {
      const wanted = { url, kinds, expires_in: YEAR };
      this.made = await confirmed(() => signals.addWebhook(owner === '' ? wanted : { ...wanted, owner }));
      this.adding = false;
    }, this.#list);
  }

  #rotate({ id }: WebhookSummary): Promise<void> {
    return this.attempt(async () => {
      this.made = await confirmed(() => signals.rotateWebhook(id));
    }, this.#list);
  }

  #test({ id }: WebhookSummary): Promise<void> {
    return this.attempt(async () => {
      await confirmed(() => signals.testWebhook(id));
    }, this.#list);
  }

  async #ask(webhook: WebhookSummary): Promise<void> {
    this.asked = webhook;
    await this.updateComplete;
    this.querySelector('dialog')?.showModal();
  }

  async #decided(event: SubmitEvent): Promise<void> {
    const { asked } = this;
    if (
      asked === null ||
      !(event.submitter instanceof HTMLButtonElement) ||
      event.submitter.value !== 'remove'
    )
      return;
    await this.attempt(async () => {
      await confirmed(() => signals.removeWebhook(asked.id));
      if (this.made?.id === asked.id) this.made = null;
    }, this.#list);
  }
}

customElements.define('vc-webhooks', Webhooks);
