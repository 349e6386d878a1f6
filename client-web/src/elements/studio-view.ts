import type { AudienceHealth, LayerState } from '../protocol/index.js';
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

/** Never exact: the number is rough and follows with a delay, so that no change of it is one person. */
export function viewersWords(viewers: number | null): string {
  return viewers === null
    ? 'Fewer than 5 are watching'
    : `About ${viewers.toLocaleString('en')} are watching`;
}

export interface HealthRow {
  name: string;
  count: string;
  /** What it means, and what may be done. */
  help: string;
}

/** How the picture arrives at the audience, best first; `null` while that could only be guesses about persons. */
export function healthRows(health: AudienceHealth): HealthRow[] | null {
  if (Object.values(health).every((count) => count === null)) return null;
  const rows: [string, number | null, string][] = [
    ['Full picture', health.high, 'The largest size that you send.'],
    ['Medium picture', health.medium, 'Their connection, or their wish, allows a lighter version.'],
    ['Small picture', health.low, 'The lightest version: a slow connection, or a wish to save data.'],
    ['Sound only, by choice', health.sound_only, 'They switched the picture off.'],
    [
      'Picture paused',
      health.paused,
      'Their connection carries the sound alone. The picture returns by itself.',
    ],
  ];
  return rows.map(([name, count, help]) => ({ name, count: roughly(count), help }));
}

function roughly(count: number | null): string {
  return count === null ? '<5' : `${count.toLocaleString('en')}+`;
}

/** What the broadcaster could do for its audience, where there is something to be done. */
export function healthAdvice(health: AudienceHealth): string | null {
  const { high, medium, low, sound_only: soundOnly, paused } = health;
  const fine = (high ?? 0) + (medium ?? 0) + (low ?? 0) + (soundOnly ?? 0);
  if (paused === null || paused <= fine) return null;
  return 'Most connections carry your sound only. Sharing a smaller picture may help; your own connection is shown above.';
}

/** What leaves this device and how it arrives at the server, as names and values. */
export function uplinkRows(stats: StatsSummary): [string, string][] {
  return [
    ['Sent', bitrateWords(stats.bitrate)],
    ['Lost on the way', stats.loss === null ? 'not known yet' : `${(stats.loss * 100).toFixed(1)} %`],
    [
      'To the server and back',
      stats.roundTripMs === null ? 'not known yet' : `${Math.round(stats.roundTripMs)} ms`,
    ],
  ];
}

/** Which sizes the server needs, in words; `null` without simulcast. */
export function layersWords(layers: readonly LayerState[]): string | null {
  if (layers.length < 2) return null;
  const name = (index: number): string =>
    index === layers.length - 1 ? 'full' : index === 0 ? 'small' : 'medium';
  const names = (active: boolean): string =>
    layers.flatMap((layer, index) => (layer.active === active ? [name(index)] : [])).join(', ');
  if (names(false) === '') return `all ${layers.length}`;
  return names(true) === ''
    ? 'none while nobody watches'
    : `${names(true)} (not needed now: ${names(false)})`;
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
