import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openJournal, type AuditEntry, type Journal } from '../../src/journal/journal';
import { freePort } from '../../src/local-stack/ports';
import { startOwnPglite, startOwnPostgresql, whyNoPostgresql, type OwnPostgresql } from '../support/own-postgresql';
import { until } from '../support/until';

/** The bound every call keeps when the journal is down: connecting, the work, and giving it up. */
const A_FEW_SECONDS = 8_000;

const entry = (ordinal: number, others: Partial<AuditEntry> = {}): AuditEntry => ({
  desk_id: 'default',
  ordinal,
  at: Date.UTC(2026, 0, 1) + ordinal,
  epoch: 1_764_000_000_000 + ordinal,
  action: 'halt',
  actor: 'cli:ada',
  scope: 'global',
  reason: `reason ${ordinal}`,
  command_id: `command-${ordinal}`,
  outcome: 'ok',
  body: '{"cancel_open":false}',
  ...others,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const entries = (from: number, to: number, others: Partial<AuditEntry> = {}) =>
  range(from, to).map((ordinal) => entry(ordinal, others));

const down = expect.objectContaining({ code: 'JournalUnavailable' });

async function rejectsInTime(journal: Journal): Promise<void> {
  const begun = Date.now();
  const answers = await Promise.allSettled([
    journal.appendAudit([entry(1)]),
    journal.audit({ desk_id: 'default' }),
    journal.verifyAudit(),
    journal.recordWitness('default', 1),
    journal.witness('default'),
  ]);
  expect(answers.map((answer) => answer.status === 'rejected' && (answer.reason as unknown))).toEqual(
    Array.from({ length: 5 }, () => down),
  );
  expect(Date.now() - begun).toBeLessThan(A_FEW_SECONDS);
}

/** Named, so that a run without the real server says why. */
const missing = whyNoPostgresql();
const servers = [
  { name: 'PGlite', start: startOwnPglite },
  ...(missing === undefined ? [{ name: 'PostgreSQL', start: startOwnPostgresql }] : []),
];

if (missing !== undefined) {
  describe('the journal on PostgreSQL', () => {
    it.skip(`is not tested here: ${missing}`, () => undefined);
  });
}

describe.each(servers)('the journal on $name', ({ start }) => {
  let server: OwnPostgresql;
  let journal: Journal;
  let others: Journal[];
  const another = (): Journal => {
    const opened = openJournal(server.url);
    others.push(opened);
    return opened;
  };

  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    await server.sql('DROP SCHEMA IF EXISTS holdfast CASCADE');
    others = [];
    journal = another();
  });
  afterEach(async () => {
    await Promise.all(others.map((each) => each.close()));
  });

  const damageOf = async () => (await journal.verifyAudit()).desks[0]?.broken;
  /** What nobody can do by accident: the owner of the table takes its guard away first. */
  const tamper = (text: string, table = 'audit') =>
    server.sql(
      `ALTER TABLE holdfast.${table} DISABLE TRIGGER USER; ${text}; ALTER TABLE holdfast.${table} ENABLE TRIGGER USER`,
    );

  it('gives back what was appended, in order and in pages', async () => {
    const uncommanded: AuditEntry = { ...entry(3), action: 'limit', scope: 'bot:1', reason: 'grüße "🚀"\n' };
    delete (uncommanded as { command_id?: string }).command_id;
    const given = [entry(1), entry(2), uncommanded];
    expect(await journal.appendAudit(given)).toBe(3);
    const all = await journal.audit({ desk_id: 'default' });
    expect(all).toMatchObject(given);
    expect(all[2]).not.toHaveProperty('command_id');
    expect(all.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(await journal.audit({ desk_id: 'default', after: 1, limit: 1 })).toEqual([all[1]]);
    expect(await journal.auditLength('default')).toBe(3);
    expect(await journal.verifyAudit()).toEqual({
      intact: true,
      desks: [{ desk_id: 'default', entries: 3, hash: all[2]!.hash }],
    });
  });

  it('writes an entry once, however often and in whatever company it is delivered', async () => {
    expect(await journal.appendAudit([entry(2), entry(1), entry(1)])).toBe(2);
    expect(await journal.appendAudit([entry(1)])).toBe(0);
    expect(await journal.appendAudit(entries(1, 4))).toBe(2);
    expect(await journal.appendAudit([])).toBe(0);
    const ordinals = (await journal.audit({ desk_id: 'default' })).map(({ ordinal }) => ordinal);
    expect(ordinals).toEqual([1, 2, 3, 4]);
  });

  it('refuses another content under a used ordinal, and writes nothing of that delivery', async () => {
    await journal.appendAudit([entry(1)]);
    const conflict = expect.objectContaining({ code: 'JournalConflict', details: { desk_id: 'default', ordinal: 1 } });
    await expect(journal.appendAudit([entry(2), entry(1, { reason: 'another' })])).rejects.toEqual(conflict);
    await expect(journal.appendAudit([entry(3), entry(3, { at: 5 })])).rejects.toMatchObject({
      code: 'JournalConflict',
    });
    expect(await journal.auditLength('default')).toBe(1);
  });

  it('writes what no text of PostgreSQL can hold in a form that verifies, once', async () => {
    const odd = entry(1, { reason: 'a\0b\ud800', body: '\0' });
    expect(await journal.appendAudit([odd])).toBe(1);
    expect(await journal.appendAudit([odd])).toBe(0);
    expect((await journal.audit({ desk_id: 'default' }))[0]).toMatchObject({
      reason: 'a\u2400b\ufffd',
      body: '\u2400',
    });
    expect(await journal.verifyAudit()).toMatchObject({ intact: true });
  });

  it('keeps one chain per desk while several clients deliver the same and other entries at once', async () => {
    const clients = [journal, another(), another(), another()];
    const deliveries = clients.flatMap((client, which) =>
      range(0, 9).map((round) =>
        client.appendAudit([
          ...entries(round * 5 + 1, round * 5 + 7),
          ...entries(1, 2, { desk_id: `desk-${(which + round) % 3}` }),
        ]),
      ),
    );
    const written = (await Promise.all(deliveries)).reduce((sum, count) => sum + count, 0);
    expect(written).toBe(52 + 3 * 2);
    const verdict = await journal.verifyAudit();
    expect(verdict.intact).toBe(true);
    expect(verdict.desks.map(({ desk_id, entries: count }) => [desk_id, count])).toEqual([
      ['default', 52],
      ['desk-0', 2],
      ['desk-1', 2],
      ['desk-2', 2],
    ]);
    expect((await journal.verifyAudit('desk-1')).desks).toHaveLength(1);
  });

  it('makes its tables once when several processes start at the same moment', async () => {
    const witnesses = await Promise.all(range(1, 6).map(() => another().witness('default')));
    expect(witnesses).toEqual(witnesses.map(() => undefined));
    expect(await server.sql('SELECT name FROM holdfast.migrations')).toEqual([
      { name: '0001_audit' },
      { name: '0002_orders' },
    ]);
  });

  it('makes its tables anew when the database was replaced under it', async () => {
    await journal.appendAudit([entry(1)]);
    await server.sql('DROP SCHEMA holdfast CASCADE');
    await expect(journal.appendAudit([entry(2)])).rejects.toEqual(down);
    expect(await journal.appendAudit([entry(2)])).toBe(1);
  });

  it.each([
    `UPDATE holdfast.audit SET reason = 'none'`,
    'DELETE FROM holdfast.audit WHERE position = 2',
    'TRUNCATE holdfast.audit',
    'UPDATE holdfast.audit_head SET position = 1',
    'DELETE FROM holdfast.audit_head',
    'TRUNCATE holdfast.audit_head',
    'UPDATE holdfast.witness SET epoch = 1',
    'DELETE FROM holdfast.witness',
  ])('refuses %s', async (text) => {
    await journal.appendAudit(entries(1, 3));
    await journal.recordWitness('default', 5);
    await expect(server.sql(text)).rejects.toMatchObject({ code: '23001' });
    expect(await journal.verifyAudit()).toMatchObject({ intact: true, desks: [{ entries: 3 }] });
  });

  it.each(['desk_id', 'ordinal', 'at', 'epoch', 'action', 'actor', 'scope', 'reason', 'command_id', 'outcome', 'body'])(
    'finds an entry whose %s was changed',
    async (column) => {
      await journal.appendAudit([...entries(11, 15), entry(1, { desk_id: 'zeta' })]);
      const value = { ordinal: 'ordinal + 100', epoch: 'epoch + 1', at: `at + interval '1 millisecond'` }[column];
      await tamper(
        `UPDATE holdfast.audit SET ${column} = ${value ?? `'zeta'`} WHERE desk_id = 'default' AND position = 3`,
      );
      // Under the name of another desk it is missing where it was.
      expect(await damageOf()).toMatchObject(
        column === 'desk_id' ? { damage: 'missing', position: 3, ordinal: 14 } : { damage: 'changed', position: 3 },
      );
    },
  );

  it('finds entries that were removed from the start, from the middle or from the end', async () => {
    await journal.appendAudit(entries(11, 15));
    await tamper('DELETE FROM holdfast.audit WHERE position = 5');
    expect(await damageOf()).toEqual({ damage: 'cut_off', position: 5 });
    await tamper('DELETE FROM holdfast.audit WHERE position = 2');
    expect(await damageOf()).toEqual({ damage: 'missing', position: 2, ordinal: 13 });
    await tamper('DELETE FROM holdfast.audit WHERE position = 1');
    expect(await damageOf()).toEqual({ damage: 'missing', position: 1, ordinal: 13 });
    await tamper('DELETE FROM holdfast.audit');
    expect(await journal.verifyAudit()).toMatchObject({
      intact: false,
      desks: [{ entries: 0, broken: { damage: 'cut_off', position: 1 } }],
    });
  });

  it('finds entries that changed places, and a removed one whose gap was closed', async () => {
    await journal.appendAudit(entries(11, 15));
    const swap = 'CASE position WHEN 2 THEN 3 ELSE 2 END';
    await tamper(`ALTER TABLE holdfast.audit DROP CONSTRAINT audit_pkey;
      UPDATE holdfast.audit SET position = ${swap} WHERE position IN (2, 3)`);
    expect(await damageOf()).toEqual({ damage: 'reordered', position: 2, ordinal: 13 });
    await tamper(`UPDATE holdfast.audit SET position = ${swap} WHERE position IN (2, 3)`);
    expect(await damageOf()).toBeUndefined();
    await tamper(
      'DELETE FROM holdfast.audit WHERE position = 4; UPDATE holdfast.audit SET position = 4 WHERE position = 5',
    );
    expect(await damageOf()).toEqual({ damage: 'reordered', position: 4, ordinal: 15 });
  });

  it('finds an end that was moved back or forth, or taken away', async () => {
    await journal.appendAudit(entries(11, 15));
    await tamper('UPDATE holdfast.audit_head SET position = 3', 'audit_head');
    expect(await damageOf()).toMatchObject({ damage: 'changed', position: 3, ordinal: 13 });
    await tamper(
      'UPDATE holdfast.audit_head SET position = 3, hash = (SELECT hash FROM holdfast.audit WHERE position = 3)',
      'audit_head',
    );
    expect(await damageOf()).toEqual({ damage: 'unaccounted', position: 4, ordinal: 14 });
    await tamper('UPDATE holdfast.audit_head SET position = 9', 'audit_head');
    expect(await damageOf()).toEqual({ damage: 'cut_off', position: 6 });
    await tamper('DELETE FROM holdfast.audit_head', 'audit_head');
    expect(await damageOf()).toEqual({ damage: 'unaccounted', position: 1, ordinal: 11 });
  });

  it('verifies and finds over many pages', async () => {
    await journal.appendAudit(entries(1, 2_501));
    expect(await journal.verifyAudit()).toMatchObject({ intact: true, desks: [{ entries: 2_501 }] });
    await tamper(`UPDATE holdfast.audit SET body = '{}' WHERE position = 2001`);
    expect(await journal.verifyAudit()).toMatchObject({
      intact: false,
      desks: [{ entries: 2_000, broken: { damage: 'changed', position: 2_001, ordinal: 2_001 } }],
    });
  });

  it('remembers the highest epoch of each desk, also when told by several at once', async () => {
    const clients = [journal, another()];
    expect(await journal.witness('default')).toBeUndefined();
    await Promise.all(
      range(1, 20).map((n) => clients[n % 2]!.recordWitness('default', 1_764_000_000_000 + ((n * 7) % 20))),
    );
    const witness = await journal.witness('default');
    expect(witness?.epoch).toBe(1_764_000_000_019);
    await journal.recordWitness('default', 5);
    expect(await journal.witness('default')).toEqual(witness);
    expect(Math.abs(Date.now() - (witness?.seen_at ?? 0))).toBeLessThan(60_000);
    expect(await journal.witness('other')).toBeUndefined();
  });

  it('loses nothing it confirmed when it is killed, and goes on when it is back', async () => {
    let confirmed = 0;
    const delivered = (async () => {
      for (let next = 1; ; next += 3) {
        await journal.appendAudit(entries(next, next + 2));
        confirmed = next + 2;
      }
    })().catch((error: unknown) => error);
    await until('some entries are confirmed', () => confirmed > 30);
    await server.kill();
    expect(await delivered).toEqual(down);
    await rejectsInTime(journal);

    await server.start();
    const verdict = await journal.verifyAudit();
    expect(verdict.intact).toBe(true);
    expect(verdict.desks[0]!.entries).toBeGreaterThanOrEqual(confirmed);
    await journal.appendAudit(entries(1, confirmed + 3));
    expect(await journal.verifyAudit()).toMatchObject({ intact: true, desks: [{ entries: confirmed + 3 }] });
  });

  it('rejects in time when the server hangs, and works again when it goes on', async () => {
    await journal.appendAudit([entry(1)]);
    const fresh = another();
    server.freeze();
    try {
      await Promise.all([rejectsInTime(journal), rejectsInTime(fresh)]);
    } finally {
      server.thaw();
    }
    await until('it answers again', () =>
      journal.witness('default').then(
        () => true,
        () => false,
      ),
    );
    expect(await journal.appendAudit([entry(1)])).toBe(0);
    expect(await journal.verifyAudit()).toMatchObject({ intact: true });
  });

  it('serves others when a client dies in the middle of its transaction', async () => {
    const { Client } = await import('pg');
    await journal.appendAudit([entry(1)]);
    const dying = new Client({ connectionString: server.url });
    dying.on('error', () => undefined);
    await dying.connect();
    await dying.query('BEGIN');
    await dying.query('SELECT * FROM holdfast.audit_head FOR UPDATE');
    const waiting = journal.appendAudit([entry(2)]);
    (dying as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect(await waiting).toBe(1);
  });
});

describe('a journal nobody is there for', () => {
  it('rejects every call in time, and closes', async () => {
    const journal = openJournal(`postgresql://postgres@127.0.0.1:${await freePort()}/postgres`);
    await rejectsInTime(journal);
    await journal.close();
  });

  it('rejects every call in time where somebody listens who never answers', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const journal = openJournal(`postgresql://postgres@127.0.0.1:${port}/postgres`);
    await rejectsInTime(journal);
    await journal.close();
    expect(sockets.length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
  });

  it('tells its errors without the password', async () => {
    const journal = openJournal(`postgresql://ada:s3cr3t@127.0.0.1:${await freePort()}/postgres`);
    const error: unknown = await journal.witness('default').catch((reason: unknown) => reason);
    expect(error).toEqual(down);
    expect(JSON.stringify(error) + String(error)).not.toContain('s3cr3t');
    await journal.close();
  });
});
