/** All executions of a worker share the modules of the sandbox, which are loaded once: one that kept something would hand it from one execution to another. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const SOURCE = join(__dirname, '../../src');
const ROOMS = ['workflows', 'graph', 'emergency', 'events'];
const PLAIN = ['error-catalogue.ts', 'errors.ts', 'json.ts', 'money.ts', 'whole-number.ts'];

const files = [
  ...PLAIN,
  ...ROOMS.flatMap((room) => readdirSync(join(SOURCE, room)).map((file) => `${room}/${file}`)),
].filter((file) => file.endsWith('.ts'));

/** At the margin, so of the module: a variable, and what is made to be filled. */
const VARIABLE = /^(?:export )?(?:let|var) /;
const COLLECTION = /^(?:export )?const \w+(?:: (?!Readonly)[^=]+)? = new (?:Map|Set|WeakMap|WeakSet)\b/;

function stateIn(text: string): string[] {
  return text.split('\n').filter((line) => VARIABLE.test(line) || COLLECTION.test(line));
}

describe('the sandbox', () => {
  it.each(files)('keeps nothing in %s', (file) => {
    expect(stateIn(readFileSync(join(SOURCE, file), 'utf8'))).toEqual([]);
  });

  it.each([
    'let turns = 0;',
    'export let last: string | undefined;',
    'const seen = new Set<string>();',
    'export const known: Map<string, number> = new Map();',
  ])('would be seen to keep something by `%s`', (line) => {
    expect(stateIn(`const NAMED = 5;\n${line}\n`)).toEqual([line]);
  });

  it('may have tables that nobody fills', () => {
    expect(stateIn("const WORDS: ReadonlySet<string> = new Set(['a']);\n  let inside = 0;\n")).toEqual([]);
  });
});
