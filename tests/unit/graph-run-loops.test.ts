import { describe, expect, it } from '@jest/globals';
import { bodyOf, completed, failed, GraphAtWork, type Nodes } from '../support/plans';

const HASH = 'a'.repeat(64);
const blob = (length?: number) => ({
  $blob: { ref: HASH, bytes: 9, sha256: HASH, ...(length === undefined ? {} : { length }) },
});
const oneStep = bodyOf({ price: { inputs: { value: 'item.value' } } }, { out: 'price.x' });
const mapOver = (items: unknown, params: Record<string, unknown> = {}, body = oneStep): Nodes => ({
  each: { type: 'map', params: { items, ...params }, body },
});
const stateOf = (work: GraphAtWork, key: string) => work.state(key);

describe('a map', () => {
  it('keeps the order of its items, whatever order they end in, and never opens more than its concurrency', () => {
    const work = new GraphAtWork(mapOver(['a', 'b', 'c', 'd'], { concurrency: 2 }));
    expect(work.open('each').ready).toEqual(['each[0]/price', 'each[1]/price']);
    const second = work.end('each[1]/price', completed({ x: 'B' }));
    expect([second.ready, second.closed]).toEqual([['each[2]/price'], ['each[1]']]);
    work.end('each[2]/price', completed({ x: 'C' }));
    work.end('each[3]/price', completed({ x: 'D' }));
    expect(stateOf(work, 'each').state).toBe('running');
    const last = work.end('each[0]/price', completed({ x: 'A' }));
    expect([last.ended, last.closed]).toEqual([['each'], ['each[0]', '']]);
    const results = ['A', 'B', 'C', 'D'].map((out) => ({ out }));
    expect(stateOf(work, 'each')).toMatchObject({ outputs: { results, errors: [], count: 4 } });
    expect(work.run.isDone).toBe(true);
    expect(work.run.held).toBe(work.weighed);
  });

  it('ends at once where there is nothing to do', () => {
    const work = new GraphAtWork({ ...mapOver([]), after: { after: ['each'] } });
    expect(work.open('each')).toMatchObject({ ended: ['each'], ready: ['after'] });
    expect(stateOf(work, 'each')).toMatchObject({ outputs: { results: [], errors: [], count: 0 } });
  });

  it('goes on past items that failed where it should, with null in their places', () => {
    const work = new GraphAtWork(mapOver([1, 2, 3], { on_item_error: 'continue' }));
    work.open('each');
    work.end('each[1]/price', failed);
    work.end('each[0]/price', completed({ x: 1 }));
    work.end('each[2]/price', completed());
    const error = { index: 1, error: 'each[1]/price: broken', error_type: 'ConnectionError' };
    expect(stateOf(work, 'each')).toMatchObject({
      outputs: { results: [{ out: 1 }, null, {}], errors: [error], count: 3 },
    });
  });

  it('names the items that failed in their order, whichever failed first', () => {
    const work = new GraphAtWork(mapOver([1, 2, 3], { on_item_error: 'continue' }));
    work.open('each');
    for (const index of [2, 0, 1]) work.end(`each[${index}]/price`, failed);
    expect(stateOf(work, 'each')).toMatchObject({ outputs: { errors: [{ index: 0 }, { index: 1 }, { index: 2 }] } });
  });

  it('fails with the first item otherwise: nothing more opens or starts, and what runs is awaited', () => {
    const body = bodyOf({ a: {}, b: { after: ['a'] } });
    const work = new GraphAtWork(mapOver([1, 2, 3, 4], { concurrency: 3 }, body));
    work.open('each');
    work.start('each[0]/a', 'each[1]/a');
    const followed = work.end('each[1]/a', failed);
    expect(followed.givenUp).toEqual(['each[1]', 'each[0]', 'each[2]']);
    expect(followed.skipped).toEqual(['each[1]/b', 'each[0]/b', 'each[2]/a', 'each[2]/b']);
    expect(stateOf(work, 'each[2]/a')).toMatchObject({ reason: 'another item failed' });
    const last = work.end('each[0]/a');
    expect([last.ready, last.ended]).toEqual([[], ['each']]);
    const error = 'each[1]/a: broken';
    expect(stateOf(work, 'each')).toEqual({ state: 'failed', error, error_type: 'ConnectionError' });
    expect(work.run.failure?.node_id).toBe('each');
  });

  it('gives thousands of open items up at once', () => {
    const work = new GraphAtWork(mapOver(Array.from({ length: 9_000 }), { concurrency: 9_000 }));
    work.open('each');
    const followed = work.end('each[4]/price', failed);
    expect(followed.skipped).toHaveLength(8_999);
    expect(stateOf(work, 'each').state).toBe('failed');
  });

  it.each([
    [{}, 'items: must be a list of at most 10000'],
    [{ items: 'text' }, 'items: must be a list of at most 10000'],
    [{ items: Array.from({ length: 10_001 }) }, 'items: must be a list of at most 10000'],
    [{ items: [1], concurrency: 0 }, 'concurrency: must be a whole number from 1'],
    [{ items: [1], concurrency: '2' }, 'concurrency: must be a whole number from 1'],
  ])('fails where its fields are wrong: %#', (params, error) => {
    const work = new GraphAtWork({ each: { type: 'map', params, body: oneStep }, after: { after: ['each.error'] } });
    expect(work.open('each')).toMatchObject({ ended: ['each'], ready: ['after'] });
    expect(stateOf(work, 'each')).toEqual({ state: 'failed', error, error_type: 'InvalidInput' });
  });

  it('fails where its items are a stored value that is no list', () => {
    const work = new GraphAtWork({ source: {}, each: { type: 'map', inputs: { items: 'source.v' }, body: oneStep } });
    work.end('source', completed({ v: blob() }));
    work.open('each');
    expect(stateOf(work, 'each')).toMatchObject({ error: 'items: must be a list of at most 10000' });
  });

  it('takes the items of a stored list by their places, but not of a list inside a stored value', () => {
    const nodes: Nodes = {
      source: {},
      each: {
        type: 'map',
        inputs: { items: 'source.list' },
        body: bodyOf({ price: { inputs: { v: 'item.value.close' } } }),
      },
      deep: { type: 'map', inputs: { items: 'source.list.rows' }, body: oneStep },
    };
    const work = new GraphAtWork(nodes);
    work.end('source', completed({ list: blob(2) }));
    expect(work.open('each').ready).toEqual(['each[0]/price', 'each[1]/price']);
    expect(work.fields('each[1]/price')).toEqual({ v: { ...blob(2), path: ['1', 'close'] } });
    work.open('deep');
    expect(stateOf(work, 'deep')).toMatchObject({ error: expect.stringContaining('stands inside a stored value') });
  });

  it('keeps the weight of its results with the outputs, and fails where they do not fit', () => {
    const work = new GraphAtWork(mapOver([1, 2, 3], { concurrency: 1 }), { output_limit: 1_000 });
    work.open('each');
    work.end('each[0]/price', completed({ x: 'x'.repeat(450) }));
    expect(work.run.held).toBe(work.weighed);
    expect(work.run.held).toBeGreaterThan(450);
    work.end('each[1]/price', completed({ x: 'x'.repeat(500) }));
    expect(stateOf(work, 'each[1]/price').state).toBe('completed');
    work.end('each[2]/price', completed({ x: 'x'.repeat(50) }));
    expect(stateOf(work, 'each')).toMatchObject({ state: 'failed', error_type: 'OutputTooLarge' });
    expect(work.run.held).toBe(0);
  });

  it('lets what an item gave go before its result is weighed: it is a part of it', () => {
    const work = new GraphAtWork(
      { ...mapOver([1]), reader: { inputs: { r: 'each.results' } } },
      { output_limit: 1_000 },
    );
    work.open('each');
    work.end('each[0]/price', completed({ x: 'x'.repeat(800) }));
    expect(stateOf(work, 'each').state).toBe('completed');
    expect(work.fields('reader')).toEqual({ r: [{ out: 'x'.repeat(800) }] });
  });
});

