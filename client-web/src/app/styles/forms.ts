import { css } from 'lit';

/** Sheets, labels, hints. */
export const forms = css`
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
    margin: 0.1875rem 0 0;
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

  legend:not(.unseen) {
    margin-bottom: 0.125rem;
    padding: 0;
    font-weight: 600;
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

  .providers {
    display: grid;
    gap: 0.75rem;
  }

  .providers .button {
    justify-content: center;
  }

  .sheet.elsewhere {
    margin-bottom: 1.25rem;
  }

  .fields {
    display: grid;
    gap: 1.125rem;
  }

  .or {
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    align-items: center;
    gap: 0.75rem;
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .or::before,
  .or::after {
    height: 1px;
    background: var(--_line);
    content: '';
  }

  .link {
    padding: 0.625rem 0.5rem;
    border: 0;
    background: none;
    color: var(--_accent);
    font: inherit;
    text-decoration: underline;
    text-underline-offset: 0.18em;
    cursor: pointer;
  }

  .link:hover {
    color: var(--_accent-strong);
  }

  .step-up h2 {
    display: flex;
    align-items: center;
    gap: 0.625rem;
  }

  .step-up h2 svg {
    flex: none;
    width: 1.5rem;
    height: 1.5rem;
    color: var(--_accent);
  }

  .step-up form {
    display: grid;
    gap: 1.125rem;
  }

  .aside {
    margin-top: 1.25rem;
    color: var(--_soft);
    font-size: 0.9375rem;
    text-align: center;
    text-wrap: balance;
  }
`;
