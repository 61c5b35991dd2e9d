import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { componentsOf } from '../../src/graph/components';
import { itemAt } from '../../src/graph/item-at';
import { validateGraph } from '../../src/graph/validate';
import { sampleCatalogue } from '../support/catalogue';

type Nodes = Record<string, object>;

const checkNodes = (nodes: Nodes) => validateGraph({ holdfast: 1, id: 'g', nodes }, sampleCatalogue).mistakes;
const told = (nodes: Nodes) => checkNodes(nodes).map(({ code, path, message }) => `${code} ${path} ${message}`);
const test = { type: 'threshold', params: { value: '1', min: '2' } };
const after = (...references: string[]) => ({ type: 'notify', after: references });
const cycle = (path: string, ring: string) => `cycle ${path} These nodes wait for each other: ${ring}.`;
const torn = (path: string, node: string, source: string) =>
  `unreachable_node ${path} \`${node}\` can never start: it needs \`${source}\` to end in ways that exclude each other.`;

describe('cycles', () => {
  it('are named in the order the nodes would run, from the first one written', () => {
    expect(told({ a: after('c'), b: after('a'), c: after('b') })).toEqual([cycle('/nodes/a', 'a → b → c → a')]);
  });

  it('of one node are told as well', () => {
    expect(told({ a: after('a') })).toEqual([cycle('/nodes/a', 'a → a')]);
    expect(told({ a: { type: 'constant', inputs: { value: 'a.value' } } })).toEqual([cycle('/nodes/a', 'a → a')]);
  });

  it('are told once each, and what waits for them is not told again', () => {
    expect(told({ a: after('b'), b: after('a'), c: after('c'), d: after('a', 'c'), e: after('d') })).toEqual([
      cycle('/nodes/a', 'a → b → a'),
      cycle('/nodes/c', 'c → c'),
    ]);
  });

  it('run through templates, formulas and guards', () => {
    const nodes = {
      a: { type: 'constant', params: { value: 1 }, when: 'b.value > 1' },
      b: { type: 'constant', params: { value: '{{a.value}}' } },
    };
    expect(told(nodes)).toEqual([cycle('/nodes/a/when', 'a → b → a')]);
    const self = { type: 'constant', params: { value: 1 }, when: 'a.value > 1' };
    expect(told({ a: self })).toEqual([cycle('/nodes/a/when', 'a → a')]);
  });

  it('of many nodes are shortened', () => {
    const ids = Array.from({ length: 3000 }, (_, at) => `n${at}`);
    const nodes = Object.fromEntries(ids.map((id, at) => [id, after(ids[(at + 2999) % 3000]!)]));
    const [mistake] = checkNodes(nodes);
    expect(mistake?.message).toMatch(/^These nodes wait for each other: n0 → n1 → .* → n19 → … \(3000 nodes\)\.$/);
  });
});

