import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import type {
  ClientScope,
  ClientSummary,
  HeldStreamKey,
  HeldWebhook,
  ThirdParties,
} from '../../protocol/index.js';
import { VeilcastError } from '../../sdk/errors.js';
import { api, thirdParties } from '../api.js';
import { type ClientKeyPair, makeClientKey, readPublicKey } from '../client-key.js';
import { toClipboard } from '../clipboard.js';
import '../copy-field.js';
import { checked, text } from '../form.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { confirmed } from '../step-up.js';
import { kindsWords, OUTCOME_WORDS } from '../webhook-words.js';
import { keyName, moment } from '../words.js';

const DAY = 24 * 3_600;

const LIVES: readonly { seconds: number; words: string }[] = [
  { seconds: 30 * DAY, words: '30 days' },
  { seconds: 90 * DAY, words: '90 days' },
  { seconds: 180 * DAY, words: '180 days' },
  { seconds: 365 * DAY, words: '1 year' },
];

const USUAL_LIFE = 90 * DAY;

const SCOPES: Record<ClientScope, { name: string; words: string; hint: string }> = {
  'events:read': { name: 'read', words: 'See its events', hint: 'Its own, and how many grants they have.' },
  'events:manage': { name: 'manage', words: 'Manage its events', hint: 'Create, change and end them.' },
  'grants:issue': { name: 'issue', words: 'Let people in', hint: 'Its own people, to its own events.' },
};

/** A program that was just registered, or given another key. */
interface Made {
  id: string;
  pem: string | null;
}

/** Everything that others can use this server by, or are told by it: programs of integrators, stream keys, receivers of webhooks. */
class Programs extends Page {
  static override properties = {
    all: { state: true },
    made: { state: true },
    creating: { state: true },
    asked: { state: true },
  };

  declare all: ThirdParties | null;
  declare made: Made | null;
  declare creating: boolean;
  /** The program that is about to be revoked. */
  declare asked: ClientSummary | null;

