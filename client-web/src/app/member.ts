import { type Access, renewing } from '../sdk/access.js';
import { api } from './api.js';
import { member } from './auth.js';

/** To watch an event as somebody who has signed in. The server makes somebody else of them at every event. */
export function memberAccess(event: string): Access {
  return { token: renewing(() => api.memberToken(event)), prove: member.prove };
}
