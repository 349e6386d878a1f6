import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import { api } from '../api.js';
import { leaveForSignIn } from '../auth.js';
import { text } from '../form.js';
import { takeSetupToken } from '../invitation.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { createPasskey, knowsPasskeys } from '../passkeys.js';
import { MIN_PASSWORD, strength } from '../strength.js';

class Setup extends Page {
  static override properties = {
    ready: { state: true },
    passkeys: { state: true },
    withPassword: { state: true },
    password: { state: true },
    mismatch: { state: true },
  };

  /** There is an operator already: a link still lets one in again who is locked out. */
  declare ready: boolean | null;
  declare passkeys: boolean;
  declare withPassword: boolean;
  declare password: string;
  declare mismatch: boolean;
  #token: string | null = null;

  constructor() {
    super();
    this.ready = null;
    this.passkeys = false;
    this.withPassword = false;
    this.password = '';
    this.mismatch = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#token = takeSetupToken();
    this.attempt(async () => {
      const { ready, passkeys } = await api.instance();
      this.ready = ready;
      this.passkeys = passkeys && knowsPasskeys();
    });
  }

  protected override render(): TemplateResult {
    return html`<div class="frame narrow">${this.#content()}</div>`;
  }

  #content(): TemplateResult {
    if (this.ready === true && this.#token === null) {
      return html`<div class="sheet">
        <h1>All set up</h1>
        <p class="lead">This server already has its operator.</p>
        <a class="button" href="/studio">Go to the studio</a>
      </div>`;
    }
    if (this.#token === null) return this.#withoutLink();
    if (this.ready === null && this.error === null) return loading('One moment…');
    return this.passkeys && !this.withPassword ? this.#passkeyForm() : this.#form();
  }

  /** Also of somebody who is let in again. */
  #welcome(): TemplateResult {
    return this.ready === true
      ? html`<h1>Welcome back</h1>
          <p class="lead">Make a new way to sign in. Every older one of this account is gone then.</p>`
      : html`<h1>Welcome</h1>
          <p class="lead">Make the operator’s account. It creates events and goes live.</p>`;
  }

  #passkeyForm(): TemplateResult {
    return html`<form class="sheet" @submit=${this.#create}>
        ${this.#welcome()} ${errorNotice(this.error)}
        <p>
          A passkey is kept by your device or password manager, and unlocked with your fingerprint, face or PIN. There is nothing to
          remember, and nothing that could be phished.
        </p>
        <label>
          What to call it
          <input name="label" maxlength="64" required value="My passkey" aria-describedby="l" />
          <small id="l">Only you see it, wherever your sign-ins are listed.</small>
        </label>
        <button class="button" ?disabled=${this.busy}>${icons.lock} Create a passkey</button>
      </form>
      <p class="aside">
        <button type="button" class="link" @click=${this.#choosePassword}>Use a name and a password instead</button>
      </p>`;
  }

  #choosePassword(): void {
    this.withPassword = true;
    this.error = null;
  }

  async #create(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const label = text(submit, 'label');
    const token = this.#token ?? '';
    const made = await this.attempt(async () => {
      await api.setUpWithPasskey(await createPasskey(await api.askFirstPasskey(token), label));
    });
    if (made) await this.attempt(() => leaveForSignIn('admin', '/studio'));
  }

  #withoutLink(): TemplateResult {
    return html`<div class="sheet">
      <h1>Open the setup link</h1>
      <p class="lead">The server printed a link when it first started. It works once, for 30 minutes.</p>
      <p class="notice">
        ${icons.info}<strong>Too late, or lost?</strong><span>Run <code>veilcast setup</code> on the server.</span>
      </p>
    </div>`;
  }

  #form(): TemplateResult {
    const hint = strength(this.password);
    return html`<form class="sheet" @submit=${this.#submit}>
      ${this.#welcome()} ${errorNotice(this.error)} ${this.passkeys ? nothing : WITHOUT_PASSKEYS}
      <label>
        Name
        <input name="name" autocomplete="username" autocapitalize="none" maxlength="64" required aria-describedby="n" />
        <small id="n">Only for signing in. Nobody sees it, and it need not be your real name.</small>
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autocomplete="new-password"
          minlength=${MIN_PASSWORD}
          required
          aria-describedby="p"
          @input=${this.#typed}
        />
        <small id="p" class="strength ${hint.level}"><i></i><i></i><i></i><span>${hint.words}</span></small>
      </label>
      <label>
        Password again
        <input
          name="again"
          type="password"
          autocomplete="new-password"
          required
          aria-describedby="a"
          aria-invalid=${this.mismatch ? 'true' : 'false'}
        />
        <small id="a" class="wrong" role="alert">${this.mismatch ? 'The two passwords differ.' : ''}</small>
      </label>
      <p class="notice">
        ${icons.info}<strong>A password is half of it</strong>
        <span>
          Making stream keys, for one, also asks for a passkey or an authenticator app. Add one on your account page within
          five minutes; later it takes another link from the server.
        </span>
      </p>
      <button class="button" ?disabled=${this.busy}>${this.busy ? 'Making the account…' : 'Make the account'}</button>
    </form>`;
  }

  #typed(event: InputEvent): void {
    if (event.target instanceof HTMLInputElement) this.password = event.target.value;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const [name, password] = [text(event, 'name'), text(event, 'password')];
    this.mismatch = password !== text(event, 'again');
    if (this.mismatch) {
      this.querySelector<HTMLInputElement>('[name=again]')?.focus();
      return;
    }
    const token = this.#token ?? '';
    if (await this.attempt(() => api.setup({ token, name, password }))) {
      await this.attempt(() => leaveForSignIn('admin', '/studio'));
    }
  }
}

const WITHOUT_PASSKEYS: TemplateResult = html`<p class="notice">
  ${icons.info}<strong>No passkeys here</strong>
  <span>They need a server with a name, such as localhost or a domain over HTTPS. A password does meanwhile.</span>
</p>`;

customElements.define('vc-setup', Setup);
