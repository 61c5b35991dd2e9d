/** REST: the emergency desk, its bots, and what it recorded. */
import { z } from 'zod';
import type { Scope } from '../emergency/model';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import { GLOBAL } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import { present } from '../json';
import type { Named } from '../temporal-client/desk-reports';
import { DEFAULT_DESK, newCommandId, scopeOf } from '../temporal-client/desk';
import { isRestricted, maySee, ownerOfScope } from './access';
import {
  auditAnswer,
  botAnswer,
  bots,
  cancels,
  commandAnswer,
  deskAnswer,
  flattens,
  scopeAnswer,
} from './answers-desk';
import { admit, obey, tell, type EmergencyContext } from './emergency';
import { readJournal, type GatewayJournal } from './journal-reads';
import { DEFAULT_WINDOW, metricsOf } from './metrics';
import { EMERGENCY_ACTIONS, emergencyFields } from './protocol';
import { route, type DeclaredRoute } from './route';
import type { Identity } from './tokens';

export interface EmergencyApiContext extends EmergencyContext {
  /** Absent where none is configured. */
  readonly journal?: GatewayJournal;
}

const scopeParams = z.object({ scope: emergencyFields.scope });
const botParams = z.object({ id: z.string().min(1).max(200) });
const orderBody = z.strictObject(emergencyFields).omit({ scope: true, action: true });

const limits = z.record(z.string().max(100), z.string().max(100).nullable());
const setting = { reason: emergencyFields.reason, command_id: emergencyFields.command_id };
const limitsBody = z.strictObject({ ...setting, limits, auto_halt: z.boolean().optional() });
const botBody = z.strictObject({
  ...setting,
  name: z.string(),
  venues: z.array(z.string()),
  starting_equity: z.string(),
  time_zone: z.string(),
  limits: limits.optional(),
});
const auditQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export function emergencyRoutes(context: EmergencyApiContext): readonly DeclaredRoute[] {
  return [...readingRoutes(context), ...commandRoutes(context), ...botRoutes(context), auditRoute(context)];
}

function readingRoutes({ client }: EmergencyApiContext): readonly DeclaredRoute[] {
  const common = { method: 'get', role: 'viewer' } as const;
  return [
    route({
      ...common,
      path: '/api/emergency',
      summary: 'How the desk stands',
      answers: { 200: { says: 'The whole status; of a restricted token what it may see.', schema: deskAnswer } },
      refusals: ['EmergencyUnreachable'],
      handle: async ({ identity }) => visible(await client.deskStatus(), identity),
    }),
    route({
      ...common,
      path: '/api/emergency/cancels',
      summary: 'The last five cancels of open orders',
      answers: { 200: { says: 'The newest first.', schema: cancels } },
      refusals: ['TemporalUnavailable'],
      handle: async ({ identity }) => ({ cancels: ownReports(await client.listCancels(), identity) }),
    }),
    route({
      ...common,
      path: '/api/emergency/flattens',
      summary: 'The last five flattens',
      answers: { 200: { says: 'The newest first.', schema: flattens } },
      refusals: ['TemporalUnavailable'],
      handle: async ({ identity }) => ({ flattens: ownReports(await client.listFlattens(), identity) }),
    }),
    route({
      ...common,
      path: '/api/emergency/:scope',
      summary: 'How one scope stands',
      description: '`global`, `venue:…`, `bot:…`, `strategy:…` or `symbol:…`, percent-encoded.',
      params: scopeParams,
      answers: { 200: { says: 'What a resume needs is in `causes[].id` and `epoch`.', schema: scopeAnswer } },
      refusals: ['UnknownScope', 'EmergencyUnreachable'],
      handle: async ({ params, identity }) => one(await client.deskStatus(), params.scope, identity),
    }),
  ];
}

const ACTION_WORDS = {
  alert: 'Raise an alert',
  halt: 'Halt: no order that increases',
  shutdown: 'Shut down: no order at all',
  resume: 'Lift what was seen, or prepare it after a shutdown',
  approve: 'The second person’s word for a resume after a shutdown',
  flatten: 'Close what is held',
} as const satisfies Record<(typeof EMERGENCY_ACTIONS)[number], string>;