describe('a node that can never start', () => {
  const both = { yes: after('t.pass'), no: after('t.fail') };

  it('needs an ancestor to end in two ways, directly or through others', () => {
    expect(told({ t: test, a: after('t.pass', 't.fail') })).toEqual([torn('/nodes/a', 'a', 't')]);
    expect(told({ t: test, ...both, a: after('yes', 'no') })).toEqual([torn('/nodes/a', 'a', 't')]);
    expect(told({ t: test, a: after('t', 't.error') })).toEqual([torn('/nodes/a', 'a', 't')]);
    expect(told({ t: test, sorry: after('t.error'), a: after('t.pass', 'sorry.finished') })).toEqual([
      torn('/nodes/a', 'a', 't'),
    ]);
  });

  it('is told alone, not with all that wait for it', () => {
    expect(told({ t: test, a: after('t.pass', 't.fail'), b: after('a'), c: after('a', 'b') })).toEqual([
      torn('/nodes/a', 'a', 't'),
    ]);
  });

  it('may be the guard of a node', () => {
    const value = { type: 'constant', params: { value: 1 } };
    const nodes = {
      t: test,
      yes: { ...value, after: ['t.pass'] },
      no: { ...value, after: ['t.fail'] },
      a: { ...value, when: 'yes.value > no.value' },
      b: { ...value, after: ['t.pass'], when: 'no.value > 1' },
    };
    expect(told(nodes)).toEqual([torn('/nodes/a/when', 'a', 't'), torn('/nodes/b', 'b', 't')]);
  });

  it('is one whose join asks for more edges than can be taken together', () => {
    const nodes = { t: test, ...both, dead: after('yes.success', 'no.success') };
    expect(told({ ...nodes, a: { ...after('t.pass', 't.fail'), join: 2 } })).toHaveLength(2);
    const never = { t: test, u: after('t.pass'), a: { ...after('u', 't.fail'), join: 'any' } };
    expect(told(never)).toEqual([]);
  });

  it('is not one that waits for either of two branches', () => {
    expect(told({ t: test, ...both, a: { ...after('yes', 'no'), join: 'any' }, b: after('a', 't') })).toEqual([]);
    expect(told({ t: test, a: { ...after('t.pass', 't.fail', 't.finished'), join: 2 } })).toEqual([]);
    expect(told({ t: test, a: after('t.finished', 't.pass') })).toEqual([]);
  });

  it('may follow a join of branches that all need the same', () => {
    const nodes = { t: test, a: after('t.pass'), b: after('t.pass'), c: { ...after('a', 'b'), join: 'any' } };
    expect(told({ ...nodes, d: after('c', 't.fail') })).toEqual([torn('/nodes/d', 'd', 't')]);
  });

  it('is one none of whose joined edges is possible', () => {
    const nodes = { t: test, u: test, a: after('t.pass'), b: { ...after('a.success', 'u.pass'), join: 'any' } };
    expect(told(nodes)).toEqual([]);
    const dead = { t: test, a: { ...after('t.pass'), join: 'any' }, c: after('t.error') };
    expect(told({ ...dead, d: { ...after('a', 'c'), join: 2 } })).toEqual([torn('/nodes/d', 'd', 't')]);
  });

  it('is told beside a branch that does not exist', () => {
    expect(checkNodes({ t: test, a: after('t.pass', 't.maybe') }).map(({ code }) => code)).toEqual(['unknown_output']);
  });
});

describe('a join', () => {
  const c = { type: 'constant', params: { value: 1 } };
  const tooLarge = (join: number, has: string) =>
    `join_too_large /nodes/a/join \`join\` asks for ${join} of the edges it counts, but the node has ${has}.`;

  it('counts what `after` names, each ending once', () => {
    const node = {
      type: 'notify',
      params: { message: '{{c.value}} {{d.value}}' },
      after: ['c', 'c.success', 'd.finished'],
    };
    expect(told({ c, d: c, a: { ...node, join: 2 } })).toEqual([]);
    expect(told({ c, d: c, a: { ...node, join: 3 } })).toEqual([tooLarge(3, 'only 2')]);
  });

  it('counts the data where nothing stands in `after`, each output once, and neither guard nor start inputs', () => {
    const message = '{{c.value}} {{c.value.x}} {{d.value}} {{input.x}}';
    const node = { type: 'notify', params: { message }, when: 'c.value > 0' };
    const nodes = { c, d: { ...c, when: '1 > 0' } };
    const mistakes = (join: number) =>
      validateGraph(
        { holdfast: 1, id: 'g', inputs: { x: { type: 'any' } }, nodes: { ...nodes, a: { ...node, join } } },
        sampleCatalogue,
      ).mistakes.map(({ code, path, message: sentence }) => `${code} ${path} ${sentence}`);
    expect(mistakes(2)).toEqual([]);
    expect(mistakes(3)).toEqual([tooLarge(3, 'only 2')]);
    expect(told({ a: { ...c, join: 1 } })).toEqual([tooLarge(1, 'none')]);
    expect(told({ c, a: { type: 'notify', after: ['c'], join: 2 } })).toEqual([tooLarge(2, 'only 1')]);
  });

  it('counts references that lead nowhere, which are told already', () => {
    expect(checkNodes({ a: { ...after('b', '!'), join: 2 } }).map(({ code }) => code)).toEqual([
      'dangling_reference',
      'bad_reference',
    ]);
  });

  it('leaves every edge it does not count required', () => {
    const t = test;
    const node = { type: 'notify', params: { message: '{{yes.value}}' }, after: ['t.fail', 'c'], join: 'any' };
    const yes = { ...c, after: ['t.pass'] };
    expect(told({ t, c, yes, a: node })).toEqual([]);
    expect(told({ t, c, yes, a: { ...node, after: ['t.fail', 't.error'] } })).toEqual([torn('/nodes/a', 'a', 't')]);
    expect(told({ t, a: { ...c, after: ['t.fail', 't.error'], join: 'any', when: '1 > 0' } })).toEqual([]);
  });
});

