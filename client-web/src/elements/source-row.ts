import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from './icons.js';
import './level-meter.js';
import { request, type SourceKind } from './requests.js';
import { controls, theme } from './theme.js';

const NAMES: Record<SourceKind, string> = { camera: 'Camera', microphone: 'Microphone', screen: 'Screen' };

/** A switch and, where there is a choice, a list of devices. Attributes in, requests out. */
export class VeilcastSourceRow extends LitElement {
  static override properties = {
    kind: {},
    on: { type: Boolean },
    busy: { type: Boolean },
    selected: {},
    devices: { attribute: false },
    track: { attribute: false },
  };

  declare kind: SourceKind;
  declare on: boolean;
  declare busy: boolean;
  declare selected: string;
  declare devices: readonly MediaDeviceInfo[];
  declare track: MediaStreamTrack | null;

  constructor() {
    super();
    this.kind = 'camera';
    this.on = false;
    this.busy = false;
    this.selected = '';
    this.devices = [];
    this.track = null;
  }

  protected override render(): TemplateResult {
    return html`<div class="head">
        <span class="icon-cell">${this.#icon()}</span>
        <span class="name" id="name">${NAMES[this.kind]}</span>
        <button
          type="button"
          role="switch"
          aria-checked=${this.on ? 'true' : 'false'}
          aria-labelledby="name"
          ?disabled=${this.busy}
          @click=${() => request(this, 'veilcast-toggle-request', { kind: this.kind, on: !this.on })}
        >
          <span class="knob"></span>
        </button>
      </div>
      ${this.on && this.kind !== 'screen' && this.devices.length > 1 ? this.#choice() : nothing}
      ${
        this.on && this.kind === 'microphone'
          ? html`<veilcast-level-meter .track=${this.track}></veilcast-level-meter>`
          : nothing
      }`;
  }

  #icon(): TemplateResult {
    if (this.kind === 'screen') return icons.screen;
    if (this.kind === 'camera') return this.on ? icons.camera : icons.cameraOff;
    return this.on ? icons.microphone : icons.microphoneOff;
  }

  #choice(): TemplateResult {
    return html`<select aria-label="Which ${NAMES[this.kind].toLowerCase()}" @change=${this.#chosen}>
      ${this.devices.map(
        (device, index) => html`<option
          value=${device.deviceId}
          ?selected=${device.deviceId === this.selected}
        >
          ${device.label || `${NAMES[this.kind]} ${index + 1}`}
        </option>`,
      )}
    </select>`;
  }

  #chosen(event: Event): void {
    if (!(event.target instanceof HTMLSelectElement) || this.kind === 'screen') return;
    request(this, 'veilcast-device-request', { kind: this.kind, deviceId: event.target.value });
  }

  static override styles = [
    theme,
    controls,
    css`
      :host {
        display: grid;
        gap: 0.75rem;
        padding: 1rem 0;
        font: 400 1rem/1.5 var(--_font);
      }

      .head {
        display: flex;
        align-items: center;
        gap: 0.75rem;
      }

      .icon-cell {
        display: grid;
        color: var(--_soft);
        font-size: 1.125rem;
      }

      .name {
        flex: 1;
        font-weight: 600;
      }

      [role='switch'] {
        position: relative;
        width: 3.25rem;
        height: 2.75rem;
        padding: 0;
        border: 0;
        border-radius: 999px;
        background: none;
        cursor: pointer;
      }

      [role='switch']::before {
        position: absolute;
        inset: 0.4375rem 0;
        border: 2px solid var(--_edge);
        border-radius: 999px;
        content: '';
        transition:
          background 120ms,
          border-color 120ms;
      }

      .knob {
        position: absolute;
        top: 50%;
        left: 0.375rem;
        width: 1.125rem;
        height: 1.125rem;
        border-radius: 50%;
        background: var(--_edge);
        translate: 0 -50%;
        transition: translate 120ms;
      }

      [aria-checked='true']::before {
        border-color: var(--_accent);
        background: var(--_accent);
      }

      [aria-checked='true'] .knob {
        background: var(--_accent-ink);
        translate: 1.375rem -50%;
      }

      [role='switch']:disabled {
        opacity: 0.5;
        cursor: progress;
      }
    `,
  ];
}

customElements.define('veilcast-source-row', VeilcastSourceRow);
