import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openJournal, type AuditEntry } from '../../src/journal/journal';
import { freePort } from '../../src/local-stack/ports';
import { holdfast } from '../support/command-line';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';

const entry = (ordinal: number, desk_id = 'default'): AuditEntry => ({
  desk_id,
  ordinal,
  at: Date.UTC(2026, 0, 2, 3, 4, ordinal),
  epoch: 1_764_000_000_000 + ordinal,
  action: 'halt',
  actor: 'cli:ada',
  scope: 'global',
  reason: `odd prices ${ordinal}`,
  outcome: 'ok',
  body: '{}',
});

describe('holdfast audit', () => {
  let server: OwnPostgresql;
  const audit = (...args: string[]) => holdfast(['audit', ...args], { environment: { DATABASE_URL: server.url } });
  const tamper = (text: string) =>
    server.sql(
      `ALTER TABLE holdfast.audit DISABLE TRIGGER USER; ${text}; ALTER TABLE holdfast.audit ENABLE TRIGGER USER`,
    );

  beforeAll(async () => {
    server = await startOwnPglite();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    await server.sql('DROP SCHEMA IF EXISTS holdfast CASCADE');
    const journal = openJournal(server.url);
    await journal.appendAudit([11, 12, 13].map((ordinal) => entry(ordinal)));
    await journal.appendAudit([entry(1, 'second')]);
    await journal.close();
  });

  it('lists the newest entries first, as a table or as JSON', async () => {
    const { code, out, err } = await audit('list', '--limit', '2');
    expect([code, err]).toEqual([0, '3 in all; --limit shows up to 1000.\n']);
    expect(out.trimEnd().split('\n')).toEqual([
      'ENTRY  AT                        ACTION  SCOPE   OUTCOME  ACTOR    REASON',
      '3      2026-01-02T03:04:13.000Z  halt    global  ok       cli:ada  "odd prices 13"',
      '2      2026-01-02T03:04:12.000Z  halt    global  ok       cli:ada  "odd prices 12"',
    ]);
    const json = await audit('list', '--desk', 'second', '--json');
    expect(JSON.parse(json.out)).toMatchObject({ desk_id: 'second', total: 1, entries: [entry(1, 'second')] });
  });

  it('says when nothing is recorded', async () => {
    expect(await audit('list', '--desk', 'third')).toMatchObject({
      code: 0,
      out: 'Nothing is recorded of desk third.\n',
    });
    await server.sql('DROP SCHEMA holdfast CASCADE');
    expect(await audit('verify')).toMatchObject({ code: 0, out: 'Nothing is recorded.\n' });
  });

  it('ends with 0 when every desk is intact, and prints the hash to keep', async () => {
    const { code, out } = await audit('verify');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^✓ default {2}3 entries intact, up to [0-9a-f]{64}\n✓ second {2}1 entry intact, up to [0-9a-f]{64}\n$/,
    );
    expect(JSON.parse((await audit('verify', '--desk', 'second', '--json')).out)).toMatchObject({
      intact: true,
      desks: [{ desk_id: 'second', entries: 1 }],
    });
  });

  it.each([
    ["UPDATE holdfast.audit SET reason = 'none' WHERE ordinal = 12", 'entry 2 (ordinal 12) was changed'],
    ['DELETE FROM holdfast.audit WHERE ordinal = 12', 'entry 2 is missing, before ordinal 13'],
    ['DELETE FROM holdfast.audit WHERE ordinal = 13', 'entry 3 and what follows were cut off'],
    [
      'DELETE FROM holdfast.audit WHERE ordinal = 12; UPDATE holdfast.audit SET position = 2 WHERE ordinal = 13',
      'entry 2 (ordinal 13) does not follow the entry before it',
    ],
    [
      'INSERT INTO holdfast.audit SELECT desk_id, 4, 14, at, epoch, action, actor, scope, reason, command_id, outcome, body, hash, hash FROM holdfast.audit WHERE ordinal = 13',
      'entry 4 (ordinal 14) lies past the recorded end',
    ],
  ])('names the first broken entry after %s', async (text, words) => {
    await tamper(text);
    const { code, out, err } = await audit('verify');
    expect(code).toBe(5);
    expect(out).toContain(`then: ${words}\n✓ second`);
    expect(err).toContain(`error: The audit of desk default is broken: ${words}.\n`);
    expect(err).toContain('[AuditBroken]');
    const json = await audit('verify', '--json');
    expect([json.code, JSON.parse(json.out)]).toMatchObject([5, { intact: false }]);
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'AuditBroken', details: { desk_id: 'default' } } });
    expect(await audit('verify', '--desk', 'second')).toMatchObject({ code: 0 });
  });

  it('refuses a desk nobody knows and a senseless limit', async () => {
    expect(await audit('verify', '--desk', 'defualt')).toMatchObject({
      code: 2,
      err: expect.stringContaining('defualt'),
    });
    for (const limit of ['0', '1001', 'x']) expect((await audit('list', '--limit', limit)).code).toBe(2);
  });

  it('ends with 3 when the journal is down', async () => {
    const environment = { DATABASE_URL: `postgresql://postgres@127.0.0.1:${await freePort()}/postgres` };
    for (const command of ['list', 'verify']) {
      expect(await holdfast(['audit', command], { environment })).toMatchObject({
        code: 3,
        err: expect.stringContaining('[JournalUnavailable]'),
      });
    }
  });
});
