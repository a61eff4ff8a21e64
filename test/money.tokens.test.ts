import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { createFeatureReader, FEATURES } from '../src/money/tokens/text-features.ts';
import { createHeuristicTokenEstimator, createTokenEstimator } from '../src/money/tokens/token-estimator.ts';
import { encodingOf } from '../src/money/tokens/tokenizer.ts';
import { anyText } from './helpers/any-text.ts';
import { runsOf, someOf, wideTest } from './helpers/wide.ts';

const data = path.join(findRoot(), '../shared/data');
const model = 'gpt-4o-mini';

function findRoot(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(directory, 'package.json'))) directory = path.dirname(directory);
  return directory;
}

function chatBody(...contents: readonly string[]): string {
  const messages = contents.map((content, index) => ({ role: index === 0 && contents.length > 1 ? 'system' : 'user', content }));
  return JSON.stringify({ model, messages });
}

/** What a job makes of a text: instructions before it and after it. */
function jobBody(text: string): string {
  const system = 'Label the sentiment of the text. Reply in JSON.';
  return JSON.stringify({
    model,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: `Text:\n${text}\nReply in JSON with "sentiment".` },
    ],
    response_format: { type: 'json_object' },
    max_completion_tokens: 60,
  });
}

test('messages count three tokens each besides role and content, and the reply three', async () => {
  const estimator = await createTokenEstimator({ model });
  assert.equal(estimator.countRequestExactly(chatBody('Hello')), 8);
  assert.equal(estimator.countRequestExactly(chatBody('You are helpful.', 'Hello')), 16);
  assert.equal(estimator.countRequestExactly('{"input":"Hello"}'), 1, 'the one text of an embedding');
  assert.equal(estimator.countRequestExactly(chatBody('You are helpful.', 'Hello').replace('"messages"', '"input"')), 16);
  assert.equal(estimator.countRequestExactly('{"text":"Hello"}'), null);
  const parts = JSON.stringify({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello' },
          { type: 'image_url', image_url: { url: 'x' } },
        ],
      },
    ],
  });
  assert.equal(estimator.countRequestExactly(parts), 8);
});

test('special tokens in a row are text like any other', async () => {
  const estimator = await createTokenEstimator({ model });
  assert.ok(estimator.countExactly('<|endoftext|>') > 1);
  assert.ok((estimator.countRequestExactly(chatBody('a <|im_start|> b')) ?? 0) > 10);
});

wideTest('a long text without spaces is counted quickly, and nearly as one piece', async () => {
  const estimator = await createTokenEstimator({ model });
  const sentence = 'สวัสดีครับวันนี้อากาศดีมากและฉันอยากไปเดินเล่นที่สวนสาธารณะ';
  const tokens = estimator.countExactly(sentence.repeat(600));
  assert.ok(Math.abs(tokens / (600 * estimator.countExactly(sentence)) - 1) < 0.01, String(tokens));
});

wideTest('a long text with spaces is counted as if it were one piece', async () => {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  const estimator = await createTokenEstimator({ model });
  const text = makeTexts([...SENTENCES.German, ...SENTENCES.Russian, 'a  b', '   ', '(x) — "y"\n\n- z\n'], 400).join(' ');
  assert.equal(estimator.countExactly(text), countTokens(text));
  const emoji = `x${'🙂'.repeat(1500)}`;
  assert.ok(Math.abs(estimator.countExactly(emoji) - countTokens(emoji)) <= 3, 'a pair of surrogates is never cut');
});

test('old models are counted in their own encoding', () => {
  const names = ['gpt-4', 'gpt-4-0613', 'gpt-4-turbo', 'gpt-4-32k', 'gpt-3.5-turbo', 'ft:gpt-3.5-turbo:acme::x', 'text-embedding-3-small'];
  for (const name of names) assert.equal(encodingOf(name), 'cl100k_base', name);
  for (const name of [
    'gpt-4o',
    'gpt-4.1',
    'gpt-4.5-preview',
    'gpt-5',
    'gpt-6.1-sol',
    'o3',
    'chatgpt-4o-latest',
    'ft:gpt-4o:acme::x',
    'llama',
  ]) {
    assert.equal(encodingOf(name), 'o200k_base', name);
  }
});

test('the constant text of a prompt is counted exactly', async () => {
  const estimator = await createTokenEstimator({ model });
  const system = 'Antworte nur mit einem JSON-Objekt: {"label": string}. '.repeat(30);
  for (const word of ['yes', 'no', 'maybe', 'so', 'yes']) {
    const body = chatBody(system, `Word: ${word}!`);
    const exact = estimator.countRequestExactly(body) as number;
    assert.ok(Math.abs(estimator.estimateRequest(body) - exact) <= 2, `${word}: ${estimator.estimateRequest(body)} against ${exact}`);
  }
});

