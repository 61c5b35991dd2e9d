/** Installs a program with the system's own package manager, where that asks nobody anything. */
import { messageOf } from '../errors';
import { findProgram, run } from './programs';

const INSTALL_MS = 300_000;
const QUIET = { DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1', NONINTERACTIVE: '1' };

export interface PackageNames {
  readonly apt: string;
  readonly brew: string;
}

/** Returns the name of the package manager that did it. Throws a sentence saying why none could. */
export async function installPackage(names: PackageNames, folders: readonly string[]): Promise<string> {
  const apt = await findProgram(['apt-get'], folders);
  if (apt !== undefined) {
    await aptInstall(await asRoot(apt, folders), names.apt);
    return 'apt-get';
  }
  const brew = await findProgram(['brew'], folders);
  if (brew === undefined) throw new Error('neither apt-get nor brew on PATH');
  await run(brew, ['install', names.brew], { timeout_ms: INSTALL_MS, environment: QUIET });
  return 'brew';
}

type Command = readonly [program: string, ...args: string[]];

/** A fresh image has no package lists yet, and old ones name versions that are gone: so update and try again. */
async function aptInstall(apt: Command, name: string): Promise<void> {
  const options = { timeout_ms: INSTALL_MS, environment: QUIET };
  const [program, ...prefix] = apt;
  const install = () => run(program, [...prefix, 'install', '-y', '--no-install-recommends', name], options);
  try {
    await install();
  } catch {
    await run(program, [...prefix, 'update'], options).catch((error: unknown) => {
      throw new Error(`apt-get update: ${messageOf(error)}`);
    });
    await install();
  }
}

async function asRoot(program: string, folders: readonly string[]): Promise<Command> {
  if (process.getuid?.() === 0) return [program];
  const sudo = await findProgram(['sudo'], folders);
  if (sudo === undefined) throw new Error('apt-get needs root, and there is no sudo');
  try {
    await run(sudo, ['-n', 'true'], { timeout_ms: 10_000 });
  } catch {
    throw new Error('apt-get needs root, and sudo asks for a password');
  }
  return [sudo, '-n', 'env', ...Object.entries(QUIET).map(([key, value]) => `${key}=${value}`), program];
}
