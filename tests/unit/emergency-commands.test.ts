/** States, causes, resume, the second person, remembered commands and signals. */
import { describe, expect, it } from '@jest/globals';
import { leadingCause } from '../../src/emergency/causes';
import { decide, initialDesk, statusOf, type DeskState } from '../../src/emergency/decide';
import type { CommandAnswer } from '../../src/emergency/model';
import { effectiveState } from '../../src/emergency/status';
import { DeskAtWork, NOON, orderRequest } from '../support/desk-at-work';

const codeOf = (answer: CommandAnswer) => (answer.ok ? 'ok' : answer.error!.code);

describe('raising', () => {
  it('takes the next epoch each time, also when the state stays', () => {
    const desk = new DeskAtWork();
    const first = desk.raise('halt');
    const second = desk.raise('halt');
    expect(first).toEqual({ ok: true, scope: 'global', state: 'halt', epoch: NOON + 1 });
    expect(second.epoch).toBe(NOON + 2);
    expect(desk.effects[0]).toMatchObject({ kind: 'state_changed', previous: 'halt', state: 'halt', epoch: NOON + 2 });
  });

  it('never lowers: an alert after a halt leaves the halt', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    expect(desk.raise('alert').state).toBe('halt');
    expect(desk.raise('shutdown').state).toBe('shutdown');
    expect(desk.raise('halt').state).toBe('shutdown');
  });

  it('passes on that open orders are to be cancelled', () => {
    const desk = new DeskAtWork();
    desk.raise('halt', 'venue:paper', { cancel_open: true });
    expect(desk.effects[0]).toMatchObject({ kind: 'state_changed', scope: 'venue:paper', cancel_open: true });
  });

  it('keeps the causes of many people within bounds, and none of them milder', () => {
    const desk = new DeskAtWork();
    for (let at = 0; at < 40; at += 1)
      desk.raise(at === 39 ? 'shutdown' : 'alert', 'global', { actor: `person ${at}` });
    expect(desk.state.scopes['global']!.causes).toHaveLength(33);
    expect(desk.state.scopes['global']!.causes.find(({ id }) => id === 'others')).toMatchObject({ state: 'shutdown' });
    expect(desk.stateOf()).toBe('shutdown');
  });

  it('halts everything when there is no room for one more scope', () => {
    const desk = new DeskAtWork({ checks: false });
    for (let at = 0; at < 500; at += 1) desk.raise('halt', `symbol:S${at}`);
    expect(desk.stateOf()).toBe('normal');
    expect(desk.raise('halt', 'symbol:S500')).toMatchObject({ ok: true, scope: 'global', state: 'halt' });
    expect(desk.raise('shutdown', 'symbol:S0')).toMatchObject({ scope: 'symbol:S0', state: 'shutdown' });
  });

  it.each([
    [{ action: 'halt', scope: 'global', reason: ' ' }, 'BadRequest'],
    [{ action: 'halt', scope: 'global', actor: undefined }, 'BadRequest'],
    [{ action: 'halt', scope: 'global', command_id: '' }, 'BadRequest'],
    [{ action: 'halt', scope: 'global', cancel_open: 'yes' }, 'BadRequest'],
    [{ action: 'lower', scope: 'global' }, 'BadRequest'],
    [{ action: 'halt' }, 'UnknownScope'],
    [{ action: 'halt', scope: 'planet:mars' }, 'UnknownScope'],
    [{ action: 'halt', scope: 'symbol:' }, 'UnknownScope'],
    [{ action: 'halt', scope: 'bot:nobody' }, 'UnknownScope'],
    [{ action: 'resume', scope: 'global', causes: 'all', expected_epoch: 1, issued_at: NOON }, 'BadRequest'],
    [{ action: 'resume', scope: 'global', causes: [1], expected_epoch: 1, issued_at: NOON }, 'BadRequest'],
    [{ action: 'resume', scope: 'global', causes: [], expected_epoch: '1', issued_at: NOON }, 'BadRequest'],
    [{ action: 'resume', scope: 'global', causes: [], expected_epoch: 1, issued_at: -1 }, 'BadRequest'],
    [{ action: 'init', currency: 'usdt', time_zone: 'UTC' }, 'BadRequest'],
    [{ action: 'init', currency: 'USDT', time_zone: 'Europe/Nowhere' }, 'BadRequest'],
    [{ action: 'init', currency: 'USDT', time_zone: 7 }, 'BadRequest'],
    [{ action: 'init', currency: 'USDT', time_zone: 'UTC' }, 'AlreadyInitialised'],
    [{ action: 'cash_flow', scope: 'global', amount: 5, currency: 'USDT' }, 'BadRequest'],
    [{ action: 'cash_flow', scope: 'global', amount: '5', currency: 'EUR' }, 'WrongCurrency'],
    [{ action: 'register_bot', bot: { bot_id: 'b', name: 'b', venues: ['has space'] } }, 'BadRequest'],
    [{ action: 'register_bot', bot: 'b' }, 'BadRequest'],
  ])('refuses %j with %s, records it and changes nothing', (command, code) => {
    const desk = new DeskAtWork();
    const before = desk.state;
    expect(codeOf(desk.command(command))).toBe(code);
    expect({ ...desk.state, commands: [] }).toEqual(before);
    expect(desk.effects).toEqual([expect.objectContaining({ kind: 'audit', outcome: code })]);
  });

  it('refuses what is no command at all', () => {
    const desk = new DeskAtWork();
    for (const command of [undefined, null, 7, 'halt', []]) {
      expect(desk.take({ kind: 'command', command })).toMatchObject({
        answer: { ok: false, error: { code: 'BadRequest' } },
      });
    }
  });

  it('refuses a command it cannot even look at, rather than throwing', () => {
    const hostile = {
      get action(): string {
        throw new TypeError('no');
      },
      toJSON: () => 'hostile',
    };
    const { reply } = decide(new DeskAtWork().state, { kind: 'command', command: hostile }, NOON);
    expect(reply).toMatchObject({ answer: { ok: false, error: { code: 'Unexpected', message: 'no' } } });
  });
});

