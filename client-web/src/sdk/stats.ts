import type { Cancel, Clock } from './clock.js';

/** What a broadcaster wants to know about the sending side. */
export interface StatsSummary {
  /** Sent, in bits per second, sound and picture together. */
  bitrate: number;
  /** Of the largest picture that is being sent. */
  framesPerSecond: number | null;
  width: number | null;
  height: number | null;
  /** In how many sizes or qualities the picture is being sent. */
  layers: number;
  /** Round trip to the server in milliseconds. */
  roundTripMs: number | null;
  /** Share of the last report's packets that did not arrive, 0 to 1. */
  loss: number | null;
}

/** Often enough to see trouble, rarely enough to be read. */
const EVERY_MS = 2_000;

/** Reads the peer's statistics every two seconds until cancelled. */
export function watchStats(
  peer: RTCPeerConnection,
  clock: Clock,
  report: (summary: StatsSummary) => void,
): Cancel {
  let previous: { bytes: ReadonlyMap<string, number>; at: number } | null = null;
  let over = false;
  let cancel: Cancel = () => {};
  const tick = async (): Promise<void> => {
    const stats = await peer.getStats();
    if (over) return;
    const bytes = sentBytes(stats);
    const at = clock.now();
    if (previous !== null && at > previous.at) {
      report(summarize(stats, grown(previous.bytes, bytes), at - previous.at));
    }
    previous = { bytes, at };
    cancel = clock.after(EVERY_MS, run);
  };
  const run = (): void => {
    // The peer closes under us when a leg ends; there is nothing left to report then.
    tick().catch(() => {});
  };
  run();
  return () => {
    over = true;
    cancel();
  };
}

type Entry = Readonly<Record<string, unknown>>;

function summarize(stats: RTCStatsReport, sent: ReadonlyMap<string, number>, ms: number): StatsSummary {
  const roundTrip = first(stats, 'candidate-pair', 'currentRoundTripTime');
  const bits = [...sent.values()].reduce((total, bytes) => total + bytes, 0) * 8;
  const pictures = sending(stats, sent);
  const largest = pictures[0];
  const losses = values(stats, 'remote-inbound-rtp', 'fractionLost');
  return {
    bitrate: (bits * 1000) / ms,
    framesPerSecond: number(largest, 'framesPerSecond'),
    width: number(largest, 'frameWidth'),
    height: number(largest, 'frameHeight'),
    layers: pictures.length,
    roundTripMs: roundTrip === null ? null : roundTrip * 1000,
    loss: losses.length === 0 ? null : Math.max(...losses),
  };
}

/** The pictures that something was sent of, largest first. A layer that rests keeps its entry and its last numbers. */
function sending(stats: RTCStatsReport, sent: ReadonlyMap<string, number>): Entry[] {
  const found: Entry[] = [];
  stats.forEach((entry: Entry, id: string) => {
    const isPicture = entry.type === 'outbound-rtp' && entry.kind === 'video';
    if (isPicture && (sent.get(id) ?? 0) > 0) found.push(entry);
  });
  const worth = (entry: Entry): number =>
    (number(entry, 'frameHeight') ?? 0) * 1000 + (number(entry, 'framesPerSecond') ?? 0);
  return found.sort((a, b) => worth(b) - worth(a));
}

function sentBytes(stats: RTCStatsReport): Map<string, number> {
  const bytes = new Map<string, number>();
  stats.forEach((entry: Entry, id: string) => {
    if (entry.type === 'outbound-rtp') bytes.set(id, number(entry, 'bytesSent') ?? 0);
  });
  return bytes;
}

function grown(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...now].map(([id, bytes]) => [id, Math.max(0, bytes - (before.get(id) ?? 0))]));
}

function number(entry: Entry | undefined, key: string): number | null {
  const value = entry?.[key];
  return typeof value === 'number' ? value : null;
}

function values(stats: RTCStatsReport, type: string, key: string): number[] {
  const found: number[] = [];
  stats.forEach((entry: Entry) => {
    const value = entry.type === type ? number(entry, key) : null;
    if (value !== null) found.push(value);
  });
  return found;
}

function first(stats: RTCStatsReport, type: string, key: string): number | null {
  return values(stats, type, key)[0] ?? null;
}

export function sum(stats: RTCStatsReport, type: string, key: string): number {
  return values(stats, type, key).reduce((total, value) => total + value, 0);
}