describe('what a body sees', () => {
  it('is the item, its index, the loops around it, and the nodes and start inputs outside', () => {
    const inner = bodyOf({
      x: {
        params: { note: 'row {{item.parent.index}}, column {{item.index}}' },
        inputs: {
          cell: 'item.value',
          row: 'item.parent.value.name',
          above: 'item.parent.parent.value',
          outside: 'source.v',
          beside: 'row.y',
          start: 'input.size',
          odd: 'item.colour',
          none: 'item.index.deeper',
          not: 'item.last.x',
        },
      },
    });
    const rows = [
      { name: 'r0', cells: ['a'] },
      { name: 'r1', cells: ['b', 'c'] },
    ];
    const body = bodyOf({
      row: {},
      cells: { type: 'map', inputs: { items: 'item.value.cells' }, after: ['row'], body: inner },
    });
    const nodes: Nodes = { source: {}, rows: { type: 'map', params: { items: rows }, body } };
    const work = new GraphAtWork(nodes, { inputs: { size: 3 } });
    work.end('source', completed({ v: 'V' }));
    work.open('rows');
    work.end('rows[1]/row', completed({ y: 'Y' }));
    work.open('rows[1]/cells');
    expect(work.fields('rows[1]/cells[1]/x')).toEqual({
      ...{ note: 'row 1, column 1', cell: 'c', row: 'r1', outside: 'V', beside: 'Y', start: 3 },
    });
    work.cut();
    expect(work.fields('rows[1]/cells[0]/x')).toMatchObject({ cell: 'b', row: 'r1', beside: 'Y' });
    expect(work.run.key(work.id('rows[1]/cells[0]/x'))).toBe('rows[1]/cells[0]/x');
  });

  it('is filled into texts, but where a value is stored elsewhere: then both travel', () => {
    const body = bodyOf({ x: { params: { note: '{{item.value}} of {{source.v}}', odd: '{{item.parent}}' } } });
    const work = new GraphAtWork({ source: {}, each: { type: 'map', params: { items: ['a'] }, body } });
    work.end('source', completed({ v: blob() }));
    work.open('each');
    const values = { 'item.value': 'a', 'source.v': blob() };
    expect(work.fields('each[0]/x')).toEqual({
      note: { $template: '{{item.value}} of {{source.v}}', values },
      odd: '',
    });
  });

  it('is nothing of an item where there is no loop', () => {
    const work = new GraphAtWork({ a: { inputs: { x: 'item.value', y: 'input.gone', z: 'nonsense' } } });
    expect(work.fields('a')).toEqual({});
  });

  it('stays while the loop is at work, though nobody else reads it', () => {
    const body = bodyOf({ x: { inputs: { v: 'source.v' } } });
    const work = new GraphAtWork(
      { source: {}, each: { type: 'map', params: { items: [1, 2], concurrency: 1 }, body }, big: {} },
      { output_limit: 1_000 },
    );
    work.end('source', completed({ v: 'v'.repeat(400) }));
    work.open('each');
    work.end('each[0]/x');
    work.end('big', completed({ v: 'v'.repeat(400) }));
    expect(work.fields('each[1]/x')).toEqual({ v: 'v'.repeat(400) });
    work.end('each[1]/x');
    expect([...work.run.carry().unread]).toContain(work.id('source'));
  });

  it('escapes what looks like a stored value in literal items', () => {
    const work = new GraphAtWork(mapOver([{ $blob: 1 }]));
    work.open('each');
    expect(work.fields('each[0]/price')).toEqual({ value: { $$blob: 1 } });
  });
});

