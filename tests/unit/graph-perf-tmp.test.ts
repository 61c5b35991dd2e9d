import { it } from '@jest/globals';
import { validateGraph } from '../../src/graph/validate';
import { sampleCatalogue } from '../support/catalogue';
import { checkShape } from '../../src/graph/validate-shape';
import { checkPlain } from '../../src/graph/validate-plain';
import { createSuggest } from '../../src/graph/suggest';
import { readNode, wiresOf } from '../../src/graph/node-reading';
import { wireUp } from '../../src/graph/wiring';
import { checkStructure } from '../../src/graph/validate-structure';
import { checkFields } from '../../src/graph/validate-fields';
import { checkWire } from '../../src/graph/validate-references';
it('t', () => {
const test = { type: 'threshold', params: { value: '1', min: '2' } };
    const testOf = (at: number) => (at % 2 === 0 ? test : { type: 'notify' });
    const nodes = (source: (at: number) => string[]) =>
      Object.fromEntries(Array.from({ length: 9_999 }, (_, at) => [`n${at}`, { ...testOf(at), after: source(at) }]));
    const cases = [
      nodes((at) => (at === 0 ? [] : [`n${at - 1}`])),
      nodes((at) => (at < 2 ? [] : at % 2 === 0 ? [`n${at - 2}.${at % 4 === 0 ? 'pass' : 'fail'}`, `n${at - 1}`] : [`n${at - 1}.error`])),
      nodes((at) => [`m${at}`, `n${at}.x`]),
      nodes((at) => [`n${(at + 9_998) % 9_999}`]),
    ];
  const out: string[] = [];
  for (const n of cases) {
    const t = (name: string, f: () => any) => { const b = performance.now(); const r = f(); out.push(name + ' ' + Math.round(performance.now() - b)); return r; };
    const doc = { holdfast: 1, id: 'g', nodes: n };
    t('plain', () => checkPlain(doc)); t('shape', () => checkShape(doc, createSuggest()));
    const rs = t('read', () => new Map(Object.entries(n).map(([id, raw]) => [id, readNode(id, raw, sampleCatalogue)])));
    const suggest = createSuggest();
    t('fields', () => [...rs.values()].flatMap((x: any) => checkFields(x, sampleCatalogue, suggest)));
    t('wires', () => [...rs.values()].flatMap((x: any) => wiresOf(x).flatMap((w) => checkWire(w, x.kind, { nodes: rs, suggest }))));
    const v = t('wireup', () => wireUp(rs.values(), sampleCatalogue));
    t('structure', () => checkStructure(v));
    t('all', () => validateGraph(doc, sampleCatalogue));
    out.push('--');
  }
  console.log(out.join('\n'));
}, 200000);
