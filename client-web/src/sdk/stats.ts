import type { Cancel, Clock } from './clock.js';

/** What a broadcaster wants to know about the sending side. */
export interface StatsSummary {
  /** Sent, in bits per second, sound and picture together. */
  bitrate: number;
  framesPerSecond: number | null;
  width: number | null;
  height: number | null;
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
  let previous: { bytes: number; at: number } | null = null;
  let over = false;
  let cancel: Cancel = () => {};
  const tick = async (): Promise<void> => {
    const stats = await peer.getStats();
    if (over) return;
    const bytes = sum(stats, 'outbound-rtp', 'bytesSent');
    const at = clock.now();
    if (previous !== null && at > previous.at) {
      const bitrate = Math.max(0, ((bytes - previous.bytes) * 8000) / (at - previous.at));
      report(summarize(stats, bitrate));
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

function summarize(stats: RTCStatsReport, bitrate: number): StatsSummary {
  const roundTrip = first(stats, 'candidate-pair', 'currentRoundTripTime');
  return {
    bitrate,
    framesPerSecond: first(stats, 'outbound-rtp', 'framesPerSecond'),
    width: first(stats, 'outbound-rtp', 'frameWidth'),
    height: first(stats, 'outbound-rtp', 'frameHeight'),
    roundTripMs: roundTrip === null ? null : roundTrip * 1000,
    loss: first(stats, 'remote-inbound-rtp', 'fractionLost'),
  };
}

function values(stats: RTCStatsReport, type: string, key: string): number[] {
  const found: number[] = [];
  stats.forEach((entry: Readonly<Record<string, unknown>>) => {
    const value = entry.type === type ? entry[key] : undefined;
    if (typeof value === 'number') found.push(value);
  });
  return found;
}

function first(stats: RTCStatsReport, type: string, key: string): number | null {
  return values(stats, type, key)[0] ?? null;
}

export function sum(stats: RTCStatsReport, type: string, key: string): number {
  return values(stats, type, key).reduce((total, value) => total + value, 0);
}
