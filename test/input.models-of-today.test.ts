import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadJob } from '../src/input/job/load-job.ts';
import { readModelParams } from '../src/input/request/model-params.ts';
import { findParamDoubts } from '../src/input/request/param-doubts.ts';
import { findModelEnd } from '../src/openai/model-ends.ts';
import { createWorld } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';

/** Keeps a model whose end is announced, as an example of that. */
const ENDS_ANNOUNCED: ReadonlySet<string> = new Set(['review-sentiment']);

test('every example uses a current model, with parameters it accepts and room to reason', async (t) => {
  const world = createWorld({});
  t.after(() => world.dispose());
  await world.run(['init', 'begun']);
  const readme = /```yaml\n(name: sentiment\n[\s\S]*?)```/.exec(readFileSync(join(projectRoot, 'README.md'), 'utf8'))?.[1];
  writeFileSync(join(world.folder, 'readme.yaml'), readme ?? '');
  const jobs = readdirSync(join(projectRoot, 'jobs')).map((file) => join(projectRoot, 'jobs', file));
  const files = [...jobs, join(world.folder, 'begun.yaml'), join(world.folder, 'readme.yaml')];
  for (const file of files) {
    const { job } = await loadJob(file, { cwd: projectRoot });
    assert.equal(findModelEnd(job.model) !== null, ENDS_ANNOUNCED.has(job.name), `${file}: ${job.model} ends`);
    assert.deepEqual(findParamDoubts(job), [], file);
    if (job.endpoint !== '/v1/embeddings')
      assert.notEqual(readModelParams(job.model), null, `${file}: what ${job.model} takes is not known`);
  }
});
