import type { Quality, QualityCap, StageState, Unplayable } from '../protocol/index.js';
import type { VeilcastError } from '../sdk/errors.js';
import type { SessionState } from '../sdk/session.js';

export interface PlayerModel {
  session: SessionState;
  stage: StageState;
  /** A frame of the present stage has been decoded. */
  playing: boolean;
  /** The best picture that this person wants. */
  wish: QualityCap;
  /** How much of the picture arrives. */
  quality: Quality;
  /** The picture was away and is on its way back. */
  returning: boolean;
  unplayable: Unplayable | null;
  /** The farewell, once the event is over. */
  ended: string | null;
  error: VeilcastError | null;
}

export type PosterKind =
  | 'connecting'
  | 'waiting'
  | 'reconnecting'
  | 'paused'
  | 'sound-only'
  | 'slow'
  | 'unplayable'
  | 'ended'
  | 'private'
  | 'failed';

/** What stands in the place of the picture. */
export interface Poster {
  kind: PosterKind;
  title: string;
  text: string;
  /** Whether trying again could help. */
  retry?: boolean;
  /** Whether the picture is this person's to bring back. */
  chosen?: boolean;
}

/** Asking again does not change these. */
const FINAL: ReadonlySet<string> = new Set([
  'event-unknown',
  'event-private',
  'codec-unsupported',
  'token-expired',
  'token-invalid',
  'scope-missing',
]);

/** The server speaks to whoever builds on it; a viewer holds an invitation, not a token. */
const INVITATION: Readonly<Record<string, string>> = {
  'token-expired': 'Your invitation has run out',
  'token-invalid': 'This invitation is not valid here',
  'scope-missing': 'This invitation is not for watching',
};

/** `null`: the picture speaks for itself. */
export function poster(model: PlayerModel): Poster | null {
  const bySession = SESSION[model.session];
  return bySession === undefined ? onStage(model) : bySession(model);
}

/** What a screen reader says when it changes. */
export function spoken(shown: Poster | null): string {
  if (shown === null) return 'Live';
  const stop = /[.…]$/.test(shown.title) ? '' : '.';
  return `${shown.title}${stop} ${shown.text}`.trim();
}

/** A short remark on top of a running picture. */
export function remark(model: PlayerModel): string | null {
  if (model.session !== 'connected' || model.stage.video !== 'live') return null;
  return model.stage.audio === 'muted' ? 'The broadcaster’s microphone is off' : null;
}

/** Whether the red badge is true. */
export function isLive(model: PlayerModel): boolean {
  const { audio, video } = model.stage;
  return model.session === 'connected' && (audio === 'live' || video === 'live');
}

const CONNECTING: Poster = { kind: 'connecting', title: 'Connecting…', text: '' };

const SESSION: Partial<Record<SessionState, (model: PlayerModel) => Poster>> = {
  idle: () => CONNECTING,
  connecting: (model) =>
    model.error === null
      ? CONNECTING
      : { ...CONNECTING, title: model.error.title.replace(/\.$/, ''), text: model.error.remedy },
  reconnecting: () => ({
    kind: 'reconnecting',
    title: 'Reconnecting…',
    text: 'The connection broke. The picture comes back by itself.',
  }),
  ended: (model) => ({
    kind: 'ended',
    title: 'This event has ended',
    text:
      model.ended === null || model.ended === 'This event has ended.'
        ? 'Thank you for watching. This server keeps no recording.'
        : model.ended,
  }),
  failed: ({ error }) => failure(error),
  closed: () => ({ kind: 'failed', title: 'You left', text: 'Come back whenever you like.', retry: true }),
};

function failure(error: VeilcastError | null): Poster {
  if (error === null)
    return { kind: 'failed', title: 'This did not work', text: 'Try again in a moment.', retry: true };
  const invitation = INVITATION[error.code];
  return {
    kind: error.code === 'event-private' ? 'private' : 'failed',
    title: invitation ?? error.title.replace(/\.$/, ''),
    text: invitation === undefined ? error.remedy : 'Ask the organiser for a new one.',
    retry: !FINAL.has(error.code),
  };
}

function onStage(model: PlayerModel): Poster | null {
  const { stage, playing, unplayable } = model;
  if (stage.audio === 'absent' && stage.video === 'absent') {
    return {
      kind: 'waiting',
      title: 'Waiting for the broadcaster',
      text: 'You are in the right place. The picture appears here by itself.',
    };
  }
  if (unplayable !== null && stage.video !== 'absent') {
    return { kind: 'unplayable', title: 'This browser cannot play the picture', text: unplayable.title };
  }
  // What nobody watches may rest, so that a picture this person switched off looks like one that is muted.
  if (stage.video !== 'absent' && model.wish === 'off') return switchedOff(stage);
  if (stage.video === 'live') return withoutPicture(model) ?? (playing ? null : CONNECTING);
  if (stage.audio === 'live') {
    return { kind: 'sound-only', title: 'Sound only', text: 'The broadcaster’s camera is off.' };
  }
  return { kind: 'paused', title: 'Paused', text: 'The broadcaster will be back in a moment.' };
}

function switchedOff(stage: StageState): Poster {
  const text =
    stage.audio === 'live'
      ? 'You switched the picture off.'
      : 'You switched the picture off, and there is no sound just now.';
  return { kind: 'sound-only', title: 'Sound only', text, chosen: true };
}

/** The broadcaster sends a picture that does not come here, or not yet. */
function withoutPicture({ quality, stage, playing, returning }: PlayerModel): Poster | null {
  if (quality === 'paused') {
    const text =
      stage.audio === 'live'
        ? 'Your connection is too slow for the picture just now; sound goes on.'
        : 'Your connection is too slow for it just now. It comes back by itself.';
    return { kind: 'slow', title: 'Picture paused', text };
  }
  return quality === 'off' || (returning && !playing) ? RETURNING : null;
}

const RETURNING: Poster = { kind: 'connecting', title: 'The picture is coming…', text: '' };

/** The choices of the quality menu, in plain words. */
export const CHOICES: readonly { max: QualityCap; name: string; hint: string }[] = [
  { max: 'high', name: 'Auto', hint: 'As sharp as your connection allows' },
  { max: 'medium', name: 'Medium', hint: 'Uses less data' },
  { max: 'low', name: 'Low', hint: 'Uses the least data' },
  { max: 'off', name: 'Sound only', hint: 'No picture' },
];
