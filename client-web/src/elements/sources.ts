import { type Devices, listDevices, openCamera, openMicrophone, openScreen } from '../sdk/sources.js';
import type { SourceKind } from './requests.js';

type Chosen = Record<'camera' | 'microphone', string>;

/** The broadcaster's own tracks: what is on, from which device. Devices are opened by a person's hand only. */
export class Sources {
  readonly tracks: Record<SourceKind, MediaStreamTrack | null> = {
    camera: null,
    microphone: null,
    screen: null,
  };
  readonly chosen: Chosen = { camera: '', microphone: '' };
  devices: Devices = { cameras: [], microphones: [] };

  /** `changed` is called when a track came, went, or was ended by the browser. */
  constructor(private readonly changed: (kind: SourceKind) => void) {}

  /** The picture on air: a shared screen goes before the camera. */
  get picture(): MediaStreamTrack | null {
    return this.tracks.screen ?? this.tracks.camera;
  }

  get any(): boolean {
    return this.picture !== null || this.tracks.microphone !== null;
  }

  async turn(kind: SourceKind, on: boolean): Promise<void> {
    if (!on) this.#set(kind, null);
    else await this.#open(kind);
  }

  async choose(kind: 'camera' | 'microphone', deviceId: string): Promise<void> {
    this.chosen[kind] = deviceId;
    await this.#open(kind);
  }

  close(): void {
    for (const track of Object.values(this.tracks)) track?.stop();
  }

  async refreshDevices(): Promise<void> {
    this.devices = await listDevices();
  }

  async #open(kind: SourceKind): Promise<void> {
    const track = await this.#ask(kind);
    if (track === null) return;
    // The browser's own "stop sharing", or an unplugged device.
    track.addEventListener('ended', () => {
      if (this.tracks[kind] === track) this.#set(kind, null);
    });
    // Names appear only after the first permission.
    await this.refreshDevices();
    if (kind !== 'screen') this.chosen[kind] = track.getSettings().deviceId ?? this.chosen[kind];
    this.#set(kind, track);
  }

  #ask(kind: SourceKind): Promise<MediaStreamTrack | null> {
    if (kind === 'screen') return openScreen();
    const deviceId = this.chosen[kind] === '' ? undefined : this.chosen[kind];
    return kind === 'camera' ? openCamera(deviceId) : openMicrophone(deviceId);
  }

  #set(kind: SourceKind, track: MediaStreamTrack | null): void {
    this.tracks[kind]?.stop();
    this.tracks[kind] = track;
    this.changed(kind);
  }
}