describe('the record', () => {
  it('has what was refused elsewhere, by whom, and nothing changes', () => {
    const desk = new DeskAtWork();
    const before = desk.state;
    const command = { action: 'halt', scope: 'bot:b', actor: 'vic', command_id: 'c', reason: 'odd' };
    desk.take({ kind: 'refused_command', code: 'Forbidden', command });
    const said = { action: 'halt', actor: 'vic', scope: 'bot:b', command_id: 'c', outcome: 'Forbidden' };
    expect(desk.effects).toMatchObject([{ kind: 'audit', ...said }]);
    desk.take({ kind: 'refused_command' });
    expect(desk.effects).toMatchObject([
      { action: 'command', actor: 'unknown', scope: 'global', outcome: 'Forbidden' },
    ]);
    expect(desk.state).toEqual(before);
  });

  it('says of a command nobody can read whose it claims to be', () => {
    const desk = new DeskAtWork();
    desk.take({ kind: 'command', command: { action: 'halt', scope: 'bot:b', actor: 'ann', reason: 7 } });
    expect(desk.effects.at(-1)).toMatchObject({ action: 'halt', actor: 'ann', scope: 'bot:b', outcome: 'BadRequest' });
  });
});

describe('a desk that has forgotten permits', () => {
  const sealedAt = (state: DeskState, now: number) => {
    const { state: after } = decide(state, { kind: 'tick' }, now);
    return statusOf(after, now).scopes[0]?.sealed_at;
  };

  it('is sealed no sooner than the last of them can have been used', () => {
    const anew = initialDesk({ desk_id: 'default', initialised: false }, NOON);
    expect(statusOf(anew, NOON).scopes[0]).not.toHaveProperty('sealed_at');
    expect(sealedAt(anew, NOON + 1_999)).toBeUndefined();
    expect(sealedAt(anew, NOON + 2_000)).toBe(NOON + 2_000);
  });

  it('takes a seal back when the journal saw more than it knows', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    expect(statusOf(desk.state, NOON).scopes[0]).toMatchObject({ sealed_at: NOON });
    desk.take({ kind: 'witness', epoch: desk.state.epoch + 10 });
    expect(statusOf(desk.state, NOON).scopes[0]).not.toHaveProperty('sealed_at');
    expect(sealedAt(desk.state, NOON + 2_000)).toBe(NOON + 2_000);
  });

  it('shows the cause that makes the state, not the latest one', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    desk.signal('alert', { reason: 'please look', actor: 'bob' });
    const { causes = [] } = statusOf(desk.state, NOON).scopes[0] ?? {};
    expect(leadingCause(causes)).toMatchObject({ state: 'halt' });
    expect(leadingCause([])).toBeUndefined();
  });
});

