import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { defineCommands } from '../src/cli/define-commands.ts';
import { makeProgram } from '../src/cli/program.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { collect, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';

const folder = join(projectRoot, 'docs', 'recipes', 'nightly');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Why a program cannot check anything here; null when it can. */
function whyMissing(program: string): string | null {
  return spawnSync(program, ['--version']).error === undefined ? null : `${program} is not installed here`;
}

/** Where `rowmill` is the program of this tree. */
function makeNight(t: TestContext): World & { night(env: Readonly<Record<string, string>>): ReturnType<typeof collect> } {
  const world = createWorld({ 'rowmill.env': 'OPENAI_API_KEY=sk-night\n' });
  t.after(() => world.dispose());
  mkdirSync(join(world.folder, 'jobs'));
  writeFileSync(join(world.folder, 'jobs', 'reviews.csv'), REVIEWS);
  writeFileSync(join(world.folder, 'jobs', 'tickets.yaml'), REVIEW_JOB);
  copyFileSync(join(folder, 'nightly.sh'), join(world.folder, 'nightly.sh'));
  const bin = join(world.folder, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  const command = join(bin, 'rowmill');
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  chmodSync(command, 0o755);
  return {
    ...world,
    night: (env) =>
      collect(
        spawn('/bin/sh', [join(world.folder, 'nightly.sh'), 'jobs/tickets.yaml'], {
          cwd: '/',
          env: { ...env, PATH: process.env.PATH, HOME: world.folder },
        }),
      ),
  };
}

describe('nightly.sh', () => {
  it('is silent about a good night, cleans up after it, and prints everything about a bad one', async (t) => {
    const simulator = await startSimulator({ answers: 'plain', batchSeconds: 0 });
    t.after(() => simulator.close());
    const { night, folder: home } = makeNight(t);
    const good = await night({ ROWMILL_BASE_URL: simulator.url, ROWMILL_POLL_MAX: '100ms' });
    assert.deepEqual([good.exitCode, good.stdout, good.stderr], [0, '', '']);
    assert.ok(readdirSync(join(home, 'jobs')).includes('out.csv'));
    assert.equal(simulator.requests()['DELETE /v1/files/:id'], 2);
    const again = await night({ ROWMILL_BASE_URL: simulator.url });
    assert.deepEqual([again.exitCode, again.stderr, simulator.requests()['POST /v1/batches']], [0, '', 1]);
    writeFileSync(join(home, 'jobs', 'reviews.csv'), 'nothing\n');
    const bad = await night({ ROWMILL_BASE_URL: simulator.url });
    assert.equal(bad.exitCode, 2);
    assert.match(bad.stderr, /^rowmill: jobs\/tickets\.yaml ended with exit 2\n[\s\S]*Nothing was sent/);
  });

  it('says where it looked if the command is missing', async (t) => {
    if (whyMissing('rowmill') === null) return t.skip('it is installed here for everyone');
    const { night, folder: home } = makeNight(t);
    rmSync(join(home, 'node_modules'), { recursive: true });
    const { exitCode, stdout, stderr } = await night({});
    assert.deepEqual([exitCode, stdout], [127, '']);
    assert.match(stderr, /^rowmill is not installed in any folder of PATH: .*node_modules\/\.bin:/);
  });

  it('is a valid sh script', (t) => {
    assert.equal(spawnSync('/bin/sh', ['-n', join(folder, 'nightly.sh')]).status, 0);
    const why = whyMissing('shellcheck');
    if (why !== null) return t.skip(why);
    const { status, stdout } = spawnSync('shellcheck', [join(folder, 'nightly.sh')], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
});

it('the units are taken by systemd', (t) => {
  const why = whyMissing('systemd-analyze');
  if (why !== null) return t.skip(why);
  const world = createWorld({});
  t.after(() => world.dispose());
  writeFileSync(join(world.folder, 'rowmill@.service'), read('rowmill@.service').replace('User=rowmill', 'User=root'));
  writeFileSync(join(world.folder, 'rowmill@.timer'), read('rowmill@.timer'));
  const { status, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', join(world.folder, 'rowmill@.timer'), join(world.folder, 'rowmill@.service')],
    {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${world.folder}:` },
    },
  );
  assert.deepEqual([status, stderr.split('\n').filter((line) => line.includes('rowmill'))], [0, []], stderr);
});

interface Step {
  readonly uses?: string;
  readonly if?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

it('the workflow keeps its state in an artifact, runs alone, and collects whatever became of the sending', () => {
  const text = read('github-actions.yml');
  const workflow = parse(text) as {
    readonly concurrency: unknown;
    readonly jobs: Readonly<Record<'send' | 'collect', { readonly needs?: string; readonly if?: string; readonly steps: readonly Step[] }>>;
  };
  assert.deepEqual(workflow.concurrency, { group: 'rowmill-nightly', 'cancel-in-progress': false });
  const { send, collect: collecting } = workflow.jobs;
  assert.deepEqual([collecting.needs, collecting.if, collecting.steps], ['send', 'always()', send.steps]);
  assert.doesNotMatch(text, /actions\/cache/);
  const uses = send.steps.flatMap((step) => step.uses ?? []);
  assert.ok(uses.every((name) => /^actions\/[a-z-]+@v\d+$/.test(name)));
  const kept = send.steps.find((step) => step.with?.name === 'rowmill-state');
  assert.equal(kept?.if, 'always()');
  assert.deepEqual([kept?.with?.['include-hidden-files'], kept?.with?.overwrite], [true, true]);
  assert.doesNotMatch(text, /sk-/);
  for (const { run } of send.steps) if (run !== undefined) assert.equal(spawnSync('/bin/bash', ['-n', '-c', run]).status, 0, run);
});

it('the CronJob runs alone, and its state outlives its pods', () => {
  const [claim, cron] = parseAllDocuments(read('kubernetes-cronjob.yaml')).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
  assert.deepEqual(
    [claim.kind, cron.apiVersion, cron.kind, cron.spec.concurrencyPolicy],
    ['PersistentVolumeClaim', 'batch/v1', 'CronJob', 'Forbid'],
  );
  const pod = cron.spec.jobTemplate.spec.template.spec;
  assert.deepEqual(pod.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: claim.metadata.name } }]);
  const [container] = pod.containers;
  assert.deepEqual(container.volumeMounts, [{ name: 'data', mountPath: '/data' }]);
  const variables = Object.fromEntries(container.env.map((one: { name: string; value?: string }) => [one.name, one.value]));
  assert.deepEqual(variables, { ROWMILL_STATE_DIR: '/data/state', OPENAI_API_KEY: undefined });
  assert.ok(pod.terminationGracePeriodSeconds > 30);
  assert.equal(pod.restartPolicy, 'Never');
  assert.equal(spawnSync('/bin/sh', ['-n', '-c', container.args[0]]).status, 0);
});

it('the DAG is Python', (t) => {
  const why = whyMissing('python3');
  if (why !== null) return t.skip(why);
  const { status, stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
    input: read('airflow_dag.py'),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

it('every command of the recipes exists, with its options', () => {
  const commands = new Map(defineCommands(makeProgram()).commands.map((command) => [command.name(), command]));
  let checked = 0;
  for (const name of readdirSync(folder)) {
    for (const [, command = '', rest = ''] of read(name).matchAll(/\browmill (run|clean)([^\n|>&"]*)/g)) {
      const known = commands.get(command);
      assert.ok(known !== undefined, `${name}: rowmill ${command}`);
      for (const [option] of rest.matchAll(/--[a-z-]+/g))
        assert.ok(
          known.options.some(({ long }) => long === option),
          `${name}: ${command} ${option}`,
        );
      checked += 1;
    }
  }
  assert.ok(checked >= 9, `${checked} commands`);
});
