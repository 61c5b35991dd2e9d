/** `npm test`: sets up what the tests need, verifies, runs every test with coverage, and ends with `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkCoverage } from './coverage.mjs';
import { binOf, print, quietly, readIfThere, root, step } from './steps.mjs';
import { obtainBrowser, obtainPython, obtainServers } from './tools.mjs';

const require = createRequire(import.meta.url);
const resultFile = join(root, 'coverage/jest-result.json');

/** With arguments for Jest only the tests they name run: no verify, no coverage gate. */
export async function test(args) {
  const whole = args.length === 0;
  const problems = [];
  const attempt = (name, work) => work().catch((error) => problems.push({ name, error }));
  await attempt('set-up', () => setUp(whole || args.some((each) => /integration|python/.test(each))));
  if (problems.length === 0) {
    if (whole) await attempt('verify', () => step('verified', () => quietly(process.execPath, ['scripts/verify.mjs'])));
    await runJest(whole ? ['--coverage'] : args);
    if (whole) await attempt('coverage', () => step('coverage', () => checkCoverage()));
  }
  problems.forEach(print);
  const { passed, failed } = jestResult();
  if (passed + failed === 0) console.error('\nNo test ran.');
  console.log(`\n${passed} passed, ${failed + problems.length} failed`);
  process.exitCode = failed + problems.length === 0 && passed > 0 ? 0 : 1;
}

async function setUp(withPython) {
  await obtainServers(require);
  const browser = await obtainBrowser(require);
  if (browser !== undefined) process.env.HOLDFAST_TEST_BROWSER = browser;
  const python = withPython ? await obtainPython() : undefined;
  if (python !== undefined) process.env.HOLDFAST_TEST_PYTHON = python;
}

/**
 * Two workers also where Jest would choose one and run every suite in its own process: what one suite leaves open would then be
 * everyone's, and keep Jest from ending.
 */
const JEST = ['--json', '--outputFile', resultFile, '--maxWorkers', '2', '--forceExit'];

/** Its own exit code is not needed: the result file says all, and a missing one counts as no test. */
function runJest(args) {
  mkdirSync(dirname(resultFile), { recursive: true });
  rmSync(resultFile, { force: true });
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [binOf('jest'), ...JEST, ...args], {
      cwd: root,
      // With --json Jest writes its report to stderr and the result, which the file holds too, to stdout.
      stdio: ['inherit', 'ignore', 'inherit'],
    });
    child.once('close', resolve);
  });
}

/** A suite that could not even run has no failed test of its own, but it failed. */
function jestResult() {
  const text = readIfThere(resultFile);
  if (text === undefined) return { passed: 0, failed: 0 };
  const result = JSON.parse(text);
  return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
}
