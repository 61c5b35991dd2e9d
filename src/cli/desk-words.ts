/** The emergency desk in lines for people. */
import { leadingCause } from '../emergency/causes';
import type { Cause } from '../emergency/model';
import { GLOBAL } from '../emergency/scopes';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import { decimal, type Decimal } from '../money';
import type { Everyone } from './confirm';
import type { Tone, Ui } from './io';
import { table } from './table';

export function stateTone(state: string): Tone {
  if (state === 'normal') return 'good';
  return state === 'alert' ? 'busy' : 'bad';
}

/** Of `global`, and of how many other scopes are not normal. */
export function deskLine({ desk_id, state, scopes }: DeskStatus, ui: Ui): string {
  const head = `desk  ${desk_id}, global: ${ui.paint(stateTone(state), state)}`;
  const cause = leadingCause(scopes[0]?.causes ?? []);
  const others = scopes.filter(({ scope, causes }) => scope !== GLOBAL && causes.length > 0).length;
  const more = others === 0 ? '' : `; ${others} more ${others === 1 ? 'scope is' : 'scopes are'} not normal`;
  return `${head}${cause === undefined ? '' : ` ${sinceWords(cause)}`}${more}`;
}

/** Of one scope: `bot:bot_001: halt since … by …: odd prices`. */
export function scopeLine({ scope, state, causes }: ScopeStatus, ui: Ui): string {
  const cause = leadingCause(causes);
  return `${scope}: ${ui.paint(stateTone(state), state)}${cause === undefined ? '' : ` ${sinceWords(cause)}`}`;
}

function sinceWords({ since, actor, reason }: Cause): string {
  return `since ${timeOf(since)} by ${actor}: ${reason}`;
}

export function causeLine(cause: Cause): string {
  return `${cause.id} (${cause.state}) ${sinceWords(cause)}`;
}

export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

export function executionLines({ confirmed, silent }: Everyone, ms: number): string[] {
  const all = confirmed.length + silent.length;
  const said = `${confirmed.length} of ${all} open executions confirmed after ${ms} ms`;
  return [said, ...silent.map((id) => `  silent: ${id}`)];
}

/** Every scope that is not normal with its causes, and what else people look at the desk for. */
export function deskLines(status: DeskStatus, ui: Ui): string[] {
  const { currency, time_zone, epoch, bots, open_permits } = status;
  const closed = status.scopes.filter(({ causes }) => causes.length > 0);
  const { count, unknown } = open_permits;
  return [
    deskLine(status, ui),
    `epoch ${epoch}, ${currency}, trading days of ${time_zone}, ${bots.length} bots`,
    `open permits ${count}${unknown === 0 ? '' : `, ${unknown} of orders with an unknown end`}`,
    ...(closed.length === 0 ? [] : ['', ...closedTable(closed, ui)]),
    ...closed.flatMap(({ scope, awaits_approval_until: until }) =>
      until === undefined ? [] : [`${scope} waits for a second person until ${timeOf(until)}`],
    ),
  ];
}

function closedTable(closed: readonly ScopeStatus[], ui: Ui): string[] {
  const rows = closed.flatMap((each) =>
    each.causes.map((cause, at) => [
      at === 0 ? each.scope : '',
      at === 0 ? { text: each.state, paint: (text: string) => ui.paint(stateTone(each.state), text) } : '',
      at === 0 ? sealWord(each) : '',
      cause.id,
      timeOf(cause.since),
      cause.reason,
    ]),
  );
  return table(['SCOPE', 'STATE', 'SEAL', 'CAUSE', 'SINCE', 'REASON'], rows);
}

/** Sealed: no increasing order can be accepted by a venue any more. */
function sealWord({ sealed_at, halted_at, unsettled }: ScopeStatus): string {
  if (sealed_at !== undefined) return 'sealed';
  return halted_at === undefined ? '-' : `closing, ${unsettled} unproven`;
}

export function limitTable(scopes: readonly ScopeStatus[], ui: Ui): string[] {
  const rows = scopes.flatMap(({ scope, auto_halt, limits }) =>
    limits.map(({ limit, allowed, used, utilization }) => {
      const share = utilization === undefined ? undefined : decimal(utilization);
      return [
        scope,
        limit,
        allowed,
        used ?? '-',
        { text: share === undefined ? '-' : percent(share), paint: (text: string) => ui.paint(shareTone(share), text) },
        auto_halt === false ? 'no' : 'yes',
      ];
    }),
  );
  return table(['SCOPE', 'LIMIT', 'ALLOWED', 'USED', 'OF IT', 'HALTS'], rows);
}

function percent(share: Decimal): string {
  return `${share.times('100').toFixed(1)} %`;
}

function shareTone(share = decimal('0')): Tone {
  if (share.gt('1')) return 'bad';
  return share.gte('0.8') ? 'busy' : 'quiet';
}
