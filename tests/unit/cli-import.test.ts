import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdfast } from '../support/command-line';

const example = join(__dirname, '../../examples/builder_spread.json');
const lossy = join(__dirname, '../fixtures/importers/builder-duplicate-ids.json');

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-import-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('holdfast import', () => {
  it('writes a graph that validates, and tells every change with its line', async () => {
    const out = inFolder('spread.json');
    const said = await holdfast(['import', example, '--out', out]);
    expect({ code: said.code, out: said.out }).toEqual({
      code: 0,
      out: `Wrote ${out}. Check it with \`holdfast validate ${out}\`.\n`,
    });
    const lines = said.err.trimEnd().split('\n');
    expect(lines).toContain(`${example}:20:23  changed  \`exchange\` of node \`price_binance\` became \`venue\`.`);
    const at = lines.map((line) => Number(/:(\d+):\d+ {2}changed {2}/.exec(line)?.[1]));
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(await holdfast(['validate', out])).toEqual({ code: 0, out: `valid  ${out}, 5 nodes\n`, err: '' });
  });

  it('prints the graph alone on stdout, so that it can be piped', async () => {
    const { out } = await holdfast(['import', example]);
    expect(JSON.parse(out)).toMatchObject({ holdfast: 1, nodes: { worth_it: { type: 'threshold' } } });
  });

  it('writes nothing where something was lost, unless that is allowed', async () => {
    const out = inFolder('graph.json');
    const refused = await holdfast(['import', lossy, '--out', out]);
    expect({ code: refused.code, out: refused.out, written: existsSync(out) }).toEqual({
      code: 2,
      out: '',
      written: false,
    });
    expect(refused.err).toMatch(/^.*:\d+:\d+ {2}lost {2}The id `a` stands at \/blocks\/0\/id too; .*$/m);
    expect(refused.err).toContain(
      'One thing was lost, so nothing was written. --allow-loss writes the graph without it.\n',
    );
    expect((await holdfast(['import', lossy, '--out', out, '--allow-loss'])).code).toBe(0);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ nodes: { a: {}, a_2: {}, b: {} } });
  });

  it('refuses to run or deploy what it lost something of', async () => {
    for (const command of ['run', 'deploy']) {
      const { code, out, err } = await holdfast([command, lossy]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/ {2}not_imported {2}The id `a` stands at/);
    }
  });

  it('gives programs the graph and the report as data', async () => {
    const { code, out, err } = await holdfast(['import', example, '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const said = JSON.parse(out) as { written: boolean; graph: object; report: object[] };
    expect(said).toMatchObject({ file: example, written: true, graph: { holdfast: 1 } });
    expect(said.report).toContainEqual({
      severity: 'changed',
      path: '/blocks/1/properties/exchange',
      message: '`exchange` of node `price_binance` became `venue`.',
      line: 20,
      column: 23,
    });
    const refused = await holdfast(['import', lossy, '--json']);
    expect(refused.code).toBe(2);
    expect(JSON.parse(refused.out)).not.toHaveProperty('graph');
    expect(JSON.parse(refused.out)).toMatchObject({ written: false, report: [{}, { severity: 'lost' }] });
  });

  it('overwrites only when told to', async () => {
    const out = inFolder('precious.json');
    writeFileSync(out, 'precious');
    const refused = await holdfast(['import', example, '--out', out]);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain(`error: ${out} exists; --force overwrites it.`);
    expect(readFileSync(out, 'utf8')).toBe('precious');
    expect((await holdfast(['import', example, '--out', out, '--force'])).code).toBe(0);
  });

  it('says when there is nothing to import, and when the result cannot run yet', async () => {
    const graph = inFolder('graph.json');
    writeFileSync(graph, '{"holdfast": 1, "id": "g", "nodes": {}}');
    expect(await holdfast(['import', graph])).toMatchObject({
      code: 0,
      err: `${graph} is in no other shape; it was left as it is.\n`,
    });
    const unknown = inFolder('unknown.json');
    writeFileSync(unknown, '{"blocks": [{"id": "a", "category": "risk", "type": "stop_loss"}]}');
    const said = await holdfast(['import', unknown]);
    expect(said.code).toBe(0);
    expect(said.err).toMatch(/There is no node kind for the type `stop_loss` of category `risk`/);
    expect(said.err).toMatch(/The graph has a mistake and cannot run yet\.\n$/);
  });

  it('refuses a text that is neither JSON nor YAML', async () => {
    const file = inFolder('broken.json');
    writeFileSync(file, '{"blocks": [}');
    const { code, out, err } = await holdfast(['import', file]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error: The text cannot be imported:\n.*:1:13 {2}syntax {2}/);
  });
});
