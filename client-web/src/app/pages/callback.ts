import { html, type TemplateResult } from 'lit';
import { completeSignIn } from '../auth.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { navigate } from '../router.js';

class Callback extends Page {
  override connectedCallback(): void {
    super.connectedCallback();
    const query = new URLSearchParams(location.search);
    // The code is of use once, and to us alone; it need not stand in the address bar either way.
    history.replaceState(null, '', '/callback');
    this.attempt(async () => navigate(await completeSignIn(query), true));
  }

  protected override render(): TemplateResult {
    return html`<div class="frame narrow">
      <h1 class="unseen">Signing in</h1>
      ${errorNotice(this.error)}
      ${
        this.error === null
          ? loading('Signing you in…')
          : html`<a class="button" href="/studio">Try again</a>`
      }
    </div>`;
  }
}

customElements.define('vc-callback', Callback);
