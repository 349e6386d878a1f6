import { css } from 'lit';

/** Type, frames, head and foot; tokens, buttons, badges and notices come from the elements. */
export const base = css`
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
`;
