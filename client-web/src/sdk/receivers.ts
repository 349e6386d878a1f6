/** Sound and picture of one place. */
const KINDS = ['audio', 'video'] as const;

/**
 * What a viewer receives: a section of each kind for every place on stage, in order, and a stream for each place.
 *
 * Sections only ever grow in number. One of a place that has become empty stays open, and carries whoever has the place
 * next; so nobody who comes or goes touches the sections of the others.
 */
export class Receivers {
  readonly #streams: MediaStream[] = [];
  /** Of the present peer connection, by place. */
  #transceivers: RTCRtpTransceiver[][] = [];
  /** The peer connection's tracks are in the streams. */
  #attached = false;

  constructor(public jitterTargetMs: number) {}

  /** How many places the present peer connection has sections for. */
  get count(): number {
    return this.#transceivers.length;
  }

  /** A place's stream: one object, whatever peer connection its tracks come from. */
  stream(place: number): MediaStream {
    const known = this.#streams[place];
    if (known !== undefined) return known;
    const stream = new MediaStream();
    this.#streams[place] = stream;
    return stream;
  }

  /** A new peer connection is about to be made. The streams keep the old one's tracks until {@link attach}. */
  begin(): void {
    this.#transceivers = [];
    this.#attached = false;
  }

  /** Adds sections until there are some for so many places. */
  widen(peer: RTCPeerConnection, count: number): void {
    while (this.#transceivers.length < count) {
      const place = this.#transceivers.length;
      this.#transceivers.push(
        KINDS.map((kind) => {
          const transceiver = peer.addTransceiver(kind, { direction: 'recvonly' });
          const { receiver } = transceiver;
          if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = this.jitterTargetMs;
          return transceiver;
        }),
      );
      if (this.#attached) this.#fill(place);
    }
  }

  /** The present peer connection carries something: its tracks take the place of the old ones. */
  attach(): void {
    this.#attached = true;
    const count = Math.max(this.#streams.length, this.#transceivers.length);
    for (let place = 0; place < count; place += 1) this.#fill(place);
  }

  #fill(place: number): void {
    const stream = this.stream(place);
    const tracks = (this.#transceivers[place] ?? []).map(({ receiver }) => receiver.track);
    const before = stream.getTracks();
    if (before.length === tracks.length && tracks.every((track) => before.includes(track))) return;
    for (const track of before) stream.removeTrack(track);
    for (const track of tracks) stream.addTrack(track);
  }
}
