import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { loadConfig } from '../../src/config/config';
import { lineProgress, silentProgress } from '../../src/local-stack/progress';
import { obtainRedis } from '../../src/local-stack/redis-server';
import { startStack } from '../../src/local-stack/stack';
import { obtainTemporalCli } from '../../src/local-stack/temporal-cli';
import { findProgram } from '../../src/local-stack/programs';
import { startOwnPglite } from '../support/own-postgresql';
import { StackHome } from '../support/stack-home';

/** Nobody listens there, and fetch does not refuse it by itself as it does the well-known ports. */
const UNREACHABLE = 'http://127.0.0.1:60999/archive';

async function program(folder: string, name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Says it is Temporal, as every program must that is taken for it. */
const TEMPORAL = 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"';

describe('obtaining Temporal', () => {
  let home: StackHome;
  let bin: string;
  let config: (environment?: Record<string, string>) => ReturnType<typeof loadConfig>['local_stack'];
  let server: Server | undefined;

  beforeEach(async () => {
    home = await StackHome.make();
    bin = join(home.path, 'bin');
    await mkdir(bin);
    config = (environment = {}) =>
      home.config({
        PATH: bin,
        XDG_CACHE_HOME: join(home.path, 'cache'),
        HOLDFAST_TEMPORAL_DOWNLOAD_URL: UNREACHABLE,
        ...environment,
      }).local_stack;
  });
  afterEach(async () => {
    server?.close();
    server = undefined;
    await home.dispose();
  });

  const serve = async (answer: (path: string) => string | undefined): Promise<string> => {
    server = createServer((request, response) => {
      const archive = answer(request.url ?? '');
      if (archive === undefined) response.writeHead(404).end();
      else createReadStream(archive).pipe(response);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive`;
  };

  it('takes the program named in the environment and no other', async () => {
    await program(bin, 'temporal', TEMPORAL);
    const named = await program(home.path, 'mine', TEMPORAL);
    const found = await obtainTemporalCli(config({ HOLDFAST_TEMPORAL_CLI: named }), silentProgress);
    expect(found).toEqual({ path: named, source: 'HOLDFAST_TEMPORAL_CLI', version: expect.stringContaining('1.5.1') });
    const missing = config({ HOLDFAST_TEMPORAL_CLI: join(home.path, 'gone') });
    await expect(obtainTemporalCli(missing, silentProgress)).rejects.toMatchObject({ code: 'TemporalUnavailable' });
  });

  it('prefers PATH to the cache, and passes over a program that is not Temporal', async () => {
    const cached = join(home.path, 'cache/holdfast/temporal-cli-1.5.1');
    await mkdir(cached, { recursive: true });
    await program(cached, 'temporal', TEMPORAL);
    await program(bin, 'temporal', 'echo "temporal, a calendar"');
    expect((await obtainTemporalCli(config(), silentProgress)).source).toBe('cache');
    await program(bin, 'temporal', TEMPORAL);
    expect((await obtainTemporalCli(config(), silentProgress)).source).toBe('temporal on PATH');
  });

  it('downloads a release once and leaves nothing but the program in the cache', async () => {
    const archive = join(home.path, 'archive.tar.gz');
    await program(home.path, 'temporal', TEMPORAL);
    execFileSync('tar', ['-czf', archive, '-C', home.path, 'temporal']);
    const asked: string[] = [];
    const url = await serve((path) => {
      asked.push(path);
      return archive;
    });
    const tar = (await findProgram(['tar'], loadConfig().local_stack.search_path)) ?? '';
    await symlink(tar, join(bin, 'tar'));
    const settings = config({ HOLDFAST_TEMPORAL_DOWNLOAD_URL: url });
    expect((await obtainTemporalCli(settings, silentProgress)).source).toBe('download');
    expect((await obtainTemporalCli(settings, silentProgress)).source).toBe('cache');
    expect(asked).toEqual([expect.stringMatching(/^\/archive\/v1\.5\.1\?platform=\w+&arch=\w+$/)]);
    expect(await readdir(join(home.path, 'cache/holdfast/temporal-cli-1.5.1'))).toEqual(['temporal']);
  });

  it('builds with Go when there is nothing to download, and says what it does', async () => {
    await program(
      bin,
      'go',
      `[ "$1" = install ] && printf '#!/bin/sh\\n${TEMPORAL}\\n' > "$GOBIN/temporal" && /bin/chmod 755 "$GOBIN/temporal"`,
    );
    const lines: string[] = [];
    const found = await obtainTemporalCli(
      config({ HOLDFAST_TEMPORAL_DOWNLOAD_URL: await serve(() => undefined) }),
      lineProgress((line) => lines.push(line)),
    );
    expect(found.source).toBe('go install');
    expect(lines).toEqual([
      expect.stringMatching(/^✗ Temporal downloaded/),
      expect.stringMatching(/^✓ Temporal built with go install .* \d+\.\d s$/),
    ]);
  });

  it('names every way that failed when there is none, and leaves nothing running', async () => {
    const { child, output } = home.supervisor({
      PATH: bin,
      XDG_CACHE_HOME: join(home.path, 'cache'),
      HOLDFAST_TEMPORAL_DOWNLOAD_URL: UNREACHABLE,
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(3);
    for (const way of ['TEMPORAL_ADDRESS', 'HOLDFAST_TEMPORAL_CLI', 'PATH', 'cache', 'download', 'go install']) {
      expect(output()).toContain(way);
    }
    expect(await home.hasRecord()).toBe(false);
  });

  it('says so when a named server does not answer', async () => {
    const temporal = startStack({ config: home.config({ TEMPORAL_ADDRESS: '127.0.0.1:9' }), ui: false });
    await expect(temporal).rejects.toMatchObject({
      code: 'TemporalUnavailable',
      message: expect.stringContaining(':9'),
    });
    const redis = startStack({ config: home.config({ REDIS_URL: 'redis://127.0.0.1:9' }), ui: false });
    await expect(redis).rejects.toMatchObject({ code: 'RedisUnavailable' });
    const url = 'postgresql://postgres:s3cr3t@127.0.0.1:9/postgres';
    const postgresql = startStack({ config: home.config({ DATABASE_URL: url }), ui: false });
    await expect(postgresql).rejects.toMatchObject({ code: 'JournalUnavailable' });
    expect(await home.hasRecord()).toBe(false);
  });

  it('begins a database also where none can be kept for the next one', async () => {
    const file = join(home.path, 'a-file');
    await writeFile(file, '');
    const postgresql = await startOwnPglite(join(file, 'holdfast'));
    expect(await postgresql.sql('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await postgresql.stop();
  });

  describe('and Redis', () => {
    it('takes valkey-server where there is no redis-server', async () => {
      const path = await program(bin, 'valkey-server', 'exit 0');
      expect(await obtainRedis(config(), silentProgress)).toMatchObject({ kind: 'program', path });
    });

    it('installs it with the package manager, after an update when its lists are old', async () => {
      const path = join(bin, 'redis-server');
      await program(
        bin,
        'sudo',
        'while [ "$1" != "${1#-}" ] || [ "$1" = env ] || [ "$1" != "${1#*=}" ]; do shift; done; exec "$@"',
      );
      await program(bin, 'true', '');
      await program(
        bin,
        'apt-get',
        `case "$*" in *update*) : > "${bin}/updated";; *install*) [ -e "${bin}/updated" ] || exit 100; printf '#!/bin/sh\\n' > "${path}"; /bin/chmod 755 "${path}";; esac`,
      );
      expect(await obtainRedis(config(), silentProgress)).toEqual({ kind: 'program', path, source: 'apt-get' });
    });

    it('takes Docker only when its engine answers, and else names every way that failed', async () => {
      await program(bin, 'docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
      await expect(obtainRedis(config(), silentProgress)).rejects.toMatchObject({
        code: 'RedisUnavailable',
        message: expect.stringMatching(/REDIS_URL[^]*PATH[^]*package manager[^]*Docker .*Cannot connect/),
      });
      const docker = await program(bin, 'docker', 'echo 27.0');
      expect(await obtainRedis(config(), silentProgress)).toMatchObject({ kind: 'docker', path: docker });
    });
  });
});
