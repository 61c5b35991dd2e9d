import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/config';
import { workerEnvironment, workerFlags } from '../../src/local-stack/services';
import { DYNAMIC_CONFIG } from '../../src/local-stack/temporal-server';

const root = join(__dirname, '../..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly command?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart: string;
  readonly container_name?: string;
  readonly deploy?: { readonly replicas?: number };
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
}

const document: unknown = parse(text('docker-compose.yml'), { merge: true });
const { services, networks } = document as Compose;
const all = Object.entries(services);
const dockerfile = text('Dockerfile');

const userOf = (url: string) => /^redis:\/\/([a-z]+):x{64}@redis:6379$/.exec(url)?.[1];

describe('docker-compose.yml', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(JSON.parse(text('tests/support/compose-spec/compose-spec.json')) as object);

  it('is valid by the schema of the Compose Specification, which does refuse mistakes', () => {
    validate(document);
    expect(validate.errors).toBeNull();
    expect(validate({ services: { worker: { image: 'a:1', restrat: 'always' } } })).toBe(false);
  });

  it('runs PostgreSQL, Temporal with its UI, Redis, a journal, workers, the desk, a gateway and a paper venue', () => {
    expect(Object.keys(services)).toEqual(
      expect.arrayContaining([
        'postgresql',
        'temporal',
        'temporal-ui',
        'redis',
        'journal',
        'worker',
        'desk',
        'gateway',
        'paper-venue',
      ]),
    );
  });

  it.each(all)('pins the image of %s to a version', (_, { image }) => {
    expect(image).toMatch(/^[a-z0-9./-]+:\d+\.\d+(\.\d+)?$/);
  });

  it('runs Temporal 1.31 or newer, with tools of the same version', () => {
    const version = (name: string) => /^temporalio\/[a-z-]+:(\d+)\.(\d+)\.\d+$/.exec(services[name]!.image)!;
    const [, major, minor] = version('temporal').map(Number);
    expect(major! * 1_000 + minor!).toBeGreaterThanOrEqual(1_031);
    const tools = ['temporal-schema', 'temporal-namespace'].map((name) => services[name]!.image.split(':')[1]);
    expect(new Set(tools)).toEqual(new Set([services['temporal']!.image.split(':')[1]]));
  });

  it('publishes ports on loopback alone, and the gateway’s is 8001', () => {
    const published = all.flatMap(([, { ports = [] }]) => ports);
    expect(published.every((port) => /^127\.0\.0\.1:\d+:\d+$/.test(port))).toBe(true);
    expect(services['gateway']!.ports).toEqual(['127.0.0.1:8001:8001']);
  });

  it('keeps what is not published in a network without a way in or out', () => {
    expect(networks['backend']).toEqual({ internal: true });
    for (const [, { networks: joined, ports }] of all) {
      expect(joined).toEqual(ports === undefined ? ['backend'] : ['backend', 'edge']);
    }
  });

  it('holds no secret: each comes from the environment file, without a default', () => {
    const secrets = all.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|PWD|SECRET|_KEY$/.test(name)),
    );
    const whole = secrets.map(([, value]) => /^\$\{([A-Z_]+):\?[^}]+\}$/.exec(value)?.[1]);
    const within = [...text('docker-compose.yml').matchAll(/(?:[>:])\$\{([A-Z_]+):\?[^}]+\}/g)].map(([, name]) => name);
    const named = [...whole, ...within];
    const example = [...text('docker/env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)];
    expect(new Set(named)).toEqual(new Set(example.map(([, name]) => name)));
    expect(example.every(([, , value]) => value === '')).toBe(true);
  });

  it('restarts services that stay and retries jobs that end', () => {
    const jobs = all.filter(([, { restart }]) => restart !== 'unless-stopped');
    expect(jobs.map(([name, { restart }]) => [name, restart])).toEqual([
      ['temporal-schema', 'on-failure:5'],
      ['temporal-namespace', 'on-failure:5'],
    ]);
  });

  it('starts each service only when what it needs is healthy or done', () => {
    const health = (name: string) => services[name]!.healthcheck !== undefined;
    const edges = all.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    expect(edges.length).toBeGreaterThan(0);
    for (const [name, { condition }] of edges) {
      expect(condition).toBe(health(name) ? 'service_healthy' : 'service_completed_successfully');
    }
    // The journal is not among them: halts work without it.
    for (const name of ['worker', 'desk']) {
      expect(Object.keys(services[name]!.depends_on!)).toEqual(['temporal-namespace', 'redis']);
    }
  });

  it.each(['worker', 'desk'])('lets %s be scaled: no name and no port of its own', (name) => {
    expect(services[name]).not.toHaveProperty('container_name');
    expect(services[name]).not.toHaveProperty('ports');
  });

  it('has executions and the desk served apart, each by somebody, and the desk by two', () => {
    const serves = ['worker', 'desk'].map((name) => {
      const { HOLDFAST_WORKER_SERVES } = services[name]!.environment!;
      return [...loadConfig({ HOLDFAST_WORKER_SERVES }).worker.serves];
    });
    expect(serves).toEqual([['graphs'], ['desk']]);
    expect(services['desk']!.deploy!.replicas).toBe(2);
  });

  it('gives the desk all that the workers have, but for what they serve and where large values are', () => {
    const { HOLDFAST_BLOB_DIRECTORY: _values, ...ofWorkers } = services['worker']!.environment!;
    expect(services['desk']!.environment).toEqual({ ...ofWorkers, HOLDFAST_WORKER_SERVES: 'desk' });
    expect(services['desk']!.image).toBe(services['worker']!.image);
  });

  it('gives all workers one place for large values, which the image makes writable for its user', () => {
    const { environment, volumes } = services['worker']!;
    const directory = environment!['HOLDFAST_BLOB_DIRECTORY']!;
    expect(volumes).toEqual([`blobs:${directory}`]);
    expect(dockerfile).toContain(`install --directory --owner=node --group=node --mode=0700 ${directory}\n`);
  });

  it('gives workers, desk and gateway an environment the configuration accepts', () => {
    for (const name of ['worker', 'desk', 'gateway']) {
      const environment = Object.entries(services[name]!.environment!).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{[^}]+\}/g, 'x'.repeat(64)),
      ]);
      const config = loadConfig(Object.fromEntries(environment) as NodeJS.ProcessEnv);
      expect(config.temporal.address).toBe('temporal:7233');
      const { redis } = config;
      expect([redis.url, redis.reader_url].map(userOf)).toEqual([
        'publisher',
        name === 'gateway' ? 'reader' : 'publisher',
      ]);
      expect(new URL(config.journal.url)).toMatchObject({
        username: services['journal']!.environment!['POSTGRES_USER'],
        hostname: 'journal',
        pathname: '/holdfast',
      });
    }
  });

  it('keeps the books of the paper venue, and opens it to the workers by name, at the address they are given', () => {
    const { environment, volumes } = services['paper-venue']!;
    const { home, paper_venue } = loadConfig(environment);
    expect(paper_venue).toEqual({ host: '0.0.0.0', port: 8002, open_to_network: true });
    expect(volumes).toEqual([`paper-venue-data:${home}/paper-venue`]);
    expect(dockerfile).toContain(`install --directory --owner=node --group=node --mode=0700 ${home}/paper-venue\n`);
    expect(services['worker']!.environment!['HOLDFAST_PAPER_VENUE_URL']).toBe(`http://paper-venue:${paper_venue.port}`);
  });

  it('builds stages the Dockerfile has', () => {
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]);
    const targets = new Set(all.flatMap(([, { build }]) => (build ? [build.target] : [])));
    expect(targets).toEqual(new Set(['worker', 'paper-venue', 'gateway']));
    expect(stages).toEqual(expect.arrayContaining([...targets]));
  });

  it('mounts only files that exist', () => {
    const mounts = all.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith('./')));
    expect(mounts.map((mount) => existsSync(join(root, mount.split(':')[0]!)))).toEqual([true]);
  });
});

