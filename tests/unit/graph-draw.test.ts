import { describe, expect, it } from '@jest/globals';
import { drawMermaid } from '../../src/graph/draw';
import type { Graph } from '../../src/graph/schema';
import { sampleCatalogue } from '../support/catalogue';

const draw = (nodes: Graph['nodes']) => drawMermaid({ holdfast: 1, id: 'g', nodes }, sampleCatalogue);

describe('drawMermaid', () => {
  it('tells data from control, names outputs and branches, and shows conditions and guards', () => {
    const text = draw({
      end: { type: 'constant', params: { value: 1 } },
      judge: { type: 'threshold', params: { min: '1' }, inputs: { value: 'end.value.x' } },
      tell: {
        type: 'notify',
        params: { message: '{{end.value}} and again {{end.value}}' },
        after: ['judge.pass', 'end', 'gone', '!'],
        when: 'end.value > "8"',
      },
    });
    expect(text.split('\n')).toEqual([
      'flowchart LR',
      '  n0["end<br/>constant"]',
      '  n1{"judge<br/>threshold"}',
      '  g2{"when<br/>end.value #62; #34;8#34;"}',
      '  n2["tell<br/>notify"]',
      '  g2 -. "true" .-> n2',
      '  n0 -- "value.x" --> n1',
      '  n0 -- "value" --> n2',
      '  n1 -. "pass" .-> n2',
      '  n0 -.-> n2',
      '  n0 -- "value" --> g2',
      '',
    ]);
  });

  it('puts bodies into frames, and what runs at a halt beside the graph', () => {
    const one = { type: 'constant', params: { value: 1 } };
    const body = {
      nodes: { a: { type: 'constant', inputs: { value: 'far.value' } }, b: { ...one, when: 'a.value > item.index' } },
      outputs: { x: 'b.value' },
    };
    const graph: Graph = {
      holdfast: 1,
      id: 'g',
      nodes: {
        far: one,
        each: {
          type: 'map',
          params: { items: [] },
          body: { nodes: { again: { type: 'repeat', while: 'a.value > 1', body } } },
        },
        end: { type: 'notify', after: ['each'] },
      },
      on_halt: { nodes: { tell: { type: 'notify' } } },
    };
    expect(drawMermaid(graph, sampleCatalogue).split('\n')).toEqual([
      'flowchart LR',
      '  n0["far<br/>constant"]',
      '  subgraph n1["each<br/>map"]',
      '    subgraph n3["again<br/>repeat"]',
      '      n4["a<br/>constant"]',
      '      g5{"when<br/>a.value #62; item.index"}',
      '      n5["b<br/>constant"]',
      '      g5 -. "true" .-> n5',
      '      w3{"while<br/>a.value #62; 1"}',
      '    end',
      '  end',
      '  n2["end<br/>notify"]',
      '  subgraph h["on_halt"]',
      '    n6["tell<br/>notify"]',
      '  end',
      '  n1 -.-> n2',
      '  n0 -- "value" --> n4',
      '  n4 -- "value" --> g5',
      '  n4 -- "value" --> w3',
      '',
    ]);
  });

  it('lets no text out of its label', () => {
    const text = draw({
      a: { type: 'x"]; click n0 "javascript:1"' },
      b: { type: 'notify', when: '<b>&#;`\n%%{init}%%' },
    });
    const labels = [...text.matchAll(/"([^"]*)"/g)].map(([, label = '']) => label.replace('<br/>', ''));
    expect(labels).toHaveLength(4);
    for (const label of labels) expect(label.replace(/#\d+;/g, '')).not.toMatch(/["<>&`;#\n%{}]/);
  });
});
