import type { AccountSession } from '../protocol/index.js';

/** The latest session that was opened after this one. */
export function newerThanThis(sessions: readonly AccountSession[]): AccountSession | null {
  const current = sessions.find((session) => session.current);
  if (current === undefined) return null;
  const others = sessions.filter((session) => !session.current && session.opened >= current.opened);
  // The list begins with the newest; what stands behind this one in the same minute came before it.
  return others.find((other) => sessions.indexOf(other) < sessions.indexOf(current)) ?? null;
}
