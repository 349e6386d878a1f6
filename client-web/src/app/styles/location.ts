import { css } from 'lit';

/** Where people are: what one chooses to show, and what others see of it. */
export const location = css`
  vc-location,
  vc-located {
    display: block;
  }

  .beside {
    display: grid;
    gap: 1rem;
    margin-block-start: 1rem;
  }

  .location,
  .located {
    display: grid;
    gap: 0.75rem;
    padding: 1rem 1.125rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }

  .location > *,
  .located > * {
    margin: 0;
  }

  .location h2,
  .located h2 {
    font-size: 1rem;
  }

  .location form {
    display: grid;
    gap: 1rem;
    max-width: 34rem;
  }

  .location form > * {
    margin: 0;
  }

  .location fieldset {
    display: grid;
    border: 0;
    padding: 0;
  }

  .location legend {
    margin-bottom: 0.25rem;
    padding: 0;
    color: var(--_soft);
  }

  .location fieldset label {
    display: grid;
    grid-template-columns: auto 1fr;
    align-items: center;
    gap: 0.75rem;
    min-height: 3rem;
    cursor: pointer;
  }

  .location small {
    display: block;
    color: var(--_soft);
    font-weight: 400;
  }

  /* Two answers of the same size, and neither stands out. */
  .answers {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 0.75rem;
    max-width: 24rem;
  }

  .location .shown {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.75rem 1.5rem;
  }

  .location .shown p {
    margin: 0;
  }

  .located ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }

  .located li {
    display: flex;
    justify-content: space-between;
    padding: 0.5rem 0;
    border-top: 1px solid var(--_line);
  }

  .location summary,
  .located summary {
    min-height: 2.75rem;
    align-content: center;
    cursor: pointer;
  }

  .map {
    display: block;
    width: 100%;
    max-height: 22rem;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_sunken);
  }

  .map path {
    stroke: var(--_soft);
    stroke-width: 1px;
    vector-effect: non-scaling-stroke;
  }

  .map .land {
    fill: var(--_surface);
    fill-rule: evenodd;
  }

  .map .light {
    fill: var(--_accent);
    fill-opacity: 0.3;
  }

  .map .medium {
    fill: var(--_accent);
    fill-opacity: 0.6;
  }

  .map .strong {
    fill: var(--_accent);
    fill-opacity: 0.9;
  }
`;
