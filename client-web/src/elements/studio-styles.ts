import { css } from 'lit';

export const studioStyles = css`
  :host {
    display: block;
    color: var(--_ink);
    font: 400 1rem/1.5 var(--_font);
    container-type: inline-size;
  }

  .studio {
    display: grid;
    gap: 1.25rem;
  }

  /* In one column, whoever else is on stage comes right below one's own picture. */
  .main,
  .side {
    display: contents;
  }

  veilcast-studio-others {
    order: 1;
  }

  .panels {
    order: 2;
  }

  .sources {
    order: 3;
  }

  @container (width >= 52rem) {
    .studio {
      grid-template-columns: minmax(0, 1fr) 20rem;
      align-items: start;
    }

    .main,
    .side {
      display: grid;
      gap: 1.25rem;
      min-width: 0;
    }
  }

  .stage {
    display: grid;
    gap: 1rem;
    min-width: 0;
  }

  .preview {
    position: relative;
    aspect-ratio: 16 / 9;
    overflow: hidden;
    border-radius: var(--_radius);
    background:
      radial-gradient(50rem 26rem at 15% 0%, rgb(28 110 99 / 36%), transparent 70%), #081110;
    color: #f0f6f4;
    color-scheme: dark;
  }

  /* Bars beside a picture are to be told from the picture. */
  .preview.pictured {
    background: #000000;
  }

  .preview.on-air {
    box-shadow: 0 0 0 3px var(--_live);
  }

  video.mirror {
    scale: -1 1;
  }

  .invitation {
    position: absolute;
    inset: 0;
    display: grid;
    align-content: center;
    justify-items: center;
    padding: 1rem;
    text-align: center;
  }

  .invitation svg {
    width: 2.25rem;
    height: 2.25rem;
    margin-bottom: 0.5rem;
    color: #8fe3d8;
    stroke-width: 1.4;
  }

  .invitation p {
    margin: 0;
    color: #b9cbc6;
    text-wrap: balance;
  }

  .invitation strong {
    color: #f0f6f4;
    font-size: 1.125rem;
  }

  .invitation .button {
    margin-top: 1rem;
    background: #f0f6f4;
    color: #081110;
  }

  .invitation .button:hover {
    background: #ffffff;
  }

  .top {
    position: absolute;
    inset: 0.875rem 0.875rem auto;
    font-variant-numeric: tabular-nums;
  }

  .desk {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.875rem 1.5rem;
  }

  .desk .words {
    flex: 1 1 16rem;
    min-width: 0;
  }

  .air {
    margin: 0;
    font-weight: 650;
    font-size: 1.125rem;
  }

  .numbers {
    display: flex;
    flex-wrap: wrap;
    gap: 0 1rem;
    min-height: 1.5em;
    margin: 0.125rem 0 0;
    color: var(--_soft);
    font-variant-numeric: tabular-nums;
  }

  .viewers {
    color: var(--_ink);
  }

  .stats {
    font-size: 0.9375rem;
  }

  .actions {
    display: flex;
    gap: 0.75rem;
  }

  .panels {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr));
    align-items: start;
    gap: 1.25rem;
  }

  .panel,
  .sources {
    min-width: 0;
    padding: 1.125rem 1.25rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .panel h2,
  .sources h2 {
    margin: 0 0 0.25rem;
    font-size: 1.0625rem;
    font-weight: 650;
  }

  .panel dl {
    margin: 0;
  }

  .panel dl div {
    display: flex;
    justify-content: space-between;
    gap: 1rem;
    padding: 0.375rem 0;
  }

  .panel dl div + div {
    border-top: 1px solid var(--_line);
  }

  .panel dt small {
    display: block;
    color: var(--_soft);
    font-size: 0.875rem;
    line-height: 1.35;
  }

  .panel dd {
    margin: 0;
    font-variant-numeric: tabular-nums;
    text-align: right;
  }

  .panel details {
    margin-top: 0.5rem;
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  .panel summary {
    min-height: 1.75rem;
    cursor: pointer;
  }

  .panel details p {
    margin: 0.25rem 0 0.5rem;
  }

  .nowrap {
    white-space: nowrap;
  }

  veilcast-source-row + veilcast-source-row {
    border-top: 1px solid var(--_line);
  }

  .hint {
    margin: 0.25rem 0 0;
    color: var(--_soft);
    font-size: 0.9375rem;
  }

  @container (width < 32rem) {
    .actions {
      width: 100%;
    }

    .actions .button {
      flex: 2;
    }

    /* The final one is the one not to hit by accident. */
    .actions .danger {
      flex: 1;
    }

    .preview {
      aspect-ratio: 4 / 3;
    }
  }
`;
