import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import type { SignInProvider } from '../../protocol/index.js';
import { VeilcastError } from '../../sdk/errors.js';
import { api } from '../api.js';
import { leaveForSignIn, scopeFor } from '../auth.js';
import { text } from '../form.js';
import { Page } from '../page.js';
import { errorNotice } from '../parts.js';
import { knowsPasskeys, usePasskey } from '../passkeys.js';
import '../providers.js';

class SignIn extends Page {
  static override properties = {
    ready: { state: true },
    providers: { state: true },
    passkeys: { state: true },
    wantsCode: { state: true },
    recovering: { state: true },
  };

  /** Whether the server has its operator. */
  declare ready: boolean;
  declare providers: readonly SignInProvider[];
  /** Whether its address can have passkeys. */
  declare passkeys: boolean;
  /** The password was right, and the account has an authenticator app. */
  declare wantsCode: boolean;
  declare recovering: boolean;

  constructor() {
    super();
    this.ready = true;
    this.providers = [];
    this.passkeys = true;
    this.wantsCode = false;
    this.recovering = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Who has an account of this server needs none of it.
    api.instance().then(
      ({ ready, providers, passkeys }) => {
        this.ready = ready;
        this.providers = providers;
        this.passkeys = passkeys;
      },
      () => {},
    );
  }

  protected override render(): TemplateResult {
    return html`<div class="frame narrow">
      ${
        this.providers.length === 0
          ? nothing
          : html`<section class="sheet elsewhere" aria-labelledby="elsewhere">
              <h1 id="elsewhere">Sign in</h1>
              <vc-providers .providers=${this.providers} .returnTo=${onward()}></vc-providers>
            </section>`
      }
      <div class="sheet">
        ${
          this.providers.length === 0
            ? html`<h1>Sign in</h1>
                <p class="lead">For the operator of this server. Viewers need no account.</p>`
            : html`<h2>With an account of this server</h2>`
        }
        ${errorNotice(this.error)} ${this.recovering ? this.#recovery() : this.#usual()}
      </div>
      <p class="aside">
        <button type="button" class="link" @click=${this.#turn}>
          ${this.recovering ? 'Back to signing in' : 'Use a recovery code'}
        </button>
      </p>
      ${
        this.ready
          ? nothing
          : html`<p class="aside">No account yet? Open the setup link that the server printed when it first started.</p>`
      }
    </div>`;
  }

  #usual(): TemplateResult {
    return html`${this.#passkeyButton()}
      <form class="fields" @submit=${this.#submit}>
        <label>Name <input name="name" autocomplete="username" autocapitalize="none" maxlength="64" required /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        ${
          this.wantsCode
            ? html`<label>
                Code
                <input name="code" autocomplete="one-time-code" autocapitalize="none" maxlength="64" required />
                <small>The six digits that your authenticator app shows, or a recovery code.</small>
              </label>`
            : nothing
        }
        <button class="button ${this.#offersPasskey ? 'quiet' : ''}" ?disabled=${this.busy}>
          ${this.busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>`;
  }

  get #offersPasskey(): boolean {
    return this.passkeys && knowsPasskeys();
  }

  #passkeyButton(): TemplateResult {
    if (this.#offersPasskey) {
      return html`<button type="button" class="button" ?disabled=${this.busy} @click=${this.#passkey}>
          ${icons.lock} Sign in with a passkey
        </button>
        <p class="or"><span>or</span></p>`;
    }
    return html`<p class="notice">
      ${icons.info}<strong>No passkeys here</strong>
      <span>They need a server with a name, such as localhost or a domain over HTTPS. Use your name and password.</span>
    </p>`;
  }

  #recovery(): TemplateResult {
    return html`<form class="fields" @submit=${this.#recover}>
      <label>
        Recovery code
        <input name="code" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="64" required />
        <small>Each works once. With a name and password, sign in with those; the code is asked for then.</small>
      </label>
      <button class="button" ?disabled=${this.busy}>Sign in</button>
    </form>`;
  }

  #turn(): void {
    this.recovering = !this.recovering;
    this.error = null;
  }

  #passkey(): Promise<void> {
    return this.#signIn(async () => api.signInWithPasskey(await usePasskey(await api.askPasskey())));
  }

  #recover(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const code = text(submit, 'code');
    return this.#signIn(() => api.signInWithRecoveryCode(code));
  }

  #submit(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const signIn = { name: text(submit, 'name'), password: text(submit, 'password') };
    const code = text(submit, 'code');
    return this.#signIn(async () => {
      try {
        await api.signIn(code === '' ? signIn : { ...signIn, code });
      } catch (thrown) {
        const asks = thrown instanceof VeilcastError && thrown.code === 'code-missing';
        if (!asks || this.wantsCode) throw thrown;
        this.wantsCode = true;
        await this.updateComplete;
        this.querySelector<HTMLInputElement>('[name=code]')?.focus();
        throw thrown;
      }
    });
  }

  async #signIn(work: () => Promise<void>): Promise<void> {
    if (!(await this.attempt(work))) return;
    const address = onward();
    if (address.startsWith('/oauth/')) location.assign(address);
    else await this.attempt(() => leaveForSignIn(scopeFor(address), address));
  }
}

/** Back to the issuer, which now knows who asked; without a question of its own, to the page that led here, or to the studio. */
function onward(): string {
  if (location.search.includes('client_id=')) return `/oauth/authorize${location.search}`;
  const path = new URLSearchParams(location.search).get('for') ?? '';
  // Only a path of this origin: `//host` would be another one.
  return /^\/(?![/\\])/.test(path) ? path : '/studio';
}

customElements.define('vc-sign-in', SignIn);
