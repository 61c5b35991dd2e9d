import { describe, expect, it } from '@jest/globals';
import {
  branchWords,
  figuresLine,
  passRate,
  shownFigures,
  spanWords,
} from '../../dashboard/src/strategies/node-figures';
import { nodeFigures } from '../../src/temporal-client/node-figures';
import type { TimelineEntry } from '../../src/temporal-client/timeline';

const turn = (node: string, more: Partial<TimelineEntry> = {}): TimelineEntry => ({
  ...{ node, node_type: 'ticker', generation: 0, where: 'worker', state: 'completed' },
  ...more,
});

describe('the figures of nodes', () => {
  it('count turns that ended, what failed of them, and how long those that succeeded ran', () => {
    const entries = [
      turn('price', { ran_ms: 10 }),
      turn('price', { ran_ms: 21 }),
      turn('price', { state: 'failed', ran_ms: 500 }),
      turn('price', { state: 'timed_out' }),
      ...(['running', 'abandoned', 'deferred', 'skipped'] as const).map((state) => turn('price', { state })),
      turn('never', { state: 'failed' }),
    ];
    expect(nodeFigures(entries)).toEqual({
      price: { runs: 4, failures: 2, mean_ms: 16 },
      never: { runs: 1, failures: 1 },
    });
  });

  it('take the iterations of a loop together', () => {
    const entries = [turn('each[0]/price'), turn('each[12]/price'), turn('each[1]/deep[2]/price')];
    expect(Object.entries(nodeFigures(entries)).map(([node, { runs }]) => `${node} ${runs}`)).toEqual([
      'each/price 2',
      'each/deep/price 1',
    ]);
  });

  it('say which way a condition went', () => {
    const went = (branch: string) => turn('worth_it', { branch });
    expect(nodeFigures([went('pass'), went('fail'), went('fail')])['worth_it']).toEqual({
      ...{ runs: 3, failures: 0 },
      branches: { pass: 1, fail: 2 },
    });
  });
});

describe('on the page they', () => {
  const condition = { runs: 4, failures: 1, mean_ms: 3, branches: { fail: 2, pass: 1 } };

  it('are one line in a box, with what failed and how often it passed', () => {
    expect(figuresLine(condition)).toBe('4 runs · 1 failed · pass 33.3 % · 3 ms');
    expect(figuresLine({ runs: 1, failures: 0 })).toBe('1 run');
    expect(figuresLine(undefined)).toBe('no figures');
    expect(branchWords(condition)).toBe('fail 2, pass 1');
    expect(branchWords({ runs: 1, failures: 0 })).toBe('–');
  });

  it('give a pass rate also to what never passed, and none to what has no such way', () => {
    const rate = (branches: Record<string, number>) => passRate({ runs: 1, failures: 0, branches });
    expect([rate({ fail: 3 }), rate({ true: 1, false: 3 }), rate({ red: 1 }), rate({})]).toEqual([
      ...['0.0 %', '25.0 %', undefined, undefined],
    ]);
    expect(passRate({ runs: 1, failures: 0 })).toBeUndefined();
  });

  it('let a node stand out of which a run failed', () => {
    const figures = { graph_version: 'a1', executions: 2, nodes: { bad: condition, good: { runs: 1, failures: 0 } } };
    const shown = shownFigures(figures);
    expect([shown['bad']?.state, shown['good']?.state]).toEqual(['failed', 'completed']);
  });

  it('say over which executions they are taken', () => {
    expect(spanWords({ graph_version: 'a1', executions: 0, nodes: {} })).toMatch(
      /^Over 0 ended executions of version a1\. /,
    );
    const [from, to] = ['2026-01-05T12:00:00.000Z', '2026-01-05T13:00:00.000Z'];
    expect(spanWords({ graph_version: 'a1', executions: 1, from, to, nodes: {} })).toMatch(
      /^Over 1 ended execution of version a1, from 2026-01-05 .+ to 2026-01-05 /,
    );
  });
});
