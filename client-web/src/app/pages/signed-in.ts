import { html, type TemplateResult } from 'lit';
import { VeilcastError } from '../../sdk/errors.js';
import { api } from '../api.js';
import { leaveForSignIn, scopeFor } from '../auth.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { takeReturn } from '../providers.js';

/** Where a provider's answer ends: on to where the person wanted to go, or what went wrong. */
class SignedInPage extends Page {
  #returnTo = '/';

  override connectedCallback(): void {
    super.connectedCallback();
    const fault = new URLSearchParams(location.search).get('fault');
    history.replaceState(null, '', '/signed-in');
    this.#returnTo = takeReturn();
    this.attempt(async () => {
      if (fault !== null) throw VeilcastError.refused(await api.fault(fault));
      await this.#goOn();
    });
  }

  protected override render(): TemplateResult {
    return html`<div class="frame narrow">
      <h1 class="unseen">Signing in</h1>
      ${errorNotice(this.error)}
      ${
        this.error === null
          ? loading('Signing you in…')
          : html`<p class="actions"><a class="button" href=${this.#again}>Try again</a></p>`
      }
    </div>`;
  }

  /** The page that asked for it, which asks again; its address is shown to nobody but this person. */
  get #again(): string {
    return this.#returnTo.startsWith('/watch/') ? this.#returnTo : '/sign-in';
  }

  async #goOn(): Promise<void> {
    // The issuer, which was asked for a code and now knows who asks.
    if (this.#returnTo.startsWith('/oauth/')) location.replace(this.#returnTo);
    // This browser may still be signed in as somebody else, or with less.
    else await leaveForSignIn(scopeFor(this.#returnTo), this.#returnTo);
  }
}

customElements.define('vc-signed-in', SignedInPage);