describe('resume', () => {
  const halted = () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    return desk;
  };

  it('lowers when it names all causes and has seen the latest epoch', () => {
    const desk = halted();
    desk.raise('alert', 'global', { actor: 'bob' });
    expect(desk.resume()).toMatchObject({ ok: true, state: 'normal', epoch: NOON + 3 });
    expect(desk.effects[0]).toMatchObject({ kind: 'state_changed', previous: 'halt', state: 'normal', actor: 'ann' });
    expect(desk.state.scopes).toEqual({});
  });

  it('is stale after any newer raise, also one that changed no state', () => {
    const desk = halted();
    const seen = desk.resumeCommand();
    desk.raise('halt');
    expect(codeOf(desk.command(seen))).toBe('StaleResume');
    expect(desk.stateOf()).toBe('halt');
  });

  it('is stale with an epoch that is not reached yet', () => {
    const desk = halted();
    expect(codeOf(desk.resume('global', { expected_epoch: desk.state.epoch + 1 }))).toBe('StaleResume');
  });

  it('is not stale for a change of another scope', () => {
    const desk = halted();
    const seen = desk.resumeCommand();
    desk.raise('halt', 'venue:other');
    expect(codeOf(desk.command(seen))).toBe('ok');
    expect(desk.stateOf('venue:other')).toBe('halt');
  });

  it('is refused unless it names every cause', () => {
    const desk = halted();
    desk.raise('halt', 'global', { actor: 'bob' });
    expect(codeOf(desk.resume('global', { causes: ['operator:ann'] }))).toBe('StaleResume');
    expect(codeOf(desk.resume('global', { causes: ['operator:ann', 'operator:bob', 'signal'] }))).toBe('ok');
  });

  it.each([
    [-10_000, 'ok'],
    [-10_001, 'CommandExpired'],
    [10_000, 'ok'],
    [10_001, 'CommandExpired'],
  ])('issued %d ms from now is %s', (offset, code) => {
    const desk = halted();
    expect(codeOf(desk.resume('global', { issued_at: NOON + offset }))).toBe(code);
  });

  it('of a scope that is normal changes nothing', () => {
    const desk = new DeskAtWork();
    expect(desk.resume('venue:paper')).toEqual({ ok: true, scope: 'venue:paper', state: 'normal', epoch: NOON });
  });

  it('is refused while a limit is breached, and works once it is not', () => {
    const desk = new DeskAtWork();
    desk.lose(550);
    expect(desk.stateOf()).toBe('halt');
    expect(codeOf(desk.resume())).toBe('LimitBreached');
    desk.limits({ daily_loss: '600' });
    expect(codeOf(desk.resume())).toBe('ok');
  });

  it('is refused while an order of the scope is unknown', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p')]);
    desk.unknown('p');
    desk.raise('halt');
    desk.raise('halt', 'venue:other');
    expect(codeOf(desk.resume())).toBe('PositionUnproven');
    expect(codeOf(desk.resume('venue:other'))).toBe('ok');
    desk.unknown('p', true);
    expect(codeOf(desk.resume())).toBe('ok');
  });

  it('is refused while the journal is down; halts are not', () => {
    const desk = halted();
    const command = { command_id: 'r', actor: 'ann', reason: 'over', ...desk.resumeCommand() };
    expect(desk.take({ kind: 'command', command, audit_available: false })).toMatchObject({
      answer: { error: { code: 'AuditUnavailable' } },
    });
    expect(
      desk.take({
        kind: 'command',
        command: { ...command, action: 'shutdown', command_id: 's' },
        audit_available: false,
      }),
    ).toMatchObject({ answer: { state: 'shutdown' } });
    const again = { command_id: 'r', actor: 'ann', reason: 'over', ...desk.resumeCommand() };
    expect(desk.take({ kind: 'command', command: again })).toMatchObject({ answer: { ok: true } });
  });
});

