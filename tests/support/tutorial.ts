/**
 * Runs a page of `docs/tutorials` as a reader would: writes its files, types its commands, compares what they print. What a fenced
 * block is, its first line says after the language:
 *
 *     ```json mine/dip.json             a file
 *     ```json below mine/dip.json "id"  lines put below the first line of that file that holds `"id"`
 *     ```sh                             commands, one a line, that must end with 0
 *     ```sh fails                       the same, where the last one must not
 *     ```sh starts                      a command left running until the next such block, or the end of the page
 *     ```text                           what the commands above print, in this order
 *
 * In what is printed `…` stands for anything, and instants, ids, versions, ports, durations and decimals for others of their kind.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { terminate } from '../../src/local-stack/process-identity';
import { readRecord, stackPaths } from '../../src/local-stack/record';
import { until } from './until';

const ROOT = resolve(__dirname, '../..');
/** What a clone holds that a page uses. */
const CLONED = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts', 'dist', 'node_modules', 'examples'];
const COMMAND_WITHIN_MS = 60_000;
const START_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 40_000;

interface Block {
  readonly info: string;
  readonly text: string;
  readonly line: number;
}

export function blocksOf(page: string): Block[] {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, info] = /^```(.+)$/.exec(lines[at] ?? '') ?? [];
    if (info === undefined) continue;
    const end = lines.indexOf('```', at);
    blocks.push({ info, text: lines.slice(at + 1, end).join('\n'), line: at + 1 });
    at = end;
  }
  return blocks;
}

/** A folder that looks like a clone with nothing of its own in it. */
export class TutorialReader {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-tutorial-'));
  /** What `starts` left running. */
  #started: ChildProcess | undefined;
  /** Whose output is compared. */
  #latest: ChildProcess | undefined;
  #printed = '';

  constructor() {
    for (const name of CLONED) symlinkSync(join(ROOT, name), join(this.folder, name));
  }

  async read(name: string): Promise<void> {
    const page = `docs/tutorials/${name}`;
    for (const block of blocksOf(readFileSync(join(ROOT, page), 'utf8'))) {
      const { line, info } = block;
      await this.#do(block).catch((error: unknown) => {
        throw new Error(`${page}:${line} (${info}): ${error instanceof Error ? error.message : String(error)}`);
      });
    }
    await this.#stop();
  }

  async dispose(): Promise<void> {
    await this.#stop();
    const record = await readRecord(stackPaths(join(this.folder, '.holdfast')));
    for (const runs of [record?.gateway, record?.worker, record?.paper_venue, record?.redis, record?.temporal].map(
      (part) => part?.runs,
    )) {
      if (runs?.as === 'process') await terminate(runs, 0);
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #do({ info, text }: Block): Promise<void> {
    const [language, ...words] = info.split(' ');
    if (language === 'text') return this.#expect(text);
    if (language !== 'sh') {
      this.#write(words, text);
      return;
    }
    if (words[0] === 'starts') return this.#start(text);
    return this.#run(text, words[0] === 'fails');
  }

  #write([first = '', ...rest]: readonly string[], text: string): void {
    const below = first === 'below';
    const path = join(this.folder, below ? (rest[0] ?? '') : first);
    mkdirSync(dirname(path), { recursive: true });
    if (!below) {
      writeFileSync(path, `${text}\n`);
      return;
    }
    const lines = readFileSync(path, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes(rest[1] ?? ''));
    if (at < 0) throw new Error(`no line holds ${rest[1] ?? ''}`);
    writeFileSync(path, lines.toSpliced(at + 1, 0, text).join('\n'));
  }

  async #start(command: string): Promise<void> {
    await this.#stop();
    const names = ['TEMPORAL', 'TEMPORAL_UI', 'REDIS', 'POSTGRESQL', 'GATEWAY'];
    this.#started = this.#spawn(command, Object.fromEntries(names.map((name) => [`HOLDFAST_${name}_PORT`, '0'])));
  }

  async #run(commands: string, fails: boolean): Promise<void> {
    const child = this.#spawn(`set -e\n${commands}`);
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_WITHIN_MS);
    const code = await new Promise<number | null>((done) => child.once('close', done));
    clearTimeout(timer);
    if ((code !== 0) !== fails) throw new Error(`ended with ${code ?? 'a signal'} and printed\n${this.#printed}`);
  }

  /** Ctrl-C reaches every process of the terminal. */
  async #stop(): Promise<void> {
    const child = this.#started;
    this.#started = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((done) => child.once('close', done));
    const group = -child.pid;
    const timer = setTimeout(() => process.kill(group, 'SIGKILL'), STOP_WITHIN_MS);
    process.kill(group, 'SIGINT');
    await closed;
    clearTimeout(timer);
  }

  #spawn(command: string, extra: Record<string, string> = {}): ChildProcess {
    const child = spawn('bash', ['-c', command], {
      cwd: this.folder,
      env: { ...plainEnvironment(), ...extra },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#latest = child;
    this.#printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        if (child === this.#latest) this.#printed += chunk.toString();
      });
    }
    return child;
  }

  async #expect(text: string): Promise<void> {
    const wanted = text.split('\n').filter((line) => !['', '…'].includes(line.trim()));
    const missing = () => firstMissing(wanted, this.#printed.split('\n'));
    const isOver = () => missing() === undefined || this.#latest?.exitCode !== null;
    await until('all is printed', isOver, START_WITHIN_MS).catch(() => undefined);
    const first = missing();
    if (first !== undefined) throw new Error(`it did not print\n${first}\nbut\n${this.#printed}`);
  }
}

function firstMissing(wanted: readonly string[], printed: readonly string[]): string | undefined {
  let from = 0;
  for (const line of wanted) {
    const pattern = patternOf(line);
    const at = printed.findIndex((each, index) => index >= from && pattern.test(each.trimEnd()));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}

/** The first that fits decides; what fits none stands for itself. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/…/y, '.*'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/y, String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`],
  [/\d\d:\d\d:\d\d\.\d+/y, String.raw`\d\d:\d\d:\d\d\.\d+`],
  [/(?<=exec_\w+_)[0-9a-f]{8}\b/y, '[0-9a-f]{8}'],
  [/(?<=version )[0-9a-f]{12}\b/y, '[0-9a-f]{12}'],
  [/(?<=127\.0\.0\.1:)\d+/y, String.raw`\d+`],
  [/\d+ ms\b/y, String.raw`\d+ ms`],
  [/(?<![\d.])\d+\.\d+(?![\d.])/y, String.raw`[\d.]+`],
  [/cli:\w+/y, String.raw`cli:\S+`],
  [/\s+/y, String.raw`\s+`],
];

export function patternOf(line: string): RegExp {
  const text = line.trimEnd();
  let pattern = '';
  for (let at = 0; at < text.length;) {
    const found = VARIABLE.map(([known, source]) => {
      known.lastIndex = at;
      return [known.exec(text)?.[0].length ?? 0, source] as const;
    }).find(([length]) => length > 0);
    const [length, source] = found ?? [1, (text[at] ?? '').replace(/[^\w\s]/g, String.raw`\$&`)];
    pattern += source;
    at += length;
  }
  return new RegExp(`^${pattern}$`);
}

/** A reader’s: nothing of this run, but where programs are. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = new Set(['HOLDFAST_TEMPORAL_CLI', 'HOLDFAST_TEMPORAL_DOWNLOAD_URL']);
  const own = /^(HOLDFAST_|TEMPORAL_|REDIS_URL$|DATABASE_URL$|JEST_|NODE_ENV$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.has(name) || !own.test(name)));
}