describe('the settings of Temporal', () => {
  it('are those of the local stack', () => {
    const settings = parse(text('docker/temporal-dynamic-config.yaml')) as Record<string, [{ value: unknown }]>;
    expect(Object.fromEntries(Object.entries(settings).map(([key, [{ value }]]) => [key, value]))).toEqual(
      DYNAMIC_CONFIG,
    );
  });
});

describe('the Dockerfile', () => {
  it('builds on a pinned Debian image of the Node version the package asks for', () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)]
      .map((match) => match[1]!)
      .filter((name) => name.includes(':'));
    expect(images).toHaveLength(1);
    const [, major, minor] = /^node:(\d+)\.(\d+)\.\d+-bookworm-slim$/.exec(images[0]!)!.map(Number);
    const [, least, leastMinor] = /^>=(\d+)\.(\d+)$/
      .exec((JSON.parse(text('package.json')) as { engines: { node: string } }).engines.node)!
      .map(Number);
    expect(major! * 1_000 + minor!).toBeGreaterThanOrEqual(least! * 1_000 + leastMinor!);
  });

  it('runs as another user than root, without development dependencies, and lets the gateway say it is ready', () => {
    const runtime = dockerfile.slice(dockerfile.indexOf('AS runtime'));
    expect(runtime).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/npm ci --omit=dev/);
    expect(runtime).not.toMatch(/COPY \. /);
    expect(runtime.slice(runtime.indexOf('AS gateway'))).toContain('HEALTHCHECK');
  });

  it('starts a worker as the local stack does', () => {
    const worker = dockerfile.slice(dockerfile.indexOf('AS worker'), dockerfile.indexOf('AS paper-venue'));
    const environment = [...worker.matchAll(/^ENV (\S+)=(\S+)$/gm)].map(([, name, value]) => [name, value]);
    expect(Object.fromEntries(environment)).toEqual(workerEnvironment);
    const command = JSON.parse(/^CMD (.+)$/m.exec(worker)![1]!) as string[];
    expect(command).toEqual(['node', ...workerFlags, 'dist/worker/main.js']);
  });

  it('sees no secret and no state: the build context is a list of what it reads', () => {
    const lines = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    expect(lines.slice(1).every((line) => /^!\.?[A-Za-z*-]+(\.json)?$/.test(line))).toBe(true);
    expect(lines).not.toContain('!.env');
  });
});