describe('after a shutdown', () => {
  const prepared = () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p')]);
    desk.raise('shutdown');
    const expected_epoch = desk.state.epoch;
    const answer = desk.resume();
    const approval = (over: object = {}) => ({
      action: 'approve',
      scope: 'global',
      expected_epoch,
      issued_at: desk.now,
      actor: 'bob',
      ...over,
    });
    return { desk, answer, approval };
  };

  it('a resume only waits for a second person, who carries it out', () => {
    const { desk, answer, approval } = prepared();
    expect(answer).toMatchObject({ ok: true, state: 'shutdown', awaits_approval_until: NOON + 300_000 });
    expect(statusOf(desk.state, NOON).scopes[0]).toMatchObject({ awaits_approval_until: NOON + 300_000 });
    desk.now += 300_000;
    expect(desk.command(approval())).toMatchObject({ ok: true, state: 'normal' });
  });

  it('the same person is not a second one, however written', () => {
    const { desk, approval } = prepared();
    expect(codeOf(desk.command(approval({ actor: 'ann' })))).toBe('NeedsSecondPerson');
    expect(codeOf(desk.command(approval({ actor: 'ANN' })))).toBe('NeedsSecondPerson');
    expect(desk.stateOf()).toBe('shutdown');
  });

  it('it waits for five minutes and no longer', () => {
    const { desk, approval } = prepared();
    desk.now += 300_001;
    expect(codeOf(desk.command(approval()))).toBe('CommandExpired');
    desk.tick();
    expect(desk.state.scopes['global']).not.toHaveProperty('pending');
  });

  it('a tick in time leaves it waiting', () => {
    const { desk, approval } = prepared();
    desk.tick();
    expect(codeOf(desk.command(approval()))).toBe('ok');
  });

  it('a raise in between takes it away', () => {
    const { desk, approval } = prepared();
    desk.raise('halt');
    expect(codeOf(desk.command(approval()))).toBe('StaleResume');
    expect(codeOf(desk.command(approval({ expected_epoch: desk.state.epoch })))).toBe('CommandExpired');
    expect(desk.stateOf()).toBe('shutdown');
  });

  it('the approval must be of what was prepared, fresh, and safe', () => {
    const { desk, approval } = prepared();
    desk.raise('halt', 'venue:other');
    expect(codeOf(desk.command(approval({ expected_epoch: desk.state.epoch })))).toBe('StaleResume');
    expect(codeOf(desk.command(approval({ issued_at: desk.now - 10_001 })))).toBe('CommandExpired');
    desk.unknown('p');
    expect(codeOf(desk.command(approval()))).toBe('PositionUnproven');
    desk.unknown('p', true);
    expect(codeOf(desk.command(approval()))).toBe('ok');
  });

  it('an approval of nothing is refused', () => {
    const desk = new DeskAtWork();
    const approval = { action: 'approve', scope: 'global', expected_epoch: desk.state.epoch, issued_at: NOON };
    expect(codeOf(desk.command(approval))).toBe('CommandExpired');
  });
});

describe('remembered commands', () => {
  it('are answered the same again, and change nothing', () => {
    const desk = new DeskAtWork();
    const halt = { command_id: 'h', action: 'halt', scope: 'global' };
    const answer = desk.command(halt);
    const before = desk.state;
    expect(desk.command(halt)).toEqual(answer);
    expect(desk.effects).toEqual([]);
    expect(desk.state).toEqual(before);
  });

  it('do not halt again after a resume in between', () => {
    const desk = new DeskAtWork();
    desk.raise('halt', 'global', { command_id: 'h' });
    desk.resume();
    expect(desk.raise('halt', 'global', { command_id: 'h' }).state).toBe('halt');
    expect(desk.stateOf()).toBe('normal');
  });

  it('answer a refusal the same again', () => {
    const desk = new DeskAtWork();
    desk.raise('halt');
    const stale = { ...desk.resumeCommand(), command_id: 'r', expected_epoch: 1 };
    const refusal = desk.command(stale);
    desk.now += 60_000;
    expect(desk.command(stale)).toEqual(refusal);
  });

  it('refuse another body under their id', () => {
    const desk = new DeskAtWork();
    desk.raise('halt', 'global', { command_id: 'h' });
    expect(codeOf(desk.raise('shutdown', 'global', { command_id: 'h' }))).toBe('CommandConflict');
    expect(desk.stateOf()).toBe('halt');
    expect(desk.effects).toEqual([
      expect.objectContaining({ kind: 'audit', outcome: 'CommandConflict', command_id: 'h' }),
    ]);
    expect(codeOf(desk.raise('halt', 'global', { command_id: 'h' }))).toBe('ok');
  });

  it('are forgotten after a day', () => {
    const desk = new DeskAtWork();
    desk.raise('halt', 'global', { command_id: 'h' });
    desk.now += 86_400_000;
    expect(codeOf(desk.raise('shutdown', 'global', { command_id: 'h' }))).toBe('CommandConflict');
    desk.now += 1;
    expect(codeOf(desk.raise('shutdown', 'global', { command_id: 'h' }))).toBe('ok');
    expect(desk.state.commands).toHaveLength(1);
  });

  it('stay within a bound, and those that only raise go first', () => {
    const desk = new DeskAtWork();
    desk.command({ action: 'cash_flow', scope: 'global', amount: '5', currency: 'USDT', command_id: 'cash' });
    let { state } = desk;
    for (let at = 0; at < 2_050; at += 1) {
      const command = { command_id: `h${at}`, action: 'halt', scope: 'global', actor: 'ann', reason: 'r' };
      state = decide(state, { kind: 'command', command }, NOON).state;
    }
    expect(state.commands).toHaveLength(2_000);
    expect(state.commands[0]).toMatchObject({ command_id: 'cash' });
    expect(state.commands[1]).toMatchObject({ command_id: 'h51' });
  });

  it('stay within a bound of their text', () => {
    let { state } = new DeskAtWork();
    for (let at = 0; at < 500; at += 1) {
      const command = {
        command_id: `i${at}`,
        action: 'set_limits',
        scope: 'global',
        limits: {},
        actor: 'ann',
        reason: 'r'.repeat(500),
      };
      state = decide(state, { kind: 'command', command }, NOON).state;
    }
    expect(JSON.stringify(state).length).toBeLessThan(350_000);
    expect(state.commands.at(-1)).toMatchObject({ command_id: 'i499' });
  });
});

