import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { theme } from './theme.js';

/** Below this speech is inaudible; the scale starts here. */
const FLOOR_DB = -60;
/** How fast the bar falls, per frame, so that it can be read. */
const FALL = 0.04;
const BARS = 24;

/** Shows how loud a track is. The sound is measured here and goes nowhere. */
export class VeilcastLevelMeter extends LitElement {
  static override properties = { track: { attribute: false } };

  declare track: MediaStreamTrack | null;

  #context: AudioContext | null = null;
  #frame = 0;
  #level = 0;
  #announced = 0;

  constructor() {
    super();
    this.track = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('track')) this.#measure();
  }

  protected override render(): TemplateResult {
    return html`<div role="meter" aria-label="Microphone level" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0">
      ${Array.from({ length: BARS }, (_, index) => html`<i class=${index < 16 ? '' : index < 21 ? 'loud' : 'over'}></i>`)}
    </div>`;
  }

  #measure(): void {
    this.#stop();
    if (this.track === null) return;
    const context = new AudioContext();
    this.#context = context;
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(new MediaStream([this.track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const draw = (): void => {
      analyser.getFloatTimeDomainData(samples);
      this.#level = Math.max(loudness(samples), this.#level - FALL);
      this.#draw();
      this.#frame = requestAnimationFrame(draw);
    };
    this.#frame = requestAnimationFrame(draw);
  }

  #stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#context?.close();
    this.#context = null;
    this.#level = 0;
    this.#draw();
  }

  /** Touches classes only: thirty renders a second would be a waste. */
  #draw(): void {
    const meter = this.renderRoot.firstElementChild;
    if (meter === null) return;
    const lit = Math.round(this.#level * BARS);
    Array.from(meter.children).forEach((bar, index) => {
      bar.classList.toggle('on', index < lit);
    });
    const now = performance.now();
    // Screen readers read the value on request; four times a second is plenty.
    if (now - this.#announced < 250 && lit > 0) return;
    this.#announced = now;
    meter.setAttribute('aria-valuenow', String(Math.round(this.#level * 100)));
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }

      div {
        display: flex;
        gap: 3px;
        height: 0.625rem;
      }

      i {
        flex: 1;
        border-radius: 2px;
        background: var(--_line);
      }

      i.on {
        background: var(--_accent);
      }

      i.loud.on {
        background: light-dark(#b97400, #f0b354);
      }

      i.over.on {
        background: var(--_live);
      }
    `,
  ];
}

/** Root mean square on a decibel scale, 0 to 1. */
export function loudness(samples: Float32Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  const decibels = 10 * Math.log10(energy / samples.length + Number.MIN_VALUE);
  return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
}

customElements.define('veilcast-level-meter', VeilcastLevelMeter);