describe('a repeat', () => {
  const body = bodyOf({ price: { inputs: { before: 'item.last.price', at: 'item.index' } } }, { price: 'price.last' });
  const again = (max_iterations: number, goesOn?: string): Nodes => ({
    again: { type: 'repeat', params: { max_iterations }, body, ...(goesOn === undefined ? {} : { while: goesOn }) },
  });

  it('goes on while its guard says so, and tells each iteration what the one before gave', () => {
    const work = new GraphAtWork(again(5, 'price.last < 3'));
    expect(work.open('again').ready).toEqual(['again[0]/price']);
    expect(work.fields('again[0]/price')).toEqual({ at: 0 });
    expect(work.end('again[0]/price', completed({ last: 2 })).ready).toEqual(['again[0]/:while']);
    expect(work.fields('again[0]/:while')).toEqual({
      condition: { formula: 'price.last < 3', values: { 'price.last': 2 } },
    });
    expect(work.end('again[0]/:while', completed({}, 'true')).ready).toEqual(['again[1]/price']);
    work.cut();
    expect(work.fields('again[1]/price')).toEqual({ at: 1, before: 2 });
    work.end('again[1]/price', completed({ last: 3 }));
    expect(work.end('again[1]/:while', completed({}, 'false')).ended).toEqual(['again']);
    expect(work.state('again')).toMatchObject({ outputs: { iterations: 2, exhausted: false, last: { price: 3 } } });
    expect(work.run.held).toBe(work.weighed);
  });

  it('ends after its most iterations, and says whether it would have gone on', () => {
    const bounded = new GraphAtWork(again(1, 'price.last < 3'));
    bounded.open('again');
    bounded.end('again[0]/price', completed({ last: 1 }));
    bounded.end('again[0]/:while', completed({}, 'true'));
    expect(bounded.state('again')).toMatchObject({ outputs: { iterations: 1, exhausted: true } });
    const counted = new GraphAtWork(again(2));
    counted.open('again');
    counted.end('again[0]/price');
    counted.end('again[1]/price');
    expect(counted.state('again')).toMatchObject({ outputs: { iterations: 2, exhausted: false, last: {} } });
  });

  it('ends where its guard was skipped, and fails with an iteration', () => {
    const skipped = new GraphAtWork({ again: { ...again(5, 'price.gone')['again'] } });
    skipped.open('again');
    skipped.end('again[0]/price', completed({ last: 1 }));
    expect(skipped.state('again')).toMatchObject({ outputs: { iterations: 1, exhausted: false } });
    const broken = new GraphAtWork(again(5));
    broken.open('again');
    broken.end('again[0]/price');
    expect(broken.end('again[1]/price', failed).ended).toEqual(['again']);
    expect(broken.state('again')).toMatchObject({ state: 'failed', error: 'again[1]/price: broken' });
  });

  it.each([[-1], [1.5], [10_001], ['3'], [undefined]])('fails where its most iterations are %j', (max_iterations) => {
    const work = new GraphAtWork({ again: { type: 'repeat', params: { max_iterations }, body } });
    work.open('again');
    expect(work.state('again')).toMatchObject({ error: 'max_iterations: must be a whole number up to 10000' });
  });

  it('holds what the last iteration gave once, however often it ran', () => {
    const work = new GraphAtWork(again(50), { output_limit: 3_000 });
    work.open('again');
    for (let at = 0; at < 49; at += 1) {
      work.end(`again[${at}]/price`, completed({ last: 'p'.repeat(900) }));
      expect(work.run.held).toBe(work.weighed);
      expect(work.run.held).toBeLessThan(1_000);
    }
    expect(JSON.stringify(work.run.carry()).length).toBeLessThan(6_000);
    work.cut();
    expect(work.fields('again[49]/price')['before']).toHaveLength(900);
  });

  it('fails where what an iteration gave does not fit', () => {
    const many = bodyOf({ price: {} }, { a: 'price.last', b: 'price.last', c: 'price.last' });
    const nodes = { again: { type: 'repeat', params: { max_iterations: 3 }, body: many } };
    const work = new GraphAtWork(nodes, { output_limit: 1_000 });
    work.open('again');
    work.end('again[0]/price', completed({ last: 'p'.repeat(500) }));
    expect(work.state('again')).toMatchObject({ state: 'failed', error_type: 'OutputTooLarge' });
    expect(work.run.held).toBe(0);
  });
});

