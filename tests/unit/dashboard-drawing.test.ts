import { describe, expect, it } from '@jest/globals';
import { linesIn } from '../../dashboard/src/graph/lines';
import { BOX, layOut, type Box } from '../../dashboard/src/graph/layout';
import { around, inSight, sightOf, touches, type View } from '../../dashboard/src/graph/sight';
import { EventRun } from '../../dashboard/src/execution/event-run';
import { hasLoops, placesOf } from '../../dashboard/src/execution/tree-items';
import type { TraceEvent } from '../../dashboard/src/wire';

const view: View = { x: 0, y: 0, zoom: 1, width: 800, height: 400 };

describe('what of a drawing is made', () => {
  it('is more than is in sight, and the same until the sight leaves it', () => {
    const sight = sightOf(undefined, view);
    expect(sight.rect).toEqual({ x: -240, y: -120, width: 1_280, height: 640 });
    expect(sightOf(sight, { ...view, x: 200, y: -100 })).toBe(sight);
    const left = sightOf(sight, { ...view, x: 300 });
    expect(left.rect).toEqual({ x: -540, y: -120, width: 1_280, height: 640 });
  });

  it('leaves out words that nobody could read, and is not kept for a part of what it was', () => {
    const far = sightOf(undefined, { ...view, zoom: 0.1 });
    expect(far).toMatchObject({ hasLabels: false, hasWords: false });
    const nearer = sightOf(far, { ...view, zoom: 0.3 });
    expect(nearer).toMatchObject({ hasLabels: false, hasWords: true });
    const near = sightOf(nearer, { ...view, zoom: 0.5 });
    expect(near).toMatchObject({ hasLabels: true, hasWords: true });
    expect(sightOf(near, { ...view, zoom: 2 }).rect.width).toBe(640);
  });

  it('is in the drawing’s own measure', () => {
    expect(inSight({ ...view, x: -100, y: 50, zoom: 0.5 })).toEqual({ x: 200, y: -100, width: 1_600, height: 800 });
    expect(around([])).toEqual({ x: 0, y: 0, width: 0, height: 0 });
    expect(around([1, 5].map((at) => ({ x: at, y: -at, width: 2, height: 1 })))).toEqual({
      ...{ x: 1, y: -5, width: 6, height: 5 },
    });
    expect(touches({ x: 0, y: 0, width: 1, height: 1 }, { x: 3, y: 0, width: 1, height: 1 })).toBe(false);
  });
});

describe('the lines of a drawing', () => {
  const edges = [
    { from: 'a', to: 'b', label: 'bid, ask', control: false },
    { from: 'a', to: 'c', label: '', control: true },
    { from: 'gone', to: 'c', label: '', control: true },
  ];
  const everywhere = { x: -10_000, y: -10_000, width: 20_000, height: 20_000 };
  const placed = (direction: 'right' | 'down') => {
    const boxes = layOut({ nodes: ['a', 'b', 'c'], edges, direction });
    return new Map<string, Box>(boxes.map((box) => [box.id, box]));
  };

  it.each(['right', 'down'] as const)(
    'pointing %s, go from the end of one box to the beginning of the other',
    (direction) => {
      const boxes = placed(direction);
      const lines = linesIn(everywhere, edges, boxes, direction);
      const [from, to] = [boxes.get('a')!, boxes.get('b')!];
      const isRight = direction === 'right';
      const start = isRight
        ? [from.x + BOX.width, from.y + BOX.height / 2]
        : [from.x + BOX.width / 2, from.y + BOX.height];
      const end = isRight ? [to.x, to.y + BOX.height / 2] : [to.x + BOX.width / 2, to.y];
      expect(lines.data.startsWith(`M${start.join(' ')}C`)).toBe(true);
      expect(lines.heads.startsWith(`M${end.join(' ')}L`)).toBe(true);
      expect([lines.data, lines.control, lines.heads].map((path) => path.split('M').length - 1)).toEqual([1, 1, 2]);
      expect(lines.labels).toEqual([
        { key: 'a b', text: 'bid +1', x: (start[0]! + end[0]!) / 2, y: (start[1]! + end[1]!) / 2 },
      ]);
    },
  );

  it('are those that touch what is made, and one that leads back bends outwards', () => {
    const boxes = placed('right');
    expect(linesIn({ x: 9_000, y: 0, width: 10, height: 10 }, edges, boxes, 'right')).toEqual({
      ...{ data: '', control: '', heads: '', labels: [] },
    });
    const back = linesIn(everywhere, [{ from: 'b', to: 'a', label: '', control: false }], boxes, 'right');
    const [, startX = 0, , bendX = 0] = /^M(\S+) (\S+)C(\S+)/.exec(back.data)?.map(Number) ?? [];
    expect(bendX).toBeGreaterThan(startX);
  });
});

function event(seq: number, log_epoch = 'one'): TraceEvent {
  return {
    ...{ event_id: `${log_epoch}${seq}`, stream: 'exec_1', log_epoch, seq, type: 'node_started' },
    timestamp: '2026-01-05T12:00:00.000Z',
  };
}

describe('a run of events', () => {
  const [one, two, three, four] = [1, 2, 3, 4].map((seq) => event(seq)) as [
    TraceEvent,
    TraceEvent,
    TraceEvent,
    TraceEvent,
  ];

  it('stays as it was when more come after it, whichever run they come to', () => {
    const first = EventRun.empty.with([one]);
    const longer = first.with([two, three]);
    expect([...first]).toEqual([one]);
    expect([...longer]).toEqual([one, two, three]);
    expect([...first.with([four])]).toEqual([one, four]);
    expect([...longer]).toEqual([one, two, three]);
    expect(first.at(1)).toBeUndefined();
    expect([longer.at(0), longer.at(-1), EventRun.empty.at(-1)]).toEqual([one, three, undefined]);
    expect(EventRun.empty.length).toBe(0);
  });

  it('holds each event once in the order of the log, and is itself when nothing is new', () => {
    const run = EventRun.empty.with([two]);
    expect(run.with([])).toBe(run);
    expect([...run.with([one, two, three])]).toEqual([one, two, three]);
    expect([...run.with([event(1, 'two')])]).toEqual([two, event(1, 'two')]);
  });

  it('lets its oldest go', () => {
    const run = EventRun.empty.with([one, two, three]);
    expect([...run.latest(2)]).toEqual([two, three]);
    expect([...run.latest(9)]).toEqual([one, two, three]);
  });
});

describe('the lines of a tree of which not all are in the document', () => {
  it('are counted among those beside them', () => {
    const levels = [1, 2, 2, 1, 1, 2] as const;
    expect(placesOf(levels.map((level) => ({ level })))).toEqual([
      { place: 1, among: 3 },
      { place: 1, among: 2 },
      { place: 2, among: 2 },
      { place: 2, among: 3 },
      { place: 3, among: 3 },
      { place: 1, among: 1 },
    ]);
  });

  it('may be others while it runs where a node has a body', () => {
    expect(hasLoops({ nodes: { a: { type: 'math' } } })).toBe(false);
    expect(hasLoops({ nodes: { a: { type: 'map', body: { nodes: {} } } } })).toBe(true);
  });
});