describe('signals', () => {
  it.each([
    ['halt', 'fire', 'global', 'halt', 'fire'],
    ['alert', { reason: 'odd', scope: 'venue:paper' }, 'venue:paper', 'alert', 'odd'],
    ['shutdown', {}, 'global', 'shutdown', 'unspecified'],
    ['halt', ' ', 'global', 'halt', 'unspecified'],
    ['halt', { reason: 7 }, 'global', 'halt', 'unspecified'],
    ['alert', 7, 'global', 'halt', 'a signal that cannot be read'],
    ['alert', undefined, 'global', 'halt', 'a signal that cannot be read'],
    ['alert', ['x'], 'global', 'halt', 'a signal that cannot be read'],
    ['alert', { scope: 'bot:nobody', reason: 'r' }, 'global', 'halt', 'r'],
    ['alert', { scope: 5, reason: 'r' }, 'global', 'halt', 'r'],
    ['shutdown', { scope: 'planet:mars' }, 'global', 'shutdown', 'unspecified'],
  ] as const)('%s with %j raises', (...[name, payload, scope, state, reason]) => {
    const desk = new DeskAtWork();
    desk.signal(name, payload);
    expect(desk.state.scopes[scope]!.causes).toEqual([
      expect.objectContaining({ id: 'signal', state, reason, actor: 'signal' }),
    ]);
    expect(Object.keys(desk.state.scopes)).toEqual([scope]);
  });

  it('and the update under the same id are one command, whichever comes first', () => {
    const body = { scope: 'global', reason: 'fire', actor: 'ann', command_id: 'h', cancel_open: true };
    const first = new DeskAtWork();
    first.signal('halt', body);
    expect(first.command({ ...body, action: 'halt' })).toEqual({
      ok: true,
      scope: 'global',
      state: 'halt',
      epoch: NOON + 1,
    });
    const second = new DeskAtWork();
    second.command({ ...body, action: 'halt' });
    second.signal('halt', body);
    expect(second.effects).toEqual([]);
    expect(second.state).toEqual(first.state);
  });

  it('raise also under an id that another command has taken', () => {
    const desk = new DeskAtWork();
    desk.raise('alert', 'global', { command_id: 'a' });
    desk.signal('halt', { command_id: 'a', reason: 'fire', actor: 'ann' });
    expect(desk.stateOf()).toBe('halt');
    expect(desk.state.commands).toHaveLength(1);
  });
});

