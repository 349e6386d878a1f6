import { css } from 'lit';

/** The home page and everything that lists events. */
export const lists = css`
  .hero {
    position: relative;
    isolation: isolate;
    padding-block: clamp(1rem, 5vw, 3.5rem) clamp(2rem, 6vw, 4rem);
  }

  .hero h1 {
    max-width: 44rem;
    font-size: clamp(2.25rem, 7vw, 3.625rem);
    letter-spacing: -0.035em;
    line-height: 1.06;
  }

  .hero .lead {
    max-width: 36rem;
    margin-top: 1.25rem;
    font-size: clamp(1.0625rem, 2.5vw, 1.25rem);
    line-height: 1.55;
  }

  .curtain {
    display: none;
    position: absolute;
    z-index: -1;
    top: 50%;
    right: 0;
    width: min(32rem, 40%);
    translate: 0 -50%;
  }

  @media (width >= 64rem) {
    .curtain {
      display: block;
    }
  }

  .depth-1 {
    opacity: 0.34;
  }

  .depth-2 {
    opacity: 0.16;
  }

  .depth-3 {
    opacity: 0.07;
  }

  section > h2 {
    margin-bottom: 1rem;
  }

  .cards,
  .rows {
    display: grid;
    gap: 0.75rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }

  .cards {
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
    gap: 1rem;
  }

  .card {
    display: grid;
    grid-template-rows: auto 1fr auto;
    justify-items: start;
    gap: 0.75rem;
    height: 100%;
    padding: 1.25rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
    color: var(--_ink);
    text-decoration: none;
    transition:
      border-color 120ms,
      box-shadow 120ms;
  }

  .card:hover {
    border-color: var(--_accent);
    color: var(--_ink);
    box-shadow: var(--_shadow);
  }

  .card strong {
    font-size: 1.1875rem;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }

  .card .go {
    color: var(--_accent);
    font-weight: 600;
  }

  .empty {
    display: grid;
    justify-items: center;
    gap: 0.375rem;
    padding: clamp(1.75rem, 5vw, 3rem) 1.25rem;
    border: 1px dashed var(--_edge);
    border-radius: var(--_radius);
    color: var(--_soft);
    text-align: center;
    text-wrap: balance;
  }

  .empty strong {
    color: var(--_ink);
    font-size: 1.0625rem;
  }

  .empty .button {
    margin-top: 0.875rem;
  }

  .facts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr));
    gap: 1.75rem 2.5rem;
    margin-top: clamp(2.5rem, 6vw, 4.5rem);
    padding-top: clamp(2rem, 4vw, 3rem);
    border-top: 1px solid var(--_line);
  }

  .facts svg {
    width: 1.75rem;
    height: 1.75rem;
    margin-bottom: 0.5rem;
    color: var(--_accent);
  }

  .facts p {
    margin-top: 0.375rem;
    color: var(--_soft);
  }

  .frame > .notice {
    margin-bottom: 2rem;
  }

  .account {
    display: grid;
    gap: 1.5rem;
    max-width: 52rem;
  }

  .account .title-row {
    margin-bottom: 0;
  }

  .account > * {
    display: block;
  }

  .account > .title-row {
    display: flex;
  }

  .account .sheet > h2 {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    margin: 0;
  }

  .account .sheet > h2 svg {
    flex: none;
    width: 1.375rem;
    height: 1.375rem;
    color: var(--_accent);
  }

  .account > :is(.sheet, .rows, .empty) {
    display: grid;
  }

  .account > .actions {
    display: flex;
  }

  /* On a phone the button stands below what it is for. */
  .receipts .row .what {
    flex-basis: 18rem;
  }

  .account .codes {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
    gap: 0.5rem 1.5rem;
    margin: 0 0 1rem;
    padding-left: 1.75rem;
  }

  .account .meta {
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .account .rename {
    display: grid;
    gap: 0.75rem;
    flex: 1;
  }

  .account .hint {
    margin-bottom: 0.75rem;
    color: var(--_soft);
  }

  .review {
    display: grid;
    gap: 2rem;
  }

  .review .title-row,
  .review > .notice {
    margin-bottom: 0;
  }

  .review > .lead {
    margin-top: -1.25rem;
  }

  .review .row .notice {
    margin-top: 0.875rem;
  }

  .review .row .meta {
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .review textarea {
    font-family: ui-monospace, monospace;
    font-size: 0.875rem;
    resize: vertical;
  }

  .review dialog .check {
    margin-bottom: 1.125rem;
  }

  .new-sign-in {
    margin-bottom: 1.5rem;
  }

  .loading {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    padding-block: 1.5rem;
    color: var(--_soft);
  }

  .dots {
    width: 1.25rem;
    height: 1.25rem;
    border: 2.5px solid var(--_line);
    border-top-color: var(--_accent);
    border-radius: 50%;
    animation: turn 900ms linear infinite;
  }

  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }
`;