test('a single body keeps its exact count however often it is counted', async () => {
  const estimator = await createTokenEstimator({ model });
  const body = chatBody('Be brief.', 'Ein Satz, "zitiert"\nund umbrochen.');
  for (let time = 0; time < 3; time++) assert.equal(estimator.estimateRequest(body), estimator.countRequestExactly(body));
});

test('bodies that differ within an escape sequence still share everything before it', async () => {
  const estimator = await createTokenEstimator({ model });
  const system = 'Summarize the thread in two sentences. '.repeat(20);
  for (const content of ['one\n', 'one"', 'one\u0001', 'one\u0002', 'one\\', 'one\\\\']) {
    const body = chatBody(system, content);
    assert.ok(Math.abs(estimator.estimateRequest(body) - (estimator.countRequestExactly(body) as number)) <= 4, JSON.stringify(content));
  }
});

test('a text has the same features raw and as the inside of a JSON string', () => {
  const reader = createFeatureReader();
  const unit = fc.constantFrom(...'aZäжλש가漢かカ7 9.,"\\/\n\t\r\b\f、€🙂');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      const [raw, json] = [new Float64Array(FEATURES), new Float64Array(FEATURES)];
      const escaped = JSON.stringify(text).slice(1, -1);
      reader.add(raw, text, 0, text.length, false);
      reader.add(json, escaped, 0, escaped.length, true);
      assert.deepEqual(json, raw);
    }),
  );
});

test('any sequence of bodies has estimates that are whole, positive and not below their overhead', () => {
  const text = fc.oneof(anyText(), fc.constantFrom('\\', '\\u', '"', '\n', '\u0001', '\ud800', '🙂', ''));
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }), (bodies) => {
      const estimator = createHeuristicTokenEstimator({ model });
      for (const contents of bodies) {
        const body = chatBody(...contents);
        const estimate = estimator.estimateRequest(body);
        assert.ok(Number.isSafeInteger(estimate) && estimate >= 0);
        assert.ok(estimator.estimateRequestTokens(body) >= estimate);
      }
    }),
    { numRuns: runsOf(300) },
  );
});

test('a schema counts towards a hard limit, not in the estimate', () => {
  const estimator = createHeuristicTokenEstimator({ model });
  const body = JSON.stringify({
    messages: [],
    response_format: { type: 'json_schema', json_schema: { schema: { enum: ['a'.repeat(4000)] } } },
  });
  assert.equal(estimator.estimateRequest(body), 3);
  assert.ok(estimator.estimateRequestTokens(body) > 100);
});

/** Seeded sums of these sentences stand for tables in the languages that no public table here has, or that a checkout lacks. */
const SENTENCES = {
  German: [
    'Die Lieferung kam zwei Tage später als versprochen, aber alles war vollständig.',
    'Leider funktioniert der Reißverschluss schon nach einer Woche nicht mehr.',
    'Können Sie mir bitte eine Rechnung mit ausgewiesener Mehrwertsteuer schicken?',
    'Das Gerät schaltet sich während der Firmwareaktualisierung selbstständig ab.',
    'Ich bin sehr zufrieden und würde jederzeit wieder bestellen!',
    'Der Kundendienst hat sich trotz mehrfacher Anfrage über das Kontaktformular nicht gemeldet.',
    'Farbe und Größe entsprechen der Beschreibung, nur der Stoff ist etwas dünn.',
    'Seit dem Update auf Version 4.2 erscheint beim Start die Fehlermeldung 0x80070005.',
    'Für 19,99 € kann man nichts falsch machen.',
    'Warum wurde meine Kündigungsbestätigung an eine alte Anschrift gesendet?',
  ],
  Russian: [
    'Заказ пришёл вовремя, упаковка целая, всё работает как надо.',
    'К сожалению, молния сломалась уже через неделю после покупки.',
    'Пришлите, пожалуйста, счёт-фактуру на юридическое лицо.',
    'После обновления приложение не запускается и показывает ошибку 500.',
    'Очень доволен покупкой, обязательно закажу ещё раз!',
    'Служба поддержки не отвечает третий день, хотя обещали перезвонить.',
    'Цвет совпадает с фотографией, но ткань тоньше, чем ожидалось.',
    'Деньги списали дважды: 12 и 14 марта, по 1 990 рублей.',
    'Почему подтверждение отправили на старый адрес электронной почты?',
    'Качество звука отличное, а вот батарея держит всего четыре часа.',
  ],
  English: [
    'The parcel arrived two days late, but nothing was missing.',
    "I've been charged twice for the May invoice; please refund one of them.",
    'The zipper broke after a week of careful use.',
    'Since version 4.2 the app shows error 0x80070005 at startup.',
    'Great value for $19.99, would definitely buy again!',
    'Support has not answered my request (#48213) for three days.',
    'Colour and size are as described, only the fabric is thinner than expected.',
    'Why was my cancellation confirmation sent to an old address?',
    'The battery lasts four hours at most, whatever the manual says.',
    'How do I export all reports as CSV?',
  ],
  Japanese: [
    '商品は予定より二日遅れて届きましたが、中身はすべて揃っていました。',
    '一週間でファスナーが壊れてしまいました。',
    '五月分の請求が二重になっています。片方を返金してください。',
    'アップデート後、アプリが起動せずエラー500が表示されます。',
    '音質は素晴らしいですが、バッテリーは四時間しか持ちません。',
    'サポートに三日前から問い合わせていますが、返信がありません。',
    '色とサイズは説明どおりですが、生地が少し薄いです。',
    'レポートをCSVで書き出す方法を教えてください。',
    'とても満足しています。また購入したいと思います！',
    '解約の確認書が古い住所に送られたのはなぜですか？',
  ],
  Chinese: [
    '包裹晚到了两天，但东西都齐全。',
    '用了一个星期拉链就坏了。',
    '五月的账单被重复扣款，请退还其中一笔。',
    '更新到4.2版后，应用启动时显示错误0x80070005。',
    '音质很好，不过电池最多只能用四个小时。',
    '我三天前联系过客服，到现在还没有回复。',
    '颜色和尺寸与描述一致，只是面料有点薄。',
    '怎样把所有报告导出为CSV文件？',
    '非常满意，下次一定还会再买！',
    '为什么取消确认函寄到了旧地址？',
  ],
};

