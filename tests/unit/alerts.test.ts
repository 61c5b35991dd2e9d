/** The example alerts: that what they ask for exists, and that each is explained. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { REFUSAL_REASONS } from '../../src/gateway/counters';

const ROOT = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string };
}

const { groups } = parse(read('docs/alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const runbook = read('docs/OPERATIONS.md');

const sources = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
  .map((path) => join('src', path))
  .filter((path) => path.endsWith('.ts') && statSync(join(ROOT, path)).isFile())
  .map(read)
  .join('\n');

const metricsIn = (text: string) => [...new Set(text.match(/\bholdfast_[a-z_]+[a-z]\b/g) ?? [])];

describe('the example alerts', () => {
  it('and the runbook name metrics that there are', () => {
    const named = metricsIn(`${read('docs/alerts.yml')}\n${runbook}`);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });

  it('ask for reasons that a gateway refuses with', () => {
    const asked = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/reason=~?"([^"]+)"/g)].flatMap(([, all = '']) => all.split('|')),
    );
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((reason) => !REFUSAL_REASONS.some((known) => known === reason))).toEqual([]);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s has an entry in the runbook, and says what is wrong',
    (alert, rule) => {
      expect(runbook.split('\n')).toContain(`### ${alert}`);
      expect(rule.annotations.summary.length).toBeGreaterThan(10);
    },
  );

  it('are all there is in the runbook under Alerts', () => {
    const entries = [...runbook.slice(runbook.indexOf('\n## Alerts')).matchAll(/^### (\w+)$/gm)].map(
      ([, name]) => name,
    );
    expect(entries.sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });
});
