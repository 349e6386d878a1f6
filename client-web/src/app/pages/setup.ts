import { html, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import { api } from '../api.js';
import { text } from '../form.js';
import { takeSetupToken } from '../invitation.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { navigate } from '../router.js';
import { MIN_PASSWORD, strength } from '../strength.js';

class Setup extends Page {
  static override properties = {
    ready: { state: true },
    password: { state: true },
    mismatch: { state: true },
  };

  declare ready: boolean | null;
  declare password: string;
  declare mismatch: boolean;
  #token: string | null = null;

  constructor() {
    super();
    this.ready = null;
    this.password = '';
    this.mismatch = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#token = takeSetupToken();
    this.attempt(async () => {
      this.ready = (await api.instance()).ready;
    });
  }

  protected override render(): TemplateResult {
    return html`<div class="frame narrow">${this.#content()}</div>`;
  }

  #content(): TemplateResult {
    if (this.ready === true) {
      return html`<div class="sheet">
        <h1>All set up</h1>
        <p class="lead">This server already has its operator.</p>
        <a class="button" href="/studio">Go to the studio</a>
      </div>`;
    }
    if (this.#token === null) return this.#withoutLink();
    if (this.ready === null && this.error === null) return loading('One moment…');
    return this.#form();
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
      <h1>Welcome</h1>
      <p class="lead">Make the operator’s account. It creates events and goes live.</p>
      ${errorNotice(this.error)}
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
    if (await this.attempt(() => api.setup({ token, name, password }))) navigate('/studio', true);
  }
}

customElements.define('vc-setup', Setup);
