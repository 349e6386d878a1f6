import type { LayerState } from '../protocol/index.js';
import { type LayerPlan, planLayers, type VideoKind } from './layers.js';

/**
 * Keeps a video sender's encodings as they should be: planned for its source, and resting where nobody needs them.
 *
 * One change at a time, since the browser refuses parameters that are not its latest; a change that it refuses all the same
 * is made good by the next call.
 */
export class Tuner {
  /** By `rid`; a layer that the server has not spoken of is needed. */
  #needed: ReadonlyMap<string, boolean> = new Map();
  #preference: string | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly sender: RTCRtpSender,
    private kind: VideoKind,
  ) {}

  /** What the server says of each layer. */
  need(layers: readonly LayerState[]): Promise<void> {
    this.#needed = new Map(layers.map(({ rid, active }) => [rid, active]));
    return this.tune();
  }

  /** Whether a layer is sent when it is needed: a small source has fewer of them. */
  uses(rid: string): boolean {
    const { encodings } = this.sender.getParameters();
    const plans = this.#plans(encodings.length);
    return encodings.some((encoding, index) => encoding.rid === rid && plans[index]?.active === true);
  }

  /** Another source, of this kind. */
  show(kind: VideoKind): Promise<void> {
    this.kind = kind;
    return this.tune();
  }

  /** Makes the sender what it should be, if it is not. Never rejects. */
  tune(): Promise<void> {
    // Firefox refuses parameters before the first answer, and every browser those of a sender that has stopped.
    this.#last = this.#last.then(() => this.#apply()).catch(() => {});
    return this.#last;
  }

  async #apply(): Promise<void> {
    const parameters = this.sender.getParameters();
    const encodings: RTCRtpEncodingParameters[] | undefined = parameters.encodings;
    if (encodings === undefined) return;
    const plans = this.#plans(encodings.length);
    // Text on a screen must stay legible; a face must stay fluent.
    const preference = this.kind === 'screen' ? 'maintain-resolution' : 'balanced';
    const wanted = encodings.map((encoding, index) => this.#planned(encoding, plans[index]));
    if (preference === this.#preference && wanted.every((next, index) => isSame(next, encodings[index]))) {
      return;
    }
    parameters.encodings = wanted;
    parameters.degradationPreference = preference;
    await this.sender.setParameters(parameters);
    this.#preference = preference;
  }

  #plans(count: number): LayerPlan[] {
    return planLayers(this.kind, this.sender.track?.getSettings() ?? {}, count);
  }

  #planned(
    { maxFramerate: _, ...encoding }: RTCRtpEncodingParameters,
    plan: LayerPlan | undefined,
  ): RTCRtpEncodingParameters {
    const needed = encoding.rid === undefined || this.#needed.get(encoding.rid) !== false;
    return { ...encoding, ...plan, active: plan?.active === true && needed };
  }
}

function isSame(next: RTCRtpEncodingParameters, now: RTCRtpEncodingParameters | undefined): boolean {
  return (
    next.active === now?.active &&
    next.scaleResolutionDownBy === now?.scaleResolutionDownBy &&
    next.maxBitrate === now?.maxBitrate &&
    next.maxFramerate === now?.maxFramerate
  );
}
