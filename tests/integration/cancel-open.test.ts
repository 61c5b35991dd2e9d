/** What rests at a real paper venue goes when somebody says so: by a worker process, by the worker after it, and without any. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CancelReport, CancelResult } from '../../src/emergency/cancels';
import type { FaultSettings } from '../../src/paper-venue/faults';
import { startPaperVenue, type PaperVenue } from '../../src/paper-venue/start-paper-venue';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { OncePermit } from '../../src/venues/once-permit';
import { openTradingAccounts } from '../../src/venues/open-venues';
import type { TradingVenue, VenueOrderDraft } from '../../src/venues/venue';
import { loadConfig } from '../../src/config/config';
import { freePort } from '../../src/local-stack/ports';
import { bareNamespace } from '../support/bare-namespace';
import { holdfast, type CommandLineOptions } from '../support/command-line';
import { orderRequest } from '../support/desk-at-work';
import { marketData } from '../support/paper-market';
import { readyDesk } from '../support/ready-desk';
import { answered, until } from '../support/until';
import { WorkerProcess } from '../support/worker-process';
import { testBundle } from '../support/workflow-bundle';

const PROFILE = 'paper_binance';
const OFF: FaultSettings = { refuse_cancel: null, late_fill: null, hidden_for_ms: null, error_5xx_before: null };

let home: string;
let paper: PaperVenue;
let environment: Record<string, string>;
let client: HoldfastClient;
let trading: TradingVenue;
let closeAccounts: () => Promise<void>;
let worker: WorkerProcess;

const startWorker = async () => WorkerProcess.start(environment, (await testBundle(false)).codePath);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-cancels-'));
  // The market stands still at 100.
  const clock = { now: Date.now, market_ms: () => 0 };
  const profiles = [PROFILE, 'paper_bybit', 'recorded_dash'].map((profile) => ({ profile, market: marketData() }));
  paper = await startPaperVenue({ profiles, clock });
  environment = {
    ...{ HOLDFAST_HOME: home, HOLDFAST_PAPER_VENUE_URL: paper.url, TEMPORAL_NAMESPACE: await bareNamespace() },
    TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'] ?? '',
    REDIS_URL: process.env['REDIS_URL'] ?? '',
  };
  const config = loadConfig(environment);
  client = await HoldfastClient.connect(config.temporal);
  const opened = openTradingAccounts(config.venues);
  closeAccounts = () => opened.close();
  trading = opened.accounts.find(({ profile }) => profile === PROFILE)!.trading;
  worker = await startWorker();
  await until('the desk is ready', () =>
    readyDesk(client).then(
      () => true,
      () => false,
    ),
  );
});
beforeEach(() => faults(OFF));
afterAll(async () => {
  await worker.kill();
  await closeAccounts();
  await client.close();
  await paper.close();
  rmSync(home, { recursive: true, force: true });
});

async function admin(path: string, body?: unknown): Promise<unknown> {
  const posted = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${paper.url}/${PROFILE}/admin/${path}`, body === undefined ? {} : posted);
  expect(answer.status).toBe(200);
  return answer.json();
}

async function faults(settings: FaultSettings): Promise<void> {
  await admin('faults', settings);
}

/** Client order ids of what rests, by the venue's own books. */
async function resting(): Promise<readonly string[]> {
  const { orders } = (await admin('books')) as { orders: { client_order_id: string; status: string }[] };
  return orders
    .filter(({ status }) => ['NEW', 'PARTIALLY_FILLED'].includes(status))
    .map((each) => each.client_order_id);
}

/** At the venue alone. */
async function placed(over: Partial<VenueOrderDraft> = {}): Promise<string> {
  const client_order_id = randomUUID().replaceAll('-', '');
  const limit = { symbol: 'BTC/USDT', side: 'buy', type: 'limit', quantity: '0.4', price: '50' } as const;
  const { type = 'limit' } = over;
  const draft = type === 'limit' ? { ...limit, client_order_id, ...over } : { ...STOP, client_order_id, ...over };
  expect(await trading.submit(draft, new OncePermit(5_000))).toMatchObject({ kind: 'placed' });
  return client_order_id;
}
const STOP = { symbol: 'BTC/USDT', side: 'sell', type: 'stop', quantity: '0.5', stop_price: '60' } as const;