  constructor() {
    super();
    this.all = null;
    this.made = null;
    this.creating = false;
    this.asked = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.attempt(() => this.#load());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.made = null;
  }

  protected override render(): TemplateResult {
    return html`<div class="frame review">
      <div class="title-row">
        <h1>Programs and keys</h1>
        <div class="actions">
          <a class="button quiet" href="/operator">Operator</a>
          ${
            this.creating
              ? nothing
              : html`<button class="button" @click=${this.#open}>${icons.plus} Register a program</button>`
          }
        </div>
      </div>
      <p class="lead">
        Everything that others can use this server by, without anybody signing in, and everybody who is told what happens here. Each
        ends after a year at most, and after 90 days in which nobody uses it.
      </p>
      ${errorNotice(this.error)} ${this.#shown()} ${this.creating ? this.#form() : nothing}
      ${this.all === null ? (this.error === null ? loading('Looking around…') : nothing) : this.#lists(this.all)}
      ${this.#dialog()}
    </div>`;
  }

  #lists({ clients, stream_keys: keys, webhooks }: ThirdParties): TemplateResult {
    return html`<section aria-labelledby="programs">
        <h2 id="programs">Programs of others</h2>
        ${
          clients.length === 0
            ? html`<div class="empty">
                <p><strong>No programs are registered.</strong></p>
                <p>A learning platform, say, that creates events and lets its own people in.</p>
              </div>`
            : html`<ul class="rows">${clients.map((client) => this.#client(client))}</ul>`
        }
      </section>
      <section aria-labelledby="keys">
        <h2 id="keys">Stream keys</h2>
        ${
          keys.length === 0
            ? html`<p class="hint">There are none. An event’s page in the studio makes them.</p>`
            : html`<ul class="rows">${keys.map((key) => this.#streamKey(key))}</ul>`
        }
      </section>
      <section aria-labelledby="receivers">
        <h2 id="receivers">Receivers of webhooks</h2>
        ${
          webhooks.length === 0
            ? html`<p class="hint">There are none. The operator’s page adds them.</p>`
            : html`<ul class="rows">${webhooks.map((webhook) => this.#webhook(webhook))}</ul>`
        }
      </section>`;
  }

  #client(client: ClientSummary): TemplateResult {
    const { label, owner, scopes, keys } = client;
    const used = client.last_used === null ? 'Not used yet' : `Last used ${moment(client.last_used)}`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${label}</strong>
        <p class="meta">${owner} · ${scopes.map((scope) => SCOPES[scope].words).join(', ')}</p>
        <p class="meta">${used} · ${endWords(client)}</p>
        <p class="meta">Events created: ${client.events} · Grants issued: ${client.grants}</p>
        <p class="meta">
          <span>Program <code>${client.id}</code></span>
          ${keys.map(({ thumbprint, ends }) => html`<span>Key <code>${thumbprint.slice(0, 8)}…</code>${ends === null ? nothing : ` until ${moment(ends)}`}</span>`)}
        </p>
        ${endsSoon(client, 'Register it anew, if it is still needed.')}
      </div>
      <div class="actions">
        <button
          type="button"
          class="button quiet small"
          aria-label="New key for ${label}"
          ?disabled=${this.busy}
          @click=${() => this.#rotate(client)}
        >
          New key
        </button>
        <button
          type="button"
          class="button danger small"
          aria-label="Revoke ${label}"
          ?disabled=${this.busy}
          @click=${() => this.#ask(client)}
        >
          Revoke
        </button>
      </div>
    </li>`;
  }

  #streamKey(key: HeldStreamKey): TemplateResult {
    const name = `Stream key ${keyName(key.id)}`;
    const used = key.last_used === null ? 'Not used yet' : `Last used ${moment(key.last_used)}`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${name}</strong>
        <p class="meta">${ownerWords(key.owner)} · Broadcasts to “${key.title}”, and gets nothing from here</p>
        <p class="meta">${used} · ${endWords(key)}</p>
        ${endsSoon(key, 'Make another one, if it is still needed.')}
      </div>
      <div class="actions">
        <button type="button" class="button danger small" aria-label="Revoke ${name}" ?disabled=${this.busy}
          @click=${() => this.#act(() => api.revokeStreamKey(key.event, key.id))}>
          Revoke
        </button>
      </div>
    </li>`;
  }

  /** It is looked after where it was added. */
  #webhook(webhook: HeldWebhook): TemplateResult {
    const { origin, taken, dropped, outcome } = webhook;
    const last =
      webhook.last_used === null ? 'Took nothing yet' : `Took the last one ${moment(webhook.last_used)}`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${origin}</strong>
        <p class="meta">${ownerWords(webhook.owner)} · ${kindsWords(webhook.kinds)}</p>
        <p class="meta">${last} · ${webhook.ended ? 'has ended' : endWords(webhook)}</p>
        <p class="meta">
          Messages taken: ${taken}${dropped === 0 ? nothing : html` · Not taken: ${dropped}`}
          ${outcome === null || outcome === 'delivered' ? nothing : html` · ${OUTCOME_WORDS[outcome].state}`}
        </p>
        ${endsSoon(webhook, 'Add it anew, if it is still needed.')}
      </div>
      <div class="actions">
        <a class="button quiet small" href="/operator" aria-label="Look after ${origin}">Look after it</a>
      </div>
    </li>`;
  }

  #form(): TemplateResult {
    return html`<form class="sheet event-form" @submit=${this.#submit}>
      <h2>Register a program</h2>
      <label>Name <input name="label" maxlength="64" required placeholder="What you call it" /></label>
      <label>Owner <input name="owner" maxlength="64" required placeholder="Whom to ask about it" /></label>
      <fieldset>
        <legend>What it may do</legend>
        ${Object.values(SCOPES).map(
          ({ name, words, hint }) =>
            html`<label class="check">
              <input type="checkbox" name=${name} checked />
              <span>${words}<small>${hint}</small></span>
            </label>`,
        )}
      </fieldset>
      <label>
        For how long
        <select name="life">
          ${LIVES.map(
            ({ seconds, words }) =>
              html`<option value=${seconds} ?selected=${seconds === USUAL_LIFE}>${words}</option>`,
          )}
        </select>
      </label>
      <label>
        Its public key
        <textarea name="key" rows="4" spellcheck="false" autocomplete="off" aria-describedby="key-hint"></textarea>
        <small id="key-hint" class="hint">
          As JWK, P-256 or Ed25519. Leave it empty, and a pair is made here: the private half is shown once and does not leave
          this browser.
        </small>
      </label>
      <div class="actions">
        <button class="button" ?disabled=${this.busy}>Register</button>
        <button
          type="button"
          class="button quiet"
          @click=${() => {
            this.creating = false;
          }}
        >
          Cancel
        </button>
      </div>
    </form>`;
  }

  #shown(): TemplateResult | typeof nothing {
    const { made } = this;
    if (made === null) return nothing;
    return html`<div class="sheet made" role="status">
      <vc-copy-field .label=${'The program’s id'} .value=${made.id}></vc-copy-field>
      ${made.pem === null ? nothing : this.#private(made.pem)}
      <button
        type="button"
        class="button quiet small"
        @click=${() => {
          this.made = null;
        }}
      >
        Done
      </button>
    </div>`;
  }

  #private(pem: string): TemplateResult {
    return html`<label>
        Its private key
        <textarea class="pem" rows="5" readonly .value=${pem}></textarea>
      </label>
      <p class="hint">
        It is shown only now, and this server does not have it. Hand it to whoever runs the program, in confidence.
      </p>
      <button type="button" class="button quiet small" @click=${() => toClipboard(pem)}>
        ${icons.copy} Copy the private key
      </button>`;
  }

  #dialog(): TemplateResult {
    return html`<dialog aria-labelledby="revoke-title">
      <form method="dialog" @submit=${this.#decided}>
        <h2 id="revoke-title">Revoke “${this.asked?.label ?? ''}”?</h2>
        <p>It can do nothing here any more, from this moment on. What it has created stays.</p>
        <label class="check">
          <input type="checkbox" name="grants" />
          <span>
            Put its people out, too
            <small>Whoever watches or broadcasts by one of its grants is out at once. Else they stay until these end.</small>
          </span>
        </label>
        <div class="actions">
          <button class="button quiet" value="keep">Keep it</button>
          <button class="button live" value="revoke">Revoke</button>
        </div>
      </form>
    </dialog>`;
  }

