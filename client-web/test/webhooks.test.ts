import { describe, expect, it } from 'vitest';
import {
  hoursAgo,
  kindsWords,
  OUTCOME_WORDS,
  SECURITY_WORDS,
  webhookWords,
} from '../src/app/webhook-words.js';
import type { WebhookSummary } from '../src/protocol/index.js';
import {
  parseSecurityEvents,
  parseWebhookList,
  parseWebhookSecret,
  parseWebhookTested,
  WEBHOOK_KINDS,
} from '../src/sdk/parse-webhooks.js';

const webhook: WebhookSummary = {
  id: 'a',
  origin: 'https://hooks.example',
  kinds: ['event.started'],
  expires_in: 40 * 86_400,
  delivered_minutes_ago: null,
  tried_minutes_ago: null,
  outcome: null,
  waiting: 0,
  dropped: 0,
  rotating: false,
  ended: false,
};

describe('receivers of webhooks', () => {
  it('are what the server says, or nothing', () => {
    expect(parseWebhookList({ webhooks: [webhook] })).toEqual([webhook]);
    expect(parseWebhookSecret({ id: 'a', secret: 'whsec_x' })).toEqual({ id: 'a', secret: 'whsec_x' });
    expect(parseWebhookTested({ outcome: 'gone' })).toBe('gone');
    for (const wrong of [{ outcome: 'canary' }, { kinds: ['message.text'] }, { waiting: -1 }, { origin: 3 }])
      expect(() => parseWebhookList({ webhooks: [{ ...webhook, ...wrong }] })).toThrow('malformed');
  });

  it('are told of in plain words', () => {
    expect(webhookWords(webhook)).toEqual({ state: 'Nothing sent yet', more: 'Ends in 40 days' });
    const busy = {
      ...webhook,
      outcome: 'failing' as const,
      tried_minutes_ago: 3,
      waiting: 1,
      dropped: 2,
      rotating: true,
    };
    expect(webhookWords(busy)).toEqual({
      state: 'Does not work: it fails (3 minutes ago)',
      more: 'Ends in 40 days · 1 message waits · 2 messages were lost · the secret before the last still counts for a day',
    });
  });

  it('are announced to end', () => {
    expect(webhookWords({ ...webhook, expires_in: 86_400 }).more).toBe(
      'Ends in 1 day: add it again before then',
    );
  });

  it('are told what they chose', () => {
    expect(kindsWords(['event.started', 'security.raised'])).toBe(
      'Told when an event starts, something suspicious is seen',
    );
    expect(kindsWords(WEBHOOK_KINDS)).toBe('Told everything');
  });

  it('have a remedy wherever something is wrong', () => {
    for (const [outcome, { remedy }] of Object.entries(OUTCOME_WORDS))
      expect(remedy === '', outcome).toBe(outcome === 'delivered');
  });
});

describe('security events', () => {
  it('are what the server says, or nothing', () => {
    const event = { kind: 'foreign-probe', event: null, hours_ago: 0, count: 1 };
    expect(parseSecurityEvents({ security_events: [event] })).toEqual([event]);
    expect(() => parseSecurityEvents({ security_events: [{ ...event, kind: 'canary' }] })).toThrow(
      'malformed',
    );
  });

  it('say what they mean and what to do', () => {
    for (const { title, meaning, remedy } of Object.values(SECURITY_WORDS))
      for (const words of [title, meaning, remedy]) expect(words.length).toBeGreaterThan(15);
    expect([hoursAgo(0), hoursAgo(1), hoursAgo(50)]).toEqual([
      'Within the last hour',
      '1 hour ago',
      '2 days ago',
    ]);
  });
});
