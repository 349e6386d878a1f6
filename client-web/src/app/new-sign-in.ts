import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { AccountSession } from '../protocol/index.js';
import { account } from './api.js';
import { signedIn } from './auth.js';
import { newerThanThis } from './newest.js';
import { hour } from './words.js';

/** Tells an operator who is here that somebody has signed in since: with what, and when; where from, nobody knows. */
class NewSignIn extends LitElement {
  static override properties = { found: { state: true } };

  declare found: AccountSession | null;

  constructor() {
    super();
    this.found = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    account.show(signedIn).then(
      ({ sessions }) => {
        this.found = newerThanThis(sessions);
      },
      // The page's own questions say what is wrong.
      () => {},
    );
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.found === null) return nothing;
    const { label, opened } = this.found;
    return html`<p class="notice new-sign-in" role="status">
      ${icons.info}<strong>Somebody signed in to this account with “${label}” at ${hour(opened)}.</strong>
      <span>If that was not you, end it on <a href="/account">your account page</a>.</span>
    </p>`;
  }
}

customElements.define('vc-new-sign-in', NewSignIn);
