import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { Account, Factor, TotpSecret } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { account } from './api.js';
import { forgetTokens } from './auth.js';
import './copy-field.js';
import { text } from './form.js';
import { errorNotice } from './parts.js';
import { createPasskey, knowsPasskeys } from './passkeys.js';
import { confirmed } from './step-up.js';
import { MIN_PASSWORD } from './strength.js';
import { factorWords } from './words.js';

/** What is being added, or which factor is being renamed. */
type Doing =
  | { what: 'passkey' | 'password' }
  | { what: 'app'; offer: TotpSecret }
  | { what: 'rename'; id: string };

/** What an account is recognised by. Fires `vc-changed` when that has changed. */
class AccountFactors extends LitElement {
  static override properties = {
    account: { attribute: false },
    doing: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare account: Account | null;
  declare doing: Doing | null;
  declare error: VeilcastError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.account = null;
    this.doing = null;
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { account } = this;
    if (account === null) return nothing;
    return html`<section class="sheet" aria-labelledby="factors">
      <h2 id="factors">${icons.lock} Ways to sign in</h2>
      ${account.factors.some(({ kind }) => kind !== 'password') ? nothing : ONLY_PASSWORD}
      <ul class="rows">${account.factors.map((factor) => this.#row(factor))}</ul>
      ${this.doing === null || this.doing.what === 'rename' ? this.#choices(account) : this.#form(this.doing)}
      ${errorNotice(this.error)}
    </section>`;
  }

  #row(factor: Factor): TemplateResult {
    if (this.doing?.what === 'rename' && this.doing.id === factor.id) return this.#rename(factor);
    return html`<li class="row">
      <div class="what">
        <strong class="name">${factor.label}</strong>
        <p class="meta">${factorWords(factor)}</p>
      </div>
      <div class="actions">
        ${
          factor.kind === 'password'
            ? nothing
            : html`<button
                type="button"
                class="button quiet small"
                aria-label="Rename ${factor.label}"
                @click=${() => this.#begin({ what: 'rename', id: factor.id })}
              >
                Rename
              </button>`
        }
        ${
          this.#isLast(factor)
            ? nothing
            : html`<button
                type="button"
                class="button danger small"
                aria-label="Remove ${factor.label}"
                ?disabled=${this.busy}
                @click=${() => this.#change(() => account.remove(factor.id))}
              >
                Remove
              </button>`
        }
      </div>
    </li>`;
  }

  /** The server keeps the last way in, too; a button that is always refused would only promise otherwise. */
  #isLast(factor: Factor): boolean {
    const opens = ({ kind }: Factor): boolean => kind !== 'totp';
    return opens(factor) && (this.account?.factors.filter(opens).length ?? 0) < 2;
  }

