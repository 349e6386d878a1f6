/** What a video sender is to do with one of its encodings. */
export interface LayerPlan {
  active: boolean;
  scaleResolutionDownBy: number;
  /** Bits per second. */
  maxBitrate: number;
  maxFramerate?: number;
}

/** Pixels, as far as the browser tells them. */
export interface PictureSize {
  width?: number | undefined;
  height?: number | undefined;
}

export type VideoKind = 'camera' | 'screen';

/** Identifiers (RFC 8851) from the smallest layer to the largest: browsers start, and give up, in this order. */
export const RIDS = ['l', 'm', 'h'] as const;

/**
 * Three sizes of a camera, each with about four times the pixels of the one below, so that a step is worth a switch and
 * the two small ones cost a fifth of the large one:
 *
 * - 180 lines at 150 kbit/s: a face is still a face, on a line that hardly carries more than sound;
 * - 360 lines at 500 kbit/s: a phone's screen, or a tile, on a mobile network;
 * - the camera's own size at 0.09 bit per pixel and frame, which is 2.5 Mbit/s for 720 lines at 30 frames/s, and never
 *   more: above it a phone's uplink and half of the viewers struggle.
 *
 * Chromium drops the last encodings of a picture under 960 × 540 (two are left) and under 480 × 270 (one), whatever their
 * scale is. So a small source uses the first ones, and the last of these has its full size.
 *
 * A screen keeps its size in every layer, since halved text cannot be read; what a slow line gets is fewer frames. Slides
 * change rarely, so that five frames a second at 400 kbit/s is legible and two layers are enough.
 */
const LOW_LINES = 180;
const LOW_BITRATE = 150_000;
const MEDIUM_BITRATE = 500_000;
const TOP_BITS_PER_PIXEL = 0.09 * 30;
const MAX_BITRATE = 2_500_000;
const THREE_LAYERS_FROM = 960 * 540;
const TWO_LAYERS_FROM = 480 * 270;
const SCREEN_LOW: LayerPlan = layer(1, 400_000, 5);
/** Said aloud, because Chromium holds a layer without a limit of its own to that of the others. */
const SCREEN_TOP: LayerPlan = layer(1, MAX_BITRATE, 30);

/** A source that does not tell its size is taken for what cameras are asked for. */
const UNKNOWN = { width: 1280, height: 720 };

const REST: LayerPlan = { active: false, scaleResolutionDownBy: 1, maxBitrate: LOW_BITRATE };

/** One plan for each of `count` encodings, smallest first. */
export function planLayers(kind: VideoKind, size: PictureSize, count: number): LayerPlan[] {
  const { width = UNKNOWN.width, height = UNKNOWN.height } = size;
  const used = Math.min(count, layersFor(kind, width * height));
  const top = kind === 'screen' ? SCREEN_TOP : layer(1, topBitrate(width * height));
  const below =
    kind === 'screen' ? [SCREEN_LOW].slice(0, used - 1) : cameraBelow(used, Math.min(width, height));
  return [...below, top, ...Array<LayerPlan>(count - used).fill(REST)];
}

function layersFor(kind: VideoKind, pixels: number): number {
  if (pixels < TWO_LAYERS_FROM) return 1;
  return kind === 'screen' || pixels < THREE_LAYERS_FROM ? 2 : 3;
}

function cameraBelow(used: number, lines: number): LayerPlan[] {
  if (used === 1) return [];
  if (used === 2) return [layer(2, LOW_BITRATE)];
  // Whole numbers keep the layers' proportions the same, which the encoder wants; a strip still gets three sizes.
  const scale = Math.max(3, Math.round(lines / LOW_LINES));
  return [layer(scale, LOW_BITRATE), layer(scale / 2, MEDIUM_BITRATE)];
}

function topBitrate(pixels: number): number {
  return Math.round(Math.min(MAX_BITRATE, Math.max(LOW_BITRATE, pixels * TOP_BITS_PER_PIXEL)));
}

function layer(scaleResolutionDownBy: number, maxBitrate: number, maxFramerate?: number): LayerPlan {
  const plan = { active: true, scaleResolutionDownBy, maxBitrate };
  return maxFramerate === undefined ? plan : { ...plan, maxFramerate };
}
