/** REST: the emergency desk, its bots, and what it recorded. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Scope } from '../emergency/model';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import { GLOBAL } from '../emergency/scopes';
import { HoldfastError } from '../errors';
import { present } from '../json';
import type { Named } from '../temporal-client/desk-reports';
import { DEFAULT_DESK, newCommandId, scopeOf } from '../temporal-client/desk';
import { isRestricted, maySee, ownerOfScope } from './access';
import { admit, obey, tell, type EmergencyContext } from './emergency';
import { identityOf } from './http';
import { readJournal, type GatewayJournal } from './journal-reads';
import { DEFAULT_WINDOW, metricsOf } from './metrics';
import { parse } from './problem';
import { EMERGENCY_ACTIONS, emergencyFields } from './protocol';
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

export function addEmergency(app: FastifyInstance, context: EmergencyApiContext): void {
  const { client } = context;
  app.get('/api/emergency', async (request) => visible(await client.deskStatus(), identityOf(request)));
  app.get('/api/emergency/cancels', async (request) => ({
    cancels: ownReports(await client.listCancels(), identityOf(request)),
  }));
  app.get('/api/emergency/flattens', async (request) => ({
    flattens: ownReports(await client.listFlattens(), identityOf(request)),
  }));
  app.get('/api/emergency/:scope', async (request) => {
    const { scope } = parse(scopeParams, request.params);
    return one(await client.deskStatus(), scope, identityOf(request));
  });
  for (const action of EMERGENCY_ACTIONS) {
    app.post(`/api/emergency/:scope/${action}`, async (request, reply) => {
      const { scope } = parse(scopeParams, request.params);
      const answer = await obey(context, identityOf(request), {
        ...present(parse(orderBody, request.body ?? {})),
        ...{ action, scope },
      });
      // Without an answer of the desk it is only with Temporal, where it cannot be lost.
      return reply.code(answer.state === undefined ? 202 : 200).send(answer);
    });
  }
  app.put('/api/emergency/:scope/limits', (request) => setLimits(context, request));
  addBots(app, context);
  app.get('/api/audit', (request) => audit(context, request));
}

async function setLimits(context: EmergencyContext, request: FastifyRequest) {
  const identity = identityOf(request);
  const { scope } = parse(scopeParams, request.params);
  admit(context, 'admin', { identity, command: { action: 'set_limits', scope } });
  const { command_id = newCommandId(), ...body } = parse(limitsBody, request.body);
  return tell(context, { ...body, action: 'set_limits', scope, command_id, actor: identity.subject });
}

function addBots(app: FastifyInstance, context: EmergencyApiContext): void {
  const { client } = context;
  app.get('/api/bots', async (request) => {
    const { desk_id, bots } = visible(await client.deskStatus(), identityOf(request));
    return { desk_id, bots };
  });
  app.get('/api/bots/:id', async (request) => {
    const { id } = parse(botParams, request.params);
    const status = await client.deskStatus();
    const emergency = one(status, `bot:${id}`, identityOf(request));
    return { ...status.bots.find(({ bot_id }) => bot_id === id), emergency, ...(await metricsOfBot(context, id)) };
  });
  app.put('/api/bots/:id', async (request) => {
    const identity = identityOf(request);
    const { id } = parse(botParams, request.params);
    admit(context, 'admin', { identity, command: { action: 'register_bot', scope: `bot:${id}` } });
    const { reason, command_id = newCommandId(), limits, ...bot } = parse(botBody, request.body);
    const said = { action: 'register_bot', reason, command_id, actor: identity.subject };
    return tell(context, { ...said, bot: { ...bot, bot_id: id }, ...present({ limits }) });
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
async function audit({ journal }: EmergencyApiContext, request: FastifyRequest) {
  const identity = identityOf(request);
  const { after, limit } = parse(auditQuery, request.query);
  const total = await readJournal(journal, (reads) => reads.auditLength(DEFAULT_DESK));
  const from = after ?? Math.max(0, total - limit);
  const page = await readJournal(journal, (reads) => reads.audit({ desk_id: DEFAULT_DESK, after: from, limit }));
  const entries = page.filter(({ scope }) => maySee(identity, ownerOfScope(scope)));
  return { desk_id: DEFAULT_DESK, total, next_after: page.at(-1)?.position ?? from, entries };
}
