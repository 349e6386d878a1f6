import type { EventFigures } from '../protocol/index.js';

const COUNTERS: Readonly<Record<string, string>> = {
  'took-part': 'Took part',
  'saw-high': 'Had the best picture',
  'saw-low': 'Had the smallest picture',
  'sound-only': 'Had sound alone',
  paused: 'Had a picture that stood still, to spare their line',
  'line-lost': 'Lost their line',
  'saw-fault': 'Were shown a fault',
};

/** Of what a figure is. What this version does not know is shown as it is. */
export const counterWords = (counter: string): string => COUNTERS[counter] ?? counter;

export const valueWords = (value: number | null): string =>
  value === null ? 'too few to tell' : `about ${value}`;

/** What the figures are, and what they are not. */
export function figuresWords({
  epsilon,
  counters_each: each,
  suppressed_below: least,
}: EventFigures): string[] {
  return [
    `Of those alone who said yes to being counted: each person is in at most ${each} of these, once in each.`,
    `Noise was added to every figure: nine in ten are off by ${offBy(epsilon, each)} at most. Each costs a person epsilon ` +
      `${epsilon}/${each}; the ${each} that one can be in come to ${epsilon} together, so whether somebody was counted makes next ` +
      'to no difference to all of it.',
    `“Too few to tell” is a figure below ${least}, noise included: fewer than could be told without telling of one person.`,
    'They were drawn once, and stay as they are however often they are read.',
  ];
}

/** Nine in ten draws of the noise (discrete Laplace, scale `each` / `epsilon`) are no further from zero. */
export function offBy(epsilon: number, each: number): number {
  const q = Math.exp(-epsilon / each);
  let most = 0;
  while ((2 * q ** (most + 1)) / (1 + q) > 0.1) most += 1;
  return most;
}
