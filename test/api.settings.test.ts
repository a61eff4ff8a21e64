import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { defineJob, type RunSettings, UsageError } from '../src/index.ts';
import { makeFolder } from './helpers/api-world.ts';

/** What a program without types gives `plan()`, and `run()`, and what is said; the last one is for run() alone. */
const WRONG: readonly (readonly [unknown, RegExp])[] = [
  [{ simulat: true }, /^simulat: unknown setting of \w+\(\)\. Did you mean "simulate"\?$/],
  [{ base_url: 'http://127.0.0.1:1/v1' }, /^base_url: unknown .* Did you mean "baseUrl"\?$/],
  [{ simulate: true, frobnicate: 1 }, /^frobnicate: unknown setting .* Known: simulate, baseUrl, /],
  [{ toString: 1 }, /^toString: unknown setting/],
  [{ simulate: 'yes' }, /^simulate: give true or false, not "yes"$/],
  [{ simulate: null }, /^simulate: give true or false, not null$/],
  [{ fresh: 1 }, /^fresh: give true or false, not 1$/],
  [{ retryFailed: 'all' }, /^retryFailed: give true or false/],
  [{ limit: 'x' }, /^limit: give a whole number from 1 on, not "x"$/],
  [{ limit: '5' }, /^limit: give a whole number from 1 on, not "5"$/],
  [{ limit: 0 }, /^limit: .*, not 0$/],
  [{ limit: -1 }, /^limit: .*, not -1$/],
  [{ limit: 1.5 }, /^limit: .*, not 1\.5$/],
  [{ limit: Number.NaN }, /^limit: .*, not NaN$/],
  [{ limit: Number.POSITIVE_INFINITY }, /^limit: .*, not Infinity$/],
  [{ limit: 5n }, /^limit: .*, not 5n$/],
  [Object.create({ limit: Number.NaN }), /^limit: .*, not NaN$/],
  [Object.create({ simulat: true }), /^simulat: unknown setting/],
  [{ [Symbol('simulate')]: true }, /^Symbol\(simulate\): unknown setting/],
  [{ simulate: Symbol('yes') }, /^simulate: give true or false, not Symbol\(yes\)$/],
  [{ stateDir: 'a\0b' }, /^stateDir: give a text/],
  [new Map([['simulate', true]]), /^\w+\(\): pass an object of settings, .*, not one of the class Map$/],
  [new Date(), /, not one of the class Date$/],
  [Promise.resolve({ simulate: true }), /, not a promise; await it first$/],
  [{ sample: [5] }, /^sample: .*, not a list$/],
  [{ sample: 5, seed: -1 }, /^seed: give a whole number from 0 on, not -1$/],
  [{ limit: 1, sample: 1 }, /^limit and sample: give one of them$/],
  [{ baseUrl: '' }, /^baseUrl: give a text, for example/],
  [{ baseUrl: new URL('http://127.0.0.1/v1') }, /^baseUrl: give a text, .*, not an object$/],
  [{ baseUrl: 'localhost:8080' }, /^baseUrl: "localhost:8080" is not a URL; use for example "http:\/\/localhost:8080\/v1"$/],
  [{ stateDir: ' ' }, /^stateDir: give a text/],
  [{ priceAsOf: '2026-02-30' }, /^priceAsOf: give a day, for example "2026-11-22", not "2026-02-30"$/],
  [{ priceAsOf: 'yesterday' }, /^priceAsOf: give a day/],
  [{ priceAsOf: new Date(0) }, /^priceAsOf: give a day, .*, not an object$/],
  [{ limit: 'x', simulat: true }, /^limit: .*\nsimulat: /],
  ['simulate', /^\w+\(\): pass an object of settings, for example \{ simulate: true \}, not "simulate"$/],
  [null, /^\w+\(\): pass an object of settings, .*, not null$/],
  [[], /^\w+\(\): pass an object of settings, .*, not a list$/],
];

const WRONG_FOR_RUN: readonly (readonly [unknown, RegExp])[] = [
  [{ maxUsd: Number.NaN }, /^maxUsd: give dollars from 0 to 9007199, not NaN$/],
  [{ maxUsd: Number.POSITIVE_INFINITY }, /^maxUsd: .*, not Infinity$/],
  [{ maxUsd: -1 }, /^maxUsd: .*, not -1$/],
  [{ maxUsd: '2.50' }, /^maxUsd: .*, not "2\.50"$/],
  [{ max_usd: 1 }, /^max_usd: unknown setting of run\(\)\. Did you mean "maxUsd"\?$/],
  [{ waitMs: Number.NaN }, /^waitMs: give milliseconds from 0 on; leave it out to wait to the end, not NaN$/],
  [{ waitMs: Number.POSITIVE_INFINITY }, /^waitMs: /],
  [{ waitMs: -5 }, /^waitMs: /],
  [{ yes: 'y' }, /^yes: give true or false/],
  [{ signal: new AbortController() }, /^signal: give an AbortSignal, for example controller\.signal, not an object$/],
  [{ onProgress: 'log' }, /^onProgress: give a function, not "log"$/],
  [{ onWarning: {} }, /^onWarning: give a function, not an object$/],
  [{ redis: 'user:hunter2@host' }, /^redis: give a URL, for example "redis:\/\/127\.0\.0\.1:6379", not this text$/],
];

