import type { Fault, FaultCode } from '../protocol/index.js';

/** What can go wrong on this side of the wire. */
export type LocalCode =
  | 'unreachable'
  | 'timeout'
  | 'media-failed'
  | 'unsupported'
  | 'permission-denied'
  | 'device-missing'
  | 'device-busy'
  | 'signed-out'
  | 'not-operator'
  | 'passkey-refused'
  | 'answer-unusable'
  | 'key-invalid'
  | 'location-denied'
  | 'location-unknown'
  | 'nowhere';

const LOCAL: Record<LocalCode, { title: string; remedy: string }> = {
  unreachable: {
    title: 'The server cannot be reached.',
    remedy: 'Check your connection; we keep trying.',
  },
  timeout: { title: 'The server did not answer in time.', remedy: 'Check your connection; we keep trying.' },
  'media-failed': {
    title: 'The media connection broke.',
    remedy: 'Check that this network lets UDP through; we keep trying.',
  },
  unsupported: {
    title: 'This browser cannot do that.',
    remedy: 'Use a current Chrome, Edge, Firefox or Safari over HTTPS.',
  },
  'permission-denied': {
    title: 'The browser was not allowed to use it.',
    remedy: 'Allow the camera and microphone for this site in the address bar, then try again.',
  },
  'device-missing': { title: 'That device is not there.', remedy: 'Plug it in, or pick another one.' },
  'device-busy': {
    title: 'That device is in use by another program.',
    remedy: 'Close the other program, then try again.',
  },
  'signed-out': { title: 'You are signed out.', remedy: 'Reload this page to sign in again.' },
  'not-operator': {
    title: 'This account cannot do that here.',
    remedy: 'Ask whoever runs this server, or sign in with another account.',
  },
  'passkey-refused': {
    title: 'The passkey was not used.',
    remedy: 'Try again, and confirm when the browser or the device asks.',
  },
  'answer-unusable': {
    title: 'The server’s answer could not be used.',
    remedy: 'Update the browser, then try again.',
  },
  'location-denied': {
    title: 'The browser was not allowed to find out where you are.',
    remedy:
      'Allow it for this site in the address bar, then try again; or leave it: nothing is missing for you.',
  },
  'location-unknown': {
    title: 'This device does not know where it is.',
    remedy: 'Switch location on in its settings, then try again.',
  },
  nowhere: { title: 'You are in no country that is on our map.', remedy: 'Choose a region instead.' },
  'key-invalid': {
    title: 'This is no key as JWK.',
    remedy: 'Paste the public key as JSON, such as {"kty":"EC","crv":"P-256","x":"…","y":"…"}.',
  },
};

/** Trying again with the same access cannot help against these. */
const FATAL: ReadonlySet<FaultCode | LocalCode> = new Set([
  'bad-request',
  'sdp-invalid',
  'codec-unsupported',
  'certificate-unsupported',
  'fingerprint-mismatch',
  'token-missing',
  'token-invalid',
  'token-expired',
  'token-unbound',
  'proof-missing',
  'proof-invalid',
  'invitation-invalid',
  'invitation-used',
  'access-revoked',
  'removed',
  'banned',
  'scope-missing',
  'sign-in-required',
  'event-unknown',
  'event-ended',
  'event-private',
  'event-sign-in',
  'event-approval',
  'turned-away',
  'knock-unanswered',
  'broadcaster-present',
  'origin-refused',
  'unsupported',
  'replaced',
  'signed-out',
  'not-operator',
  'answer-unusable',
]);

/** One error type: the server's fault, or one of our own in the same words. */
export class VeilcastError extends Error {
  override readonly name = 'VeilcastError';

  private constructor(
    readonly code: FaultCode | LocalCode,
    /** One sentence: what went wrong. */
    readonly title: string,
    /** One sentence: how to mend it. */
    readonly remedy: string,
    /** The server's fault, when it was the server that refused. */
    readonly fault: Fault | null,
  ) {
    super(`${title} ${remedy}`);
  }

  static refused(fault: Fault): VeilcastError {
    return new VeilcastError(fault.code, fault.title, fault.remedy, fault);
  }

  static local(code: LocalCode): VeilcastError {
    const { title, remedy } = LOCAL[code];
    return new VeilcastError(code, title, remedy, null);
  }

  /** Whatever was thrown, as one of ours. */
  static from(thrown: unknown, otherwise: LocalCode): VeilcastError {
    return thrown instanceof VeilcastError ? thrown : VeilcastError.local(otherwise);
  }

  /** Whether trying again on its own is pointless. */
  get fatal(): boolean {
    return FATAL.has(this.code);
  }
}
