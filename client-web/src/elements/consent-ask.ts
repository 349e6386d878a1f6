import { css, html, LitElement, type TemplateResult } from 'lit';
import type { Purpose } from '../protocol/index.js';
import type { Asking } from './consent-question.js';
import './consent-question.js';
import { controls, theme } from './theme.js';

/** A question, and which server asks it. */
export interface Question {
  question: string;
  purpose: Purpose;
  event: string;
  longest: number | null;
  /** Asked against the browser’s privacy signal; on the server’s own pages alone. */
  despite_signal?: boolean;
  /** The server's origin. */
  url: string;
}

/** What a page that embeds the player and a frame of the server say to each other. */
export type FrameMessage =
  | { veilcast: 'ready' }
  | { veilcast: 'ask'; question: string; purpose: Purpose; event: string; longest: number | null }
  | { veilcast: 'height'; px: number }
  | { veilcast: 'closed' };

/**
 * Puts a question to the person: in a dialog where the page is the server's own, else in a frame of the server's origin, which the
 * page around it can neither read nor click.
 */
export function askConsent(question: Question): void {
  const asker = document.createElement('veilcast-consent-ask');
  if (!(asker instanceof ConsentAsk)) return;
  asker.question = question;
  document.body.append(asker);
}

class ConsentAsk extends LitElement {
  static override properties = { question: { attribute: false }, height: { state: true } };

  declare question: Question | null;
  /** Of the frame, in pixels; it says how much it needs. */
  declare height: number;

  constructor() {
    super();
    this.question = null;
    this.height = 420;
  }

  readonly #heard = ({ data, source, origin }: MessageEvent): void => {
    const frame = this.renderRoot.querySelector('iframe');
    if (frame === null || source !== frame.contentWindow || origin !== this.#server) return;
    const message = data as Partial<FrameMessage>;
    if (message.veilcast === 'ready') this.#ask(frame);
    else if (message.veilcast === 'height' && 'px' in message)
      this.height = Math.min(Number(message.px) || 0, 900);
    else if (message.veilcast === 'closed') this.remove();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('message', this.#heard);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('message', this.#heard);
  }

  get #server(): string {
    return new URL(this.question?.url ?? '', location.href).origin;
  }

  #ask(frame: HTMLIFrameElement): void {
    if (this.question === null) return;
    const { question, purpose, event, longest } = this.question;
    const message: FrameMessage = { veilcast: 'ask', question, purpose, event, longest };
    frame.contentWindow?.postMessage(message, this.#server);
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-label="A question for you" @close=${() => this.remove()} @veilcast-closed=${() => this.remove()}>
      ${this.#server === location.origin ? this.#own() : this.#framed()}
    </dialog>`;
  }

  #own(): TemplateResult {
    const asking: Asking | null =
      this.question === null ? null : { ...this.question, origin: location.origin, way: 'dialog' };
    return html`<veilcast-consent-question .asking=${asking}></veilcast-consent-question>`;
  }

  #framed(): TemplateResult {
    return html`<iframe
      title="A question for you"
      src=${`${this.#server}/consent`}
      style=${`height: ${this.height}px`}
    ></iframe>`;
  }

  static override styles = [
    theme,
    controls,
    css`
      dialog {
        width: min(34rem, calc(100vw - 2rem));
        padding: 1.5rem;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_surface);
        color: var(--_ink);
        box-shadow: var(--_shadow);
      }

      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }

      iframe {
        display: block;
        width: 100%;
        border: 0;
        color-scheme: light dark;
      }
    `,
  ];
}

customElements.define('veilcast-consent-ask', ConsentAsk);