/** Nodes that refer only to earlier ones, each through inputs, `after`, a template or `when`. */
const dag = fc
  .array(fc.array(fc.record({ back: fc.nat(), how: fc.constantFrom('after', 'template', 'when') }), { maxLength: 4 }), {
    minLength: 2,
    maxLength: 30,
  })
  .map((rows) =>
    Object.fromEntries(
      rows.map((row, at) => {
        const sources = at === 0 ? [] : row.map(({ back, how }) => ({ how, id: `n${back % at}` }));
        const of = (how: string) => sources.filter((each) => each.how === how).map(({ id }) => `${id}.value`);
        return [
          `n${at}`,
          {
            type: 'constant',
            params: {
              value: of('template')
                .map((each) => `{{${each}}}`)
                .join(' '),
            },
            after: sources.filter(({ how }) => how === 'after').map(({ id }) => id),
            ...(of('when').length > 0 ? { when: of('when').join(' + ') } : {}),
          },
        ];
      }),
    ),
  );

describe('any graph', () => {
  it('without references backwards validates clean', () => {
    fc.assert(
      fc.property(dag, (nodes) => {
        expect(checkNodes(nodes)).toEqual([]);
      }),
    );
  });

  it('gets a cycle when a chain is closed by one reference back', () => {
    fc.assert(
      fc.property(dag, fc.nat(), fc.nat(), (nodes, a, b) => {
        const ids = Object.keys(nodes);
        const [low = 0, high = 0] = [a % ids.length, b % ids.length].sort((x, y) => x - y);
        const chained = Object.fromEntries(
          Object.entries(nodes).map(([id, node], at) => {
            const links = at > low && at <= high ? [`n${at - 1}`] : at === low ? [`n${high}`] : [];
            return [id, { ...node, after: [...node.after, ...links] }];
          }),
        );
        const mistakes = checkNodes(chained);
        expect(mistakes.map(({ code }) => code)).toEqual(['cycle']);
      }),
    );
  });

  it('with branches is told unreachable exactly where no outcome of its conditions starts a node', () => {
    fc.assert(
      fc.property(branching, (rows) => {
        const found = new Set(checkNodes(asNodes(rows)).map(({ node_id }) => node_id));
        const started = startable(rows);
        rows.forEach((_, at) => {
          if (found.has(`n${at}`)) expect(started).not.toContain(at);
          else if (!started.has(at)) expect(waitsForTold(rows, at, found)).toBe(true);
        });
      }),
    );
  });

  it('of 10,000 nodes validates in well under two seconds, also with mistakes in all of them', () => {
    const nodes = (source: (at: number) => string[]) =>
      Object.fromEntries(Array.from({ length: 9_999 }, (_, at) => [`n${at}`, { ...testOf(at), after: source(at) }]));
    const testOf = (at: number) => (at % 2 === 0 ? test : { type: 'notify' });
    const cases = [
      nodes((at) => (at === 0 ? [] : [`n${at - 1}`])),
      nodes((at) =>
        at < 2
          ? []
          : at % 2 === 0
            ? [`n${at - 2}.${at % 4 === 0 ? 'pass' : 'fail'}`, `n${at - 1}`]
            : [`n${at - 1}.error`],
      ),
      nodes((at) => [`m${at}`, `n${at}.x`]),
      nodes((at) => [`n${(at + 9_998) % 9_999}`]),
    ];
    for (const each of cases) {
      expect(Math.min(cpuTimeOf(each), cpuTimeOf(each))).toBeLessThan(2_000_000);
    }
  });
});

