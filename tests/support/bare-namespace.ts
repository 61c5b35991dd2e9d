/** A Temporal namespace of a test file's own in which nobody works: what is halted or deployed in it is nobody else's. */
import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { until } from './until';

let name: Promise<string> | undefined;

export function bareNamespace(): Promise<string> {
  name ??= create(`bare-${randomBytes(4).toString('hex')}`);
  return name;
}

export function temporalOf(namespace: string) {
  const address = process.env['TEMPORAL_ADDRESS'];
  if (address === undefined) throw new Error('TEMPORAL_ADDRESS is not set.');
  return { address, namespace, task_queue: 'nobody-listens', desk_task_queue: 'nobody-decides' };
}

async function create(namespace: string): Promise<string> {
  const connection = await Connection.connect({ address: temporalOf(namespace).address });
  const day = { seconds: 86_400 };
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day as never });
  await connection.close();
  const client = await HoldfastClient.connect(temporalOf(namespace));
  await until(
    'the namespace has its search attributes',
    async () => (await client.ensureSearchAttributes()).length === 0,
    30_000,
  );
  await until(
    'it lists',
    () =>
      client.listExecutions({ workflow_id: 'any' }).then(
        () => true,
        () => false,
      ),
    30_000,
  );
  await client.close();
  return namespace;
}
