import { html, LitElement, type TemplateResult } from 'lit';
import type { FrameMessage } from '../../elements/consent-ask.js';
import type { Asking } from '../../elements/consent-question.js';
import '../../elements/consent-question.js';
import { isPurpose } from '../../sdk/parse-consent.js';

/** A frame that was covered a moment ago, or a window that has just come up under a double click, could be clicked by mistake. */
const CALM_MS = 500;

/**
 * The question in a frame of this server's own on somebody else's page. It takes no answer while anything lies over it; where the
 * browser cannot tell, the question opens in a window of its own.
 */
class ConsentPage extends LitElement {
  static override properties = { asking: { state: true }, held: { state: true } };

  declare asking: Asking | null;
  declare held: boolean;
  #calm: ReturnType<typeof setTimeout> | undefined;
  #watch: IntersectionObserver | null = null;
  readonly #sized = new ResizeObserver(() => this.#say({ veilcast: 'height', px: this.scrollHeight }));

  constructor() {
    super();
    this.asking = null;
    this.held = true;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Whoever has asked: the page around the frame, or the frame that has opened this window. */
  get #asker(): Window | null {
    return window.opener ?? (window.parent === window ? null : window.parent);
  }

  readonly #heard = ({ data, source, origin }: MessageEvent): void => {
    const message = data as Partial<FrameMessage>;
    if (source === this.#opened && origin === location.origin) this.#relay(message);
    else if (source === this.#asker) this.#ask(message, origin);
  };

  #ask(message: Partial<FrameMessage>, origin: string): void {
    if (this.asking !== null || message.veilcast !== 'ask') return;
    const { question, purpose, event, longest } = message as Partial<Asking>;
    if (typeof question !== 'string' || typeof event !== 'string' || !isPurpose(purpose)) return;
    const asked = 'origin' in message && origin === location.origin ? String(message.origin) : origin;
    this.asking = {
      question,
      event,
      purpose,
      longest: typeof longest === 'number' ? longest : null,
      origin: asked,
      way: this.#inWindow ? 'window' : 'frame',
    };
  }

  #opened: Window | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('message', this.#heard);
    this.#sized.observe(this);
    if (this.#inWindow) this.#watchFront();
    else if (KNOWS_COVER) this.#watchCover();
    this.#say({ veilcast: 'ready' });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('message', this.#heard);
    for (const change of FRONT) window.removeEventListener(change, this.#fronted);
    this.#sized.disconnect();
    this.#watch?.disconnect();
    clearTimeout(this.#calm);
  }

  get #inWindow(): boolean {
    return window.parent === window;
  }

  /** Intersection Observer, version 2: whether the whole of it can be seen, with nothing over it. */
  #watchCover(): void {
    const options = { threshold: [1], trackVisibility: true, delay: 100 };
    this.#watch = new IntersectionObserver((entries) => {
      const seen = entries.at(-1);
      clearTimeout(this.#calm);
      if (seen === undefined || Reflect.get(seen, 'isVisible') !== true) this.held = true;
      else this.#calm = setTimeout(() => this.#release(), CALM_MS);
    }, options);
    this.#watch.observe(this);
  }

  /** A window has nothing over it while it is in front. */
  #watchFront(): void {
    for (const change of FRONT) window.addEventListener(change, this.#fronted);
    this.#fronted();
  }

  readonly #fronted = (): void => {
    clearTimeout(this.#calm);
    this.held = true;
    if (document.hasFocus()) this.#calm = setTimeout(() => this.#release(), CALM_MS);
  };

  #release(): void {
    this.held = false;
  }

  protected override render(): TemplateResult {
    if (!this.#inWindow && !KNOWS_COVER) return this.#elsewhere();
    return html`<veilcast-consent-question
      .asking=${this.asking}
      ?held=${this.held}
      @veilcast-closed=${this.#close}
    ></veilcast-consent-question>`;
  }

  #elsewhere(): TemplateResult {
    return html`<div class="asked-elsewhere">
      <p>The question opens in a window of its own, so that nobody can answer it for you.</p>
      <button type="button" class="button" ?disabled=${this.asking === null} @click=${this.#open}>Open the question</button>
      <button type="button" class="button quiet" @click=${this.#close}>Not now</button>
    </div>`;
  }

  #open(): void {
    this.#opened = window.open('/consent', '', 'popup,width=560,height=640');
  }

  /** The window wants to know what is asked, and says when it is done. */
  #relay(message: Partial<FrameMessage>): void {
    if (message.veilcast === 'ready' && this.asking !== null) {
      this.#opened?.postMessage({ veilcast: 'ask', ...this.asking }, location.origin);
    } else if (message.veilcast === 'closed') {
      this.#close();
    }
  }

  #close(): void {
    this.#say({ veilcast: 'closed' });
    if (this.#inWindow) window.close();
  }

  /** Nothing in it tells what was answered: a page that embeds the player hears that from the server, like everybody. */
  #say(message: FrameMessage): void {
    this.#asker?.postMessage(message, '*');
  }
}

const FRONT = ['focus', 'blur', 'message'] as const;

const KNOWS_COVER = 'isVisible' in (globalThis.IntersectionObserverEntry?.prototype ?? {});

customElements.define('vc-consent', ConsentPage);
