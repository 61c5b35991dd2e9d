/** The example in Python against a real gateway: what another language sees of the protocol. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventPublisher, EventReader } from '../../src/event-log';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { prepare } from '../support/prepared';
import { until } from '../support/until';

/** The set-up of `npm test` finds or makes it, and says so when it cannot. */
const python = process.env['HOLDFAST_TEST_PYTHON'];
const PROGRAM = resolve(__dirname, '../../examples/python/follow_execution.py');

if (python === undefined) {
  describe('the example in Python', () => {
    it.skip('is not tested here: HOLDFAST_TEST_PYTHON names no Python with examples/python/requirements.txt; `npm test` makes one', () =>
      undefined);
  });
}

class Program {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(url: string, bearer: string, argument: string) {
    const env = { ...process.env, HOLDFAST_URL: url, HOLDFAST_TOKEN: bearer };
    const child = spawn(python ?? '', [PROGRAM, argument], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    createInterface({ input: child.stderr }).on('line', (line) => this.errors.push(line));
    this.child = child;
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  get executionId(): string {
    return /^execution (\S+)$/.exec(this.lines[0] ?? '')?.[1] ?? '';
  }

  /** What it printed of events. */
  get events(): readonly string[] {
    return this.lines.filter((line) => /^(execution|node|approval)_/.test(line));
  }

  async prints(line: string): Promise<void> {
    await until(`it prints ${line}`, () => this.lines.includes(line) || this.child.exitCode !== null, 60_000);
    expect([this.lines.includes(line), this.errors]).toEqual([true, []]);
  }
}

(python === undefined ? describe.skip : describe)('the example in Python', () => {
  let own: OwnNamespace;
  let redis: OwnRedis;
  let publisher: EventPublisher;
  let reader: EventReader;
  let gateway: GatewayUnderTest;
  let program: Program | undefined;
  const home = mkdtempSync(join(tmpdir(), 'holdfast-python-'));

  beforeAll(async () => {
    redis = await startOwnRedis();
    publisher = new EventPublisher(redis.url);
    reader = new EventReader(redis.url);
    own = await ownNamespace('python', (publication) => {
      publisher.publish(publication);
    });
    gateway = await startGateway({ redisUrl: redis.url, client: own.client });
    await until('ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
  });
  afterEach(() => {
    program?.child.kill();
  });
  afterAll(async () => {
    await gateway.close();
    await publisher.close();
    reader.close();
    await redis.stop();
    await own.dispose();
    rmSync(home, { recursive: true });
  });

  const nodes = {
    price: { type: 'constant', params: { value: '9' } },
    ask: { type: 'approval', after: ['price'] },
    tell: { type: 'notify', after: ['ask.approved'], params: { message: 'at {{price.value}}' } },
    not: { type: 'notify', after: ['ask.rejected'], params: { message: 'no' } },
  };
  const graph = { holdfast: 1, id: 'from_python', nodes };

  const start = async (argument: string) =>
    new Program(gateway.url, await token({ role: 'operator', subject: 'python' }), argument);

  /** As the program prints it, from the log itself. */
  async function logged(id: string): Promise<readonly string[]> {
    const { events } = await reader.replay(id);
    return events.map((event) => {
      const { type, frame, node_id, reason, error } = event as unknown as Record<string, string | undefined>;
      return [type, frame, node_id, reason, error].filter(Boolean).join(' ');
    });
  }

  it('starts a graph from a file and prints every event of it, once and in order', async () => {
    const file = join(home, 'graph.json');
    writeFileSync(file, JSON.stringify(graph));
    program = await start(file);
    await program.prints('approval_requested ask');
    await own.client.approveNode(program.executionId, { node: 'ask', decision: 'approve', actor: 'ada' });
    expect([await program.ended, program.errors]).toEqual([0, []]);
    expect(program.events).toEqual(await logged(program.executionId));
    expect(program.events).toContain('node_completed tell');
    expect([program.lines[1], program.lines.at(-1)]).toEqual([
      'subscribed recovered=true mode=replay',
      'ended completed',
    ]);
  });

  it('goes on by its cursors over a gateway that goes away, and misses nothing of what happened meanwhile', async () => {
    await own.client.deploy(prepare(graph));
    program = await start('from_python');
    await program.prints('approval_requested ask');
    const { port } = new URL(gateway.url);
    await gateway.close();
    await program.prints('draining');
    await own.client.approveNode(program.executionId, { node: 'ask', decision: 'reject', actor: 'ada' });
    await until('it happened', async () => (await logged(program?.executionId ?? '')).includes('node_completed not'));
    gateway = await startGateway({ redisUrl: redis.url, client: own.client, port: Number(port) });
    expect([await program.ended, program.errors]).toEqual([0, []]);
    expect(program.events).toEqual(await logged(program.executionId));
    expect(program.lines.filter((line) => line.startsWith('subscribed')).length).toBeGreaterThan(1);
  });

  it('ends with 2 and the gateway’s words when it is refused', async () => {
    program = await start('not_deployed');
    expect(await program.ended).toBe(2);
    expect(program.errors.join('\n')).toBe('refused: WorkflowNotFound: No graph called not_deployed is deployed.');
    program = new Program(gateway.url, 'no token', 'from_python');
    expect([await program.ended, program.errors.join('\n')]).toEqual([
      2,
      'refused: Unauthenticated: The token is not valid here.',
    ]);
  });
});
