import { html, type TemplateResult } from 'lit';
import { curtain, icons } from '../../elements/icons.js';
import type { EventSummary } from '../../protocol/index.js';
import { api } from '../api.js';
import { Page } from '../page.js';
import { begins, errorNotice, loading, stateBadge } from '../parts.js';

class Home extends Page {
  static override properties = { events: { state: true }, ready: { state: true } };

  declare events: EventSummary[] | null;
  declare ready: boolean;

  constructor() {
    super();
    this.events = null;
    this.ready = true;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.attempt(async () => {
      const [instance, events] = await Promise.all([api.instance(), api.listedEvents()]);
      this.ready = instance.ready;
      this.events = events;
    });
  }

  protected override render(): TemplateResult {
    return html`<div class="frame">
      <section class="hero">
        ${curtain}
        <h1>Live events that mind their own business.</h1>
        <p class="lead">
          This server carries live video from one person to many. To watch you need a link and nothing else: no account,
          no cookies, nobody following along.
        </p>
      </section>
      ${this.ready ? '' : this.#unclaimed()}
      <section aria-labelledby="events">
        <h2 id="events">Events</h2>
        ${errorNotice(this.error)} ${this.#list()}
      </section>
      <section class="facts" aria-label="How it works">
        ${FACTS.map((fact) => html`<div>${fact.icon}<h3>${fact.title}</h3><p>${fact.text}</p></div>`)}
      </section>
    </div>`;
  }

  #unclaimed(): TemplateResult {
    return html`<p class="notice">
      ${icons.info}<strong>This server has no operator yet</strong>
      <span>If it is yours, open the setup link that it printed when it started.</span>
    </p>`;
  }

  #list(): TemplateResult | string {
    if (this.events === null) return this.busy ? loading('Looking for events…') : '';
    if (this.events.length === 0) {
      return html`<div class="empty">
        <p><strong>Nothing is listed right now.</strong></p>
        <p>Were you sent a link? It works whether or not its event stands here.</p>
      </div>`;
    }
    return html`<ul class="cards">
      ${this.events.map(
        (event) => html`<li>
          <a class="card" href="/watch/${event.id}">
            ${stateBadge(event.state)}
            <strong>${event.title}</strong> ${begins(event)}
            <span class="with-icon go">${event.state === 'live' ? 'Watch now' : 'Open'}${icons.arrow}</span>
          </a>
        </li>`,
      )}
    </ul>`;
  }
}

const FACTS = [
  {
    icon: icons.moon,
    title: 'It forgets you',
    text: 'Your address is used to deliver the video while you watch. It is never stored or logged.',
  },
  {
    icon: icons.people,
    title: 'Nobody sees a list',
    text: 'Broadcasters see roughly how many are watching. They never see who.',
  },
  {
    icon: icons.globe,
    title: 'No third parties',
    text: 'Every byte of this page comes from this server. No web fonts, no counters, no content networks.',
  },
];

customElements.define('vc-home', Home);
