import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdfast } from '../support/command-line';

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function graphFile(graph: unknown, name = 'graph.json'): string {
  const text = typeof graph === 'string' ? graph : JSON.stringify(graph, null, 2);
  writeFileSync(inFolder(name), text);
  return inFolder(name);
}

const constants = { holdfast: 1, id: 'constants', nodes: { a: { type: 'constant', params: { value: 42 } } } };

const TEN_MISTAKES = `{
  "holdfast": 1,
  "id": "ten mistakes",
  "nodse": {},
  "nodes": {
    "typo": { "type": "constnat", "params": { "value": 1 } },
    "extra": { "type": "constant", "params": { "value": 1, "valeu": 2 } },
    "empty": { "type": "constant" },
    "loose": { "type": "notify", "inputs": { "message": "nobody.value" } },
    "twice": { "type": "constant", "params": { "value": 1 }, "inputs": { "value": "extra.value" } },
    "port": { "type": "notify", "inputs": { "message": "extra.vlaue" } },
    "slow": { "type": "constant", "params": { "value": 1 }, "timeout": "soon" },
    "greedy": { "type": "constant", "params": { "value": 1 }, "after": ["extra"], "join": 3 }
  }
}
`;

describe('holdfast new', () => {
  it('writes a graph that validates, under the id its file name gives', async () => {
    const file = inFolder('my spread.json');
    expect(await holdfast(['new', file])).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ holdfast: 1, id: 'my_spread' });
    expect(await holdfast(['validate', file])).toEqual({ code: 0, out: `valid  ${file}, 5 nodes\n`, err: '' });
  });

  it('overwrites only when told to', async () => {
    const file = graphFile('precious');
    const refused = await holdfast(['new', file]);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain(`error: ${file} exists; --force overwrites it.`);
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect((await holdfast(['new', file, '--force'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toBe('precious');
  });

  it('says in a sentence when the place cannot be written', async () => {
    const refused = await holdfast(['new', inFolder('no/such/folder.json')]);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(/^error: .* cannot be written: .*\nnext: {2}.* \[BadRequest\]\n$/);
  });
});

describe('holdfast nodes', () => {
  it('lists every kind under its family', async () => {
    const { code, out } = await holdfast(['nodes']);
    expect(code).toBe(0);
    expect(out).toMatch(/^FAMILY +KIND +EFFECT +WHAT IT DOES\n/);
    expect(out).toMatch(/^\w+ +ticker +read|^ +ticker +read/m);
    expect(out).toMatch(/market_order/);
  });

  it('describes one kind for people and for programs', async () => {
    const text = await holdfast(['nodes', 'threshold']);
    expect(text.out).toMatch(/branches: pass, fail/);
    expect(text.out).toMatch(/value +decimal +required/);
    expect(text.out).toMatch(/min +decimal +optional/);
    const json = JSON.parse((await holdfast(['nodes', 'threshold', '--json'])).out) as Record<string, unknown>;
    expect(json).toMatchObject({ type: 'threshold', effect: 'pure', branches: ['pass', 'fail'] });
    expect(json).toMatchObject({ fields: { value: { type: 'decimal', required: true } } });
  });

  it('knows no other kind, and names the nearest', async () => {
    const { code, out, err } = await holdfast(['nodes', 'treshold']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      'error: There is no node kind treshold. Did you mean threshold?\n' +
        'next:  List the kinds with `holdfast nodes`. [UnknownKind]\n',
    );
  });
});

describe('holdfast validate', () => {
  it('reports ten mistakes at once, each with its line, column and code', async () => {
    const file = graphFile(TEN_MISTAKES);
    const { code, out, err } = await holdfast(['validate', file]);
    expect({ code, err }).toEqual({ code: 2, err: '' });
    const [head, ...lines] = out.trimEnd().split('\n');
    expect(head).toBe(`wrong  ${file}, 10 mistakes`);
    const found = lines.map((line) => /:(\d+):(\d+) {2}(\w+) {2}\S/.exec(line)?.slice(1));
    expect(found).toEqual([
      ['3', '3', 'bad_id'],
      ['4', '3', 'unknown_key'],
      ['6', '15', 'unknown_kind'],
      ['7', '60', 'unknown_field'],
      ['8', '5', 'missing_field'],
      ['9', '46', 'dangling_reference'],
      ['10', '74', 'field_given_twice'],
      ['11', '45', 'unknown_output'],
      ['12', '61', 'shape'],
      ['13', '83', 'join_too_large'],
    ]);
  });

  it('gives programs the same mistakes as data', async () => {
    const file = graphFile(TEN_MISTAKES);
    const { code, out } = await holdfast(['validate', file, '--json']);
    const verdict = JSON.parse(out) as { valid: boolean; mistakes: object[] };
    expect(code).toBe(2);
    expect(verdict).toMatchObject({ file, valid: false });
    expect(verdict.mistakes).toContainEqual(
      expect.objectContaining({
        code: 'unknown_kind',
        node_id: 'typo',
        path: '/nodes/typo/type',
        suggestion: 'constant',
        line: 6,
      }),
    );
  });

  it('judges every file, and one wrong file makes the code', async () => {
    const good = graphFile(constants, 'good.json');
    const bad = graphFile({ ...constants, nodes: { a: { type: 'cnstant' } } }, 'bad.json');
    const { code, out } = await holdfast(['validate', good, bad]);
    expect(code).toBe(2);
    expect(out).toMatch(new RegExp(`^valid {2}${good}, 1 node\\nwrong {2}${bad}, \\d mistakes?\\n`));
  });

  it('names a cycle in order', async () => {
    const node = (after: string) => ({ type: 'constant', params: { value: 1 }, after: [after] });
    const file = graphFile({ holdfast: 1, id: 'ring', nodes: { a: node('c'), b: node('a'), c: node('b') } });
    const { code, out } = await holdfast(['validate', file]);
    expect(code).toBe(2);
    expect(out).toMatch(/ cycle .*a.*b.*c/);
  });

  it.each([
    ['not JSON', '{ "holdfast": 1, }', 'syntax'],
    ['an empty file', '', '(syntax|shape)'],
    ['a list', '[]', 'shape'],
  ])('says what is wrong with %s', async (_name, text, expected) => {
    const file = graphFile(text);
    const { code, out } = await holdfast(['validate', file]);
    expect(code).toBe(2);
    expect(out).toMatch(new RegExp(`^wrong  ${file}, \\d mistakes?\\n.* {2}${expected} {2}`));
  });

  it.each([
    ['a file that does not exist', 'nowhere.json', 'does not exist.'],
    ['a directory', '.', 'is a directory, not a graph.'],
  ])('says so of %s', async (_name, name, sentence) => {
    const { code, out, err } = await holdfast(['validate', inFolder(name)]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      `error: ${inFolder(name)} ${sentence}\n` +
        'next:  Check the path; `holdfast new FILE` writes a first graph. [FileUnreadable]\n',
    );
  });
});

describe('holdfast draw', () => {
  it('prints a flowchart with every node', async () => {
    const file = inFolder('drawn.json');
    await holdfast(['new', file]);
    const { code, out } = await holdfast(['draw', file]);
    expect(code).toBe(0);
    expect(out).toMatch(/^flowchart /);
    for (const id of ['price_binance', 'price_bybit', 'spread', 'worth_it', 'tell']) expect(out).toContain(id);
  });

  it('draws no graph with mistakes, and lists them', async () => {
    const { code, out, err } = await holdfast(['draw', graphFile(TEN_MISTAKES)]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error: The graph has 10 mistakes:\n.*:3:3 {2}bad_id/);
  });
});

describe('holdfast token create', () => {
  const environment = () => ({ HOLDFAST_HOME: inFolder('home'), HOLDFAST_JWT_SECRET: 's'.repeat(32) });

  it('prints a token that carries role, scope and expiry', async () => {
    const args = ['token', 'create', '--role', 'operator', '--expires', '30m', '--bot', 'bot_1', 'bot_2'];
    const { code, out } = await holdfast(args, { environment: environment() });
    expect(code).toBe(0);
    const claims = JSON.parse(Buffer.from(out.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ role: 'operator', bots: ['bot_1', 'bot_2'] });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(1_800);
  });

  it('takes bots and strategies by comma and by space, and no word that is no id', async () => {
    const args = ['token', 'create', '--bots', 'bot_1, bot_2', 'bot_3', '--strategies', 's_1'];
    const { out } = await holdfast(args, { environment: environment() });
    const claims = JSON.parse(Buffer.from(out.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ bots: ['bot_1', 'bot_2', 'bot_3'], strategies: ['s_1'] });
    const wrong = await holdfast(['token', 'create', '--bots', 'bot 1'], { environment: environment() });
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('is not an id') });
  });

  it('refuses a role, a duration and a missing secret by name', async () => {
    const role = await holdfast(['token', 'create', '--role', 'king'], { environment: environment() });
    expect(role).toMatchObject({ code: 2, err: expect.stringContaining('viewer, operator, admin') });
    const expires = await holdfast(['token', 'create', '--expires', 'soon'], { environment: environment() });
    expect(expires).toMatchObject({ code: 2, err: expect.stringContaining('--expires soon') });
    const secret = await holdfast(['token', 'create'], { environment: { HOLDFAST_HOME: inFolder('home') } });
    expect(secret).toMatchObject({ code: 2, err: expect.stringContaining('HOLDFAST_JWT_SECRET') });
    expect(existsSync(inFolder('home'))).toBe(false);
  });
});

