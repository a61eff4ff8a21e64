import { renderReport } from '../../src/output/report/render-report.ts';
import { makeComparison, makeFacts, makeSample, makeText } from '../helpers/report-facts.ts';

const ARABIC = 'تم تحصيل رسوم مني مرتين مقابل الطلب نفسه وأريد استرداد المبلغ من فضلكم في أقرب وقت ممكن';
const CHINESE = '我的订单被重复扣款两次，请尽快退款并告知处理进度，客服电话一直无法接通';
const LONG = `${'The invoice shows a charge that I do not recognise, and nobody answers the phone. '.repeat(60)}${'W'.repeat(3_000)}`;
const SAID = ['The export button does nothing when I click it', ARABIC, CHINESE, LONG];
const CAUSES = ['refused', 'truncated', 'invalid', 'rate_limited', 'server_error', 'empty', 'too_large', 'bad_row', 'missing', 'timeout'];
const LABELS = ['billing', 'bug', 'unclassifiable_complaint', 'مشكلة في الفاتورة', '退款请求'];

/** A page in which everything has something to show, about a table with so many failed rows, in several scripts and with very long cells. */
export function makePageOfFailures(failed: number): string {
  const causes = CAUSES.map((cause, place) => ({
    cause,
    status: 'failed' as const,
    rows: Math.floor(failed / 2 ** (place + 1)),
    retry: `rowmill retry jobs/ticket-labels.yaml --cause ${cause}`,
  })).filter(({ rows }) => rows > 0);
  const failures = causes.flatMap(({ cause, rows }) =>
    Array.from({ length: Math.min(10, rows) }, () => ({ why: 'failed' as const, cause })),
  );
  const answered = [
    ...Array.from({ length: 20 }, () => ({ why: 'dearest' as const, cause: null })),
    ...Array.from({ length: 20 }, () => ({ why: 'slowest' as const, cause: null })),
    ...Array.from({ length: 60 }, () => ({ why: 'random' as const, cause: null })),
  ];
  const samples = [...failures, ...answered].map(({ why, cause }, place) => {
    const say = SAID[place % SAID.length] ?? '';
    const answer = why === 'failed' ? null : JSON.stringify({ label: 'billing', needs_attention: true, confidence: 0.87, reason: say });
    return {
      facts: { ...makeSample(place + 1, why), cause },
      text: { ...makeText(say, why === 'failed'), id: `T-${place}`, answer },
    };
  });
  const { summary, warnings } = makeFacts();
  const rowsFailed = causes.reduce((sum, { rows }) => sum + rows, 0);
  const ok = 30_000;
  const facts = makeFacts({
    causes,
    samples: samples.map((sample) => sample.facts),
    fields: [{ field: 'verdict', previousRun: 'before', values: LABELS.map((value) => ({ value, rows: ok / 5, previousRows: 100 })) }],
    warnings: failed === 0 ? { messages: [], more: 0 } : { messages: [...warnings.messages, ARABIC, LONG.slice(0, 299)], more: 3 },
    summary: {
      ...summary,
      simulated: false,
      ...(failed === 0 ? { exitCode: 0, verdict: 'done', next: null } : {}),
      rows: { in: ok + rowsFailed, ok, failed: rowsFailed, skipped: 0, pending: 0, new: ok, reused: 0, duplicate: 0 },
      causes: {},
    },
  });
  const confusion = Object.fromEntries(
    LABELS.map((right, row) => [
      right,
      Object.fromEntries(LABELS.map((given, place) => [given, row === place ? 70 - row * 15 : (row * place * 5) % 40])),
    ]),
  );
  const quality = {
    field: 'verdict',
    gold: { name: 'expected' },
    rows: { evaluated: 200, answered: 198, correct: 166 },
    accuracy: 0.83,
    macroF1: 0.8,
    intervals: { accuracy: { low: 0.77, high: 0.88 } },
    perClass: Object.fromEntries(LABELS.map((label) => [label, { support: 40, precision: 0.8, recall: 0.9, f1: 0.85 }])),
    confusion,
    wrong: SAID.map((text, place) => ({ row: place + 1, id: `r-${place}`, gold: 'positive', answer: 'negative', text })),
  };
  const { examples } = makeComparison();
  const changed = Array.from({ length: 20 }, (_, place) => ({ ...examples[0], row: place + 1, a: SAID[place % SAID.length] ?? '' }));
  const comparison = makeComparison({ examples: changed as typeof examples });
  return renderReport(facts, samples, failed === 200 ? { quality, comparison } : {});
}
