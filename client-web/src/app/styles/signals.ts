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

  .signals .row .actions {
    align-self: start;
  }
`;
