import { html, type TemplateResult } from 'lit';
import { Page } from '../page.js';

class Lost extends Page {
  protected override render(): TemplateResult {
    return html`<div class="frame narrow">
      <div class="sheet">
        <h1>There is nothing here</h1>
        <p class="lead">The address may have a letter too many, or the link was cut in half on its way to you.</p>
        <a class="button" href="/">See the events</a>
      </div>
    </div>`;
  }
}

customElements.define('vc-lost', Lost);
