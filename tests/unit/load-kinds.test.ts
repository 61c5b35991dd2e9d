import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kindCatalogue } from '../../src/activities/kinds';
import { addKinds, orderLookupsOf, withOwnKinds } from '../../src/activities/load-kinds';
import { defineNode, type NodeKind } from '../../src/activities/nodes';
import { loadConfig } from '../../src/config/config';
import { holdfast } from '../support/command-line';

const NODES = resolve(__dirname, '../../src/activities/nodes');
const double = (type: string, more = '') => `
  const { decimal, defineNode, field, formatDecimal, output } = require(${JSON.stringify(NODES)});
  exports.kinds = [defineNode({
    type: '${type}', family: 'own', effect: 'pure', description: 'Twice as much.',
    fields: { value: field.decimal('Once.') }, outputs: { value: output('decimal', 'Twice.') },
    run: ({ value }) => ({ outputs: { value: formatDecimal(decimal(value).times('2')) } }),
  })];
  ${more}`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-kinds-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function refusal(modules: readonly string[]): string {
  try {
    withOwnKinds(kindCatalogue, modules);
  } catch (error) {
    return `${(error as { code?: string }).code ?? ''} ${(error as Error).message}`.replaceAll(`${folder}/`, '');
  }
  return 'nothing was refused';
}

describe('own node kinds', () => {
  it('are added to the shipped ones, from several modules', async () => {
    const kinds = withOwnKinds(kindCatalogue, [file('a.js', double('twice')), file('b.js', double('doubled'))]);
    expect([...kinds.keys()].filter((type) => !kindCatalogue.has(type))).toEqual(['twice', 'doubled']);
    expect(kinds.get('twice')?.parse({ value: '2.5' })).toEqual({ value: '2.5' });
    await expect(kinds.get('twice')?.run({ value: '2.5' }, {} as never)).resolves.toEqual({ outputs: { value: '5' } });
    expect(withOwnKinds(kindCatalogue, []).size).toBe(kindCatalogue.size);
  });

  it('bring along how orders of theirs are looked up', () => {
    const lookup = `{ venue: 'own', account: 'main', fence_ms: 500, query_lag_ms: 0, find: async () => undefined }`;
    const a = file('lookup.js', double('with_lookup', `exports.orderLookups = [${lookup}];`));
    const wrong = file('wrong.js', double('wrong_lookup', `exports.orderLookups = [{ venue: 'own' }];`));
    expect(orderLookupsOf([a, file('none-of-it.js', double('none_of_it'))])).toMatchObject([
      { venue: 'own', fence_ms: 500 },
    ]);
    expect(() => orderLookupsOf([wrong])).toThrow('`orderLookups` is no list of order lookups');
  });

  it('say what is wrong with their module', () => {
    expect(refusal([join(folder, 'none.js')])).toBe('KindsInvalid none.js: there is no such file.');
    expect(refusal([file('throws.js', 'throw new Error("no key");')])).toBe(
      'KindsInvalid throws.js: cannot be loaded (no key).',
    );
    expect(refusal([file('empty.js', '')])).toBe('KindsInvalid empty.js: exports no list `kinds`.');
    expect(refusal([file('one.js', 'exports.kinds = {};')])).toBe('KindsInvalid one.js: exports no list `kinds`.');
    expect(refusal([file('no-kind.js', 'exports.kinds = [{ type: "x" }];')])).toBe(
      'KindsInvalid no-kind.js: kinds[0] is no node kind of `defineNode`, or of effect control.',
    );
    expect(refusal([file('null.js', 'exports.kinds = [null];')])).toContain('kinds[0] is no node kind');
  });

  it('take no name that is taken, and none a graph could not write', () => {
    expect(refusal([file('ticker.js', double('ticker'))])).toBe(
      'KindsInvalid ticker.js: there is a node kind `ticker` already.',
    );
    expect(refusal([file('c.js', double('same')), file('d.js', double('same'))])).toBe(
      'KindsInvalid d.js: there is a node kind `same` already.',
    );
    expect(refusal([file('name.js', double('two words'))])).toBe(
      'KindsInvalid name.js: `two words` is no name for a node kind.',
    );
  });

  it('happen in workers, so none is a control kind', () => {
    const control: NodeKind = {
      ...defineNode({
        type: 'own',
        family: 'own',
        effect: 'read',
        description: '',
        fields: {},
        outputs: {},
        run: () => ({ outputs: {} }),
      }),
      effect: 'control',
    };
    expect(() => addKinds(kindCatalogue, [control])).toThrow(
      'kinds[0] is no node kind of `defineNode`, or of effect control',
    );
  });

  it('are named in the environment, by path from where the process starts', () => {
    expect(loadConfig({}).nodes).toEqual([]);
    expect(loadConfig({ HOLDFAST_NODES: ' mine/a.js, /there/b.js ' }).nodes).toEqual([
      resolve('mine/a.js'),
      '/there/b.js',
    ]);
  });
});

describe('own node kinds on the command line', () => {
  const graph = () =>
    file(
      'graph.json',
      JSON.stringify({ holdfast: 1, id: 'own', nodes: { t: { type: 'twofold', params: { value: '2' } } } }),
    );

  it('are known to every command that reads a graph', async () => {
    const module = file('twofold.js', double('twofold'));
    for (const command of ['validate', 'draw', 'import']) {
      const { code, err } = await holdfast([command, graph(), '--nodes', module]);
      expect({ command, code, err: err.includes('twofold') }).toEqual({ command, code: 0, err: false });
    }
    expect((await holdfast(['nodes', 'twofold', '--nodes', module])).out).toMatch(
      /^twofold {2}Twice as much\.\nown, pure/,
    );
    expect((await holdfast(['nodes'], { environment: { HOLDFAST_NODES: module } })).out).toMatch(
      /^own +twofold +pure/m,
    );
    expect((await holdfast(['nodes', '--nodes', module], { environment: { HOLDFAST_NODES: module } })).code).toBe(0);
  });

  it('are unknown without the option, and told of when they cannot be loaded', async () => {
    expect((await holdfast(['validate', graph()])).out).toContain('unknown_kind');
    const broken = await holdfast(['validate', graph(), '--nodes', join(folder, 'none.js')]);
    expect(broken).toMatchObject({ code: 2, err: expect.stringContaining('none.js: there is no such file.') });
    expect(broken.err).toContain('[KindsInvalid]');
    expect((await holdfast(['up', '--nodes', join(folder, 'none.js')])).err).toContain('[KindsInvalid]');
  });
});
