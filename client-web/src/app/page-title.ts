import type { EventSummary } from '../protocol/index.js';

/**
 * What the browser's history, its tabs and its suggestions keep of a page. They outlive the visit and are shown to whoever uses the
 * device next: an event that is not listed is not named there.
 */
export function pageTitle({ title, listed }: Pick<EventSummary, 'title' | 'listed'>, page: string): string {
  return listed ? `${title} · ${page} · Veilcast` : `${page} · Veilcast`;
}