describe('frames that have closed', () => {
  it('are let go from the oldest on beyond 5,000 nodes, with those inside them, and only at the next change', () => {
    const inner = bodyOf({ x: {}, y: {} });
    const body = bodyOf({ cells: { type: 'map', params: { items: [1] }, body: inner } });
    const work = new GraphAtWork(mapOver(Array.from({ length: 2_000 }), { concurrency: 1 }, body));
    work.open('each');
    for (let at = 0; at < 2_000; at += 1) {
      work.open(`each[${at}]/cells`);
      work.end(`each[${at}]/cells[0]/x`);
      expect(work.end(`each[${at}]/cells[0]/y`).closed).toContain(`each[${at}]/cells[0]`);
      const kept = work.run.frames.reduce((nodes, { plan }) => nodes + plan.nodes.length, 0);
      expect(kept).toBeLessThanOrEqual(5_004);
    }
    expect(work.run.find('each[0]/cells[0]/x')).toBeUndefined();
    expect(work.run.find('each[1999]/cells[0]/x')).toBeDefined();
    expect(work.run.has(1)).toBe(false);
    expect(work.run.isDone).toBe(true);
    expect(stateOf(work, 'each')).toMatchObject({ outputs: { count: 2_000 } });
    work.cut();
    expect(() => work.run.state(1)).toThrow('no node instance 1');
  });

  it('never go without those inside them, wherever the limit falls', () => {
    const steps = (count: number): Nodes =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}`, {}]));
    const inner = bodyOf(steps(800));
    const body = bodyOf({ ...steps(200), cells: { type: 'map', params: { items: [1] }, body: inner } });
    const work = new GraphAtWork(mapOver([1, 2, 3, 4, 5, 6, 7, 8], { concurrency: 1 }, body));
    work.open('each');
    for (let at = 0; at < 8; at += 1) {
      work.open(`each[${at}]/cells`);
      for (let node = 0; node < 800; node += 1) work.end(`each[${at}]/cells[0]/n${node}`);
      for (let node = 0; node < 200; node += 1) work.end(`each[${at}]/n${node}`);
      work.cut();
    }
    const paths = work.run.frames.map(({ path }) => path);
    for (const path of paths.filter((each) => each.includes('/'))) expect(paths).toContain(path.split('/')[0]);
    expect(paths.length).toBeLessThan(17);
  });

  it('stay while what follows from their end is told, and the top stays always', () => {
    const nodes = Object.fromEntries(Array.from({ length: 6_000 }, (_, at) => [`n${at}`, {}]));
    const work = new GraphAtWork(mapOver([1], {}, bodyOf(nodes)), {});
    work.open('each');
    for (const id of Object.keys(nodes)) work.end(`each[0]/${id}`);
    expect(work.run.isDone).toBe(true);
    expect(work.run.state(work.id('each[0]/n0')).state).toBe('completed');
    work.follow(work.run.abandon('too late'));
    expect(work.run.find('each[0]/n0')).toBeUndefined();
    expect([work.run.isDone, stateOf(work, 'each').state]).toEqual([true, 'completed']);
  });

  it('travel in few bytes', () => {
    const work = new GraphAtWork(mapOver(Array.from({ length: 4_000 }), { concurrency: 1 }));
    work.open('each');
    for (let at = 0; at < 4_000; at += 1) work.end(`each[${at}]/price`, completed({ x: 1 }));
    const { frames } = work.run.carry();
    expect(JSON.stringify(frames).length / frames.length).toBeLessThan(120);
  });
});
