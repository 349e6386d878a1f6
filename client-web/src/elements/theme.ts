import { css } from 'lit';

/**
 * The tokens, for shadow roots and for the app's document alike. An embedding page overrides the public `--vc-*`
 * names; everything here reads the private ones. Text on its ground has a contrast of 4.5 : 1 or more in both schemes.
 */
export const theme = css`
  :root,
  :host {
    --_ground: var(--vc-ground, light-dark(#f5f8f7, #0d1413));
    --_surface: var(--vc-surface, light-dark(#ffffff, #151e1c));
    --_sunken: var(--vc-sunken, light-dark(#ebf0ee, #0a100f));
    --_ink: var(--vc-ink, light-dark(#11201d, #e9f0ee));
    --_soft: var(--vc-soft, light-dark(#4b5e5a, #a3b6b1));
    --_line: var(--vc-line, light-dark(#d7e0dd, #2a3835));
    --_edge: var(--vc-edge, light-dark(#7b8e89, #71857f));
    --_accent: var(--vc-accent, light-dark(#0a6960, #63d2c3));
    --_accent-strong: var(--vc-accent-strong, light-dark(#074f48, #8fe3d8));
    --_accent-ink: var(--vc-accent-ink, light-dark(#ffffff, #04201c));
    --_accent-wash: var(--vc-accent-wash, light-dark(#dff0ec, #12312c));
    --_live: var(--vc-live, #c4263a);
    --_danger: var(--vc-danger, light-dark(#b02036, #ff8b97));
    --_danger-wash: var(--vc-danger-wash, light-dark(#fdebed, #331519));
    --_radius-s: 8px;
    --_radius: 14px;
    --_radius-l: 20px;
    --_shadow: 0 1px 2px rgb(9 32 28 / 6%), 0 8px 24px rgb(9 32 28 / 6%);
    --_font:
      var(--vc-font, system-ui), -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :focus-visible {
    outline: 3px solid var(--_accent);
    outline-offset: 2px;
  }

  .unseen:not(:focus, :active) {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  svg.icon {
    flex: none;
    width: 1.25em;
    height: 1.25em;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;

/** A picture that fills its box, and what is said over one. */
export const picture = css`
  video {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    object-fit: contain;
  }

  .cover {
    position: absolute;
    inset: 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    text-align: center;
  }
`;

/** Buttons, badges, notices: used by the elements and by the pages. */
export const controls = css`
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-height: 2.75rem;
    padding: 0.5rem 1.125rem;
    border: 1px solid transparent;
    border-radius: var(--_radius-s);
    background: var(--_accent);
    color: var(--_accent-ink);
    font: 600 1rem/1.25 var(--_font);
    text-align: center;
    text-decoration: none;
    cursor: pointer;
    transition:
      background 120ms,
      border-color 120ms;
  }

  .button:hover {
    background: var(--_accent-strong);
  }

  .button.quiet {
    border-color: var(--_line);
    background: var(--_surface);
    color: var(--_ink);
  }

  .button.quiet:hover {
    border-color: var(--_edge);
  }

  .button.live {
    background: var(--_live);
    color: #ffffff;
  }

  .button.live:hover {
    background: #a51c2e;
  }

  .button.danger {
    border-color: var(--_line);
    background: transparent;
    color: var(--_danger);
  }

  .button.danger:hover {
    border-color: var(--_danger);
    background: var(--_danger-wash);
  }

  .button.small {
    min-height: 2.5rem;
    padding: 0.375rem 0.875rem;
    font-size: 0.9375rem;
  }

  .button:disabled {
    border-color: var(--_line);
    background: var(--_sunken);
    color: var(--_soft);
    cursor: not-allowed;
  }

  .badge {
    display: inline-flex;
    align-items: center;
    gap: 0.4375rem;
    padding: 0.1875rem 0.625rem;
    border-radius: 999px;
    background: var(--_sunken);
    color: var(--_soft);
    font: 600 0.8125rem/1.4 var(--_font);
    white-space: nowrap;
  }

  .badge.live {
    background: var(--_live);
    color: #ffffff;
  }

  .badge.live::before {
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: currentcolor;
    content: '';
  }

  .notice {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0.25rem 0.75rem;
    margin: 0;
    padding: 0.875rem 1rem;
    border-radius: var(--_radius-s);
    background: var(--_accent-wash);
    color: var(--_ink);
  }

  .notice svg {
    grid-row: span 2;
    margin-top: 0.125rem;
    color: var(--_accent);
  }

  .notice.danger {
    background: var(--_danger-wash);
  }

  .notice.danger svg {
    color: var(--_danger);
  }

  .notice strong,
  .notice span {
    grid-column: 2;
  }

  .notice span {
    color: var(--_soft);
  }

  select,
  textarea,
  input:not([type='checkbox'], [type='radio'], [type='range']) {
    width: 100%;
    min-width: 0;
    min-height: 2.75rem;
    padding: 0.5rem 0.75rem;
    border: 1px solid var(--_edge);
    border-radius: var(--_radius-s);
    background: var(--_surface);
    color: var(--_ink);
    font: 400 1rem/1.25 var(--_font);
    text-overflow: ellipsis;
  }

  select:disabled {
    border-color: var(--_line);
    color: var(--_soft);
  }

  input:is([type='checkbox'], [type='radio']) {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    accent-color: var(--_accent);
  }
`;