/** Microseconds: unlike the clock's, they do not count what other processes do. */
function cpuTimeOf(nodes: Nodes): number {
  const begin = process.cpuUsage();
  checkNodes(nodes);
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

/** What a node waits for; every node is a condition and refers to earlier ones. */
type Row = readonly { readonly back: number; readonly on: string }[];

const branching: fc.Arbitrary<Row[]> = fc.array(
  fc.array(fc.record({ back: fc.nat(), on: fc.constantFrom('pass', 'fail', 'success', 'error', 'finished') }), {
    maxLength: 3,
  }),
  { minLength: 1, maxLength: 6 },
);

function asNodes(rows: readonly Row[]): Nodes {
  return Object.fromEntries(
    rows.map((row, at) => [
      `n${at}`,
      { ...test, after: at === 0 ? [] : row.map(({ back, on }) => `n${back % at}.${on}`) },
    ]),
  );
}

/** The nodes that start in some trial, trying every ending of every node. */
function startable(rows: readonly Row[]): Set<number> {
  const started = new Set<number>();
  const endings = ['pass', 'fail', 'error'];
  const taken = (on: string, ending: string | undefined) =>
    ending !== undefined && (on === 'finished' || on === ending || (on === 'success' && ending !== 'error'));
  for (let trial = 0; trial < endings.length ** rows.length; trial += 1) {
    const ended: (string | undefined)[] = [];
    rows.forEach((row, at) => {
      const runs = at === 0 || row.every(({ back, on }) => taken(on, ended[back % at]));
      ended.push(runs ? endings[Math.floor(trial / endings.length ** at) % endings.length] : undefined);
      if (runs) started.add(at);
    });
  }
  return started;
}

function waitsForTold(rows: readonly Row[], at: number, found: ReadonlySet<string | undefined>): boolean {
  const sources = at === 0 ? [] : (rows[at] ?? []).map(({ back }) => back % at);
  return sources.some((source) => found.has(`n${source}`) || waitsForTold(rows, source, found));
}

describe('itemAt', () => {
  it('refuses an index outside the list', () => {
    expect(itemAt(['a'], 0)).toBe('a');
    expect(() => itemAt(['a'], 1)).toThrow(new RangeError('no item 1 in a list of 1'));
  });
});

describe('componentsOf', () => {
  it('gives every vertex once and each component after all it points to', () => {
    const graphs = fc.array(fc.array(fc.nat({ max: 11 }), { maxLength: 4 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(graphs, (targets) => {
        const components = componentsOf(12, (vertex) => targets[vertex]!);
        const componentOf = new Map(components.flatMap((each, at) => each.map((vertex) => [vertex, at] as const)));
        expect([...componentOf.keys()].sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
        const reach = (from: number, seen = new Set([from])): Set<number> => {
          for (const to of targets[from]!) if (!seen.has(to)) reach(to, seen.add(to));
          return seen;
        };
        for (let a = 0; a < 12; a += 1) {
          for (const b of reach(a)) {
            expect(componentOf.get(b)).toBeLessThanOrEqual(componentOf.get(a)!);
            expect(componentOf.get(a) === componentOf.get(b)).toBe(reach(b).has(a));
          }
        }
      }),
    );
  });
});
