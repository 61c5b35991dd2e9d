/** The graph as SVG: laid out once per graph, recoloured with every event. */
import { make, makeSvg } from './dom.js';
import { BOX, layOut, type Layout } from './graph-layout.js';
import type { NodeView } from './store.js';
import type { PageGraph } from './wire.js';

const LONGEST_NAME = 22;
/** The layout recurses once per node of a path, and beyond this takes seconds; a browser's stack ends at about 2,000. */
const MOST_DRAWN = 1_000;
/** Below this scale nobody reads a label; the drawing scrolls instead. */
const SMALLEST_SCALE = 0.6;

export class GraphView {
  readonly #place: HTMLElement;
  readonly #choose: (nodeId: string) => void;
  readonly #nodes = new Map<string, { group: Element; caption: Element }>();
  #shown: string | undefined;

  constructor(place: HTMLElement, choose: (nodeId: string) => void) {
    this.#place = place;
    this.#choose = choose;
  }

  show(graph: PageGraph | undefined, key: string): void {
    if (this.#shown === key) return;
    this.#shown = key;
    this.#nodes.clear();
    if (graph === undefined)
      this.#place.replaceChildren(make('p', { class: 'empty' }, 'Choose an execution to see its graph.'));
    else if (Object.keys(graph.nodes).length > MOST_DRAWN) this.#place.replaceChildren(tooLarge(graph));
    else this.#place.replaceChildren(this.#draw(graph, layOut(graph)));
  }

  paint(graph: PageGraph, nodes: ReadonlyMap<string, NodeView>, chosen: string | undefined): void {
    for (const [id, { group, caption }] of this.#nodes) {
      const node = nodes.get(id);
      const state = node?.state ?? 'pending';
      const tries = (node?.attempt ?? 0) > 1 ? ` · try ${node?.attempt}` : '';
      const type = graph.nodes[id]?.type ?? '';
      group.setAttribute('data-state', state);
      group.setAttribute('aria-pressed', String(id === chosen));
      group.setAttribute('aria-label', `${id}, ${type}, ${state}${tries}`);
      caption.textContent = `${type} · ${state}${tries}`;
    }
  }

  #draw(graph: PageGraph, { width, height, boxes, lines }: Layout): Element {
    const arrow = makeSvg('path', { d: 'M0,0 L8,4 L0,8 z', class: 'arrow' });
    const marker = {
      id: 'arrow',
      viewBox: '0 0 8 8',
      refX: 7,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      orient: 'auto',
    };
    const svg = makeSvg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': 'Graph' });
    // Small graphs are shown in their own size, larger ones are scaled down to fit, the largest scroll.
    svg.setAttribute('width', String(width));
    svg.setAttribute('height', String(height));
    svg.style.minWidth = `${width * SMALLEST_SCALE}px`;
    svg.style.minHeight = `${height * SMALLEST_SCALE}px`;
    svg.append(makeSvg('defs', {}, makeSvg('marker', marker, arrow)));
    for (const { points, label, control, at } of lines) {
      const d = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x},${y}`).join(' ');
      svg.append(makeSvg('path', { d, class: control ? 'edge control' : 'edge', 'marker-end': 'url(#arrow)' }));
      if (label !== '')
        svg.append(makeSvg('text', { x: at.x, y: at.y + 4, class: 'edge-label', 'text-anchor': 'middle' }, label));
    }
    for (const { id, x, y } of boxes) svg.append(this.#box(id, graph.nodes[id]?.name ?? id, x, y));
    return svg;
  }

  #box(id: string, name: string, x: number, y: number): Element {
    const { width, height } = BOX;
    const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
    const caption = makeSvg('text', { x: 16, y: 38, class: 'small' });
    const group = makeSvg(
      'g',
      { class: 'node', role: 'button', tabindex: 0, transform: `translate(${x - width / 2},${y - height / 2})` },
      makeSvg('title', {}, name),
      makeSvg('rect', { width, height, rx: 8 }),
      makeSvg('rect', { width: 6, height: height - 14, x: 5, y: 7, rx: 3, class: 'stripe' }),
      makeSvg('text', { x: 16, y: 21 }, short),
      caption,
    );
    group.setAttribute('data-node', id);
    group.addEventListener('click', () => {
      this.#choose(id);
    });
    group.addEventListener('keydown', (event) => {
      const { key } = event;
      if (key !== 'Enter' && key !== ' ') return;
      event.preventDefault();
      this.#choose(id);
    });
    this.#nodes.set(id, { group, caption });
    return group;
  }
}

function tooLarge({ nodes }: PageGraph): HTMLElement {
  const count = Object.keys(nodes).length;
  return make('p', { class: 'empty' }, `${count} nodes are too many to draw; the events below show what happens.`);
}
