import type { BreakGlass, EventFigures, SessionLog } from '../protocol/index.js';
import { call, callWith } from '../sdk/http.js';
import { parseBreakGlass } from '../sdk/parse.js';
import { parseBreakGlassList, parseFigures, parseSessionLog } from '../sdk/parse-journal.js';
import { plain } from './api.js';
import { operator } from './auth.js';

/** The session log, and what everybody is told of break-glass. */
export const journal = {
  read: (): Promise<SessionLog> => callWith(operator, plain('GET', '/api/v1/journal'), parseSessionLog),
  breakGlass: (): Promise<BreakGlass[]> => call(plain('GET', '/api/v1/break-glass'), parseBreakGlassList),
  askBreakGlass: (event: string, hours: number): Promise<BreakGlass> =>
    callWith(operator, plain('POST', at(event), { hours }), parseBreakGlass),
  stopBreakGlass: (event: string): Promise<void> => callWith(operator, plain('DELETE', at(event)), () => {}),
  /** Of an event that is over. */
  figures: (event: string): Promise<EventFigures> =>
    callWith(operator, plain('GET', `/api/v1/events/${encodeURIComponent(event)}/figures`), parseFigures),
};

function at(event: string): string {
  return `/api/v1/events/${encodeURIComponent(event)}/break-glass`;
}
