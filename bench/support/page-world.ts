/** The released gateway and worker, and a real Chromium with the dashboard as it is built, on the servers of this run. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { loadConfig } from '../../src/config/config';
import type { ExecutionContext } from '../../src/events/build';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { browserPath, launchBrowser } from '../../tests/support/browser';
import { readyDesk } from '../../tests/support/ready-desk';
import { openHoldfast, type GatewayPath } from './event-paths';
import type { Nodes } from './graphs';
import { prepare } from './prepare';
import { SoakWorker } from './soak-worker';

export const SIZE = { width: 1_280, height: 720 };
const PATIENCE_MS = 120_000;

export class PageWorld {
  readonly gateway: GatewayPath;
  readonly client: HoldfastClient;
  readonly browser: Browser;
  /** What closings are signed with here. */
  readonly closing_key: string;
  readonly worker: SoakWorker;

  private constructor(parts: Pick<PageWorld, 'gateway' | 'client' | 'browser' | 'closing_key' | 'worker'>) {
    this.gateway = parts.gateway;
    this.client = parts.client;
    this.browser = parts.browser;
    this.closing_key = parts.closing_key;
    this.worker = parts.worker;
  }

  static async open(): Promise<PageWorld> {
    const path = browserPath();
    if (path === undefined) throw new Error('There is no Chromium on PATH.');
    const closing_key = randomBytes(32).toString('hex');
    const environment = { HOLDFAST_CLOSING_KEY: closing_key };
    const worker = await SoakWorker.start(environment);
    const client = await HoldfastClient.connect(loadConfig().temporal);
    await readyDesk(client);
    const gateway = await openHoldfast(environment);
    return new PageWorld({ gateway, client, closing_key, worker, browser: await launchBrowser(path) });
  }

  /** A page of the dashboard that is live. Its context is its own, so that nothing is left of another. */
  async openPage(path: string): Promise<Page> {
    const page = await this.browser.newPage({ viewport: SIZE });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${this.gateway.url}${path}#token=${await this.gateway.token('admin')}`);
    await page.locator('#feed[data-state="live"]').waitFor();
    return page;
  }

  /** An execution nobody works on: it stands in Temporal, and what happens to it is told by whoever likes. */
  async startUnworked(nodes: Nodes): Promise<ExecutionContext> {
    const nobody = { task_queue: 'nobody-listens', desk_task_queue: 'nobody-decides' };
    const client = await HoldfastClient.connect({ ...loadConfig().temporal, ...nobody });
    try {
      const { execution_id } = await client.startExecution(prepare(nodes, { id: `page_${randomUUID().slice(0, 8)}` }));
      return { execution_id, workflow_id: 'page', mode: 'paper' };
    } finally {
      await client.close();
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.gateway.close();
    await this.worker.stop();
    await this.client.close();
  }
}

/** Polled, for what no browser tells by itself. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, ms = PATIENCE_MS) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(10);
  }
}
