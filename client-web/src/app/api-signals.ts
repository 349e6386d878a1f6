import type {
  NewWebhook,
  SecurityEvent,
  WebhookOutcome,
  WebhookSecret,
  WebhookSummary,
} from '../protocol/index.js';
import { callWith } from '../sdk/http.js';
import {
  parseSecurityEvents,
  parseWebhookList,
  parseWebhookSecret,
  parseWebhookTested,
} from '../sdk/parse-webhooks.js';
import { plain } from './api.js';
import { operator, signedIn } from './auth.js';

/** Who is told what happens here, and what was seen, for the operator. */
export const signals = {
  // These happen by themselves: they lead nobody away from the page.
  webhooks: (): Promise<WebhookSummary[]> => callWith(signedIn, plain('GET', PLACE), parseWebhookList),
  securityEvents: (): Promise<SecurityEvent[]> =>
    callWith(signedIn, plain('GET', '/api/v1/security-events'), parseSecurityEvents),

  addWebhook: (webhook: NewWebhook): Promise<WebhookSecret> =>
    callWith(operator, plain('POST', PLACE, webhook), parseWebhookSecret),
  rotateWebhook: (id: string): Promise<WebhookSecret> =>
    callWith(operator, plain('POST', `${at(id)}/rotate`), parseWebhookSecret),
  testWebhook: (id: string): Promise<WebhookOutcome> =>
    callWith(operator, plain('POST', `${at(id)}/test`), parseWebhookTested),
  removeWebhook: (id: string): Promise<void> => callWith(operator, plain('DELETE', at(id)), () => {}),
};

const PLACE = '/api/v1/webhooks';

function at(id: string): string {
  return `${PLACE}/${encodeURIComponent(id)}`;
}
