import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { projectRoot } from './helpers/project-root.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly annotations: { summary: string } }[];
  }[];
}

test('the rules of the recipe name only figures that exist, and outcomes and dispositions there are', () => {
  const read = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(read('docs/recipes/alerts.md')) ?? [];
  const rules = (parse(text) as Rules).groups.flatMap((group) => group.rules);
  const code = read('src/cli/metrics/render-metrics.ts') + read('src/cli/metrics/worker-metrics.ts');
  const page = read('docs/nights.md');
  const used = rules.flatMap(({ expr }) => expr.match(/rowmill_\w+/g) ?? []).map((name) => name.replace(/_(count|sum|bucket)$/, ''));
  assert.ok(used.length >= 8);
  for (const name of used) assert.ok(code.includes(`'${name}'`) && page.includes(`\`${name}`), name);
  for (const [name = ''] of code.matchAll(/(?<=')rowmill_\w+(?=')/g)) assert.ok(page.includes(name), `docs/nights.md: ${name} is missing`);
  for (const [, value = ''] of rules.flatMap(({ expr }) => [...expr.matchAll(/(?:outcome|disposition)="(\w+)"/g)]))
    assert.ok(code.includes(value), value);
  assert.ok(rules.every(({ alert, annotations }) => /^Rowmill\w+$/.test(alert) && annotations.summary.length > 20));
});
