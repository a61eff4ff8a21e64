import { defineJob } from '../../src/index.ts';

/** A program that gives its rows from memory and, where `KILL_AFTER` says so, is killed in the middle of its run. */
async function* streamRows(): AsyncGenerator<{ readonly text: string }> {
  for (let number = 1; number <= Number(process.env.ROWS); number++) {
    await new Promise(setImmediate);
    yield { text: `row ${number}` };
  }
}

const killAfter = Number(process.env.KILL_AFTER ?? Number.POSITIVE_INFINITY);
const job = defineJob({
  name: 'killed',
  input: { rows: streamRows(), columns: ['text'] },
  model: 'gpt-4o-mini',
  mode: 'live',
  limits: { concurrency: 2 },
  prompt: (row) => row.text,
  output: 'text',
});
const run = await job.run({
  baseUrl: process.env.BASE_URL,
  onProgress: ({ attempts }) => {
    if (attempts >= killAfter) process.kill(process.pid, 'SIGKILL');
  },
});
console.log(JSON.stringify(run.summary));
