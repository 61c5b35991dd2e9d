/** `up`: the whole stack in one command, and what happens in it until Ctrl-C. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, type Config } from '../../config/config';
import { kindCatalogue } from '../../activities/kinds';
import { withOwnKinds } from '../../activities/load-kinds';
import { HoldfastError } from '../../errors';
import { createToken } from '../../gateway/tokens';
import { lineProgress, type Progress } from '../../local-stack/progress';
import { startStack, type Stack } from '../../local-stack/stack';
import { HoldfastClient } from '../../temporal-client/holdfast-client';
import { openStream } from '../event-stream';
import { deployExamples } from '../examples';
import { prepareGraphFile } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';
import { nodeModulesOf } from '../kinds';

interface Options {
  readonly examples?: boolean;
  readonly follow: boolean;
}

/** The same relative places from `src` and from `dist`. */
const EXAMPLES = join(__dirname, '../../../examples');
const main = (room: string) => join(__dirname, '../..', room, 'main.js');
const SERVICES = { worker: main('worker'), gateway: main('gateway'), paper_venue: main('paper-venue') };
const PAPER_DESK = { currency: 'USDT', time_zone: 'UTC' };
const TOKEN_LIFETIME_S = 7 * 24 * 3_600;
/** One Ctrl-C may arrive twice, from the terminal and from npm; only a later one is the second. */
const SECOND_AFTER_MS = 1_000;
const KEEPS_ITS_KINDS = 'The stack that runs keeps the node kinds it was started with; stop it to change them.';

export function addUp(program: Command, io: Io): void {
  program
    .command('up')
    .description(
      'start Temporal, Redis, PostgreSQL, worker, gateway and paper venue, or join those that run; Ctrl-C stops what it started',
    )
    .option('--examples', 'also deploy the example strategies, on recorded data')
    .option('--no-follow', 'do not print events')
    .addHelpText('after', '\nExample:\n  $ holdfast up --examples')
    .action(async (options: Options, command: Command) => {
      const interruption = new Interruption(io);
      try {
        const config = { ...loadConfig(io.environment), nodes: nodeModulesOf(command, io) };
        // A module that cannot be loaded is better said here than in the logs of worker and gateway.
        withOwnKinds(kindCatalogue, config.nodes);
        await up(options, { io, ui: uiOf(command, io), interruption, config });
      } finally {
        interruption.release();
      }
    });
}

interface Session {
  readonly io: Io;
  readonly ui: Ui;
  readonly interruption: Interruption;
  readonly config: Config;
}

async function up(options: Options, { io, ui, interruption, config }: Session): Promise<void> {
  const progress = lineProgress(ui.json ? ui.note : ui.line);
  const { signal } = interruption;
  try {
    const stack = await startStack({ config, progress, services: SERVICES, signal });
    interruption.onSecond = () => void stack.stop({ graceful: false });
    try {
      await serve(stack, options, { config, progress, io, ui, signal });
    } finally {
      if (!stack.attached) await progress.step('everything stopped', () => stack.stop());
    }
  } catch (error) {
    // What a start that was interrupted complains about is the interruption.
    if (!signal.aborted) throw error;
  }
}

interface Serving {
  readonly config: Config;
  readonly progress: Progress;
  readonly io: Io;
  readonly ui: Ui;
  readonly signal: AbortSignal;
}

async function serve(stack: Stack, options: Options, serving: Serving): Promise<void> {
  const { ui, signal } = serving;
  await setUpDesk(stack, serving);
  await announce(stack, serving);
  if (stack.attached && serving.config.nodes.length > 0) ui.note(KEEPS_ITS_KINDS);
  const stream = options.follow ? await openStream(stack, ui) : undefined;
  if (options.examples === true) await offerExamples(stack, serving);
  await untilAborted(signal);
  stream?.close();
}

/** Once per installation: a desk that begins anew later was terminated or lost its memory, and that is for people to judge. */
async function setUpDesk(stack: Stack, { config, io, ui }: Serving): Promise<void> {
  const mark = join(config.home, 'desk-set-up');
  if (existsSync(mark)) return;
  const client = await HoldfastClient.connect({ ...config.temporal, address: stack.temporal_address });
  try {
    await client.initDesk({ reason: 'this stack was installed', actor: io.actor }, PAPER_DESK);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    if (error.code !== 'AlreadyInitialised') {
      ui.note(`The emergency desk is not set up: ${error.message}`);
      return;
    }
  } finally {
    await client.close();
  }
  writeFileSync(mark, '');
}

async function announce(stack: Stack, { io, ui }: Serving): Promise<void> {
  const { gateway_url, temporal_ui_url, temporal_address, jwt_secret } = stack;
  const subject = io.actor;
  const token = await createToken({ role: 'operator', subject, expires_in_s: TOKEN_LIFETIME_S }, jwt_secret);
  const dashboard = `${gateway_url ?? ''}/#token=${token}`;
  if (ui.json) {
    ui.data({ dashboard, gateway_url, temporal_address, temporal_ui_url, attached: stack.attached });
    return;
  }
  ui.line();
  ui.line(`  Dashboard   ${ui.paint('strong', dashboard)}`);
  if (temporal_ui_url !== undefined) ui.line(`  Temporal    ${temporal_ui_url}`);
  ui.line(`  Halt        npx holdfast halt --all --reason "…"`);
  ui.line(
    stack.attached
      ? '  It was running already; Ctrl-C leaves it running.'
      : '  Ctrl-C stops it; the next start goes on.',
  );
  ui.line();
}

/** A stack without its examples is still a stack: what keeps them out is said, and the rest goes on. */
async function offerExamples(stack: Stack, serving: Serving): Promise<void> {
  try {
    await examplesOf(stack, serving);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    serving.ui.note(`The examples are not all deployed: ${error.message} [${error.code}]`);
    serving.ui.note('next:  npx holdfast deploy examples/<name>.json, or stop and start again.');
  }
}

async function examplesOf(stack: Stack, { config, io, progress }: Serving): Promise<void> {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.json') && name !== 'tsconfig.json');
  const prepared = files.map((name) => prepareGraphFile(join(EXAMPLES, name), kindCatalogue).prepared);
  const client = await HoldfastClient.connect({ ...config.temporal, address: stack.temporal_address });
  try {
    await deployExamples(client, prepared, { actor: io.actor, progress });
  } finally {
    await client.close();
  }
}

/** A promise alone does not keep the process alive; a timer does. */
function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve();
    });
  });
}

/** Ctrl-C, SIGTERM and a closed terminal: the first asks for an orderly end, a second one forces it. */
class Interruption {
  readonly #controller = new AbortController();
  readonly #releaseInterrupt: () => void;
  readonly #handler = (): void => {
    this.#interrupted();
  };
  #first = 0;
  onSecond: () => void = () => undefined;

  constructor(io: Io) {
    this.#releaseInterrupt = io.onInterrupt(this.#handler);
    process.on('SIGTERM', this.#handler).on('SIGHUP', this.#handler);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    this.#releaseInterrupt();
    process.off('SIGTERM', this.#handler).off('SIGHUP', this.#handler);
  }

  #interrupted(): void {
    if (this.#first === 0) {
      this.#first = Date.now();
      this.#controller.abort();
    } else if (Date.now() - this.#first > SECOND_AFTER_MS) this.onSecond();
  }
}
