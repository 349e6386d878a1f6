import { html, nothing, type TemplateResult } from 'lit';
import type { AudienceHealth, LayerState } from '../protocol/index.js';
import type { StatsSummary } from '../sdk/stats.js';
import { healthAdvice, healthRows, layersWords, uplinkRows, viewersWords } from './studio-view.js';

/** What leaves this device, as the browser and the server see it. */
export function linePanel(stats: StatsSummary, layers: readonly LayerState[]): TemplateResult {
  const sizes = layersWords(layers);
  return html`<section class="panel" aria-labelledby="line">
    <h2 id="line">Your connection</h2>
    <dl>
      ${uplinkRows(stats).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      ${sizes === null ? nothing : html`<div><dt>Sizes that are needed</dt><dd>${sizes}</dd></div>`}
    </dl>
    <details>
      <summary>What do these numbers mean?</summary>
      <p>
        A loss of a few percent is repaired before anybody sees it. Beyond five percent, or when the way to the server
        and back takes more than 300 ms, move closer to the router or use a cable.
      </p>
      <p>The picture is sent in several sizes. One that nobody needs is not sent, which saves your line and battery.</p>
    </details>
  </section>`;
}

/** How the picture arrives, over all viewers together. */
export function audiencePanel(
  viewers: number | null,
  health: AudienceHealth | null,
  own: boolean,
): TemplateResult {
  const rows = health === null ? null : healthRows(health);
  const advice = health === null ? null : healthAdvice(health);
  return html`<section class="panel" aria-labelledby="audience">
    <h2 id="audience">Your audience</h2>
    ${own ? nothing : html`<p class="hint">${viewersWords(viewers)}. The broadcast comes from another program or page.</p>`}
    ${
      rows === null
        ? html`<p class="hint">How the picture arrives is shown once five people get the same.</p>`
        : html`<dl>
            ${rows.map(
              ({ name, count, help }) =>
                html`<div><dt>${name}<small>${help}</small></dt><dd>${count}</dd></div>`,
            )}
          </dl>`
    }
    ${advice === null ? nothing : html`<p class="hint" role="status">${advice}</p>`}
    <details>
      <summary>Why are these numbers rough?</summary>
      <p>
        They come in steps of five and every five seconds at most; <span class="nowrap">&lt;5</span> may be nobody. The server keeps the exact
        numbers to itself, so that nothing here tells about one person.
      </p>
    </details>
  </section>`;
}