/** With a permit of the desk. `settled`: its worker has said that the venue has it. */
async function permitted({ settled = true, ...over }: Record<string, unknown> = {}): Promise<string> {
  const permit_id = randomUUID();
  const client_order_id = permit_id.replaceAll('-', '');
  const order = { venue: PROFILE, quantity: '0.4', price: '50', client_order_id, ...over };
  const [answer] = await client.requestPermits({ requests: [orderRequest(permit_id, order)], settlements: [] });
  expect(answer).toMatchObject({ granted: true });
  await placed({ client_order_id });
  const settlements = settled === true ? [{ permit_id, outcome: 'acknowledged' } as const] : [];
  await client.requestPermits({ requests: [], settlements });
  return client_order_id;
}

const cli = (args: readonly string[], options: CommandLineOptions = {}) => holdfast(args, { environment, ...options });

const resultsOf = ({ accounts }: CancelReport): Record<string, CancelResult['status']> =>
  Object.fromEntries(
    accounts.flatMap(({ orders }) => orders.map(({ client_order_id, status }) => [client_order_id, status])),
  );

async function resumed(scope: string): Promise<void> {
  const { code, err } = await cli(['resume', '--scope', scope, '--reason', 'a test ended']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
}

async function openPermits(): Promise<number> {
  return (await answered(() => client.deskStatus())).open_permits.count;
}

describe('a halt with --cancel-open', () => {
  it('leaves nothing but the protective stop, whatever the venue does, and says of each order what became of it', async () => {
    const [mine, refused] = [await permitted(), await permitted()];
    await faults({ hidden_for_ms: { next: 1, ms: 3_000 } });
    const hidden = await permitted({ settled: false });
    const foreign = await placed();
    const stop = await placed({ type: 'stop' });
    await faults({ refuse_cancel: { next: 2 }, error_5xx_before: { next: 1, on: ['cancel'] } });
    const halt = ['halt', '--all', '--cancel-open', '--reason', 'odd prices', '--json'];
    const { code, out, err } = await cli(halt);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { cancels } = JSON.parse(out) as { cancels: CancelReport };
    expect(cancels).toMatchObject({ is_done: true, unreachable: [] });
    expect(resultsOf(cancels)).toEqual({
      ...{ [mine]: 'cancelled', [refused]: 'cancelled', [hidden]: 'cancelled', [foreign]: 'cancelled' },
      [stop]: 'spared',
    });
    expect(await resting()).toEqual([stop]);
    expect(await openPermits()).toBe(0);
    const status = await cli(['status']);
    expect(status.out).toContain('cancels: 4 cancelled, 1 spared; all said by the venues');
    await resumed('global');
    expect(await cli(['cancel-all', '--venue', PROFILE, '--stops', '--yes'])).toMatchObject({ code: 0 });
    expect(await resting()).toEqual([]);
  });

  it('counts what was filled before the cancel and is told after it', async () => {
    const before = (await client.deskStatus()).scopes.find(({ scope }) => scope === `venue:${PROFILE}`)?.held ?? '0';
    const mine = await permitted();
    await faults({ late_fill: { next: 1, ms: 1_000 } });
    const { code, out } = await cli(['halt', '--venue', PROFILE, '--cancel-open', '--reason', 'odd prices']);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`${PROFILE} main +${mine} +BTC/USDT +buy +cancelled +0.2`));
    const { scopes } = await answered(() => client.deskStatus());
    const held = scopes.find(({ scope }) => scope === `venue:${PROFILE}`)?.held;
    expect(Number(held) - Number(before)).toBeCloseTo(10);
    await resumed(`venue:${PROFILE}`);
  });

  it('goes on at the next worker when the first is killed between two tries', async () => {
    const mine = await permitted();
    await faults({ refuse_cancel: { probability: 1 } });
    const { code, err } = await cli(['halt', '--symbol', 'BTC/USDT', '--cancel-open', '--reason', 'odd prices']);
    expect(code).toBe(3);
    expect(err).toContain('1 orders are not known to be cancelled');
    expect(err).toContain('[CancelsUnconfirmed]');
    await worker.kill();
    worker = await startWorker();
    await faults(OFF);
    await until('it is cancelled', async () => (await resting()).length === 0);
    const report = await until('it is said', async () => {
      const [last] = await answered(() => client.listCancels());
      return last?.report?.is_done === true && last.report;
    });
    expect(resultsOf(report)).toEqual({ [mine]: 'cancelled' });
    await resumed('symbol:BTC/USDT');
  });
});

