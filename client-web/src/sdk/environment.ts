import { type Cancel, type Clock, systemClock } from './clock.js';

/** Everything the SDK takes from the browser, in one place that a test can replace. */
export interface Environment {
  clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  openSocket(url: string): WebSocket;
  createPeer(configuration: RTCConfiguration): RTCPeerConnection;
  /** Calls `listener` when the machine may have moved to another network. */
  onNetworkChange(listener: () => void): Cancel;
}

export const browser: Environment = {
  clock: systemClock,
  random: Math.random,
  openSocket: (url) => new WebSocket(url),
  createPeer: (configuration) => new RTCPeerConnection(configuration),
  onNetworkChange(listener) {
    const targets = [window, connection()].filter((target) => target !== null);
    for (const target of targets) target.addEventListener(target === window ? 'online' : 'change', listener);
    return () => {
      for (const target of targets)
        target.removeEventListener(target === window ? 'online' : 'change', listener);
    };
  },
};

/** The Network Information API, which Chromium has and others do not. */
function connection(): EventTarget | null {
  const found: unknown = Reflect.get(navigator, 'connection');
  return found instanceof EventTarget ? found : null;
}
