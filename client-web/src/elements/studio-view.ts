import type { LayerState } from '../protocol/index.js';
import type { SessionState } from '../sdk/session.js';
import type { StatsSummary } from '../sdk/stats.js';

/** Where the broadcast stands, in words that need no manual. */
export function airWords(state: SessionState, hasSource: boolean): string {
  if (state === 'connecting') return 'Going on air…';
  if (state === 'connected') return 'You are on air.';
  if (state === 'reconnecting') return 'The connection broke. Getting you back on air…';
  if (state === 'ended') return 'This event has ended.';
  return hasSource ? 'You are off air. Only you see this.' : 'You are off air.';
}

/** The numbers behind the picture, for those who like to look. */
export function statsWords(stats: StatsSummary): string {
  const parts = [
    sizeWords(stats),
    stats.framesPerSecond === null ? null : `${Math.round(stats.framesPerSecond)} frames/s`,
    bitrateWords(stats.bitrate),
    stats.roundTripMs === null ? null : `${Math.round(stats.roundTripMs)} ms to the server`,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

function sizeWords({ width, height, layers }: StatsSummary): string | null {
  if (width === null || height === null) return null;
  const smaller =
    layers > 2 ? ` and ${layers - 1} lighter versions` : layers === 2 ? ' and a lighter version' : '';
  return `${width} × ${height}${smaller}`;
}

/** Why a smaller picture leaves than the camera makes, where that is nothing to worry about. */
export function restWords(layers: readonly LayerState[]): string | null {
  const needed = layers.filter(({ active }) => active);
  if (layers.length === 0 || needed.length === layers.length) return null;
  if (needed.length === 0) return 'No picture is sent while nobody watches it.';
  return layers.at(-1)?.active === false ? 'Nobody needs the full size just now, so it is not sent.' : null;
}

/** A warning where there is something to be done, else `null`. */
export function uplinkWarning(stats: StatsSummary): string | null {
  // Beyond a twentieth, repair by retransmission becomes visible.
  if (stats.loss !== null && stats.loss > 0.05) {
    return 'Your connection is losing packets. Move closer to the router or use a cable.';
  }
  return null;
}

export function viewersWords(viewers: number): string {
  if (viewers === 0) return 'Nobody is watching yet';
  return viewers === 1 ? '1 person is watching' : `${viewers.toLocaleString('en')} people are watching`;
}

/** `1:05`, `1:00:05`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

function bitrateWords(bitrate: number): string {
  return bitrate >= 1_000_000
    ? `${(bitrate / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bitrate / 1000)} kbit/s`;
}
