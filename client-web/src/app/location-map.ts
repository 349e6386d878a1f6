import { html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import type { Shade } from '../protocol/index.js';
import type { Corner, Country } from '../sdk/outline.js';
import { loading } from './parts.js';

type Ring = readonly Corner[];

export interface Marked {
  area: string;
  shade: Shade;
}

/** Degrees on every side of what is marked. */
const MARGIN = 1.5;

/** A map that is drawn here, from an outline that comes with this page: nobody else is asked for any part of it. */
class LocationMap extends LitElement {
  static override properties = { marked: { attribute: false }, label: {}, outline: { state: true } };

  declare marked: readonly Marked[];
  /** The same in words. */
  declare label: string;
  declare outline: readonly Country[] | null;
  #ring: (cell: string) => Ring = () => [];

  constructor() {
    super();
    this.marked = [];
    this.label = '';
    this.outline = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    import('../sdk/earth.js').then(async (earth) => {
      this.#ring = earth.cellRing;
      this.outline = await earth.worldOutline();
    });
  }

  protected override render(): TemplateResult {
    const { outline } = this;
    if (outline === null) return loading('Drawing the map…');
    const shapes = this.marked.map(({ area, shade }) => ({ shade, rings: this.#rings(area) }));
    const [left, top, width, height] = frame(shapes.flatMap(({ rings }) => rings.flat()));
    const seen = outline
      .flatMap(({ rings }) => rings)
      .filter((ring) => touches(ring, left, top, width, height));
    return html`<svg class="map" role="img" aria-label=${this.label} viewBox="${left} ${top} ${width} ${height}">
      ${seen.length === 0 ? nothing : svg`<path class="land" d=${path(seen)}></path>`}
      ${shapes.map(({ shade, rings }) => svg`<path class=${shade} d=${path(rings)}></path>`)}
    </svg>`;
  }

  #rings(area: string): readonly Ring[] {
    if (area.length > 2) return [this.#ring(area)];
    return this.outline?.find(({ letters }) => letters === area)?.rings ?? [];
  }
}

/** North is up: latitudes are turned round. */
function path(rings: readonly Ring[]): string {
  const line = (ring: Ring): string => ring.map(([x, y]) => `${x.toFixed(3)} ${(-y).toFixed(3)}`).join('L');
  return rings.map((ring) => `M${line(ring)}Z`).join('');
}

/** Left, top, width and height around these; of the whole world where there are none. Twice as wide as high. */
function frame(corners: readonly Corner[]): [number, number, number, number] {
  if (corners.length === 0) return [-180, -85, 360, 145];
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => -y)];
  const [left, right] = [Math.min(...xs) - MARGIN, Math.max(...xs) + MARGIN];
  const [top, bottom] = [Math.min(...ys) - MARGIN, Math.max(...ys) + MARGIN];
  const width = Math.max(right - left, 2 * (bottom - top));
  const height = Math.max(bottom - top, width / 2);
  return [(left + right - width) / 2, (top + bottom - height) / 2, width, height];
}

function touches(ring: Ring, left: number, top: number, width: number, height: number): boolean {
  const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => -y)];
  const apart = Math.max(...xs) < left || Math.min(...xs) > left + width;
  return !apart && Math.max(...ys) >= top && Math.min(...ys) <= top + height;
}

customElements.define('vc-location-map', LocationMap);
