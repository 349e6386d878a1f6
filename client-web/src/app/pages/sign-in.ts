import { html, nothing, type TemplateResult } from 'lit';
import { api } from '../api.js';
import { text } from '../form.js';
import { Page } from '../page.js';
import { errorNotice } from '../parts.js';
import { navigate } from '../router.js';

class SignIn extends Page {
  static override properties = { ready: { state: true } };

  /** Whether the server has its operator. */
  declare ready: boolean;

  constructor() {
    super();
    this.ready = true;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // The hint below is all that depends on it.
    api.instance().then(
      ({ ready }) => {
        this.ready = ready;
      },
      () => {},
    );
  }

  protected override render(): TemplateResult {
    return html`<div class="frame narrow">
      <form class="sheet" @submit=${this.#submit}>
        <h1>Sign in</h1>
        <p class="lead">For the operator of this server. Viewers need no account.</p>
        ${errorNotice(this.error)}
        <label>Name <input name="name" autocomplete="username" autocapitalize="none" maxlength="64" required /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button class="button" ?disabled=${this.busy}>${this.busy ? 'Signing in…' : 'Sign in'}</button>
      </form>
      ${
        this.ready
          ? nothing
          : html`<p class="aside">No account yet? Open the setup link that the server printed when it first started.</p>`
      }
    </div>`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const signIn = { name: text(event, 'name'), password: text(event, 'password') };
    if (!(await this.attempt(() => api.signIn(signIn)))) return;
    // Back to the issuer, which now knows who asked; without a question of its own, on to the studio.
    if (location.search.includes('client_id=')) location.assign(`/oauth/authorize${location.search}`);
    else navigate('/studio', true);
  }
}

customElements.define('vc-sign-in', SignIn);
