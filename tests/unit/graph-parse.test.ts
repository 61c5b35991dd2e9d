import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readJsonPlaces } from '../../src/graph/json-places';
import { parseGraphText } from '../../src/graph/parse';
import { fromPointer, toPointer } from '../../src/graph/pointer';

const briefly = (text: string) =>
  parseGraphText(text).mistakes.map(({ code, line, column, message }) => `${line}:${column} ${code} ${message}`);

describe('a JSON text', () => {
  it.each([
    ['{"a": 1 "b": 2}', '1:9', 'expected a comma or }, found "\\""'],
    ['{\n  "a": 1,\n}', '3:1', 'expected a key in double quotes, found "}"'],
    ['{"a": [1, 2}', '1:12', 'expected a comma or ], found "}"'],
    ['[1,]', '1:4', 'expected a value, found "]"'],
    ['{"a" 1}', '1:6', 'expected a colon, found "1"'],
    ['{"a": tru}', '1:7', 'expected a value, found "t"'],
    ['{"a": NaN}', '1:7', 'expected a value, found "N"'],
    ['{"a": "x\ny"}', '1:7', 'expected a value, found "\\""'],
    ['{"a": 01}', '1:8', 'expected a comma or }, found "1"'],
    ["{'a': 1}", '1:2', 'expected a key in double quotes, found "\'"'],
    ['{"a": 1', '1:8', 'expected a comma or }, found the end of the text'],
    ['{"a": 1} x', '1:10', 'expected the end of the text, found "x"'],
    ['{"a": 1 // one\n}', '1:9', 'expected a comma or }, found "/"'],
  ])('%j is refused with one sentence and its place', (text, at, why) => {
    expect(briefly(text)).toEqual([`${at} syntax The text is not valid JSON: ${why}.`]);
    expect(parseGraphText(text)).toMatchObject({ document: undefined });
    expect(parseGraphText(text).locate('')).toBeUndefined();
  });

  it('is what JSON.parse makes of it, also behind a byte order mark', () => {
    const text = '\uFEFF {"a": [1e400, "\\u00e9", true, null, {}, []], "__proto__": {"x": 1}}';
    const { document, mistakes } = parseGraphText(text);
    expect(mistakes).toEqual([]);
    expect(document).toEqual(JSON.parse(text.slice(1)));
    expect(Object.keys(document as object)).toEqual(['a', '__proto__']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('is accepted exactly where JSON.parse accepts it', () => {
    const almost = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.constantFrom('', '"', ',', ':', '{', '}', '[', ']', '\\', '0', '-', ' '),
      )
      .map(([text, at, cut, put]) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + put + text.slice(from + cut);
      });
    fc.assert(
      fc.property(almost, (text) => {
        expect(readJsonPlaces(text).ok).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('tells every doubled key once, with its place, and keeps the last value', () => {
    const text = '{"a": 1,\n "b": {"c": 1, "c": 2, "c": 3},\n "a": [{"d": 1, "d": 2}]}';
    expect(parseGraphText(text).mistakes.map(({ code, path, line, column }) => [code, path, line, column])).toEqual([
      ['duplicate_key', '/b/c', 2, 16],
      ['duplicate_key', '/a', 3, 2],
      ['duplicate_key', '/a/0/d', 3, 17],
    ]);
    expect(parseGraphText(text).document).toEqual({ a: [{ d: 2 }], b: { c: 3 } });
  });

  it('may nest 64 levels deep', () => {
    expect(briefly('['.repeat(64) + ']'.repeat(64))).toEqual([]);
    expect(briefly('['.repeat(100_000))).toEqual([
      '1:65 too_large The text is not valid JSON: nested deeper than 64 levels.',
    ]);
  });

  it('may hold a text of a million escapes', () => {
    expect(briefly(`{"a": "${'\\n'.repeat(500_000)}"}`)).toEqual([]);
    expect(briefly(`{"a": "${'x'.repeat(1_000_000)}`)[0]).toContain('1:7 syntax');
    expect(briefly(`{"a": "${'\\n'.repeat(500_000)}`)[0]).toContain('1:7 syntax');
  });

  it('may be 1 MiB of UTF-8', () => {
    const ofBytes = (bytes: number) => `{"a":"${'é'.repeat((bytes - 8) / 2)}"}`;
    expect(briefly(ofBytes(1_048_576))).toEqual([]);
    expect(parseGraphText(ofBytes(1_048_578)).mistakes).toMatchObject([{ code: 'too_large', path: '' }]);
  });
});

describe('a YAML text', () => {
  it('is read by the core schema, whatever its directives say', () => {
    const text =
      '%YAML 1.1\n---\nday: 2020-01-01\nyes: no\nn: .nan\nbig: 1e400\n<<: {a: 1}\n1: one\n__proto__: {x: 1}\n';
    const { document, mistakes } = parseGraphText(text);
    expect(mistakes).toEqual([]);
    expect(Object.entries(document as object)).toEqual([
      ['1', 'one'],
      ['day', '2020-01-01'],
      ['yes', 'no'],
      ['n', NaN],
      ['big', Infinity],
      ['<<', { a: 1 }],
      ['__proto__', { x: 1 }],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    ['a:\n\tb: 1', '2:1 syntax'],
    ['a: b: c', '1:4 syntax'],
    ['a: 1\n---\nb: 2', '2:1 syntax The text is not valid YAML: it holds more than one document.'],
    ['a: !!binary aGk=', '1:4 syntax'],
    ['a: !secret x', '1:4 syntax'],
    ['? [a]\n: b', '1:3 syntax'],
    ['a: *b', '1:1 syntax The text is not valid YAML: an alias names no anchor before it, or there are too many.'],
    ['a: &x\n  - *x', '2:5 syntax The text is not valid YAML: *x stands inside what it names.'],
    ['a: 1\nb: 2\na: 3', '3:1 duplicate_key This key stands twice in the same object.'],
    [
      `a: ${'['.repeat(70)}${']'.repeat(70)}`,
      '1:67 too_large The text is not valid YAML: nested deeper than 64 levels.',
    ],
    ['', '1:1 syntax The text holds no graph: a graph is a JSON or YAML object.'],
    ['# only a remark', '1:1 syntax'],
    ['just a sentence', '1:1 syntax'],
  ])('%j gives %s', (text, expected) => {
    expect(briefly(text)).toHaveLength(1);
    expect(briefly(text)[0]).toContain(expected);
  });

  it.each([
    ['lists', '['],
    ['list items', '- '],
    ['keys', '? '],
    ['objects', '{a: '],
    ['keys of objects', '{? '],
  ])('stops at 65 nested %s, before the library can exhaust the call stack', (_, opening) => {
    expect(briefly(`%YAML 1.2\n---\n${opening.repeat(250_000)}`)[0]).toMatch(
      /^3:\d+ too_large The text is not valid YAML: nested deeper than 64 levels\.$/,
    );
  });

  it('may give an anchor anew inside what it named', () => {
    expect(parseGraphText('a: &x [&x 1, *x]\nb: &y [&y [2], *y]').document).toEqual({ a: [1, 1], b: [[2], [2]] });
  });

  it('may use anchors, but not to grow without bounds', () => {
    expect(parseGraphText('a: &x {v: 1}\nb: *x\nc: [&x 2, *x]').document).toEqual({
      a: { v: 1 },
      b: { v: 1 },
      c: [2, 2],
    });
    const levels = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]`);
    expect(briefly(['a0: &a0 [x]', ...levels].join('\n'))).toHaveLength(1);
  });
});

describe('locate', () => {
  const json = '{\n  "nodes": {\n    "a/b": {"params": {"x~y": 1}, "after": ["c",\n "d"]}\n  }\n}';
  const yaml =
    'nodes:\n  a/b:\n    params: {x~y: 1}\n    after:\n      - c\n      - d\n    again: &q {e: 1}\n    alias: *q\n    ? \n    : 1\n';

  it('gives line and column of a key, of a list item, or of the nearest ancestor that exists', () => {
    const inJson = parseGraphText(json).locate;
    const inYaml = parseGraphText(yaml).locate;
    const places = [
      '',
      '/nodes',
      '/nodes/a~1b',
      '/nodes/a~1b/params/x~0y',
      '/nodes/a~1b/after/1',
      '/nodes/a~1b/when/0',
    ];
    const numbers = (locate: typeof inJson) => places.map((each) => [locate(each)?.line, locate(each)?.column]);
    expect(numbers(inJson)).toEqual([
      [1, 1],
      [2, 3],
      [3, 5],
      [3, 24],
      [4, 2],
      [3, 5],
    ]);
    expect(numbers(inYaml)).toEqual([
      [1, 1],
      [1, 1],
      [2, 3],
      [3, 14],
      [6, 9],
      [2, 3],
    ]);
    expect(inYaml('/nodes/a~1b/alias/e')).toEqual({ line: 8, column: 5 });
  });

  it('agrees with the document: every value has a place of its own', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        const text = JSON.stringify(value, null, 1);
        const { locate, document } = parseGraphText(text);
        const seen = new Set<string>();
        const walk = (inner: unknown, steps: string[]): void => {
          const position = locate(toPointer(...steps));
          expect(seen).not.toContain(JSON.stringify(position));
          seen.add(JSON.stringify(position));
          if (typeof inner !== 'object' || inner === null) return;
          for (const [key, next] of Object.entries(inner)) walk(next, [...steps, key]);
        };
        walk(document, []);
      }),
    );
  });
});

describe('any text at all', () => {
  it('is read without an exception', () => {
    const yamlish = fc
      .array(
        fc.constantFrom(
          'a',
          ':',
          ' ',
          '\n',
          '- ',
          '{',
          '}',
          '[',
          ']',
          '&x',
          '*x',
          '!t ',
          '"',
          "'",
          '|',
          '>',
          '#',
          '%',
          '---',
          '? ',
          '<<',
          '1',
        ),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), yamlish, fc.json()), (text) => {
        const { document, mistakes } = parseGraphText(text);
        expect(document === undefined).toBe(mistakes.some(({ code }) => code === 'syntax' || code === 'too_large'));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('JSON pointers', () => {
  it('lead back to the steps they were made of', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (steps) => {
        expect(fromPointer(toPointer(...steps))).toEqual(steps);
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
