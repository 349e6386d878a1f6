import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

/** Drawn for Veilcast on a 24-unit grid; the text beside an icon names it, so it is hidden from screen readers. */
function icon(shape: SVGTemplateResult): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;
}

export const icons = {
  camera: icon(svg`<rect x="3" y="6.5" width="12" height="11" rx="2.5"/><path d="m15 10.5 6-3v9l-6-3"/>`),
  cameraOff: icon(
    svg`<path d="M15 13.5v-4.5a2.5 2.5 0 0 0-2.5-2.5H9.5M5 6.6A2.5 2.5 0 0 0 3 9v6a2.5 2.5 0 0 0 2.5 2.5h7a2.5 2.5 0 0 0 2.2-1.3M15 10.5l6-3v9l-3-1.5M3.5 3.5l17 17"/>`,
  ),
  microphone: icon(
    svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>`,
  ),
  microphoneOff: icon(
    svg`<path d="M9 9v2a3 3 0 0 0 4.8 2.4M15 11V6a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 10.5 5.1M18.5 11.5a6.4 6.4 0 0 1-.5 2.5M12 18v3M3.5 3.5l17 17"/>`,
  ),
  screen: icon(
    svg`<rect x="3" y="4.5" width="18" height="12" rx="2.5"/><path d="M9 20h6M12 13.5v-6M9.5 10 12 7.5 14.5 10"/>`,
  ),
  sound: icon(
    svg`<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11"/>`,
  ),
  soundOff: icon(svg`<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5"/>`),
  quality: icon(
    svg`<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.5"/><circle cx="8" cy="17" r="2.5"/>`,
  ),
  slow: icon(
    svg`<path d="M3.5 19.5h.01M8 19.5v-4M12.5 19.5v-8.5"/><path d="M17 19.5V6.5M21 19.5V3" opacity="0.35"/>`,
  ),
  expand: icon(
    svg`<path d="M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9M15 4h3.5A1.5 1.5 0 0 1 20 5.5V9M20 15v3.5a1.5 1.5 0 0 1-1.5 1.5H15M9 20H5.5A1.5 1.5 0 0 1 4 18.5V15"/>`,
  ),
  shrink: icon(
    svg`<path d="M9 4v3.5A1.5 1.5 0 0 1 7.5 9H4M20 9h-3.5A1.5 1.5 0 0 1 15 7.5V4M15 20v-3.5a1.5 1.5 0 0 1 1.5-1.5H20M4 15h3.5A1.5 1.5 0 0 1 9 16.5V20"/>`,
  ),
  inset: icon(
    svg`<rect x="3" y="5" width="18" height="14" rx="2.5"/><rect x="12" y="11.5" width="6" height="4.5" rx="1"/>`,
  ),
  people: icon(
    svg`<circle cx="9" cy="8.5" r="3.5"/><path d="M3 19.5a6 6 0 0 1 12 0M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.2a6 6 0 0 1 3.5 5.3"/>`,
  ),
  copy: icon(
    svg`<rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2.5"/><path d="M15.5 8.5V6.5A2.5 2.5 0 0 0 13 4H6.5A2.5 2.5 0 0 0 4 6.5V13a2.5 2.5 0 0 0 2.5 2.5h2"/>`,
  ),
  check: icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`),
  alert: icon(
    svg`<path d="M12 8.5v4.5M12 16.5v.01M10.3 4.5 3.2 17a2 2 0 0 0 1.7 3h14.2a2 2 0 0 0 1.7-3L13.7 4.5a2 2 0 0 0-3.4 0z"/>`,
  ),
  info: icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8v.01"/>`),
  plus: icon(svg`<path d="M12 5v14M5 12h14"/>`),
  lock: icon(
    svg`<rect x="5" y="10.5" width="14" height="9.5" rx="2.5"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>`,
  ),
  globe: icon(
    svg`<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c3 3 3 14 0 17M12 3.5c-3 3-3 14 0 17"/>`,
  ),
  arrow: icon(svg`<path d="M5 12h14M13 6l6 6-6 6"/>`),
  hourglass: icon(svg`<path d="M7 4h10M7 20h10M8 4v3.5l4 4.5 4-4.5V4M8 20v-3.5l4-4.5 4 4.5V20"/>`),
  moon: icon(svg`<path d="M19.5 14A8 8 0 0 1 10 4.5a8 8 0 1 0 9.5 9.5z"/>`),
  retry: icon(svg`<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4.5H15"/>`),
  pause: icon(svg`<path d="M8.5 5.5v13M15.5 5.5v13"/>`),
};

/** Two folds of a veil that cross in a V, and the live light between them. */
export const mark: TemplateResult = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
  <path class="fold-a" d="M2.5 5H11l8.5 22.5H12z" />
  <path class="fold-b" d="M29.5 5H21l-8.5 22.5H20z" />
  <circle class="light" cx="16" cy="7.5" r="2.75" />
</svg>`;

/** The mark at its largest, its folds fading outwards: an ornament for wide screens. */
export const curtain: TemplateResult = html`<svg class="curtain" viewBox="0 0 480 250" aria-hidden="true">
  ${[3, 2, 1, 0].map(
    (fold) => svg`<g class="depth-${fold}">
      <path class="fold-a" d="M${122 - fold * 38} 12h72l80 212h-72z"/>
      <path class="fold-b" d="M${358 + fold * 38} 12h-72l-80 212h72z"/>
    </g>`,
  )}
  <circle class="light" cx="240" cy="36" r="24" />
</svg>`;
