import { css } from 'lit';

/** Studio, watch, operator and privacy. */
export const rooms = css`
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

  /* On a phone the way back and the link share a line, so that the picture comes soon. */
  .event-head {
    display: grid;
    grid-template: 'trail share' auto 'name share' auto 'meta share' auto / 1fr auto;
    align-items: center;
    column-gap: 1.5rem;
    margin-bottom: 1.25rem;
  }

  .event-head .trail {
    grid-area: trail;
  }

  .event-head h1 {
    grid-area: name;
    font-size: clamp(1.375rem, 4vw, 2rem);
  }

  .event-head .meta {
    grid-area: meta;
  }

  .event-head vc-share {
    grid-area: share;
    align-self: end;
  }

  @media (width < 40rem) {
    .event-head {
      grid-template: 'trail share' auto 'name name' auto 'meta meta' auto / 1fr auto;
      margin-bottom: 1rem;
    }

    main:has(veilcast-studio) {
      padding-block-start: 0.75rem;
    }

    .event-head vc-share {
      align-self: center;
    }

    /* With a choice beside it, the invitation takes a line of its own. */
    .event-head:has(vc-share select) {
      grid-template: 'trail' auto 'name' auto 'meta' auto 'share' auto / 1fr;
    }

    .event-head:has(vc-share select) vc-share {
      margin-top: 0.75rem;
    }

    .event-head h1 {
      margin-top: 0.375rem;
    }
  }

  .trail {
    font-size: 0.9375rem;
  }

  .trail a {
    display: inline-block;
    padding-block: 0.375rem;
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
    flex: 1 1 11rem;
    min-width: 0;
  }

  .row .name {
    font-size: 1.0625rem;
    line-height: 1.35;
    overflow-wrap: anywhere;
  }

  .row .meta {
    column-gap: 0.5rem;
    margin-top: 0.375rem;
  }

  @media (width < 40rem) {
    .row {
      padding-inline: 1rem;
    }
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

  vc-share select {
    width: auto;
    min-height: 2.5rem;
    padding-block: 0.375rem;
    font-size: 0.9375rem;
  }

  .cohosts,
  .location-cap,
  .invitations,
  .look-after,
  .stream-keys {
    display: grid;
    gap: 0.75rem;
    max-width: 34rem;
    margin-top: 1.5rem;
  }

  .sheet.cohosts h2,
  .sheet.location-cap h2,
  .sheet.invitations h2,
  .sheet.look-after h2,
  .sheet.stream-keys h2 {
    margin: 0;
    display: flex;
    align-items: center;
    gap: 0.5rem;
  }

  .cohosts .lead,
  .cohosts .hint,
  .location-cap .lead,
  .location-cap .hint,
  .invitations .lead,
  .invitations .hint,
  .look-after .lead,
  .look-after .hint,
  .look-after .meta,
  .stream-keys .lead,
  .stream-keys .hint {
    margin: 0;
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .look-after vc-doorkeeper {
    display: grid;
    gap: 0.75rem;
  }

  .look-after h3 {
    margin: 0.5rem 0 0;
    font-size: 1.0625rem;
  }

  .watch .look-after {
    max-width: none;
    margin-top: 0;
  }

  .stream-keys form,
  vc-copy-field {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: 0.5rem;
  }

  vc-copy-field label {
    flex: 1 1 14rem;
    min-width: 0;
  }

  .stream-keys .life {
    flex: 0 1 9rem;
  }

  .made > button {
    justify-self: start;
  }

  .made,
  .invite {
    display: grid;
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


  .watch {
    display: grid;
    gap: 1rem;
    /* The whole picture stays on the screen, whatever its shape. */
    max-width: calc((100dvh - 14.75rem) * 16 / 9);
  }

  main:has(.watch) {
    padding-block-start: clamp(0rem, 2vw, 1.5rem);
  }

  .watch h1 {
    font-size: clamp(1.375rem, 3.5vw, 1.75rem);
  }

  .caption {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 0.875rem;
  }

  .onward {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1.5rem;
  }

  .caption + p {
    margin-top: -0.25rem;
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
    white-space: nowrap;
  }

  @media (width < 40rem) {
    .figures {
      gap: 0.5rem;
    }

    .figures div {
      padding: 0.75rem;
    }

    .figures dt {
      font-size: 0.875rem;
    }
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

  .prose :is(p, dl) + :is(p, dl) {
    margin-top: 0.75rem;
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

  .ledger dd p {
    margin: 0.25rem 0 0;
  }

  .ledger .fine {
    font-size: 0.875em;
  }

  .ledger dd:not(:last-child) {
    border-bottom: 1px solid var(--_line);
  }

  .choices {
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .choices summary {
    display: flex;
    align-items: center;
    gap: 0.625rem;
    min-height: 3rem;
    padding: 0.5rem 1.125rem;
    cursor: pointer;
  }

  .choices summary span {
    font-weight: 600;
    white-space: nowrap;
  }

  .choices summary small {
    margin-left: auto;
    text-align: end;
    color: var(--_soft);
  }

  .choices p {
    margin: 0;
    padding: 0 1.125rem 0.5rem;
    color: var(--_soft);
  }

  .kept ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }

  .kept li {
    display: grid;
    grid-template-columns: 1fr max-content;
    align-items: center;
    gap: 0.5rem 1rem;
    padding: 0.625rem 1.125rem;
    border-top: 1px solid var(--_line);
  }

  .kept .acts {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
  }

  .button.file {
    position: relative;
  }

  .button.file:focus-within {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }

  .button.file input {
    position: absolute;
    inset: 0;
    opacity: 0;
    cursor: pointer;
  }

  .kept li small {
    display: block;
    color: var(--_soft);
  }

  vc-own-receipts,
  vc-receipts-here {
    display: block;
  }

  .choices :is(vc-own-receipts, vc-receipts-here):not(:empty) {
    padding-block: 0.875rem;
    border-top: 1px solid var(--_line);
  }

  .choices h3 {
    padding: 0 1.125rem 0.25rem;
    font-size: 1rem;
  }

  .choices .actions {
    padding: 0.25rem 1.125rem 0;
  }

  .choices .told:empty {
    display: none;
  }

  .choices .told {
    padding-block: 0.5rem 0;
  }

  .choices .notice {
    margin: 0.75rem 1.125rem 0;
  }

  .choices.kept button,
  .choices .kept button {
    justify-self: start;
  }

  .choices .kept li:first-child {
    border-top: 0;
  }

  .choices.kept {
    padding-block: 0.875rem;
  }

  vc-consent {
    display: block;
    padding: 0.25rem;
    background: var(--_surface);
  }

  .asked-elsewhere {
    display: grid;
    gap: 0.75rem;
    text-align: center;
  }

  @media (max-width: 36rem) {
    .kept li {
      grid-template-columns: 1fr;
    }
  }
`;