describe('the command line', () => {
  it.each([
    [['lits'], "error: Unknown command 'lits'. Did you mean list?"],
    [['run'], "error: Missing required argument 'file'."],
    [['list', '--stat', 'halted'], "error: Unknown option '--stat'. Did you mean --state?"],
    [['list', '--limit', '0'], 'Use 1 to 1000.'],
    [['list', '--state', 'gone'], 'Allowed choices are running, halted,'],
    [['halt'], 'Name an execution to halt, or give --all: one of both is needed.'],
    [['resume', 'exec_a', '--all'], 'Name an execution to resume, or give --all: not both.'],
    [['draw', 'a', 'b'], 'Too many arguments'],
    [['approve', 'exec_a'], "error: Missing required argument 'node'."],
    [['approve', 'exec_a', 'ask', '--as', ' '], 'It is empty.'],
    [['approve', 'exec_a', 'ask', '--rejected'], "error: Unknown option '--rejected'. Did you mean --reject?"],
    [['retry'], "error: Missing required argument 'execution'."],
    [['retry', 'exec_a', 'price', '--reason', ''], 'It is empty.'],
    [['skip', 'exec_a', 'price', 'tell'], 'Too many arguments'],
    [['message', 'exec_a'], "error: Missing required argument 'name'."],
    [['message', 'exec_a', ''], 'It is empty.'],
    [['rerun', '--from', 'price'], "error: Missing required argument 'execution'."],
    [['rerun', 'exec_a', '--dry'], "error: Unknown option '--dry'."],
  ])('refuses %j in one sentence with code 2', async (args, sentence) => {
    const { code, out, err } = await holdfast(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err).toMatch(/\[BadRequest\]\n$/);
  });

  it('gives programs the error as data', async () => {
    const { code, out, err } = await holdfast(['lits', '--json']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(JSON.parse(err)).toEqual({
      error: expect.objectContaining({ code: 'BadRequest', message: expect.stringContaining('lits') }),
    });
  });

  it('lists every wrong environment variable before it does anything', async () => {
    const environment = { TEMPORAL_ADDRESS: 'nonsense', HOLDFAST_LOG_LEVEL: 'loud' };
    const { code, err } = await holdfast(['list'], { environment });
    expect(code).toBe(2);
    expect(err).toMatch(/TEMPORAL_ADDRESS: must be host:port\n.*HOLDFAST_LOG_LEVEL/);
  });

  it('shows a stack trace only at the level debug', async () => {
    const quiet = await holdfast(['nodes', 'nothing_like_it']);
    const loud = await holdfast(['nodes', 'nothing_like_it'], { environment: { HOLDFAST_LOG_LEVEL: 'debug' } });
    expect(quiet.err).not.toMatch(/\n +at /);
    expect(loud.err).toMatch(/\n +at /);
  });

  it('prints its version and, for every command, help with an example', async () => {
    expect((await holdfast(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const commands =
      'new nodes validate draw run deploy list status halt resume cancel approve message retry skip rerun'.split(' ');
    for (const command of [...commands.map((name) => [name]), ['token', 'create']]) {
      const { code, out } = await holdfast([...command, '--help']);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`Examples?:\\n  \\$ holdfast ${command.join(' ')}`));
    }
  });

  it('colours for a terminal, unless told not to or asked for JSON', async () => {
    const file = graphFile(constants);
    const escape = String.fromCharCode(27);
    expect((await holdfast(['validate', file], { color: true })).out).toContain(escape);
    expect((await holdfast(['validate', file, '--no-color'], { color: true })).out).not.toContain(escape);
    expect((await holdfast(['validate', file, '--json'], { color: true })).out).not.toContain(escape);
  });
});
