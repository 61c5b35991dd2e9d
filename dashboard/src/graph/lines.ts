/** The lines between boxes, all of a kind as one path: a line of its own for each would be most of what a large drawing is made of. Pure. */
import type { Edge } from './edges';
import { BOX, type Box, type Direction } from './layout';
import { touches, type Rect } from './sight';

export interface Lines {
  /** Paths as SVG writes them. */
  readonly data: string;
  readonly control: string;
  readonly heads: string;
  readonly labels: readonly Label[];
}

export interface Label {
  readonly key: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

type Point = readonly [x: number, y: number];

interface Line extends Pick<Edge, 'label' | 'control'> {
  readonly key: string;
  readonly start: Point;
  readonly end: Point;
}

/** Of a head, pixels. */
const LENGTH = 9;
const HALF = 4;

/** Those that touch `rect`. */
export function linesIn(
  rect: Rect,
  edges: readonly Edge[],
  boxes: ReadonlyMap<string, Box>,
  direction: Direction,
): Lines {
  const lines = edges.flatMap((edge) => lineOf(edge, boxes, direction)).filter((line) => touches(boundsOf(line), rect));
  const paths = (control: boolean) =>
    lines.filter((line) => line.control === control).map((line) => pathOf(line, direction));
  return {
    data: paths(false).join(''),
    control: paths(true).join(''),
    heads: lines.map(({ end }) => headAt(end, direction)).join(''),
    labels: lines.filter(({ label }) => label !== '').map(labelOf),
  };
}

function lineOf({ from, to, label, control }: Edge, boxes: ReadonlyMap<string, Box>, direction: Direction): Line[] {
  const [source, target] = [boxes.get(from), boxes.get(to)];
  if (source === undefined || target === undefined) return [];
  const isRight = direction === 'right';
  const start: Point = isRight
    ? [source.x + BOX.width, source.y + BOX.height / 2]
    : [source.x + BOX.width / 2, source.y + BOX.height];
  const end: Point = isRight ? [target.x, target.y + BOX.height / 2] : [target.x + BOX.width / 2, target.y];
  return [{ key: `${from} ${to}`, label, control, start, end }];
}

function boundsOf({ start: [ax, ay], end: [bx, by] }: Line): Rect {
  return { x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(ax - bx), height: Math.abs(ay - by) };
}

/** Leaves one box and reaches the other straight. */
function pathOf({ start: [ax, ay], end: [bx, by] }: Line, direction: Direction): string {
  const [far, near] = direction === 'right' ? [bx - ax, bx - LENGTH / 2] : [by - ay, by - LENGTH / 2];
  const bend = far >= 0 ? far / 2 : 6 * Math.sqrt(-far);
  return direction === 'right'
    ? `M${ax} ${ay}C${ax + bend} ${ay} ${bx - bend} ${by} ${near} ${by}`
    : `M${ax} ${ay}C${ax} ${ay + bend} ${bx} ${by - bend} ${bx} ${near}`;
}

function headAt([x, y]: Point, direction: Direction): string {
  return direction === 'right'
    ? `M${x} ${y}L${x - LENGTH} ${y - HALF}V${y + HALF}Z`
    : `M${x} ${y}L${x - HALF} ${y - LENGTH}H${x + HALF}Z`;
}

function labelOf({ key, label, start: [ax, ay], end: [bx, by] }: Line): Label {
  return { key, text: shortOf(label), x: (ax + bx) / 2, y: (ay + by) / 2 };
}

/** Of several names on one line the first and how many more: there is no room for all between two boxes. */
function shortOf(label: string): string {
  const [first = '', ...others] = label.split(', ');
  return others.length === 0 ? first : `${first} +${others.length}`;
}
