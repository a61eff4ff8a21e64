import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createWorld, type World } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { wideTest } from './helpers/wide.ts';

describe('completion', () => {
  let world: World;
  before(() => {
    world = createWorld({ 'job.yaml': '', 'table.csv': '', 'notes.txt': '' });
    mkdirSync(join(world.folder, 'jobs'));
    writeFileSync(join(world.folder, 'jobs', 'one.yaml'), '');
    writeFileSync(join(world.folder, 'jobs', 'two.yml'), '');
  });
  after(() => world.dispose());

  for (const [typed, offered] of [
    [['ver'], ['verify']],
    [
      ['run', ''],
      ['job.yaml', 'jobs/', 'table.csv'],
    ],
    [
      ['run', 'jobs'],
      ['jobs/', 'jobs/one.yaml', 'jobs/two.yml'],
    ],
    [
      ['run', 'job.yaml', '--input', ''],
      ['job.yaml', 'jobs/', 'notes.txt', 'table.csv'],
    ],
    [
      ['run', 'job.yaml', '--mode', ''],
      ['batch', 'live', 'flex', 'auto'],
    ],
    [['run', 'job.yaml', '--state-dir', ''], ['jobs/', 'jobs/one.yaml', 'jobs/two.yml'].slice(0, 1)],
    [
      ['run', '--max'],
      ['--max-usd', '--max-live-usd'],
    ],
    [['run', '--lo'], []],
    [
      ['run', './j'],
      ['./job.yaml', './jobs/'],
    ],
    [['init', 't'], ['table.csv']],
    [
      ['diff', 'job.yaml', ''],
      ['last', 'prev'],
    ],
    [
      ['report', 'job.yaml', '--run', ''],
      ['last', 'prev'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['comple'], ['completion']],
  ] as const)
    it(`offers for "rowmill ${typed.join(' ')}": ${offered.join(' ') || 'nothing'}`, async () => {
      const { stdout, exitCode } = await world.run(['complete', '--', ...typed]);
      const lines = stdout.trim().split('\n');
      assert.equal(lines.pop(), ':4');
      assert.deepEqual([exitCode, lines.map((line) => line.split('\t')[0]).filter((word) => word !== '')], [0, offered]);
    });

  it('refuses a shell without a script', async () => {
    const { exitCode, stderr } = await world.run(['completion', 'tcsh']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /bash, zsh, fish/);
  });

  wideTest('completes in bash, also without the package bash-completion, and may be sourced twice', async (t) => {
    if (spawnSync('bash', ['--version']).status !== 0) return t.skip('there is no bash here');
    const script = (await world.run(['completion', 'bash'])).stdout;
    writeFileSync(join(world.folder, 'completion.sh'), script);
    const lines = [
      `rowmill() { "${process.execPath}" "${PROGRAM}" "$@"; }`,
      'source completion.sh; source completion.sh',
      'COMP_WORDS=(rowmill run jo) COMP_CWORD=2',
      // Outside of a real completion bash has nothing to set options of.
      'compopt() { :; }',
      '__rowmill_complete; echo "$' + '{COMPREPLY[@]}"; complete -p rowmill',
      "COMP_WORDS=(rowmill run 'my\\ t') COMP_CWORD=2",
      '__rowmill_complete; echo "$' + '{COMPREPLY[@]}"',
      "COMP_WORDS=(rowmill run '$(touch typed)' '') COMP_CWORD=3",
      "__rowmill_complete; COMP_WORDS=(rowmill run '') COMP_CWORD=2; __rowmill_complete; ls typed named 2>/dev/null",
    ];
    writeFileSync(join(world.folder, 'my table.csv'), '');
    writeFileSync(join(world.folder, '$(touch named).csv'), '');
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', lines.join('\n')], { cwd: world.folder, encoding: 'utf8' });
    assert.deepEqual([stdout, stderr], ['job.yaml jobs/\ncomplete -F __rowmill_complete rowmill\nmy\\ table.csv\n', '']);
  });

  it('has scripts for zsh and fish', async () => {
    assert.match((await world.run(['completion', 'zsh'])).stdout, /^#compdef rowmill/m);
    assert.match((await world.run(['completion', 'fish'])).stdout, /^complete -c rowmill/m);
  });
});
