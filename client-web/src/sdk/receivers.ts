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
  #skipped: number | null = null;

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
  begin(skipped: number | null): void {
    this.#transceivers = [];
    this.#attached = false;
    this.#skipped = skipped;
  }

  /** Adds sections until there are some for so many places. */
  widen(peer: RTCPeerConnection, count: number): void {
    while (this.#transceivers.length < count) {
      const place = this.#transceivers.length;
      const direction = this.#direction(place);
      this.#transceivers.push(
        KINDS.map((kind) => {
          const transceiver = peer.addTransceiver(kind, { direction });
          const { receiver } = transceiver;
          if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = this.jitterTargetMs;
          return transceiver;
        }),
      );
      if (this.#attached) this.#fill(place);
    }
  }

  /** Nothing is received of this place, and everything of the others. Holds once it has been offered. */
  skip(place: number | null): void {
    this.#skipped = place;
    this.#transceivers.forEach((transceivers, at) => {
      for (const transceiver of transceivers) transceiver.direction = this.#direction(at);
    });
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

  #direction(place: number): 'recvonly' | 'inactive' {
    return place === this.#skipped ? 'inactive' : 'recvonly';
  }
}
