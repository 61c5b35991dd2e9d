/**
 * Which part of a drawing is made, and how finely. It is wider than what is in sight, and stays until the sight leaves it, so that a drawing
 * that is dragged about makes no box for most of the way. Pure.
 */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the drawing's origin stands in its place, how large it is drawn, and how large the place is; pixels. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
  readonly width: number;
  readonly height: number;
}

export interface Sight {
  readonly rect: Rect;
  /** Letters that nobody could read are not drawn: on lines first, then in boxes. */
  readonly hasLabels: boolean;
  readonly hasWords: boolean;
}

/** Of what is in sight, on each side. */
const BEYOND = 0.3;
/** What is made may be so many times as large as what is in sight: after a look at the whole, a part alone is made again. */
const MOST = 8;
const LABELS_FROM = 0.45;
const WORDS_FROM = 0.2;

/** `known` as long as it does. */
export function sightOf(known: Sight | undefined, view: View): Sight {
  const seen = inSight(view);
  const [hasLabels, hasWords] = [view.zoom >= LABELS_FROM, view.zoom >= WORDS_FROM];
  const isAlike = known?.hasLabels === hasLabels && known.hasWords === hasWords;
  if (isAlike && holds(known.rect, seen) && areaOf(known.rect) <= MOST * areaOf(seen)) return known;
  const [wide, high] = [seen.width * BEYOND, seen.height * BEYOND];
  const rect = { x: seen.x - wide, y: seen.y - high, width: seen.width + 2 * wide, height: seen.height + 2 * high };
  return { rect, hasLabels, hasWords };
}

/** In the drawing's own measure. */
export function inSight({ x, y, zoom, width, height }: View): Rect {
  return { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
}

export function holds(outer: Rect, inner: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

export function touches(a: Rect, b: Rect): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}

/** Around all of them; of none it is a point. */
export function around(rects: readonly Rect[]): Rect {
  if (rects.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, width, height } of rects) {
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + width), Math.max(bottom, y + height)];
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function areaOf({ width, height }: Rect): number {
  return width * height;
}
