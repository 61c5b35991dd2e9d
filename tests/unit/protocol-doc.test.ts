/** That docs/PROTOCOL.md tells of every message there is, with its fields. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { messageSchemas, type ServerToClient } from '../../src/gateway/protocol';

const lines = readFileSync(join(__dirname, '../../docs/PROTOCOL.md'), 'utf8').split('\n');
const rowOf = (name: string) => lines.find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
/** Those of a command to the desk are described where its actions are. */
const FEW = { emergency_command: ['scope', 'action', 'reason', 'command_id'] } as const;
/** Complete by its type. */
const SENT: Readonly<Record<keyof ServerToClient, true>> = {
  ...{ workflow_event: true, workflow_event_batch: true, snapshot: true, gap: true, closing: true, draining: true },
};

describe('the protocol in writing', () => {
  it.each(Object.entries(messageSchemas))('has a row for %s, with every field it may have', (name, schema) => {
    const fields = name === 'emergency_command' ? FEW[name] : Object.keys(schema.shape);
    const row = rowOf(name);
    expect(row).not.toBe('');
    if (name === 'unsubscribe') return;
    for (const field of fields) expect([name, field, row.includes(`\`${field}`)]).toEqual([name, field, true]);
  });

  it.each(Object.keys(SENT))('has a row for %s, which the gateway sends', (name) => {
    expect(rowOf(name)).not.toBe('');
  });

  it('has rows for no other message', () => {
    const known = new Set([...Object.keys(messageSchemas), ...Object.keys(SENT)]);
    const [messages, sent] = ['## Messages', '## What the server sends'].map((title) => lines.indexOf(title));
    const section = lines.slice(messages, lines.indexOf('## Positions'));
    const named = section.flatMap((line) => /^\| `(\w+)` \|/.exec(line)?.[1] ?? []);
    expect([sent !== -1, named.filter((name) => !known.has(name))]).toEqual([true, []]);
  });
});