  #rename({ id, label }: Factor): TemplateResult {
    return html`<li class="row">
      <form class="rename" @submit=${(submit: SubmitEvent) => this.#renamed(submit, id)}>
        <label>Name of this way <input name="label" maxlength="64" required .value=${label} /></label>
        <div class="actions">
          <button class="button small" ?disabled=${this.busy}>Save</button>
          ${this.#cancel()}
        </div>
      </form>
    </li>`;
  }

  #choices({ factors }: Account): TemplateResult {
    const has = (wanted: string): boolean => factors.some(({ kind }) => kind === wanted);
    return html`<div class="actions">
      ${
        knowsPasskeys()
          ? html`<button type="button" class="button" @click=${() => this.#begin({ what: 'passkey' })}>
              ${icons.plus} Add a passkey
            </button>`
          : nothing
      }
      ${
        has('password')
          ? html`<button type="button" class="button quiet" ?disabled=${this.busy} @click=${this.#offer}>
              ${has('totp') ? 'Replace the authenticator app' : 'Add an authenticator app'}
            </button>`
          : nothing
      }
      <button type="button" class="button quiet" @click=${() => this.#begin({ what: 'password' })}>
        ${has('password') ? 'Change the password' : 'Add a password'}
      </button>
    </div>`;
  }

  #form(doing: Exclude<Doing, { what: 'rename' }>): TemplateResult {
    if (doing.what === 'passkey') return this.#passkeyForm();
    return doing.what === 'app' ? this.#appForm(doing.offer) : this.#passwordForm();
  }

  #passkeyForm(): TemplateResult {
    return html`<form class="fields" @submit=${this.#passkey}>
      <label>
        What to call it
        <input name="label" maxlength="64" required placeholder="Phone" />
        <small>Your device or password manager asks next, with your fingerprint, face or PIN.</small>
      </label>
      <div class="actions"><button class="button" ?disabled=${this.busy}>Create the passkey</button>${this.#cancel()}</div>
    </form>`;
  }

  #appForm(offer: TotpSecret): TemplateResult {
    return html`<form class="fields" @submit=${(submit: SubmitEvent) => this.#app(submit, offer)}>
      <p>
        Add this secret to an authenticator app, or <a href=${offer.link}>open it in an app on this device</a>. Then type the six digits
        that it shows. You have two minutes.
      </p>
      <vc-copy-field .label=${'Secret'} .value=${offer.secret}></vc-copy-field>
      <label>
        Code
        <input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8" required />
      </label>
      <label>What to call the app <input name="label" maxlength="64" required value="Authenticator app" /></label>
      <div class="actions"><button class="button" ?disabled=${this.busy}>Add the app</button>${this.#cancel()}</div>
    </form>`;
  }

  #passwordForm(): TemplateResult {
    const named = this.account?.name !== null;
    return html`<form class="fields" @submit=${this.#password}>
      ${
        named
          ? nothing
          : html`<label>
              Name
              <input name="name" autocomplete="username" autocapitalize="none" maxlength="64" required />
              <small>Only for signing in with the password. Nobody sees it.</small>
            </label>`
      }
      <label>
        New password
        <input name="password" type="password" autocomplete="new-password" minlength=${MIN_PASSWORD} required />
        <small>At least ${MIN_PASSWORD} characters. A few unrelated words make a good one.</small>
      </label>
      <div class="actions"><button class="button" ?disabled=${this.busy}>Save the password</button>${this.#cancel()}</div>
    </form>`;
  }

  #cancel(): TemplateResult {
    return html`<button type="button" class="button quiet small" @click=${() => this.#begin(null)}>Cancel</button>`;
  }

  async #begin(doing: Doing | null): Promise<void> {
    this.doing = doing;
    this.error = null;
    await this.updateComplete;
    this.querySelector<HTMLInputElement>('form input:not([readonly])')?.focus();
  }

  #offer(): Promise<void> {
    return this.#attempt(async () =>
      this.#begin({ what: 'app', offer: await confirmed(() => account.offerTotp()) }),
    );
  }

  #passkey(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const label = text(submit, 'label');
    return this.#change(async () =>
      account.addPasskey(await createPasskey(await account.askNewPasskey(), label)),
    );
  }

  #app(submit: SubmitEvent, { ceremony }: TotpSecret): Promise<void> {
    submit.preventDefault();
    const [code, label] = [text(submit, 'code'), text(submit, 'label')];
    return this.#change(() => account.addTotp({ ceremony, code, label }));
  }

  #password(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const [name, password] = [text(submit, 'name'), text(submit, 'password')];
    return this.#change(() => account.setPassword(name === '' ? { password } : { name, password }));
  }

  #renamed(submit: SubmitEvent, id: string): Promise<void> {
    submit.preventDefault();
    const label = text(submit, 'label');
    return this.#change(() => account.rename(id, label));
  }

  #change(work: () => Promise<void>): Promise<void> {
    return this.#attempt(async () => {
      await confirmed(work);
      // Adding a way may have been proof enough for what comes next.
      await forgetTokens();
      this.doing = null;
      this.dispatchEvent(new CustomEvent('vc-changed'));
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
  }
}

const ONLY_PASSWORD: TemplateResult = html`<p class="notice">
  ${icons.info}<strong>Add a passkey or an authenticator app.</strong>
  <span>What matters, such as stream keys, asks for more than a password. Without a second way, a lost one locks you out.</span>
</p>`;

customElements.define('vc-account-factors', AccountFactors);
