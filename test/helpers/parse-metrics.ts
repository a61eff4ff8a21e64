import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|[+-]Inf|NaN)$`);

/** What a text in the exposition format 0.0.4 of Prometheus says, as strictly as promtool reads it. Throws where it is none. */
export function parseMetrics(text: string): { readonly types: ReadonlyMap<string, string>; readonly samples: ReadonlyMap<string, number> } {
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples = new Map<string, number>();
  const closed = new Set<string>();
  let family = '';
  assert.ok(text === '' || text.endsWith('\n'), 'the last line has no end');
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '') continue;
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word !== undefined) {
      assert.match(name, new RegExp(`^${NAME}$`));
      if (name !== family) {
        assert.ok(!closed.has(name), `${name} comes in two parts`);
        closed.add(family);
        family = name;
      }
      if (word === 'HELP') {
        assert.ok(!helps.has(name) && rest !== '', `help of ${name}`);
        helps.add(name);
      } else {
        assert.ok(!types.has(name) && /^(counter|gauge|histogram|summary|untyped)$/.test(rest), line);
        types.set(name, rest);
      }
      continue;
    }
    const [, sample = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    assert.notEqual(sample, '', `no sample: ${line}`);
    const base = types.get(family) === 'histogram' ? sample.replace(/_(bucket|sum|count)$/, '') : sample;
    assert.equal(base, family, `${sample} stands under ${family}`);
    assert.ok(!samples.has(sample + labels), `${sample}${labels} stands twice`);
    if (types.get(family) === 'counter') assert.match(sample, /_total$/);
    samples.set(sample + labels, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
  }
  for (const name of types.keys()) assert.ok(helps.has(name), `${name} has no help`);
  return { types, samples };
}