describe('a desk that cannot be trusted', () => {
  const init = { action: 'init', currency: 'EUR', time_zone: 'Europe/Berlin' };

  it('begins halted until it is set up, and no resume lifts that', () => {
    const desk = new DeskAtWork({ initialised: false });
    expect(desk.stateOf()).toBe('halt');
    expect(desk.ask()).toBe('EmergencyHalted');
    expect(codeOf(desk.resume())).toBe('DeskUninitialised');
    expect(desk.command(init)).toMatchObject({ ok: true, state: 'normal' });
    expect(desk.state).toMatchObject({ currency: 'EUR', time_zone: 'Europe/Berlin' });
    expect(desk.state.limits['global']!.values).toEqual({
      daily_loss: '500',
      max_position_notional: '10000',
      max_drawdown_percent: '20',
    });
    expect(codeOf(desk.command(init))).toBe('AlreadyInitialised');
  });

  it('stays halted by what else halted it', () => {
    const desk = new DeskAtWork({ initialised: false });
    desk.raise('halt');
    expect(desk.command(init)).toMatchObject({ ok: true, state: 'halt' });
    expect(desk.resume()).toMatchObject({ ok: true, state: 'normal' });
  });

  it('halts when the journal has seen more than it knows, and goes on above that', () => {
    const desk = new DeskAtWork();
    desk.take({ kind: 'witness', epoch: NOON });
    expect(desk.stateOf()).toBe('normal');
    desk.take({ kind: 'witness', epoch: NOON + 50 });
    expect(desk.stateOf()).toBe('halt');
    expect(desk.state.epoch).toBe(NOON + 51);
    expect(codeOf(desk.resume())).toBe('DeskRewound');
    expect(codeOf(desk.command(init))).toBe('WrongCurrency');
    expect(codeOf(desk.command({ ...init, currency: 'USDT' }))).toBe('ok');
    expect(desk.stateOf()).toBe('normal');
  });

  it('refuses a witness that is no number', () => {
    const desk = new DeskAtWork();
    expect(desk.take({ kind: 'witness', epoch: Number.NaN })).toMatchObject({
      kind: 'refused',
      error: { code: 'InvalidInput' },
    });
  });

  it('keeps limits that were set before it was set up', () => {
    const desk = new DeskAtWork({ initialised: false });
    desk.limits({ daily_loss: '7' });
    desk.command(init);
    expect(desk.state.limits['global']!.values.daily_loss).toBe('7');
  });
});

describe('its clock', () => {
  it('never runs backwards', () => {
    const desk = new DeskAtWork();
    desk.now = NOON - 5_000;
    desk.raise('halt');
    expect(desk.state.clock).toBe(NOON);
    expect(desk.state.scopes['global']!.causes[0]!.since).toBe(NOON);
  });
});

describe('its status', () => {
  it('says for each scope what may be done', () => {
    const desk = new DeskAtWork();
    desk.bot('b1', {}, { max_open_orders: '3', order_rate: '10', max_order_notional: '50' });
    desk.raise('halt', 'bot:b1');
    desk.raise('alert');
    const status = statusOf(desk.state, desk.now);
    expect(status).toMatchObject({
      desk_id: 'default',
      state: 'alert',
      can_trade: true,
      can_operate: true,
      open_permits: { count: 0, unknown: 0 },
    });
    expect(status.scopes.map(({ scope }) => scope)).toEqual(['global', 'bot:b1']);
    expect(status.scopes[1]).toMatchObject({
      state: 'halt',
      effective_state: 'halt',
      can_trade: false,
      can_operate: true,
      auto_halt: true,
    });
    expect(status.scopes[1]!.limits).toEqual([
      { limit: 'max_open_orders', allowed: '3', used: '0', utilization: '0' },
      { limit: 'order_rate', allowed: '10', used: '0', utilization: '0' },
      { limit: 'max_order_notional', allowed: '50' },
    ]);
    expect(effectiveState(status, ['bot:b1', 'strategy:s'])).toBe('halt');
    expect(effectiveState(status, ['bot:b2'])).toBe('alert');
    desk.raise('shutdown');
    expect(statusOf(desk.state, desk.now).scopes[1]).toMatchObject({
      state: 'halt',
      effective_state: 'shutdown',
      can_operate: false,
    });
  });

  it('begins above every epoch of a desk that began before', () => {
    expect(initialDesk({ desk_id: 'd', initialised: false }, NOON).epoch).toBe(NOON + 1);
  });

  it('refuses more bots and limited scopes than it keeps', () => {
    const desk = new DeskAtWork({ checks: false });
    for (let at = 0; at < 200; at += 1) desk.bot(`b${at}`);
    expect(codeOf(desk.bot('one-more'))).toBe('DeskBusy');
    expect(codeOf(desk.bot('b0', { name: 'renamed' }))).toBe('ok');
    for (let at = 0; at < 199; at += 1) desk.limits({}, `symbol:S${at}`);
    expect(codeOf(desk.limits({}, 'symbol:T'))).toBe('DeskBusy');
    expect(codeOf(desk.limits({}, 'symbol:S0'))).toBe('ok');
  });
});
