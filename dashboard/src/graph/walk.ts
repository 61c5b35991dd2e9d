/** Which node the arrows lead to: along the edges' direction to who follows, against it to who is before, across it within the layer. */
import type { Box, Direction } from './layout';

export interface Walk {
  readonly boxes: readonly Box[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  readonly direction: Direction;
}

type Step = 'forth' | 'back' | 'next' | 'previous';

const KEYS: Readonly<Record<Direction, Readonly<Record<string, Step>>>> = {
  right: { ArrowRight: 'forth', ArrowLeft: 'back', ArrowDown: 'next', ArrowUp: 'previous' },
  down: { ArrowDown: 'forth', ArrowUp: 'back', ArrowRight: 'next', ArrowLeft: 'previous' },
};

/** The four arrows, and Home and End for the first and last node; undefined where there is nobody, and for every other key. */
export function walk({ boxes, edges, direction }: Walk, from: string, key: string): string | undefined {
  const here = boxes.find(({ id }) => id === from);
  if (here === undefined) return undefined;
  if (key === 'Home') return boxes[0]?.id;
  if (key === 'End') return boxes.at(-1)?.id;
  const step = KEYS[direction][key];
  const across = ({ x, y }: Box) => (direction === 'right' ? y : x);
  if (step === 'next' || step === 'previous') return beside(here, boxes, step === 'next' ? 1 : -1, across);
  if (step === undefined) return undefined;
  const ids = edges.flatMap((edge) => (step === 'forth' ? follower(edge, from) : predecessor(edge, from)));
  return nearest(here, linked(boxes, ids), across);
}

function follower({ from, to }: Walk['edges'][number], of: string): readonly string[] {
  return from === of ? [to] : [];
}

function predecessor({ from, to }: Walk['edges'][number], of: string): readonly string[] {
  return to === of ? [from] : [];
}

function beside(here: Box, boxes: readonly Box[], by: 1 | -1, across: (box: Box) => number): string | undefined {
  const layer = boxes.filter((box) => box.layer === here.layer).toSorted((a, b) => across(a) - across(b));
  return layer[layer.findIndex(({ id }) => id === here.id) + by]?.id;
}

function linked(boxes: readonly Box[], ids: readonly string[]): readonly Box[] {
  const wanted = new Set(ids);
  return boxes.filter(({ id }) => wanted.has(id));
}

function nearest(here: Box, candidates: readonly Box[], across: (box: Box) => number): string | undefined {
  const distance = (box: Box) => Math.abs(across(box) - across(here));
  return candidates.toSorted((a, b) => distance(a) - distance(b))[0]?.id;
}
