import { css } from 'lit';

/** The player is dark in both schemes: a picture wants a dark room. */
export const playerStyles = css`
  :host {
    position: relative;
    display: block;
    aspect-ratio: 16 / 9;
    overflow: hidden;
    border-radius: var(--vc-player-radius, var(--_radius));
    background: #081110;
    color: #f0f6f4;
    font: 400 1rem/1.5 var(--_font);
    color-scheme: dark;
  }

  :host(:fullscreen) {
    aspect-ratio: auto;
    border-radius: 0;
  }

  .stage {
    position: absolute;
    inset: 0;
    display: flex;
    flex-wrap: wrap;
    align-content: center;
    justify-content: center;
    container-type: size;
  }

  veilcast-player-tile {
    width: 100%;
    height: 100%;
  }

  /* Of the box that they fill. */
  :host([several]) {
    --_gap: 0.5rem;
    --_tile: min(
      (100cqw - (var(--_columns) - 1) * var(--_gap)) / var(--_columns) - 0.5px,
      (100cqh - (var(--_rows) - 1) * var(--_gap)) / var(--_rows) * 16 / 9 - 0.5px
    );
  }

  /* Several pictures: as large as so many of them can be, clear of the controls. */
  :host([several]) .stage {
    inset: 0.5rem 0.5rem 3.75rem;
    gap: var(--_gap);
  }

  :host([several]) veilcast-player-tile {
    width: var(--_tile);
    height: auto;
    aspect-ratio: 16 / 9;
  }

  /* The page makes room below for pictures that stand one below the other. */
  :host([stacked]:not(:fullscreen)) {
    --_tile: calc((100cqw - (var(--_columns) - 1) * var(--_gap)) / var(--_columns) - 0.5px);

    aspect-ratio: auto;
  }

  :host([stacked]:not(:fullscreen)) .stage {
    position: relative;
    inset: auto;
    padding: 0.5rem 0.5rem 3.75rem;
    container-type: inline-size;
  }

  .poster {
    gap: 1rem;
    padding: 1rem 1.25rem;
    background:
      radial-gradient(60rem 30rem at 20% 0%, rgb(28 110 99 / 42%), transparent 70%),
      radial-gradient(50rem 30rem at 90% 100%, rgb(18 62 84 / 45%), transparent 70%), #081110;
  }

  /* Clear of the controls below. */
  .poster.sound-only,
  .poster.slow,
  .poster.unplayable {
    padding-bottom: 3.5rem;
  }

  /* The last picture stands behind. */
  .poster.reconnecting,
  .poster.slow {
    background: rgb(4 12 11 / 78%);
  }

  .words {
    display: grid;
    justify-items: center;
    max-width: 32rem;
    font-size: clamp(1rem, 2.5cqi, 1.125rem);
  }

  .words > svg {
    width: clamp(1.75rem, 6vw, 2.5rem);
    height: clamp(1.75rem, 6vw, 2.5rem);
    margin-bottom: clamp(0.25rem, 1.5vw, 0.75rem);
    color: #8fe3d8;
    stroke-width: 1.4;
  }

  .title {
    margin: 0;
    font-size: clamp(1.125rem, 4vw, 1.5rem);
    font-weight: 650;
    letter-spacing: -0.01em;
    line-height: 1.25;
    text-wrap: balance;
  }

  .text {
    margin: 0.375rem 0 0;
    color: #b9cbc6;
    font-size: clamp(0.875rem, 3vw, 1rem);
    text-wrap: balance;
  }

  .spinner {
    width: 2rem;
    height: 2rem;
    margin-bottom: 1rem;
    border: 3px solid rgb(255 255 255 / 18%);
    border-top-color: #8fe3d8;
    border-radius: 50%;
    animation: turn 900ms linear infinite;
  }

  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }

  .veil {
    display: flex;
    gap: 0.5rem;
    height: 2rem;
    margin-bottom: 0.75rem;
    align-items: center;
  }

  .veil i {
    width: 0.625rem;
    height: 0.625rem;
    border-radius: 50%;
    background: #8fe3d8;
    animation: breathe 1.8s ease-in-out infinite;
  }

  .veil i:nth-child(2) {
    animation-delay: 200ms;
  }

  .veil i:nth-child(3) {
    animation-delay: 400ms;
  }

  @keyframes breathe {
    0%,
    70%,
    100% {
      opacity: 0.3;
      scale: 0.8;
    }

    35% {
      opacity: 1;
      scale: 1;
    }
  }

  .top {
    position: absolute;
    inset: 0.875rem 0.875rem auto;
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    pointer-events: none;
  }

  /* In the corner of the first of several, wherever that is. */
  :host([several]) .top {
    inset: 0.5rem 0.5rem 3.75rem;
    container-type: size;
  }

  :host([several]) .badge {
    position: absolute;
    top: calc((100cqh - var(--_rows) * (var(--_tile) * 9 / 16 + var(--_gap)) + var(--_gap)) / 2 + 0.625rem);
    left: calc((100cqw - var(--_columns) * (var(--_tile) + var(--_gap)) + var(--_gap)) / 2 + 0.625rem);
  }

  .badge,
  .remark {
    display: inline-flex;
    align-items: center;
    gap: 0.4375rem;
    padding: 0.1875rem 0.625rem;
    border-radius: 999px;
    background: rgb(0 0 0 / 62%);
    color: #ffffff;
    font-weight: 600;
    font-size: 0.8125rem;
  }

  .badge {
    background: var(--_live);
  }

  .glass {
    position: absolute;
    top: 0.875rem;
    right: 0.875rem;
    max-width: min(24rem, 100% - 1.75rem);
    border-radius: 0.875rem;
    background: rgb(0 0 0 / 72%);
    color: #ffffff;
    font-size: 0.8125rem;
  }

  .glass summary {
    display: flex;
    align-items: center;
    gap: 0.4375rem;
    min-height: 1.5rem;
    padding: 0.1875rem 0.625rem;
    font-weight: 600;
    list-style: none;
    cursor: pointer;
  }

  .glass p {
    margin: 0;
    padding: 0.25rem 0.75rem 0.625rem;
  }

  .badge::before {
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: currentcolor;
    content: '';
  }

  .pill {
    display: inline-flex;
    align-items: center;
    gap: 0.625rem;
    min-height: 3rem;
    padding: 0.625rem 1.375rem;
    border: 0;
    border-radius: 999px;
    background: #f0f6f4;
    color: #081110;
    font: 650 1rem/1.25 var(--_font);
    cursor: pointer;
  }

  .pill:hover {
    background: #ffffff;
  }

  .pill.sound {
    position: absolute;
    top: 50%;
    left: 50%;
    padding: 0.875rem 1.75rem;
    box-shadow: 0 6px 30px rgb(0 0 0 / 45%);
    font-size: 1.125rem;
    white-space: nowrap;
    translate: -50% -50%;
  }

  :focus-visible {
    outline-color: #8fe3d8;
  }

  veilcast-player-controls {
    position: absolute;
    inset: auto 0 0;
    transition: opacity 200ms;
  }

  /* Below several pictures they cover nothing. */
  :host([idle]:not([several])) veilcast-player-controls:not(:focus-within) {
    opacity: 0;
  }

  :host([idle]) {
    cursor: none;
  }
`;

/** A button of the bar below the picture: as large as a finger. */
export const barButton = css`
  button {
    display: grid;
    place-items: center;
    width: 2.75rem;
    height: 2.75rem;
    padding: 0;
    border: 0;
    border-radius: var(--_radius-s);
    background: transparent;
    color: inherit;
    font-size: 1.125rem;
    cursor: pointer;
  }

  button:hover {
    background: rgb(255 255 255 / 16%);
  }

  :focus-visible {
    outline-color: #8fe3d8;
  }
`;
