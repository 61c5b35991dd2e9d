/** Validation of triggers: what a schedule cannot do, and what the triggers of one graph must agree on. */
import { CRON_WORDS, cronProblem } from './cron';
import { durationMs } from './duration';
import { checkInputs } from './inputs';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { membersOf } from './node-reading';
import { DEFAULT_OVERLAP, DEFAULT_TIME_ZONE } from './overlap';
import { toPointer } from './pointer';
import type { Graph } from './schema';
import type { Suggest } from './suggest';
import { isTimeZone, timeZoneNames } from './time-zones';
import { canonicalJson } from './version';

type Trigger = ReadonlyMap<string, unknown>;

/** Each trigger by itself, then all together. Members of the wrong type are the schema's to report. */
export function checkTriggers(triggers: ReadonlyMap<string, unknown>, suggest: Suggest): Mistake[] {
  const read = [...triggers].map(([id, raw]) => ({ id, trigger: membersOf(raw) }));
  return [
    ...read.flatMap(({ id, trigger }) => [
      ...checkTimes(id, trigger),
      ...checkEvery(id, trigger),
      ...checkCron(id, trigger, suggest),
    ]),
    ...checkAgreement(read),
  ];
}

/** The start inputs triggers give, against the declared ones. */
export function checkTriggerInputs(graph: Graph): Mistake[] {
  return Object.entries(graph.triggers ?? {}).flatMap(([id, { inputs }]) =>
    checkInputs(graph, inputs ?? {}).mistakes.map(({ input, message, suggestion }) => {
      const place = inputs !== undefined && Object.hasOwn(inputs, input) ? ['inputs', input] : [];
      return mistake('bad_trigger', toPointer('triggers', id, ...place), message, suggestion);
    }),
  );
}

function checkTimes(id: string, trigger: Trigger): Mistake[] {
  const [every, cron] = [trigger.has('every'), trigger.has('cron')];
  if (every !== cron) return [];
  const which = every ? 'has both `every` and `cron`; write two triggers' : 'needs `every` or `cron`';
  return [mistake('bad_trigger', toPointer('triggers', id), `The trigger \`${id}\` ${which}.`)];
}

function checkEvery(id: string, trigger: Trigger): Mistake[] {
  const [every, offset] = [durationMs(trigger.get('every')), durationMs(trigger.get('offset'))];
  const without = (key: string, needed: string) => trigger.has(key) && !trigger.has(needed);
  const wrongs: readonly (readonly [boolean, key: string, why: string])[] = [
    [!isWholeSeconds(every), 'every', 'must be a whole number of seconds'],
    [!isWholeSeconds(offset), 'offset', 'must be a whole number of seconds'],
    [(offset ?? 0) >= (every ?? Infinity), 'offset', 'must be less than `every`'],
    [without('offset', 'every'), 'offset', 'needs `every`; cron says its times itself'],
    [without('time_zone', 'cron'), 'time_zone', 'needs `cron`; `every` counts from the start of 1970 in UTC'],
  ];
  return wrongs
    .filter(([wrong]) => wrong)
    .map(([, key, why]) => mistake('bad_trigger', toPointer('triggers', id, key), `\`${key}\` ${why}.`));
}

/** Temporal rounds, so that 1.5 s would silently be 2 s. What is no duration is the schema's to report. */
function isWholeSeconds(ms: number | undefined): boolean {
  return ms === undefined || ms % 1_000 === 0;
}

function checkCron(id: string, trigger: Trigger, suggest: Suggest): Mistake[] {
  const [cron, zone] = [trigger.get('cron'), trigger.get('time_zone')];
  const problem = typeof cron === 'string' ? cronProblem(cron) : undefined;
  const word = typeof cron === 'string' && cron.startsWith('@') ? suggest(cron, CRON_WORDS) : undefined;
  const unknownZone = typeof zone === 'string' && !isTimeZone(zone) ? zone : undefined;
  return [
    ...(problem === undefined
      ? []
      : [mistake('bad_trigger', toPointer('triggers', id, 'cron'), `\`cron\` ${problem}.`, word)]),
    ...(unknownZone === undefined ? [] : [badZone(id, unknownZone, suggest)]),
  ];
}

function badZone(id: string, zone: string, suggest: Suggest): Mistake {
  const message = `There is no time zone \`${zone}\`; IANA names are like \`Europe/Berlin\`.`;
  return mistake('bad_trigger', toPointer('triggers', id, 'time_zone'), message, suggest(zone, timeZoneNames()));
}

interface Shared {
  readonly key: string;
  readonly otherwise: string;
  /** What is compared; undefined leaves the trigger out. */
  readonly of: (trigger: Trigger) => unknown;
}

/**
 * All triggers of a graph become one Temporal Schedule, so that one deployment is paused, backfilled and limited in overlap as one. A
 * schedule has one of each of these.
 */
const SHARED: readonly Shared[] = [
  { key: 'overlap', otherwise: `"${DEFAULT_OVERLAP}"`, of: (trigger) => trigger.get('overlap') ?? DEFAULT_OVERLAP },
  {
    key: 'time_zone',
    otherwise: DEFAULT_TIME_ZONE,
    of: (trigger) => (trigger.has('cron') ? (trigger.get('time_zone') ?? DEFAULT_TIME_ZONE) : undefined),
  },
  { key: 'jitter', otherwise: 'none', of: (trigger) => durationMs(trigger.get('jitter')) ?? 0 },
  { key: 'inputs', otherwise: 'none', of: (trigger) => canonicalJson(trigger.get('inputs') ?? {}) },
  { key: 'paused', otherwise: 'false', of: (trigger) => trigger.get('paused') ?? false },
];

function checkAgreement(triggers: readonly { readonly id: string; readonly trigger: Trigger }[]): Mistake[] {
  return SHARED.flatMap(({ key, otherwise, of }) => {
    const first = triggers.find(({ trigger }) => of(trigger) !== undefined);
    return triggers
      .filter(({ trigger }) => first !== undefined && of(trigger) !== undefined && of(trigger) !== of(first.trigger))
      .map(({ id }) => disagreement(key, otherwise, [first?.id ?? '', id]));
  });
}

function disagreement(key: string, otherwise: string, [first, second]: readonly [string, string]): Mistake {
  const message = `The triggers \`${first}\` and \`${second}\` differ in \`${key}\` (default ${otherwise}); all triggers of a graph share one.`;
  return mistake('bad_trigger', toPointer('triggers', second, key), message);
}
