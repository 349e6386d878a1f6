import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { mark } from '../elements/icons.js';
import { Page } from './page.js';
import { dateWords, edition, isNews } from './privacy-words.js';
import { followMoves, match } from './router.js';
import { lost, routes } from './routes.js';

/** Head, page and foot; moves the focus to the new page's heading after a move. */
class Shell extends LitElement {
  static override properties = { path: { state: true } };

  declare path: string;
  #first = true;

  constructor() {
    super();
    this.path = location.pathname;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    followMoves(() => {
      this.#show().catch(() => this.#reload());
    });
    this.#tellNews().catch(() => {});
  }

  protected override render(): TemplateResult {
    const kept = privacyEdition();
    return html`<a class="skip button" href="#main" @click=${this.#skip}>Skip to the content</a>
      <header>
        <div class="frame">
          <a class="home" href="/" aria-label="Veilcast, home">${mark}<span>Veilcast</span></a>
          <nav aria-label="Main">${this.#link('/', 'Events')} ${this.#link('/studio', 'Studio')}</nav>
        </div>
      </header>
      <main id="main" tabindex="-1"></main>
      <footer>
        <div class="frame">
          <p>Free software, Apache License 2.0</p>
          ${kept === null ? nothing : html`<p>Privacy as of ${dateWords(kept.date)}</p>`}
          <nav aria-label="About">${this.#link('/privacy', 'Privacy')} ${this.#link('/operator', 'Operator')}</nav>
        </div>
      </footer>`;
  }

  #link(path: string, text: string): TemplateResult {
    const here = this.path === path || (path !== '/' && this.path.startsWith(`${path}/`));
    return html`<a href=${path} aria-current=${here ? 'page' : 'false'}>${text}</a>`;
  }

  async #show(): Promise<void> {
    const path = location.pathname;
    this.path = path;
    const found = match(routes, path) ?? { route: lost, params: {} };
    await found.route.load();
    // Somebody may have moved on while it loaded.
    if (location.pathname !== path) return;
    document.title = `${found.route.title} · Veilcast`;
    const page = document.createElement(found.route.tag);
    if (page instanceof Page) page.params = found.params;
    this.#main()?.replaceChildren(page);
    window.scrollTo(0, 0);
    if (page instanceof Page && !this.#first) {
      await page.updateComplete;
      this.#focusHeading();
    }
    this.#first = false;
  }

  /** What changed about what is kept is told for a month; nobody loads the words for it otherwise. */
  async #tellNews(): Promise<void> {
    const kept = privacyEdition();
    if (kept === null || !isNews(kept, Date.now())) return;
    await import('./privacy-news.js');
    this.#main()?.after(document.createElement('vc-privacy-news'));
  }

  #focusHeading(): void {
    const heading = this.querySelector<HTMLElement>('main h1');
    heading?.setAttribute('tabindex', '-1');
    // A page that is still loading has no heading yet; its place in the document will do.
    (heading ?? this.#main())?.focus();
  }

  /** The server was updated and the page's file has another name now. */
  #reload(): void {
    this.#main()?.replaceChildren(reloadNotice());
  }

  #skip(event: Event): void {
    event.preventDefault();
    this.#main()?.focus();
  }

  #main(): HTMLElement | null {
    return this.querySelector('main');
  }
}

const privacyEdition = () =>
  edition(document.querySelector('meta[name=veilcast-privacy]')?.getAttribute('content') ?? null);

function reloadNotice(): HTMLElement {
  const notice = document.createElement('div');
  const words = document.createElement('p');
  const button = document.createElement('button');
  notice.className = 'frame narrow';
  words.textContent = 'This page could not be loaded. The server may have been updated.';
  button.className = 'button';
  button.textContent = 'Load it again';
  button.addEventListener('click', () => location.reload());
  notice.append(words, button);
  return notice;
}

customElements.define('vc-app', Shell);
