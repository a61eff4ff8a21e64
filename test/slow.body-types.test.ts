import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { prepareJob } from '../src/run/open/prepare.ts';
import { projectRoot } from './helpers/project-root.ts';
import { makeJobText, makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';

const CHAT = 'ChatCompletionCreateParamsNonStreaming';
const RESPONSES = 'Responses.ResponseCreateParamsNonStreaming';

/** Job files that between them use every part of a body. */
const JOBS: Readonly<Record<string, string>> = {
  'strict schema': '',
  'free text': 'output: text',
  'JSON mode': 'output:\n  json: object\n  schema: { type: object, required: [label], properties: { label: { type: string } } }',
  'system and user, sampling':
    'prompt:\n  system: "Be brief. Reply in JSON."\n  user: "{{ text }}"\nparams: { temperature: 0, top_p: 0.5, max_output_tokens: 30 }',
  'a reasoning model': 'model: gpt-5-mini\nparams: { reasoning_effort: low, max_output_tokens: 2000 }',
  'a response': 'endpoint: /v1/responses',
  'a response of a reasoning model, all parameters':
    'endpoint: /v1/responses\nmodel: gpt-5.2\nparams: { max_output_tokens: 2000, reasoning_effort: low, verbosity: low, service_tier: flex, logprobs: true, top_logprobs: 3 }',
  'a response with an image':
    'endpoint: /v1/responses\nprompt: { system: "Be brief.", user: "{{ text }}", images: ["https://example.com/{{ id }}.png"] }',
  'a response in JSON mode': 'endpoint: /v1/responses\noutput: { json: object }',
  'an embedding':
    'endpoint: /v1/embeddings\nmodel: text-embedding-3-small\nprompt: "{{ text }}"\noutput: vector\nparams: { dimensions: 8 }',
  'nested shorthand': 'output: { items: "string[]", urgent: boolean, score: "number 0..1" }',
};

/** Bodies as they would be packed, by what they are an example of, and of every re-ask. */
async function packBodies(jobFile: string, cwd: string): Promise<string[]> {
  const signal = new AbortController().signal;
  const prepared = await prepareJob({
    jobFile,
    overrides: { cwd, input: null, out: null, mode: 'batch' },
    stateRoot: null,
    target: { origin: 'simulator' },
    stdin: null,
    signal,
  });
  const bodies: string[] = [];
  for await (const rows of prepared.table.readRows(signal)) {
    for (const row of rows.slice(0, 2)) {
      const rendered = prepared.compiled.render(row);
      if (rendered.status !== 'request') continue;
      bodies.push(rendered.request.body);
      for (const cause of ['invalid', 'truncated'] as const) {
        bodies.push(prepared.compiled.renderReask(rendered.request, { n: 1, cause, answerText: '{"half', message: 'it is not JSON' }).body);
      }
    }
    break;
  }
  return bodies;
}

function typeOf(body: string): string {
  const { messages, input } = JSON.parse(body) as { readonly messages?: unknown; readonly input?: unknown };
  if (messages !== undefined) return CHAT;
  return typeof input === 'string' ? 'EmbeddingCreateParams' : RESPONSES;
}

test("every packed body satisfies the official client's own type, unknown fields refused", async (t) => {
  const world = await makeWorld(t);
  world.write('in.csv', renderCsv(makeRows(3)));
  const sources: string[] = [];
  const add = (title: string, bodies: readonly string[]) => {
    assert.ok(bodies.length > 0, title);
    for (const body of bodies) sources.push(`// ${title}\n(${body}) satisfies OpenAI.${typeOf(body)};`);
  };
  for (const [title, lines] of Object.entries(JOBS)) {
    world.write('job.yaml', makeJobText(lines));
    add(title, await packBodies(world.path('job.yaml'), world.directory));
  }
  for (const name of fs.readdirSync(path.join(projectRoot, 'jobs')).filter((file) => file.endsWith('.yaml'))) {
    add(name, await packBodies(path.join(projectRoot, 'jobs', name), projectRoot));
  }
  const folder = path.join(projectRoot, '.cache', `body-types-${process.pid}`);
  fs.mkdirSync(folder, { recursive: true });
  try {
    const check = (extra: string) => {
      fs.writeFileSync(path.join(folder, 'bodies.ts'), `import type OpenAI from 'openai';\n${sources.join('\n')}\n${extra}\n`);
      const options = [
        '--noEmit',
        '--strict',
        '--exactOptionalPropertyTypes',
        'false',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--types',
        'node',
        '--ignoreConfig',
      ];
      const compiler = path.join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
      return spawnSync(process.execPath, [compiler, ...options, 'bodies.ts'], { cwd: folder, encoding: 'utf8' });
    };
    const { status, stdout } = check('');
    assert.equal(status, 0, stdout);
    const control = check("({ model: 'x', messages: [], max_tokenz: 5 }) satisfies OpenAI.ChatCompletionCreateParamsNonStreaming;");
    assert.match(control.stdout, /max_tokenz/, 'the check can fail');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
