import type { QualityCap } from '../protocol/index.js';

/** What elements ask of whoever holds the state. They bubble out of shadow roots. */
export interface Requests {
  'veilcast-mute-request': { muted: boolean };
  'veilcast-volume-request': { volume: number };
  'veilcast-quality-request': { max: QualityCap };
  'veilcast-fullscreen-request': null;
  'veilcast-inset-request': null;
  'veilcast-choices-request': null;
  'veilcast-retry-request': null;
  /** The browser plays no sound before the person has touched the page. */
  'veilcast-sound-blocked': null;
  'veilcast-toggle-request': { kind: SourceKind; on: boolean };
  'veilcast-device-request': { kind: 'camera' | 'microphone'; deviceId: string };
  'veilcast-end-request': null;
}

export type SourceKind = 'camera' | 'microphone' | 'screen';

export function request<Name extends keyof Requests>(
  from: EventTarget,
  name: Name,
  detail: Requests[Name],
): void {
  from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}

/** Listens for requests with their detail's type. */
export function onRequest<Name extends keyof Requests>(
  target: EventTarget,
  name: Name,
  handle: (detail: Requests[Name]) => void,
): void {
  target.addEventListener(name, (event) => {
    if (event instanceof CustomEvent) handle(event.detail);
  });
}
