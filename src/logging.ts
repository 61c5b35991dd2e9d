import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** One JSON line per entry on stdout; `pretty` is for people at a terminal. Secrets never reach a line. */
export function createLogger(name: string, options: { level: string; pretty: boolean }): Logger {
  return pino({
    name,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: [
      'token',
      '*.token',
      'authorization',
      '*.authorization',
      'jwt_secret',
      '*.jwt_secret',
      'closing_key',
      '*.closing_key',
    ],
    ...(options.pretty ? { transport: { target: 'pino-pretty', options: { singleLine: true } } } : {}),
  });
}