function makeTexts(sentences: readonly string[], rows: number): string[] {
  let state = 12_345;
  const next = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  return Array.from({ length: rows }, () => Array.from({ length: 1 + next(5) }, () => sentences[next(sentences.length)]).join(' '));
}

function readColumn(file: string, column: string): () => readonly string[] {
  return () => (parse(readFileSync(path.join(data, file)), { columns: true }) as Record<string, string>[]).map((row) => row[column] ?? '');
}

const readChinese = () =>
  readFileSync(path.join(data, 'cause-effect-zh.jsonl'), 'utf8')
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>)
    .map((row) => `${row.premise}\n${row.choice1}\n${row.choice2}`);

const TABLES: readonly (readonly [title: string, isPublic: boolean, readTexts: () => readonly string[]])[] = [
  ['German sentences', false, () => makeTexts(SENTENCES.German, 600)],
  ['Russian sentences', false, () => makeTexts(SENTENCES.Russian, 600)],
  ['English sentences', false, () => makeTexts(SENTENCES.English, 400)],
  ['Japanese sentences', false, () => makeTexts(SENTENCES.Japanese, 400)],
  ['Chinese sentences', false, () => makeTexts(SENTENCES.Chinese, 400)],
  ['English reviews', true, readColumn('clothing-reviews.csv', 'Review Text')],
  ['English questions', true, readColumn('banking77-test.csv', 'text')],
  ['English short messages', true, readColumn('sms-spam.csv', 'SMS')],
  ['Japanese news', true, readColumn('news-ja.csv', 'article')],
  ['Japanese questions', true, readColumn('math-questions-ja.csv', 'question')],
  ['Chinese questions', true, readColumn('math-questions-zh.csv', 'question')],
  ['Chinese sentences', true, readChinese],
  ['African languages', true, readColumn('tweets-african-languages.csv', 'tweet')],
];

for (const [title, isPublic, readTexts] of someOf(TABLES, 2)) {
  const skip = isPublic && !existsSync(data) ? 'the public tables are not beside this checkout' : false;
  test(`fitted on 200 rows, ${title} are estimated within 5 % in total and 12 % at p90`, { skip }, async (context) => {
    const bodies = readTexts().slice(0, 1500).map(jobBody);
    const estimator = await createTokenEstimator({ model });
    const step = Math.max(2, Math.floor(bodies.length / 200));
    estimator.fit(bodies.filter((_, index) => index % step === 0));
    const rest = bodies.filter((_, index) => index % step !== 0);
    const exact = rest.map((body) => estimator.countRequestExactly(body) as number);
    const estimates = rest.map(estimator.estimateRequest);
    const errors = estimates.map((estimate, index) => Math.abs(estimate / (exact[index] as number) - 1)).sort((a, b) => a - b);
    const total = sum(estimates) / sum(exact) - 1;
    const p90 = errors[Math.floor(errors.length * 0.9)] as number;
    context.diagnostic(`${title}: total ${(total * 100).toFixed(1)} %, p90 ${(p90 * 100).toFixed(1)} %`);
    assert.ok(Math.abs(total) <= 0.05, `total ${total}`);
    assert.ok(p90 <= 0.12, `p90 ${p90}`);
    assert.ok(sum(rest.map(estimator.estimateRequestTokens)) >= sum(exact), 'what is admitted is not more than what is charged');
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
