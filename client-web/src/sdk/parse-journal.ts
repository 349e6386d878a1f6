import type { BreakGlass, EventFigures, SessionLog, SessionLogEntry } from '../protocol/index.js';
import { boolean, count, list, object, parseBreakGlass, string } from './parse.js';

export function parseSessionLog(value: unknown): SessionLog {
  const fields = object(value);
  return {
    epoch: fields.epoch === null ? null : parseEpoch(fields.epoch),
    entries: list(fields, 'entries').map(parseEntry),
  };
}

function parseEpoch(value: unknown): SessionLog['epoch'] {
  const fields = object(value);
  return {
    begins: count(fields, 'begins'),
    ends: count(fields, 'ends'),
    on_disk: boolean(fields, 'on_disk'),
  };
}

function parseEntry(value: unknown): SessionLogEntry {
  const fields = object(value);
  return {
    written: count(fields, 'written'),
    event: string(fields, 'event'),
    who: fields.who === null ? null : string(fields, 'who'),
    what: string(fields, 'what'),
    detail: string(fields, 'detail'),
  };
}

export function parseBreakGlassList(value: unknown): BreakGlass[] {
  return list(object(value), 'break_glass').map(parseBreakGlass);
}

/** `GET /api/v1/events/{id}/figures`. */
export function parseFigures(value: unknown): EventFigures {
  const fields = object(value);
  return {
    unit: string(fields, 'unit'),
    epsilon: count(fields, 'epsilon'),
    counters_each: count(fields, 'counters_each'),
    noise: string(fields, 'noise'),
    suppressed_below: count(fields, 'suppressed_below'),
    figures: list(fields, 'figures').map((each) => {
      const figure = object(each);
      return {
        counter: string(figure, 'counter'),
        value: figure.value === null ? null : count(figure, 'value'),
      };
    }),
  };
}
