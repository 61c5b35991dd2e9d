#!/usr/bin/env node
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { runCommandLine } from './program';

function actor(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // A user id without an entry in the system's table, as in many containers.
    return 'cli';
  }
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  return '';
}

/** A reader such as `head` that has seen enough is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

void runCommandLine(process.argv.slice(2), {
  out: (line) => process.stdout.write(line),
  err: (line) => process.stderr.write(line),
  input: () => text(process.stdin),
  ask,
  color: process.stdout.isTTY && process.stdout.hasColors(),
  actor: actor(),
  onInterrupt: (handler) => {
    process.on('SIGINT', handler);
    return () => process.off('SIGINT', handler);
  },
}).then((code) => {
  // A connection attempt that was given up must not keep the process alive.
  process.stdout.write('', () => process.exit(code));
});