const COMMAND_REFUSALS = [
  ...(['UnknownScope', 'CommandConflict', 'StaleResume', 'CommandExpired', 'LimitBreached'] as const),
  ...(['PositionUnproven', 'NeedsSecondPerson', 'DeskUninitialised', 'DeskRewound'] as const),
  ...(['AuditUnavailable', 'EmergencyUnreachable'] as const),
] as const;

function commandRoutes(context: EmergencyApiContext): readonly DeclaredRoute[] {
  return [
    ...EMERGENCY_ACTIONS.map((action) =>
      route({
        method: 'post',
        path: `/api/emergency/:scope/${action}`,
        summary: ACTION_WORDS[action],
        role: action === 'flatten' ? 'admin' : 'operator',
        // `obey` refuses, so that the whole command is on the record.
        admit: () => undefined,
        params: scopeParams,
        body: orderBody,
        body_optional: true,
        answers: {
          200: { says: 'The desk’s answer.', schema: commandAnswer },
          202: {
            says: 'No desk answers; Temporal has it, and it comes to hold as soon as one does.',
            schema: commandAnswer,
          },
        },
        refusals: COMMAND_REFUSALS,
        handle: async ({ params: { scope }, body, identity }, reply) => {
          const answer = await obey(context, identity, { ...present(body), ...{ action, scope } });
          // Without an answer of the desk it is only with Temporal, where it cannot be lost.
          return reply.code(answer.state === undefined ? 202 : 200).send(answer);
        },
      }),
    ),
    route({
      method: 'put',
      path: '/api/emergency/:scope/limits',
      summary: 'Set limits of a scope',
      description: 'Decimal texts by name; `null` takes one away, what is not named stays.',
      role: 'admin',
      admit: ({ identity, params: { scope } }) => {
        admit(context, 'admin', { identity, command: { action: 'set_limits', scope } });
      },
      params: scopeParams,
      body: limitsBody,
      answers: { 200: { says: 'The desk’s answer.', schema: commandAnswer } },
      refusals: ['UnknownScope', 'CommandConflict', 'AuditUnavailable', 'EmergencyUnreachable'],
      handle: ({ params: { scope }, body: { command_id = newCommandId(), ...body }, identity }) =>
        tell(context, { ...body, action: 'set_limits', scope, command_id, actor: identity.subject }),
    }),
  ];
}

function botRoutes(context: EmergencyApiContext): readonly DeclaredRoute[] {
  const { client } = context;
  return [
    route({
      method: 'get',
      path: '/api/bots',
      summary: 'The registered bots',
      role: 'viewer',
      answers: { 200: { says: 'All the token may see.', schema: bots } },
      refusals: ['EmergencyUnreachable'],
      handle: async ({ identity }) => {
        const { desk_id, bots: found } = visible(await client.deskStatus(), identity);
        return { desk_id, bots: found };
      },
    }),
    route({
      method: 'get',
      path: '/api/bots/:id',
      summary: 'One bot, how it stands and what it came to',
      role: 'viewer',
      params: botParams,
      answers: { 200: { says: 'With `metrics_error` where the metrics cannot be had.', schema: botAnswer } },
      refusals: ['UnknownScope', 'EmergencyUnreachable'],
      handle: async ({ params: { id }, identity }) => {
        const status = await client.deskStatus();
        const emergency = one(status, `bot:${id}`, identity);
        return { ...status.bots.find(({ bot_id }) => bot_id === id), emergency, ...(await metricsOfBot(context, id)) };
      },
    }),
    route({
      method: 'put',
      path: '/api/bots/:id',
      summary: 'Register a bot, or change it',
      role: 'admin',
      admit: ({ identity, params: { id } }) => {
        admit(context, 'admin', { identity, command: { action: 'register_bot', scope: `bot:${id}` } });
      },
      params: botParams,
      body: botBody,
      answers: { 200: { says: 'The desk’s answer.', schema: commandAnswer } },
      refusals: ['CommandConflict', 'AuditUnavailable', 'EmergencyUnreachable'],
      handle: ({ params: { id }, body, identity }) => {
        const { reason, command_id = newCommandId(), limits: given, ...bot } = body;
        const said = { action: 'register_bot', reason, command_id, actor: identity.subject };
        return tell(context, { ...said, bot: { ...bot, bot_id: id }, ...present({ limits: given }) });
      },
    }),
  ];
}

