/** The graphs the benchmarks run, as a person would write their nodes. */

export type Nodes = Readonly<Record<string, unknown>>;

/** `length` activities, each reading the one before. */
export function activityChain(length: number): Nodes {
  return chain(length, (inputs) => ({ type: 'bench_step', ...inputs }), { params: { value: 0 } });
}

/** `length` pure nodes, each reading the one before. */
export function pureChain(length: number): Nodes {
  return chain(length, (inputs) => ({ type: 'constant', ...inputs }), { params: { value: 0 } });
}

function chain(length: number, node: (inputs: object) => object, first: object): Nodes {
  const nodes = Array.from({ length }, (_, index) => {
    const inputs = index === 0 ? first : { inputs: { value: `n${index - 1}.value` } };
    return [`n${index}`, node(inputs)] as const;
  });
  return Object.fromEntries(nodes);
}

/** 1 → `width` → 1, all activities. */
export function fan(width: number): Nodes {
  const middle = Array.from({ length: width }, (_, index) => `m${index}`);
  return {
    first: { type: 'bench_step', params: { value: 0 } },
    ...Object.fromEntries(middle.map((id) => [id, { type: 'bench_step', inputs: { value: 'first.value' } }])),
    last: { type: 'bench_step', after: middle, inputs: { value: 'first.value' } },
  };
}

/** One source, branches of activities that take these milliseconds one after the other, one sink. */
export function branches(lanes: readonly (readonly number[])[]): Nodes {
  const nodes: Record<string, unknown> = { first: { type: 'bench_pause', params: { ms: 0, value: 1 } } };
  lanes.forEach((steps, lane) => {
    steps.forEach((ms, at) => {
      const value = at === 0 ? 'first.value' : `b${lane}_${at - 1}.value`;
      nodes[`b${lane}_${at}`] = { type: 'bench_pause', params: { ms }, inputs: { value } };
    });
  });
  const ends = lanes.map((steps, lane) => `b${lane}_${steps.length - 1}`);
  nodes['last'] = { type: 'bench_pause', params: { ms: 0, value: 1 }, after: ends };
  return nodes;
}

const BLOCK = 20;
const LANES = 'abcdefghij';

/**
 * `size` nodes, 70 % of them pure: ten lanes of blocks of twenty, each block a chain, a condition with two branches that meet
 * again, a fan of six and a diamond; it reads the block before it and waits for that of the next lane. Width does not grow with
 * size, so that the cost of a node can be compared. `size` is a multiple of 200.
 */
export function mixed(size: number): Nodes {
  const nodes: Record<string, unknown> = {};
  const blocks = size / BLOCK / LANES.length;
  for (let at = 0; at < blocks; at += 1) {
    for (let lane = 0; lane < LANES.length; lane += 1) {
      const before = [lane, (lane + 1) % LANES.length].map((each) => `${LANES.charAt(each)}${at - 1}k`);
      addBlock(nodes, `${LANES.charAt(lane)}${at}`, at === 0 ? undefined : before);
    }
  }
  return nodes;
}

/** Fourteen pure nodes and six activities. */
function addBlock(nodes: Record<string, unknown>, id: string, before: readonly string[] | undefined): void {
  const node = (name: string, spec: object): string => {
    nodes[`${id}${name}`] = spec;
    return `${id}${name}`;
  };
  const add = (name: string, a: string, rest: object = {}) =>
    node(name, { type: 'math', params: { op: 'add', b: '1' }, inputs: { a: `${a}.value` }, ...rest });
  const call = (name: string, value: string, rest: object = {}) =>
    node(name, { type: 'bench_pause', params: { ms: 0 }, inputs: { value: `${value}.value` }, ...rest });
  const [source, neighbour = ''] = before ?? [];
  const begun =
    source === undefined
      ? node('a', { type: 'constant', params: { value: '1' } })
      : add('a', source, { after: [neighbour] });
  const chained = add('c', call('b', begun));
  node('t', { type: 'threshold', params: { min: '5' }, inputs: { value: `${chained}.value` } });
  const high = call('h', chained, { after: [`${id}t.pass`] });
  const low = add('l', chained, { after: [`${id}t.fail`] });
  const met = node('j', { type: 'first', join: 'any', inputs: { high: `${high}.value`, low: `${low}.value` } });
  const called = ['u', 'v'].map((name) => call(name, met));
  const counted = ['w', 'x', 'y', 'z'].map((name) => add(name, met));
  const joined = add('m', counted[0] ?? '', { after: [...called, ...counted.slice(1)] });
  const left = add('p', call('n', joined));
  const right = add('r', add('q', call('o', joined)));
  node('k', { type: 'math', params: { op: 'max' }, inputs: { a: `${left}.value`, b: `${right}.value` } });
}

/** A `map` over `items` items, with two pure nodes and, for every fourth item, an activity each. */
export function mapOver(items: number): Nodes {
  return {
    each: {
      type: 'map',
      params: { items: Array.from({ length: items }, (_, index) => index), concurrency: 40 },
      body: {
        nodes: {
          keep: { type: 'constant', inputs: { value: 'item.value' } },
          call: {
            type: 'bench_pause',
            params: { ms: 0 },
            when: 'item.index % 4 == 0',
            inputs: { value: 'keep.value' },
          },
        },
        outputs: { value: 'keep.value' },
      },
    },
    end: { type: 'constant', inputs: { value: 'each.count' } },
  };
}
