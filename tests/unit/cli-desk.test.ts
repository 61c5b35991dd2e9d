import { describe, expect, it } from '@jest/globals';
import { epochOf, reasonFor, targetOf, type TargetOptions } from '../../src/cli/desk-target';
import { limitsOf } from '../../src/cli/limit-words';
import { ownerOfScope } from '../../src/gateway/access';
import { assertMayCommand } from '../../src/gateway/emergency';
import { messageSchemas } from '../../src/gateway/protocol';
import type { Identity } from '../../src/gateway/tokens';
import { holdfast } from '../support/command-line';

const options = (given: Partial<TargetOptions> = {}): TargetOptions => ({ desk: 'default', ...given });

describe('the target of a command', () => {
  it.each<[Partial<TargetOptions>, string]>([
    [{ all: true }, 'global'],
    [{ scope: 'bot:a' }, 'bot:a'],
    [{ bot: 'a' }, 'bot:a'],
    [{ strategy: 'arb' }, 'strategy:arb'],
    [{ symbol: 'BTC/USDT' }, 'symbol:BTC/USDT'],
    [{ venue: 'paper_binance' }, 'venue:paper_binance'],
  ])('%j is the scope %s', (given, scope) => {
    expect(targetOf(undefined, options(given), 'halt')).toEqual({ scope });
  });

  it('is an execution when one is named', () => {
    expect(targetOf('exec_1', options(), 'halt')).toEqual({ execution: 'exec_1' });
  });

  it.each<[string | undefined, Partial<TargetOptions>]>([
    [undefined, {}],
    ['exec_1', { all: true }],
    ['exec_1', { bot: 'a' }],
    [undefined, { all: true, bot: 'a' }],
    [undefined, { bot: 'a', symbol: 'X' }],
  ])('is never guessed from %j %j', (execution, given) => {
    expect(() => targetOf(execution, options(given), 'halt')).toThrow(/^Name an execution to halt, or give --all/);
  });
});

describe('words of the command line', () => {
  it('are limits by name, none to take one away', () => {
    expect(limitsOf(['daily_loss=300', 'max_open_orders=none', 'order_rate=5'])).toEqual({
      ...{ daily_loss: '300', max_open_orders: null, order_rate: '5' },
    });
  });

  it.each([['daily_loss'], ['=3'], ['daily_loss='], ['daily loss=3'], ['daily_loss=3 4']])('%j is no limit', (word) => {
    expect(() => limitsOf([word])).toThrow(/is no limit/);
  });

  it('are not a limit given twice, an epoch that is none, or a missing reason', () => {
    expect(() => limitsOf(['order_rate=5', 'order_rate=6'])).toThrow('order_rate is given twice.');
    for (const text of ['', 'x', '1.5', '9007199254740993']) {
      if (text !== '') expect(() => epochOf(text)).toThrow('Use the epoch as it was shown');
    }
    expect(epochOf('1795465617413')).toBe(1_795_465_617_413);
    expect(() => reasonFor('The resume of global', undefined)).toThrow('The resume of global needs --reason');
  });

  it.each([
    [['alert', 'exec_1'], 'The alert of a single execution does not exist; it can be halted.'],
    [['shutdown', 'exec_1'], '`holdfast cancel exec_1` ends it.'],
    [['halt', '--all', '--reason', ' '], 'It is empty.'],
    [['halt', '--all', '--command-id', 'two words'], 'Use 1 to 200 characters without spaces.'],
    [['resume', '--all'], 'The resume of global needs --reason'],
    [['resume', '--bot', 'a', '--approve'], 'The approve of bot:a needs --reason'],
    [['resume', '--all', '--reason', 'x', '--expected-epoch', 'now'], 'Use the epoch as it was shown'],
    [['limits', 'set', 'global'], "Missing required argument 'limit'."],
    [['bots', 'add', '--limit', 'daily_loss', '--reason', 'x'], 'Use name=amount.'],
    [['desk', 'approve', 'global'], 'The approval of global needs --reason'],
  ])('refuses %j before anything is asked of a server', async (args, sentence) => {
    const { code, out, err } = await holdfast(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
  });
});

describe('who may command which scope', () => {
  const operator: Identity = { subject: 'ann', role: 'operator', expires_at: 0 };
  const reaches = (identity: Identity, scope: string) => {
    try {
      assertMayCommand(identity, 'operator', scope);
      return true;
    } catch {
      return false;
    }
  };

  it('is anybody with the role, and with a restriction only its owner', () => {
    const scopes = ['global', 'bot:a', 'bot:b', 'strategy:s', 'symbol:X', 'venue:v', 'botany', 'bot:'];
    expect(scopes.every((scope) => reaches(operator, scope))).toBe(true);
    expect(scopes.some((scope) => reaches({ ...operator, role: 'viewer' }, scope))).toBe(false);
    const of = (restriction: Partial<Identity>) =>
      scopes.filter((scope) => reaches({ ...operator, ...restriction }, scope));
    expect(of({ bots: ['a'] })).toEqual(['bot:a']);
    expect(of({ strategies: ['s'] })).toEqual(['strategy:s']);
    expect(of({ bots: ['a'], strategies: ['s'] })).toEqual([]);
    expect(ownerOfScope('symbol:bot:a')).toEqual({});
  });
});

describe('the message emergency_command', () => {
  const { emergency_command: schema } = messageSchemas;
  const halt = { scope: 'global', action: 'halt', reason: 'odd' };

  it('leaves what a command must say to the desk, which records what it refuses', () => {
    for (const given of [halt, { ...halt, reason: '' }, { scope: 'nonsense', action: 'resume' }]) {
      expect(schema.safeParse(given).success).toBe(true);
    }
  });

  it.each([
    { ...halt, action: 'init' },
    { ...halt, actor: 'eve' },
    { ...halt, causes: 'all' },
    { action: 'halt' },
    [halt],
    null,
  ])('is not %j', (given) => {
    expect(schema.safeParse(given).success).toBe(false);
  });
});
