import { html, nothing, type TemplateResult } from 'lit';
import type { SignInProvider } from '../../protocol/index.js';
import { api } from '../api.js';
import { text } from '../form.js';
import { Page } from '../page.js';
import { errorNotice } from '../parts.js';
import '../providers.js';
import { navigate } from '../router.js';

class SignIn extends Page {
  static override properties = { ready: { state: true }, providers: { state: true } };

  /** Whether the server has its operator. */
  declare ready: boolean;
  declare providers: readonly SignInProvider[];

  constructor() {
    super();
    this.ready = true;
    this.providers = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Who has an account of this server needs none of it.
    api.instance().then(
      ({ ready, providers }) => {
        this.ready = ready;
        this.providers = providers;
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
      <form class="sheet" @submit=${this.#submit}>
        ${
          this.providers.length === 0
            ? html`<h1>Sign in</h1>
                <p class="lead">For the operator of this server. Viewers need no account.</p>`
            : html`<h2>With an account of this server</h2>`
        }
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
    const address = onward();
    if (address.startsWith('/oauth/')) location.assign(address);
    else navigate(address, true);
  }
}

/** Back to the issuer, which now knows who asked; without a question of its own, on to the studio. */
function onward(): string {
  return location.search.includes('client_id=') ? `/oauth/authorize${location.search}` : '/studio';
}

customElements.define('vc-sign-in', SignIn);
