import { css } from 'lit';

/** What the operator's page says of security and of webhooks. */
export const signals = css`
  .signals {
    display: grid;
    gap: 1.5rem;
    max-width: 52rem;
    margin-top: 2rem;
  }

  .signals .sheet {
    gap: 0.875rem;
  }

  .signals .sheet > h2 {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    margin: 0;
  }

  .signals .sheet > h2 svg {
    flex: none;
    width: 1.375rem;
    height: 1.375rem;
    color: var(--_accent);
  }

  .signals .lead,
  .signals .hint,
  .signals .meaning {
    margin: 0;
  }

  .signals .lead,
  .signals .hint,
  .signals .meta {
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .signals .meta.wrong {
    color: var(--_danger);
    font-weight: 600;
  }

  .signals .meaning {
    margin-top: 0.5rem;
  }

  .signals .hint {
    margin-top: 0.25rem;
  }

  .signals .adding {
    display: grid;
    gap: 1rem;
  }

  .session-log .past {
    margin-top: 0;
  }

  .session-log .adding {
    margin-top: 1rem;
  }

  .session-log input[type='number'] {
    max-width: 8rem;
  }

  .event-figures .events {
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
  }

  .event-figures details:not(:first-child) {
    border-top: 1px solid var(--_line);
  }

  .event-figures summary {
    min-height: 3rem;
    padding: 0.75rem 1.25rem 0.75rem 2.375rem;
    text-indent: -1.125rem;
    overflow-wrap: anywhere;
    font-weight: 600;
    cursor: pointer;
  }

  .event-figures details > :not(summary) {
    margin: 0;
    padding: 0 1.25rem 0.75rem;
  }

  .event-figures dl {
    display: grid;
  }

  .event-figures dl div {
    display: flex;
    justify-content: space-between;
    gap: 1.5rem;
    padding-block: 0.5rem;
    border-top: 1px solid var(--_line);
  }

  .event-figures dd {
    flex: none;
    margin: 0;
    font-weight: 650;
    font-variant-numeric: tabular-nums;
  }

  .event-figures dd.few {
    color: var(--_soft);
    font-weight: 400;
  }

  .signals .row .actions {
    align-self: start;
  }
`;
