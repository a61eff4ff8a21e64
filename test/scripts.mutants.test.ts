import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './helpers/project-root.ts';

interface Mutants {
  readonly MUTANTS: readonly { readonly name: string }[];
  plan(mutant: { readonly name: string }, tree: string): ReadonlyMap<string, object>;
}

test('what the mutants break is still in the program, once each', async () => {
  const { MUTANTS, plan } = (await import(join(projectRoot, 'scripts', 'mutant-list.mjs'))) as Mutants;
  assert.equal(MUTANTS.length, 35);
  for (const mutant of MUTANTS) assert.ok(plan(mutant, join(projectRoot, 'dist')).size > 0, mutant.name);
});