  async #open(): Promise<void> {
    this.creating = true;
    await this.updateComplete;
    this.querySelector<HTMLInputElement>('[name=label]')?.focus();
  }

  async #submit(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    await this.attempt(async () => {
      const { keys, pem } = await chosenKey(text(submit, 'key').trim());
      const scopes = SCOPE_NAMES.filter((scope) => checked(submit, SCOPES[scope].name));
      const [label, owner] = [text(submit, 'label').trim(), text(submit, 'owner').trim()];
      const client = { label, owner, scopes, keys, expires_in: Number(text(submit, 'life')) };
      const id = await confirmed(() => thirdParties.register(client));
      this.made = { id, pem };
      this.creating = false;
      await this.#load();
    });
  }

  /** The older keys go on for a day, so that nothing stands still meanwhile. */
  async #rotate({ id }: ClientSummary): Promise<void> {
    await this.attempt(async () => {
      const { pem, jwk } = await makeClientKey();
      await confirmed(() => thirdParties.rotate(id, { key: jwk, overlap: DAY }));
      this.made = { id, pem };
      await this.#load();
    });
  }

  async #ask(client: ClientSummary): Promise<void> {
    this.asked = client;
    await this.updateComplete;
    this.querySelector('dialog')?.showModal();
  }

  async #decided(submit: SubmitEvent): Promise<void> {
    const { asked } = this;
    const chosen = submit.submitter instanceof HTMLButtonElement ? submit.submitter.value : 'keep';
    if (asked === null || chosen !== 'revoke') return;
    const grants = checked(submit, 'grants');
    await this.#act(() => confirmed(() => thirdParties.revoke(asked.id, grants)));
  }

  async #act(work: () => Promise<void>): Promise<void> {
    await this.attempt(async () => {
      await work();
      await this.#load();
    });
  }

  async #load(): Promise<void> {
    this.all = await thirdParties.list();
  }
}

/** What ends, if nobody uses it before. */
interface Ends {
  ends: number;
  idle: boolean;
  soon: boolean;
}

function endWords({ ends, idle }: Ends): string {
  return `${idle ? 'unless it is used, ends' : 'ends'} ${moment(ends)}`;
}

function endsSoon({ idle, soon }: Ends, remedy: string): TemplateResult | typeof nothing {
  if (!soon) return nothing;
  return html`<p class="notice danger">
    ${icons.alert}<strong>It ends soon.</strong><span>${idle ? 'Nobody has used it for long.' : remedy}</span>
  </p>`;
}

function ownerWords(owner: string | undefined): string {
  return owner ?? 'Nobody to ask about it is named';
}

const SCOPE_NAMES: readonly ClientScope[] = ['events:read', 'events:manage', 'grants:issue'];

/** What was pasted, or a fresh pair. */
async function chosenKey(pasted: string): Promise<{ keys: unknown; pem: string | null }> {
  if (pasted === '') {
    const { jwk, pem }: ClientKeyPair = await makeClientKey();
    return { keys: jwk, pem };
  }
  const keys = readPublicKey(pasted);
  if (keys === null) throw VeilcastError.local('key-invalid');
  return { keys, pem: null };
}

customElements.define('vc-programs', Programs);