function auditRoute(context: EmergencyApiContext): DeclaredRoute {
  return route({
    method: 'get',
    path: '/api/audit',
    summary: 'What was commanded, oldest first',
    description: 'Without `after` the latest.',
    role: 'viewer',
    query: auditQuery,
    answers: { 200: { says: 'One page.', schema: auditAnswer } },
    refusals: ['JournalUnavailable'],
    handle: ({ query, identity }) => audit(context, identity, query),
  });
}

/** How a bot stands is shown without what it came to, rather than not at all. */
async function metricsOfBot(context: EmergencyApiContext, bot_id: string) {
  try {
    return { metrics: await metricsOf(context, { bot_id }, DEFAULT_WINDOW) };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { metrics_error: { code: error.code, message: error.message } };
  }
}

/** A restricted token sees those of its own scopes; one that nobody answers for has no scope to show. */
function ownReports<R extends Named<{ readonly scope: Scope }>>(all: readonly R[], identity: Identity): readonly R[] {
  if (!isRestricted(identity)) return all;
  return all.filter(({ report }) => report !== undefined && maySee(identity, ownerOfScope(report.scope)));
}

/** The scope as the desk has it, with the desk's epoch. Throws `Forbidden`, `UnknownScope`. */
function one(status: DeskStatus, scope: string, identity: Identity) {
  if (scope !== GLOBAL && !maySee(identity, ownerOfScope(scope))) {
    throw new HoldfastError('Forbidden', 'The token’s bots or strategies do not include this.');
  }
  const { desk_id, epoch: desk_epoch } = status;
  const found = scopeOf(status, scope);
  return { desk_id, desk_epoch, ...(isRestricted(identity) ? asStateAlone(found) : found) };
}

/** A restricted token sees its own scopes, and of `global`, which holds for all, whether and why it is closed. */
function visible(status: DeskStatus, identity: Identity) {
  if (!isRestricted(identity)) return status;
  const { scopes, bots, open_permits, ...rest } = status;
  const listed = open_permits.listed.filter((permit) => maySee(identity, permit));
  return {
    ...rest,
    scopes: scopes
      .filter((each) => each.scope === GLOBAL || maySee(identity, ownerOfScope(each.scope)))
      .map(asStateAlone),
    bots: bots.filter((bot) => maySee(identity, bot)),
    open_permits: {
      count: listed.length,
      unknown: listed.filter(({ unknown }) => unknown === true).length,
      listed,
    },
  };
}

function asStateAlone(found: ScopeStatus): ScopeStatus {
  if (found.scope !== GLOBAL) return found;
  const { scope, state, effective_state, can_trade, can_operate, epoch, causes } = found;
  return {
    ...{ scope, state, effective_state, can_trade, can_operate, epoch, causes, limits: [] },
    ...{ reserved: '0', held: '0', open_orders: 0, unsettled: 0 },
  };
}

/** Oldest first: the latest, or those after a position. */
async function audit(
  { journal }: EmergencyApiContext,
  identity: Identity,
  { after, limit }: z.infer<typeof auditQuery>,
) {
  const total = await readJournal(journal, (reads) => reads.auditLength(DEFAULT_DESK));
  const from = after ?? Math.max(0, total - limit);
  const page = await readJournal(journal, (reads) => reads.audit({ desk_id: DEFAULT_DESK, after: from, limit }));
  const entries = page.filter(({ scope }) => maySee(identity, ownerOfScope(scope)));
  return { desk_id: DEFAULT_DESK, total, next_after: page.at(-1)?.position ?? from, entries };
}