test('an invalid setting is refused by name before anything is done', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'text\nfine\n' });
  const job = defineJob({
    name: 'wrong',
    directory,
    input: { path: 'in.csv' },
    model: 'gpt-4o-mini',
    prompt: '{{ text }}',
    output: 'text',
  });
  const refuses = (call: Promise<unknown>, message: RegExp, given: unknown) =>
    assert.rejects(
      call,
      (error: unknown) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, message);
        return true;
      },
      inspect(given),
    );
  for (const [given, message] of WRONG) {
    await refuses(job.plan(given as object), message, given);
    await refuses(job.run(given as object), message, given);
  }
  for (const [given, message] of WRONG_FOR_RUN) await refuses(job.run(given as object), message, given);
  await refuses(job.plan({ yes: true } as object), /^yes: is a setting of run\(\), not of plan\(\)$/, 'yes');
  assert.deepEqual(fs.readdirSync(directory), ['in.csv']);
});

test('a setting that is undefined counts as absent', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'text\nfine\n' });
  const left = { description: undefined, budget: undefined, stop_if: undefined, write: { path: undefined }, params: undefined };
  const job = defineJob({
    ...left,
    name: 'left-out',
    directory,
    input: { path: 'in.csv', format: undefined, id: undefined },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: { system: undefined, user: '{{ text }}' },
    output: 'text',
  });
  const nothing: Record<keyof RunSettings, undefined> = {
    ...{ baseUrl: undefined, stateDir: undefined, limit: undefined, sample: undefined, seed: undefined, fresh: undefined },
    ...{ retryFailed: undefined, priceAsOf: undefined, signal: undefined, onProgress: undefined, onWarning: undefined },
    ...{ yes: undefined, maxUsd: undefined, waitMs: undefined, redis: undefined, simulate: undefined },
  };
  const { summary } = await job.run({ ...nothing, simulate: true });
  assert.equal(summary.exitCode, 0);
});

/** Definitions of a program without types. */
const WRONG_DEFINITIONS: readonly (readonly [object, RegExp])[] = [
  [{ budget: { usd: Number.NaN } }, /^budget\.usd: must be a number, not NaN/],
  [{ budget: { usd: Number.POSITIVE_INFINITY } }, /^budget\.usd: must be a number, not Infinity/],
  [{ limits: { rpm: Number.POSITIVE_INFINITY } }, /^limits\.rpm: must be a whole number, not Infinity/],
  [{ params: { temperature: Number.NaN } }, /^params\.temperature: must be a number, not NaN/],
  [{ confirm_over: Number.NaN }, /^confirm_over: must be a number, not NaN/],
  [{ max_images: Number.NaN }, /^max_images: must be a whole number from 0 to 10000, not NaN$/],
  [{ directory: 5 }, /^directory: must be text, not 5$/],
  [{ prompt: 5 }, /^prompt: must be text or a map, not 5/],
  [{ messages: [{ role: 'user', content: 'x' }] }, /^messages: cannot be combined with prompt; use one of them/],
  [{ prompt: undefined }, /^prompt: missing/],
  [
    { output: 'positive | negative' },
    /^output: must be text or a map of fields, not "positive \| negative"; name a field, for example \{ answer: positive \| negative \}$/,
  ],
  [{ output: ['positive'] }, /^output: must be text or a map of fields, not a list; name a field, for example \{ answer: positive \}$/m],
  [{ input: { rows: 'ab' } }, /^input\.rows: must be an array or other iterable of objects, not "ab"$/],
  [{ input: { rows: {} } }, /^input\.rows: must be an array or other iterable of objects/],
  [{ input: { rows: [], path: 'in.csv' } }, /^input\.path: does not go with input\.rows/],
  [{ input: { rows: [], format: 'csv' } }, /^input\.format: does not go with input\.rows/],
];

test('an invalid definition is refused by the name of its key', () => {
  const right = { name: 'x', input: { path: 'in.csv' }, model: 'gpt-4o-mini', prompt: 'x {{ a }}', output: 'text' };
  for (const [wrong, message] of WRONG_DEFINITIONS) {
    assert.throws(
      () => defineJob({ ...right, ...wrong } as never),
      (error: unknown) => {
        assert.ok(error instanceof UsageError, `${String(error)} for ${JSON.stringify(wrong)}`);
        assert.match(error.message, message);
        return true;
      },
    );
  }
  for (const nothing of [undefined, null, 'job', []])
    assert.throws(() => defineJob(nothing as never), /^UsageError: defineJob\(\): pass one object/);
});
