/** The graph as a tree: its nodes in their order, under each what its loops went through, and how the keys move in it. Pure. */
import type { PageGraph } from '../wire';
import type { Nodes } from './nodes';

export interface TreeItem {
  /** `price`, or inside loops `each[3]/price`. */
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly level: 1 | 2;
  /** Only where there is something below. */
  readonly expanded?: boolean;
}

/** Those that are to be seen: what is below a node that is not open is not. */
export function treeOf(graph: Pick<PageGraph, 'nodes'>, nodes: Nodes, open: ReadonlySet<string>): readonly TreeItem[] {
  const inside = new Map<string, string[]>();
  for (const { key, frame } of Object.values(nodes)) {
    const owner = /^[^[/]*/.exec(frame ?? '')?.[0];
    if (frame !== undefined && owner !== undefined) inside.set(owner, [...(inside.get(owner) ?? []), key]);
  }
  return Object.entries(graph.nodes).flatMap(([id, { type, name }]) => {
    const below = inside.get(id) ?? [];
    const item: TreeItem = { key: id, name: name ?? id, type, level: 1 };
    if (below.length === 0) return [item];
    const children = below.map((key): TreeItem => ({ key, name: key, type: '', level: 2 }));
    const expanded = open.has(id);
    return [{ ...item, expanded }, ...(expanded ? children : [])];
  });
}

export interface TreePlace {
  /** Its number among those beside it, from 1. */
  readonly place: number;
  readonly among: number;
}

/** Where each stands among its siblings: a reader cannot count lines that are not in the document. */
export function placesOf(items: readonly Pick<TreeItem, 'level'>[]): readonly TreePlace[] {
  const sizes = new Map<number, number>();
  // Those below a node are a group of their own, named by its place; 0 is nobody's, for the first line has nothing above it.
  let owner = 0;
  const found = items.map(({ level }, at) => {
    if (level === 1) owner = at + 1;
    const group = level === 1 ? 0 : owner;
    const place = (sizes.get(group) ?? 0) + 1;
    sizes.set(group, place);
    return { group, place };
  });
  return found.map(({ group, place }) => ({ place, among: sizes.get(group) ?? place }));
}

/** Whether something may run inside of one of its nodes. */
export function hasLoops({ nodes }: Pick<PageGraph, 'nodes'>): boolean {
  return Object.values(nodes).some(({ body }) => body !== undefined);
}

/** Which nodes stand inside loops, as a text that is another when they are others. */
export function insideOf(nodes: Nodes): string {
  return Object.keys(nodes)
    .filter((key) => key.includes('/'))
    .join(' ');
}

export type TreeMove = { readonly to: string } | { readonly open: string } | { readonly close: string };

/** As trees are moved in everywhere: up and down, right opens or goes in, left closes or goes out. */
export function moveIn(items: readonly TreeItem[], from: string, key: string): TreeMove | undefined {
  const at = items.findIndex((item) => item.key === from);
  const here = items[at];
  if (here === undefined) return undefined;
  switch (key) {
    case 'ArrowDown':
      return goTo(items[at + 1]);
    case 'ArrowUp':
      return goTo(items[at - 1]);
    case 'Home':
      return goTo(items[0]);
    case 'End':
      return goTo(items.at(-1));
    case 'ArrowRight':
      return inward(items, at, here);
    case 'ArrowLeft':
      return outward(items, at, here);
    default:
      return undefined;
  }
}

function inward(items: readonly TreeItem[], at: number, { key, expanded }: TreeItem): TreeMove | undefined {
  if (expanded === false) return { open: key };
  return expanded === true ? goTo(items[at + 1]) : undefined;
}

function outward(items: readonly TreeItem[], at: number, { key, level, expanded }: TreeItem): TreeMove | undefined {
  if (expanded === true) return { close: key };
  return level === 2 ? goTo(items.slice(0, at).findLast((item) => item.level === 1)) : undefined;
}

function goTo(item: TreeItem | undefined): TreeMove | undefined {
  return item === undefined ? undefined : { to: item.key };
}
