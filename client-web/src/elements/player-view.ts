import type { PlaceState, Quality, QualityCap, StageState, Unplayable } from '../protocol/index.js';
import type { VeilcastError } from '../sdk/errors.js';
import type { SessionState } from '../sdk/session.js';

export interface PlayerModel {
  session: SessionState;
  stage: StageState;
  /** Who is on stage, and what arrives of each. */
  places: readonly PlaceModel[];
  /** A frame of the present stage has been decoded. */
  playing: boolean;
  /** The best picture that this person wants. */
  wish: QualityCap;
  /** How much of the picture arrives. */
  quality: Quality;
  /** The picture was away and is on its way back. */
  returning: boolean;
  /** What this browser cannot play of whose picture. */
  unplayable: Unplayable | null;
  /** The farewell, once the event is over. */
  ended: string | null;
  error: VeilcastError | null;
}

/** A broadcaster, and what arrives of it. */
export interface PlaceModel extends PlaceState {
  /** From 0. */
  place: number;
  /** Whose turn it is there. */
  tenure: number;
  quality: Quality;
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
  'token-unbound',
  'proof-missing',
  'proof-invalid',
  'invitation-invalid',
  'invitation-used',
  'access-revoked',
  'banned',
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
export function spoken(shown: Poster | null, places: readonly PlaceModel[] = []): string {
  if (shown === null)
    return places.length < 2 ? 'Live' : `Live: ${list(places.map(({ place }) => placeName(place)))}`;
  const stop = /[.…]$/.test(shown.title) ? '' : '.';
  return `${shown.title}${stop} ${shown.text}`.trim();
}

/** A short remark on top of a running picture. */
export function remark(model: PlayerModel): string | null {
  if (model.session !== 'connected' || model.stage.video !== 'live' || isSeveral(model)) return null;
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

/** Whether the picture is one of several, each with words of its own. */
export function isSeveral({ places }: Pick<PlayerModel, 'places'>): boolean {
  return places.length > 1;
}

/** Who has a place. No name of a person: the server knows none. */
export function placeName(place: number): string {
  return place === 0 ? 'Host' : `Co-host ${place + 1}`;
}

function list(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

/** What stands in the place of one of several pictures; `null`: the picture speaks for itself. */
export interface Cover {
  icon: 'pause' | 'sound' | 'cameraOff' | 'slow';
  words: string;
}

export function cover(place: PlaceModel, unplayable: Unplayable | null): Cover | null {
  if (unplayable?.place === place.place && place.video !== 'absent') {
    return { icon: 'cameraOff', words: 'Cannot be played here' };
  }
  if (place.video !== 'live') {
    if (place.audio === 'live') return { icon: 'sound', words: 'Sound only' };
    return { icon: 'pause', words: 'Paused' };
  }
  return place.quality === 'paused' ? { icon: 'slow', words: 'Picture paused: slow connection' } : null;
}

/** What a screen reader says of one of several pictures. */
export function tileLabel(place: PlaceModel, covered: Cover | null): string {
  const silent = place.audio !== 'live' && covered?.icon !== 'pause';
  const parts = [placeName(place.place), covered?.words, silent ? 'microphone off' : undefined];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** In how many columns so many pictures stand. `stacked`: there is more height than width. */
export function columns(count: number, stacked: boolean): number {
  if (stacked) return count <= 4 ? 1 : 2;
  return Math.ceil(Math.sqrt(count));
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
  if (isSeveral(model)) return model.wish === 'off' && stage.video !== 'absent' ? switchedOff(stage) : null;
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