describe('cancel-all --direct', () => {
  /** Neither Temporal nor Redis nor the journal. */
  const alone = async (): Promise<Record<string, string>> => {
    const nobody = await freePort();
    return {
      ...{ HOLDFAST_HOME: home, HOLDFAST_PAPER_VENUE_URL: paper.url, TEMPORAL_ADDRESS: `127.0.0.1:${nobody}` },
      ...{ REDIS_URL: `redis://127.0.0.1:${nobody}`, DATABASE_URL: `postgresql://nobody@127.0.0.1:${nobody}/none` },
    };
  };
  const direct = async (args: readonly string[], options: CommandLineOptions = {}) =>
    cli(['cancel-all', '--direct', '--venue', PROFILE, ...args], { environment: await alone(), ...options });

  it('cancels without anything but the venue, and spares stops unless they are named', async () => {
    const [first, stop] = [await placed(), await placed({ type: 'stop' })];
    await faults({ refuse_cancel: { next: 2 } });
    const { code, out, err } = await direct(['--yes']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`${PROFILE} main +${first} .* cancelled`));
    expect(out).toMatch(new RegExp(`${PROFILE} main +${stop} .* spared`));
    expect(await resting()).toEqual([stop]);
    expect(await direct(['--yes', '--stops'])).toMatchObject({ code: 0 });
    expect(await resting()).toEqual([]);
  });

  it('ends with an error that names the account when the venue does not confirm', async () => {
    const mine = await placed();
    await faults({ refuse_cancel: { probability: 1 } });
    const { code, err, out } = await direct(['--yes', '--within', '1']);
    expect(code).toBe(3);
    expect(err).toContain(`${PROFILE} main: `);
    expect(err).toContain('[CancelsUnconfirmed]');
    expect(out).toMatch(new RegExp(`${mine} .* pending`));
    await faults(OFF);
    expect(await direct(['--yes'])).toMatchObject({ code: 0 });
  });

  it('asks first, and does nothing without the word', async () => {
    const mine = await placed();
    const { code, err } = await direct([], { input: 'no\n' });
    expect(code).toBe(2);
    expect(err).toContain(`every open order but protective stops at ${PROFILE} main, whoever placed it. Type yes: `);
    expect(await resting()).toEqual([mine]);
    expect(await direct([], { input: 'yes\n' })).toMatchObject({ code: 0 });
    expect(await resting()).toEqual([]);
  });

  it('says so when no profile has an account', async () => {
    const { HOLDFAST_PAPER_VENUE_URL: _url, ...without } = await alone();
    const { code, err } = await cli(['cancel-all', '--direct', '--yes'], { environment: without });
    expect(code).toBe(2);
    expect(err).toContain('None of the venue profiles (recorded_dash, paper_binance, paper_bybit) has no account');
    expect(err).toContain('[NoTradingAccount]');
  });
});

describe('a foreign order', () => {
  it('is told to the desk as an alert, and left alone', async () => {
    const foreign = await placed();
    const { causes } = await until(
      'the desk was told',
      async () => {
        const { scopes } = await answered(() => client.deskStatus());
        const found = scopes.find(({ scope }) => scope === `venue:${PROFILE}`);
        return found?.causes.some(({ reason }) => reason.includes(foreign)) === true && found;
      },
      100_000,
    );
    expect(causes).toMatchObject([{ id: 'operator:reconciliation', state: 'alert' }]);
    expect(causes[0]?.reason).toContain(`(${foreign}), which no desk permitted`);
    expect(await resting()).toEqual([foreign]);
  });
});
