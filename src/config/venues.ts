/**
 * Venue profiles. `HOLDFAST_VENUES` is a JSON object of profiles by name, or the path of a file that holds one; what it names is added to
 * the shipped profiles or stands in for them. Credentials come by variables of their own, one profile each, and nothing here repeats a value.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { durationMs } from '../graph/duration';
import { present } from '../json';
import { Secret } from '../secret';
import { addressProblem, type VenueCredentials, type VenueProfile } from '../venues/profile';

export interface VenueConfig {
  readonly profiles: readonly VenueProfile[];
  /** Whether live profiles may be opened at all. */
  readonly allow_live: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PROFILE_NAME = /^[a-z][a-z0-9_]{0,39}$/;
const SHIPPED = ['recorded_dash', 'paper_binance', 'paper_bybit'];
/** The recorded markets are quoted in both, and are compared with one another. */
const PAPER_AT_PAR = { BUSD: 'USDT' };
/** Key and secret where none are given: a paper venue has nothing to guard. */
const PAPER_WORD = 'paper';
const WORDS = ['KEY', 'SECRET', 'PASSWORD'] as const;

/** So that the heaviest read gets its turn within what a read waits. */
const LEAST_WEIGHT = 600;
const MOST_WEIGHT = 1_000_000;
const SHORTEST_LOOK_MS = 1_000;
const LONGEST_LOOK_MS = 3_600_000;

const currency = z.string().regex(/^[A-Z0-9]{1,20}$/, 'must be a currency in capitals, such as USDT');
const givenSchema = z.strictObject({
  adapter: z.enum(['recorded', 'binance']),
  mode: z.enum(['paper', 'live']).default('paper'),
  base_url: z
    .string()
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  account: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be letters, digits, _, . and -')
    .default('main'),
  counts_as: z.record(currency, currency).optional(),
  read_weight_per_minute: z.int().min(LEAST_WEIGHT).max(MOST_WEIGHT).optional(),
  look_every: z
    .union([z.number(), z.string()])
    .transform((text) => durationMs(text) ?? 0)
    .refine((ms) => ms >= SHORTEST_LOOK_MS && ms <= LONGEST_LOOK_MS, 'must be a duration of 1s to 1h, such as 5m')
    .optional(),
});
const givenProfilesSchema = z.record(
  z.string().regex(PROFILE_NAME, 'must be a name of small letters, digits and _'),
  givenSchema,
);
type Given = z.infer<typeof givenSchema>;

/** The profiles, and everything wrong with them as `NAME: what`. Of what is wrong the profiles are not to be used. */
export function readVenues(env: Environment): {
  readonly profiles: readonly VenueProfile[];
  readonly mistakes: readonly string[];
} {
  const mistakes: string[] = [];
  const paper_url = env['HOLDFAST_PAPER_VENUE_URL']?.replace(/\/+$/, '');
  const given = { ...shipped(paper_url), ...givenProfiles(env['HOLDFAST_VENUES'], mistakes) };
  const profiles = Object.entries(given).map(([name, profile]) =>
    profileOf(name, profile, { env, paper_url, mistakes }),
  );
  mistakes.push(...strays(env, Object.keys(given)));
  return { profiles, mistakes };
}

function shipped(paper_url: string | undefined): Record<string, Given> {
  const adapter = paper_url === undefined ? 'recorded' : 'binance';
  return Object.fromEntries(SHIPPED.map((name) => [name, { adapter, mode: 'paper', account: 'main' }]));
}

function givenProfiles(text: string | undefined, mistakes: string[]): Record<string, Given> {
  if (text === undefined) return {};
  const json = parsed(text.trimStart().startsWith('{') ? text : contentOf(text));
  if (json === undefined) {
    mistakes.push('HOLDFAST_VENUES: is neither a JSON object nor the path of a readable file that holds one');
    return {};
  }
  const result = givenProfilesSchema.safeParse(json);
  if (result.success) return result.data;
  mistakes.push(
    ...result.error.issues.map(({ path, message }) => `${['HOLDFAST_VENUES', ...path].join('.')}: ${message}`),
  );
  return {};
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Reading {
  readonly env: Environment;
  readonly paper_url: string | undefined;
  readonly mistakes: string[];
}

function profileOf(name: string, given: Given, { env, paper_url, mistakes }: Reading): VenueProfile {
  const { adapter, mode, account, read_weight_per_minute, look_every: look_every_ms } = given;
  const isPaper = mode === 'paper' && adapter !== 'recorded';
  const fromPaperVenue = isPaper && paper_url !== undefined ? `${paper_url}/${name}` : undefined;
  const profile = {
    ...{ name, adapter, mode, account },
    counts_as: given.counts_as ?? (mode === 'paper' ? PAPER_AT_PAR : {}),
    ...present({
      base_url: given.base_url ?? fromPaperVenue,
      credentials: credentialsOf(name, env, mistakes, isPaper),
      read_weight_per_minute,
      look_every_ms,
    }),
  };
  const problem = addressProblem(profile);
  if (problem !== undefined) mistakes.push(`HOLDFAST_VENUES.${name}: ${problem}`);
  return profile;
}

function credentialsOf(
  name: string,
  env: Environment,
  mistakes: string[],
  isPaper: boolean,
): VenueCredentials | undefined {
  const [key, secret, password] = WORDS.map((word) => env[variableOf(name, word)]);
  if (key !== undefined && secret !== undefined) {
    const third = password === undefined ? {} : { password: new Secret(password) };
    return { key: new Secret(key), secret: new Secret(secret), ...third };
  }
  if (key !== undefined || secret !== undefined || password !== undefined) {
    mistakes.push(`${variableOf(name, 'KEY')}: is of use only together with ${variableOf(name, 'SECRET')}`);
  }
  return isPaper ? { key: new Secret(PAPER_WORD), secret: new Secret(PAPER_WORD) } : undefined;
}

function variableOf(profile: string, word: (typeof WORDS)[number]): string {
  return `HOLDFAST_VENUE_${profile.toUpperCase()}_${word}`;
}

/** A misspelt profile would be opened without its credentials, and nobody would know why. */
function strays(env: Environment, profiles: readonly string[]): string[] {
  const known = new Set(profiles.flatMap((profile) => WORDS.map((word) => variableOf(profile, word))));
  return Object.keys(env)
    .filter((name) => /^HOLDFAST_VENUE_\w+_(KEY|SECRET|PASSWORD)$/.test(name) && !known.has(name))
    .map((name) => `${name}: there is no such venue profile`);
}
