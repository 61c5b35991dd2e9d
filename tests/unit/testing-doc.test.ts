/** The examples of docs/TESTING.md, each run as it stands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fails, hangs, testGraph } from '../../src/testing';
import { blocksOf } from '../support/tutorial';

const blocks = blocksOf(readFileSync(join(__dirname, '../../docs/TESTING.md'), 'utf8'));
const graph = JSON.parse(blocks.find(({ info }) => info === 'json')?.text ?? '') as unknown;
const examples = blocks.filter(({ info }) => info === 'ts');

const AsyncFunction = (async () => Promise.resolve()).constructor as new (
  ...source: string[]
) => (...values: unknown[]) => Promise<void>;
const names = ['graph', 'testGraph', 'fails', 'hangs', 'expect'];

describe('docs/TESTING.md', () => {
  it.each(examples.map(({ line, text }) => [line, text] as const))('tells the truth in line %i', (_, text) =>
    new AsyncFunction(...names, text)(graph, testGraph, fails, hangs, expect),
  );

  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(4);
  });
});
