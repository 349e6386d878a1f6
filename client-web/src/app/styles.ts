import { css } from 'lit';

/** The pages' own look; tokens, buttons, badges and notices come from the elements. */
export const styles = css`
  body {
    background: var(--_ground);
    color: var(--_ink);
    font: 400 1rem/1.6 var(--_font);
    text-size-adjust: 100%;
  }

  vc-app {
    display: flex;
    flex-direction: column;
    min-height: 100dvh;
  }

  main {
    flex: 1;
    padding-block: clamp(1.5rem, 4vw, 3rem) 4rem;
  }

  main:focus,
  h1:focus {
    outline: none;
  }

  main > * {
    display: block;
  }

  .frame {
    width: min(74rem, 100% - 2 * clamp(1rem, 4vw, 2rem));
    margin-inline: auto;
  }

  .frame.narrow {
    width: min(27rem, 100% - 2rem);
  }

  h1,
  h2,
  h3 {
    margin: 0;
    font-weight: 680;
    letter-spacing: -0.015em;
    line-height: 1.2;
    overflow-wrap: anywhere;
    text-wrap: balance;
  }

  h1 {
    font-size: clamp(1.625rem, 4.5vw, 2.125rem);
    letter-spacing: -0.02em;
  }

  h2 {
    font-size: 1.3125rem;
  }

  h3 {
    font-size: 1.0625rem;
  }

  p {
    margin: 0;
  }

  a {
    color: var(--_accent);
    text-underline-offset: 0.18em;
  }

  a:hover {
    color: var(--_accent-strong);
  }

  code {
    padding: 0.125em 0.375em;
    border-radius: 5px;
    background: var(--_sunken);
    font-size: 0.92em;
  }

  .lead {
    color: var(--_soft);
    font-size: 1.0625rem;
  }

  .with-icon {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .with-icon svg {
    flex: none;
    width: 1.0625em;
    height: 1.0625em;
  }

  /* Head and foot */

  .skip:not(:focus) {
    position: absolute;
    translate: 0 -200%;
  }

  .skip {
    position: absolute;
    z-index: 1;
    margin: 0.5rem;
  }

  header .frame,
  footer .frame {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.25rem 1.5rem;
  }

  header {
    border-bottom: 1px solid var(--_line);
  }

  header .frame {
    min-height: 4rem;
  }

  footer {
    padding-block: 1.25rem;
    border-top: 1px solid var(--_line);
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .home {
    display: inline-flex;
    align-items: center;
    gap: 0.625rem;
    min-height: 2.75rem;
    color: var(--_ink);
    font-weight: 700;
    font-size: 1.1875rem;
    letter-spacing: -0.02em;
    text-decoration: none;
  }

  .home:hover {
    color: var(--_ink);
  }

  .mark {
    width: 1.875rem;
    height: 1.875rem;
  }

  .fold-a {
    fill: var(--_accent);
  }

  .fold-b {
    fill: #34a898;
    fill-opacity: 0.85;
  }

  .light {
    fill: light-dark(#d3303f, #ff6b7a);
  }

  nav {
    display: flex;
    gap: 0.25rem;
    margin-inline: -0.75rem;
  }

  nav a {
    display: inline-flex;
    align-items: center;
    min-height: 2.75rem;
    padding-inline: 0.75rem;
    border-radius: var(--_radius-s);
    color: var(--_soft);
    text-decoration: none;
  }

  header nav a {
    font-weight: 600;
  }

  nav a:hover,
  nav a[aria-current='page'] {
    color: var(--_ink);
  }

  header nav a {
    position: relative;
    min-height: 4rem;
  }

  header nav a[aria-current='page']::after {
    position: absolute;
    inset: auto 0.75rem -1px;
    height: 2px;
    background: var(--_accent);
    content: '';
  }

  /* Home */

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

  /* Forms */

  .sheet {
    display: grid;
    gap: 1.125rem;
    padding: clamp(1.25rem, 5vw, 2rem);
    border: 1px solid var(--_line);
    border-radius: var(--_radius-l);
    background: var(--_surface);
    box-shadow: var(--_shadow);
  }

  .sheet h1 + .lead {
    margin-top: -0.625rem;
  }

  .sheet .lead {
    font-size: 1rem;
  }

  label {
    display: grid;
    gap: 0.375rem;
    font-weight: 600;
  }

  label small {
    color: var(--_soft);
    font-weight: 400;
    font-size: 0.9375rem;
    line-height: 1.45;
  }

  label small:empty {
    display: none;
  }

  .wrong {
    color: var(--_danger);
  }

  [aria-invalid='true'] {
    border-color: var(--_danger) !important;
  }

  .check {
    display: flex;
    align-items: start;
    gap: 0.75rem;
    padding-block: 0.375rem;
    cursor: pointer;
  }

  .check input {
    margin-top: 0.1875rem;
  }

  .check small {
    display: block;
  }

  fieldset {
    display: grid;
    gap: 0.25rem;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }

  .strength {
    display: grid;
    grid-template-columns: repeat(3, 1fr);
    gap: 0.375rem;
  }

  .strength i {
    height: 4px;
    border-radius: 2px;
    background: var(--_line);
  }

  .strength span {
    grid-column: 1 / -1;
  }

  .strength.weak i:nth-child(1) {
    background: var(--_live);
  }

  .strength.good i:nth-child(-n + 2),
  .strength.strong i {
    background: var(--_accent);
  }

  .aside {
    margin-top: 1.25rem;
    color: var(--_soft);
    font-size: 0.9375rem;
    text-align: center;
    text-wrap: balance;
  }

  /* Studio */

  .title-row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.75rem 1.5rem;
    margin-bottom: 1.5rem;
  }

  .title-row .what {
    min-width: 0;
  }

  .trail {
    margin-bottom: 0.25rem;
    font-size: 0.9375rem;
  }

  .trail a::before {
    content: '← ';
  }

  .meta {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.375rem 0.875rem;
    margin-top: 0.5rem;
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.625rem;
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.75rem 1.5rem;
    padding: 1rem 1.25rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .row .what {
    flex: 1 1 16rem;
    min-width: 0;
  }

  .row .name {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    font-size: 1.0625rem;
    overflow-wrap: anywhere;
  }

  .event-form {
    max-width: 34rem;
    margin-bottom: 1.75rem;
  }

  .past {
    margin-top: 1.75rem;
  }

  .past summary {
    padding-block: 0.625rem;
    color: var(--_soft);
    font-weight: 600;
    cursor: pointer;
  }

  vc-share {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
  }

  dialog {
    width: min(27rem, 100% - 2rem);
    padding: clamp(1.25rem, 5vw, 1.75rem);
    border: 1px solid var(--_line);
    border-radius: var(--_radius-l);
    background: var(--_surface);
    color: var(--_ink);
  }

  dialog::backdrop {
    background: rgb(4 16 14 / 55%);
  }

  dialog p {
    margin-block: 0.625rem 1.375rem;
    color: var(--_soft);
  }

  dialog .actions {
    justify-content: end;
  }

  /* Watch */

  .watch {
    display: grid;
    gap: 1rem;
    /* The whole picture stays on the screen, whatever its shape. */
    max-width: calc((100dvh - 13rem) * 16 / 9);
  }

  main:has(.watch) {
    padding-block-start: clamp(0rem, 2vw, 1.5rem);
  }

  .caption {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 0.875rem;
  }

  .assurance {
    display: flex;
    gap: 0.5rem;
    max-width: 46rem;
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .assurance svg {
    margin-top: 0.1875rem;
  }

  @media (width < 40rem) {
    main:has(.watch) {
      padding-block-start: 0;
    }

    .watch {
      max-width: none;
    }

    .watch veilcast-player {
      --vc-player-radius: 0px;

      margin-inline: calc(-1 * clamp(1rem, 4vw, 2rem));
    }
  }

  /* Operator, privacy */

  .figures {
    display: grid;
    grid-template-columns: repeat(3, 1fr);
    gap: 0.75rem;
    margin: 0 0 2rem;
  }

  .figures div {
    display: flex;
    flex-direction: column-reverse;
    justify-content: flex-end;
    padding: 1rem 1.25rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .figures dt {
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .figures dd {
    margin: 0;
    font-weight: 680;
    font-size: 1.75rem;
    font-variant-numeric: tabular-nums;
    line-height: 1.2;
  }

  .figures + h2 {
    margin-bottom: 1rem;
  }

  .prose {
    max-width: 44rem;
  }

  .prose .lead {
    margin-top: 0.5rem;
  }

  .prose h2 {
    margin: 2.5rem 0 0.875rem;
  }

  .ledger {
    margin: 0;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .ledger dt {
    padding: 1rem 1.25rem 0;
    font-weight: 650;
  }

  .ledger dd {
    margin: 0;
    padding: 0.125rem 1.25rem 1rem;
    color: var(--_soft);
  }

  .ledger dd:not(:last-child) {
    border-bottom: 1px solid var(--_line);
  }
`;
