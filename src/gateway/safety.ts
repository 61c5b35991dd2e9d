/** What the gateway will not start with: on a network, one careless setting opens trading to whoever is on it. */
import { HoldfastError } from '../errors';
import { isLoopback } from './access';

export interface SafetySettings {
  readonly host: string;
  readonly jwt_secret: string | undefined;
  readonly allowed_origins: readonly string[];
}

const SHORTEST_SECRET = 32;
/** A secret of one letter is as long as any. */
const FEWEST_CHARACTERS = 8;

/** The secret tokens are signed with. Throws `ConfigurationInvalid` that names every unsafe setting and what to do about it. */
export function safeSecret(settings: SafetySettings): string {
  const { host, jwt_secret } = settings;
  const mistakes = [...secretMistakes(jwt_secret), ...(isLoopback(host) ? [] : networkMistakes(settings))];
  if (mistakes.length === 0 && jwt_secret !== undefined) return jwt_secret;
  const message = `The gateway does not start on ${host}:\n  ${mistakes.join('\n  ')}`;
  throw new HoldfastError('ConfigurationInvalid', message, { mistakes });
}

function secretMistakes(secret: string | undefined): readonly string[] {
  if (secret === undefined) return ['HOLDFAST_JWT_SECRET: is needed; make one with `openssl rand -hex 32`'];
  if (secret.length < SHORTEST_SECRET) return [`HOLDFAST_JWT_SECRET: must have at least ${SHORTEST_SECRET} characters`];
  return [];
}

function networkMistakes({ jwt_secret, allowed_origins }: SafetySettings): readonly string[] {
  const isPoor = jwt_secret !== undefined && new Set(jwt_secret).size < FEWEST_CHARACTERS;
  return [
    ...(isPoor ? ['HOLDFAST_JWT_SECRET: is easily guessed; make one with `openssl rand -hex 32`'] : []),
    ...(allowed_origins.length === 0
      ? [
          'HOLDFAST_ALLOWED_ORIGINS: must name where people reach it, such as https://desk.example; nothing else is let in',
        ]
      : allowed_origins.flatMap(originMistakes)),
  ];
}

function originMistakes(origin: string): readonly string[] {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url?.origin !== origin) {
    return [
      `HOLDFAST_ALLOWED_ORIGINS: ${origin} is no origin; write scheme, host and port alone: https://desk.example`,
    ];
  }
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return [];
  return [
    `HOLDFAST_ALLOWED_ORIGINS: tokens for ${origin} would be sent in the clear; put TLS in front and name https://${url.host}`,
  ];
}
