import type { BreakGlass, EventSummary } from '../protocol/index.js';

/** The event as it is from now on, with or without break-glass. */
export function withGlass(event: EventSummary, told: BreakGlass | null): EventSummary {
  const { break_glass: _, ...rest } = event;
  return told === null ? rest : { ...rest, break_glass: told };
}
