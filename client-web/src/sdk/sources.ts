import { VeilcastError } from './errors.js';

export interface Devices {
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
}

/** 720p is what one layer of 2.5 Mbit/s carries well. */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** What is plugged in. Names are empty until the person has allowed one device. */
export async function listDevices(): Promise<Devices> {
  const all = (await mediaDevices().enumerateDevices()).filter((device) => device.deviceId !== '');
  return {
    cameras: all.filter((device) => device.kind === 'videoinput'),
    microphones: all.filter((device) => device.kind === 'audioinput'),
  };
}

export function openCamera(deviceId?: string): Promise<MediaStreamTrack> {
  return open('video', { video: { ...CAMERA, ...exactly(deviceId) } });
}

export function openMicrophone(deviceId?: string): Promise<MediaStreamTrack> {
  return open('audio', { audio: { ...exactly(deviceId), echoCancellation: true, noiseSuppression: true } });
}

/** `null` when the person closes the browser's picker: that is a choice, not an error. */
export async function openScreen(): Promise<MediaStreamTrack | null> {
  const devices = mediaDevices();
  if (typeof devices.getDisplayMedia !== 'function') throw VeilcastError.local('unsupported');
  try {
    const stream = await devices.getDisplayMedia({ video: { frameRate: { ideal: 30 } }, audio: false });
    return stream.getVideoTracks()[0] ?? null;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'NotAllowedError') return null;
    throw deviceError(thrown);
  }
}

async function open(kind: 'audio' | 'video', constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  try {
    const stream = await mediaDevices().getUserMedia(constraints);
    const track = stream.getTracks().find((candidate) => candidate.kind === kind);
    if (track === undefined) throw VeilcastError.local('device-missing');
    return track;
  } catch (thrown) {
    throw deviceError(thrown);
  }
}

function exactly(deviceId: string | undefined): MediaTrackConstraints {
  return deviceId === undefined ? {} : { deviceId: { exact: deviceId } };
}

/** Absent outside secure contexts. */
function mediaDevices(): MediaDevices {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices === undefined) throw VeilcastError.local('unsupported');
  return devices;
}

function deviceError(thrown: unknown): VeilcastError {
  const name = thrown instanceof DOMException ? thrown.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return VeilcastError.local('permission-denied');
  if (name === 'NotReadableError' || name === 'AbortError') return VeilcastError.local('device-busy');
  return VeilcastError.from(thrown, 'device-missing');
}
