import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config/config';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { until } from '../support/until';

const NAME = 'holdfast-test';
const settings = { HOLDFAST_DEPLOYMENT_NAME: NAME, HOLDFAST_BUILD_ID: 'build-1' };
let own: OwnNamespace;
let connection: Connection;
let namespace: string;

beforeAll(async () => {
  own = await ownNamespace('deployments', undefined, settings);
  namespace = String(own.environment['TEMPORAL_NAMESPACE']);
  connection = await Connection.connect({ address: String(own.environment['TEMPORAL_ADDRESS']) });
});
afterAll(async () => {
  await connection.close();
  await own.dispose();
});

function versionsOf() {
  return connection.workflowService
    .describeWorkerDeployment({ namespace, deploymentName: NAME })
    .then(({ workerDeploymentInfo }) => workerDeploymentInfo?.versionSummaries ?? [])
    .catch(() => []);
}

describe('a worker with a deployment name and a build id', () => {
  it('gets no work, not even the desk, until its build is made current; the desk is then one that moves with each', async () => {
    await until('the version is registered', async () => (await versionsOf()).length === 1, 20_000);
    await expect(own.client.deskStatus()).rejects.toEqual(expect.objectContaining({ code: 'EmergencyUnreachable' }));
    await until(
      'the build is current',
      () =>
        connection.workflowService
          .setWorkerDeploymentCurrentVersion({ namespace, deploymentName: NAME, buildId: 'build-1' })
          .then(
            () => true,
            () => false,
          ),
      20_000,
    );
    await until('the desk', () => own.client.deskStatus().catch(() => undefined), 30_000);
    const desk = await new Client({ connection, namespace }).workflow.getHandle('desk/default').describe();
    expect(desk.raw.workflowExecutionInfo?.versioningInfo).toMatchObject({
      behavior: 2,
      deploymentVersion: { deploymentName: NAME, buildId: 'build-1' },
    });
  });
});

describe('the configuration of a deployment', () => {
  it('is a name and a build id together, or none', () => {
    expect(loadConfig({}).worker.deployment).toBeUndefined();
    expect(loadConfig(settings).worker.deployment).toEqual({ name: NAME, build_id: 'build-1' });
    for (const [key, value] of Object.entries(settings)) {
      expect(() => loadConfig({ [key]: value })).toThrow(/HOLDFAST_BUILD_ID: is of use only together/);
    }
    expect(() => loadConfig({ ...settings, HOLDFAST_BUILD_ID: 'v1.2' })).toThrow(/HOLDFAST_BUILD_ID: must be letters/);
  });
});
