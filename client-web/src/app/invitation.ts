import { type Access, invitedAccess } from '../sdk/access.js';

/**
 * An invitation arrives as `#invitation=…`: a fragment never reaches a server's log. It leaves the address bar at once, so
 * that a shared screen or a copied address does not pass it on, and stays in this tab's session storage, so that a
 * reload still gets in. One to watch and one to `broadcast` are kept apart.
 */
export function takeInvitation(event: string, purpose: 'watch' | 'broadcast' = 'watch'): Access | null {
  const place = purpose === 'watch' ? `veilcast-invitation-${event}` : `veilcast-stage-${event}`;
  const code = takeCode(place);
  if (code === null) return null;
  const access = invitedAccess(location.origin, event, code, purpose);
  const ended = (): void => {
    sessionStorage.removeItem(place);
    access.ended?.();
  };
  return { ...access, ended };
}

function takeCode(key: string): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('invitation');
  if (code === null) return sessionStorage.getItem(key);
  history.replaceState(history.state, '', location.pathname);
  sessionStorage.setItem(key, code);
  return code;
}

/** The setup link's fragment is the token alone. It is kept nowhere. */
export function takeSetupToken(): string | null {
  const token = location.hash.slice(1);
  if (token === '') return null;
  history.replaceState(history.state, '', location.pathname);
  return token;
}
