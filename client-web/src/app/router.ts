export interface Route {
  /** Segments, `:name` for a parameter. */
  pattern: string;
  /** The element that shows it, once `load` has defined it. */
  tag: string;
  title: string;
  load: () => Promise<unknown>;
}

export interface Match {
  route: Route;
  params: Readonly<Record<string, string>>;
}

/** The first route whose pattern fits the path; a trailing slash makes no difference. */
export function match(routes: readonly Route[], path: string): Match | null {
  const segments = split(path);
  for (const route of routes) {
    const params = bind(split(route.pattern), segments);
    if (params !== null) return { route, params };
  }
  return null;
}

function bind(pattern: string[], segments: string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}

function split(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** Moves within the app; `replace` leaves no way back. */
export function navigate(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  window.dispatchEvent(new Event('veilcast-navigate'));
}

/** Calls `show` now and after every move: links of this origin, `navigate`, the browser's buttons. */
export function followMoves(show: () => void): void {
  window.addEventListener('popstate', show);
  window.addEventListener('veilcast-navigate', show);
  document.addEventListener('click', (event) => {
    const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (!(link instanceof HTMLAnchorElement) || !isOurs(link, event)) return;
    event.preventDefault();
    if (link.pathname !== location.pathname) navigate(link.pathname);
  });
  show();
}

function isOurs(link: HTMLAnchorElement, event: MouseEvent): boolean {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  return (
    plain &&
    link.origin === location.origin &&
    link.target === '' &&
    link.hash === '' &&
    !event.defaultPrevented
  );
}
