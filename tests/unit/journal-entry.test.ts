import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonical, chainHash, GENESIS, storable, stored, type AuditEntry } from '../../src/journal/entry';

const entry: AuditEntry = {
  desk_id: 'default',
  ordinal: 7,
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  epoch: 1_764_000_000_123,
  action: 'halt',
  actor: 'cli:ada',
  scope: 'global',
  reason: 'odd "prices"\n→ look',
  command_id: 'c-1',
  outcome: 'ok',
  body: '{"cancel_open":true}',
};

const texts = fc.record({
  desk_id: fc.string({ unit: 'binary' }),
  reason: fc.string({ unit: 'binary' }),
  body: fc.string({ unit: 'binary' }),
});

describe('the canonical form of an audit entry', () => {
  it('is one line of JSON with its members by name', () => {
    expect(canonical(entry)).toBe(
      '{"action":"halt","actor":"cli:ada","at":"2026-01-02T03:04:05.006Z","body":"{\\"cancel_open\\":true}","command_id":"c-1",' +
        '"desk_id":"default","epoch":1764000000123,"ordinal":7,"outcome":"ok","reason":"odd \\"prices\\"\\n→ look","scope":"global"}',
    );
    const names = Object.keys(JSON.parse(canonical(entry)) as object);
    expect(names).toEqual([...names].sort());
  });

  it('leaves an absent command out, which an empty one is not', () => {
    const automatic: { command_id?: string } & Omit<AuditEntry, 'command_id'> = { ...entry };
    delete automatic.command_id;
    expect(canonical(automatic)).not.toContain('command_id');
    expect(canonical({ ...entry, command_id: '' })).toContain('"command_id":""');
  });

  it('does not depend on the order of members', () => {
    const turned = Object.fromEntries(Object.entries(entry).reverse()) as unknown as AuditEntry;
    expect(canonical(turned)).toBe(canonical(entry));
  });

  it('tells apart any two entries that differ', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(canonical({ ...entry, ...one }) === canonical({ ...entry, ...other })).toBe(same);
      }),
    );
  });
});

describe('the hash of an audit entry', () => {
  it('is SHA-256 over the hash before and the canonical form', () => {
    const expected = createHash('sha256')
      .update(`${GENESIS}${canonical(entry)}`, 'utf8')
      .digest('hex');
    expect(chainHash(GENESIS, entry)).toBe(expected);
    expect(chainHash(GENESIS, entry)).toBe('19f371dd73ef0fcc868f685fce00b16f07c3fcf36a81b11965c0c78f6cb7311d');
  });

  it('changes with every member and with the hash before', () => {
    const others: Partial<AuditEntry>[] = [
      ...(['desk_id', 'action', 'actor', 'scope', 'reason', 'command_id', 'outcome', 'body'] as const).map((name) => ({
        [name]: 'other',
      })),
      ...(['ordinal', 'at', 'epoch'] as const).map((name) => ({ [name]: entry[name] + 1 })),
    ];
    expect(Object.keys(Object.assign({}, ...others) as object).sort()).toEqual(Object.keys(entry).sort());
    const hashes = [entry, ...others.map((other) => ({ ...entry, ...other }))].map((each) => chainHash(GENESIS, each));
    hashes.push(chainHash('f'.repeat(64), entry));
    expect(new Set(hashes).size).toBe(13);
  });
});

describe('a text to be stored', () => {
  it('is one PostgreSQL can hold and gives back as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const kept = storable(text);
        expect(kept).not.toContain('\0');
        expect(storable(kept)).toBe(kept);
        expect(Buffer.from(kept, 'utf8').toString('utf8')).toBe(kept);
      }),
    );
    expect(storable('a\0b\ud800c')).toBe('a\u2400b\ufffdc');
    expect(storable('grüße 🚀')).toBe('grüße 🚀');
  });

  it('is every text of an entry', () => {
    const dirty = Object.fromEntries(
      Object.entries(entry).map(([name, value]) => [
        name,
        typeof value === 'string' ? `${value}\0` : (value as number),
      ]),
    ) as unknown as AuditEntry;
    expect(JSON.stringify(stored(dirty))).not.toContain('\\u0000');
    expect(stored(entry)).toEqual(entry);
  });
});
