import { css } from 'lit';

/** The chat, in the shadow root of its panel. */
export const chatStyles = css`
  :host {
    display: block;
    min-width: 0;
    color: var(--_ink);
    font: 1rem/1.45 var(--_font);
  }

  section {
    display: flex;
    flex-direction: column;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
    overflow: hidden;
  }

  header,
  .foot {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.5rem 1rem;
    padding: 0.75rem 1rem;
  }

  header {
    border-bottom: 1px solid var(--_line);
  }

  h2 {
    margin: 0;
    font-size: 1.0625rem;
  }

  p {
    margin: 0;
  }

  .soft {
    color: var(--_soft);
    font-size: 0.875rem;
  }

  .invitation {
    display: grid;
    justify-items: start;
    gap: 0.75rem;
    padding: 1rem;
  }

  .log {
    height: min(28rem, 50vh);
    padding: 0.5rem;
    overflow-y: auto;
    overscroll-behavior: contain;
  }

  ul {
    display: grid;
    gap: 0.125rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }

  .none {
    padding: 2rem 1rem;
    color: var(--_soft);
    text-align: center;
  }

  .line {
    position: relative;
    padding: 0.375rem 0.5rem;
    border-radius: var(--_radius-s);
    /* Marks that reach out of their line do not reach into another. */
    overflow: hidden;
  }

  .line:hover,
  .line:focus-within {
    background: var(--_sunken);
  }

  .line.own {
    background: var(--_accent-wash);
  }

  .by {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.375rem;
    font-size: 0.875rem;
  }

  .name {
    font-weight: 650;
    unicode-bidi: isolate;
  }

  .role {
    padding: 0 0.4375rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_accent-ink);
    font-size: 0.75rem;
    font-weight: 650;
  }

  .text {
    display: block;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }

  .quote {
    padding-inline-start: 0.5rem;
    border-inline-start: 3px solid var(--_line);
    color: var(--_soft);
    font-size: 0.875rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .chips,
  .acts {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem;
    margin-top: 0.25rem;
  }

  .small {
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    min-width: 2.25rem;
    min-height: 2.25rem;
    justify-content: center;
    padding: 0 0.625rem;
    border: 1px solid var(--_line);
    border-radius: 999px;
    background: var(--_surface);
    color: var(--_ink);
    font: 500 0.875rem/1 var(--_font);
    cursor: pointer;
  }

  .small:hover {
    border-color: var(--_edge);
  }

  .small[aria-pressed='true'] {
    border-color: var(--_accent);
    background: var(--_accent-wash);
  }

  .small.danger {
    color: var(--_danger);
  }

  .more {
    margin-inline-start: auto;
    border-color: transparent;
    background: transparent;
    color: var(--_soft);
  }

  .pinned {
    padding: 0.625rem 1rem;
    border-bottom: 1px solid var(--_line);
    background: var(--_sunken);
  }

  form {
    display: grid;
    gap: 0.5rem;
    padding: 0.75rem 1rem 1rem;
    border-top: 1px solid var(--_line);
  }

  .row {
    display: flex;
    gap: 0.5rem;
  }

  label {
    flex: 1;
    min-width: 0;
  }

  input,
  select {
    width: 100%;
    min-height: 2.75rem;
    padding: 0.5rem 0.75rem;
    border: 1px solid var(--_edge);
    border-radius: var(--_radius-s);
    background: var(--_surface);
    color: var(--_ink);
    font: inherit;
  }

  select {
    width: auto;
  }

  .wrong {
    color: var(--_danger);
    font-size: 0.875rem;
  }

  .wrong:empty {
    display: none;
  }
`;
