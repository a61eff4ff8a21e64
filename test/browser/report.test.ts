import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { QualityFacts, ReportFacts } from '../../src/output/report/facts.ts';
import { renderReport } from '../../src/output/report/render-report.ts';
import { projectRoot } from '../helpers/project-root.ts';
import { HOSTILE, makeComparison, makeFacts, makeSample, makeText, replaceTexts } from '../helpers/report-facts.ts';
import { findChromium } from './find-chromium.ts';
import { findActiveContent, findBrokenWords, findFaintText, findUnreadable, openEverything } from './inspect-page.ts';
import { writeNightlyPage } from './nightly-world.ts';
import { makePageOfFailures } from './page-of-failures.ts';
import type { GetComputedStyle, PageDocument } from './page-types.ts';

declare const document: PageDocument;
declare const getComputedStyle: GetComputedStyle;

/*
 * `npm run test:browser`: the report in a real browser. REQUIRE_BROWSER=1 fails where there is none; CHROMIUM_PATH names one;
 * UPDATE_GOLDEN=1 makes the pictures of the README anew.
 */
const PICTURES = [
  { file: 'report.png', options: { viewport: { width: 1100, height: 900 } } },
  { file: 'report-phone.png', options: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } },
] as const;
const PICTURE_BYTES = 150_000;
/** At any width, with whatever lies behind a click closed. */
const MOST_PIXELS_HIGH = 12_000;
const executablePath = findChromium(process.env);
const reason = 'no Chromium found: install the package chromium, or name one by CHROMIUM_PATH';
if (executablePath === null) {
  if (process.env.REQUIRE_BROWSER === '1') throw new Error(reason);
  console.log(`skipped: ${reason}`);
}
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page under watch. */
interface Watched {
  readonly page: Page;
  /** What the browser reported: requests but for the page itself, errors, dialogs, violations of its policy. */
  readonly incidents: string[];
}

describe('the report in a browser', { skip: executablePath === null ? reason : false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  const ends: (() => Promise<void>)[] = [];
  const pages: Record<string, string> = {};
  let browser: Browser;

  before(async () => {
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: [...FLAGS, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    });
    pages.nightly = await writeNightlyPage({ after: (end) => void ends.push(end) });
    pages.hostile = join(folder, 'hostile.html');
    writeFileSync(pages.hostile, makeHostilePage());
    pages.large = join(folder, 'large.html');
    writeFileSync(pages.large, makeLargePage());
    for (const failed of [0, 200, 20_000]) {
      const path = join(folder, `${failed}.html`);
      pages[`${failed} failures`] = path;
      writeFileSync(path, makePageOfFailures(failed));
    }
  });
  after(async () => {
    await browser?.close();
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
    const page = await context.newPage();
    const incidents: string[] = [];
    const url = pathToFileURL(pages[name] ?? '').href;
    page.on('request', (request) => request.url() !== url && incidents.push(`request ${request.url()}`));
    page.on('console', (message) => incidents.push(`console ${message.text()}`));
    page.on('pageerror', (error) => incidents.push(`error ${error.message}`));
    page.on('dialog', async (dialog) => {
      incidents.push(`dialog ${dialog.message()}`);
      await dialog.dismiss();
    });
    await page.goto(url);
    return { page, incidents };
  }

  for (const name of ['nightly', 'hostile', 'large', '0 failures', '200 failures', '20000 failures']) {
    it(`${name}: asks nothing of the network, runs nothing, breaks no rule of its own, stays below a megabyte`, async () => {
      const { page, incidents } = await open(name);
      await page.evaluate(openEverything);
      assert.deepEqual(await page.evaluate(findActiveContent), []);
      assert.deepEqual(incidents, []);
      const { size } = statSync(pages[name] ?? '');
      assert.ok(size < 1_000_000, `${size} bytes`);
      await page.context().close();
    });

    for (const colorScheme of ['light', 'dark'] as const) {
      it(`${name}: can be read in ${colorScheme}, by eye and by a screen reader`, async () => {
        const { page, incidents } = await open(name, { colorScheme });
        await page.evaluate(openEverything);
        assert.deepEqual(await page.evaluate(findFaintText), []);
        assert.deepEqual(await page.evaluate(findUnreadable), []);
        assert.deepEqual(incidents, []);
        await page.context().close();
      });
    }

    // Hostile text is code, not words.
    const isWords = name !== 'hostile';
    for (const width of [390, 768, 1280]) {
      it(`${name}: fits a screen ${width} pixels wide${isWords ? ', and breaks no word that a line has room for' : ''}`, async () => {
        const { page } = await open(name, { viewport: { width, height: 844 }, isMobile: width < 500, hasTouch: width < 500 });
        await page.evaluate(openEverything);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${wide} pixels wide`);
        if (isWords) assert.deepEqual(await page.evaluate(findBrokenWords), []);
        const cut = await page.evaluate(() =>
          [...document.querySelectorAll('.pair')].filter(
            ({ parentElement: frame }) => frame !== null && frame.scrollWidth > frame.clientWidth,
          ),
        );
        assert.equal(cut.length, 0, 'both runs are in sight');
        const pairs = await page.evaluate(() => [...document.querySelectorAll('.pair')].length);
        assert.ok(pairs > 0 || name !== '200 failures', 'there is a table of both runs');
        await page.context().close();
      });
    }
  }

  for (const name of ['nightly', '0 failures', '200 failures', '20000 failures']) {
    it(`${name}: is no higher on a phone than a person scrolls, and answers the first questions on the first screen`, async () => {
      const { page } = await open(name, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
      const high = await page.evaluate(() => document.documentElement.scrollHeight);
      assert.ok(high <= MOST_PIXELS_HIGH, `${high} pixels high`);
      const ends = await page.evaluate(() => [...document.querySelectorAll('.ask')].map((ask) => ask.getBoundingClientRect().bottom));
      assert.ok(ends.length === 4 && ends.every((end) => end <= 844), `the answers end at ${ends}`);
      await page.context().close();
    });
  }

  it('its bar of sections stays in sight and leads back up', async () => {
    const { page } = await open('20000 failures', { viewport: { width: 390, height: 844 } });
    await page.goto(`${page.url()}#money`);
    const topOf = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => element.getBoundingClientRect().top);
    const [bar, heading] = [await topOf('nav'), await topOf('#money')];
    assert.ok(Math.abs(bar) < 1 && heading > 30 && heading < 200, `bar at ${bar}, heading at ${heading}`);
    await page.locator('nav a').first().click();
    assert.ok((await topOf('h1')) > 0);
    await page.context().close();
  });

  it('is printed in black on white, without its bar, and says what is folded', async () => {
    const { page } = await open('200 failures', { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const looks = await page.evaluate(() => {
      const [bar] = document.querySelectorAll('nav');
      return [bar === undefined ? '' : getComputedStyle(bar).display, getComputedStyle(document.body).backgroundColor];
    });
    assert.deepEqual(looks, ['none', 'rgb(255, 255, 255)']);
    assert.deepEqual(await page.evaluate(findFaintText), []);
    const note = await page
      .locator('details.row > summary')
      .first()
      .evaluate((summary) => getComputedStyle(summary as never, '::after').content);
    assert.match(note, /open it before printing/);
    await page.context().close();
  });

  it('text of rows is shown as it is', async () => {
    const { page } = await open('hostile');
    const text = await page.locator('body').evaluate((body) => body.textContent ?? '');
    for (const hostile of HOSTILE.slice(0, 8)) assert.ok(text.includes(hostile), hostile);
    assert.ok(text.includes('\\u{202e}gnp.exe') && text.includes('\\u{0}\\u{1b}[31m'));
    await page.context().close();
  });

  it('the policy is in force: what somebody slips in does not run', async () => {
    const { page, incidents } = await open('nightly');
    const violated = await page.evaluate(async () => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violations.push(effectiveDirective));
      const holder = document.createElement('div');
      holder.innerHTML = '<img src="https://example.invalid/x.png" onerror="alert(1)"><p style="position:fixed">x</p>';
      document.body.append(holder);
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken over"';
      document.body.append(script);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return violations;
    });
    assert.deepEqual(
      new Set(violated),
      new Set(['img-src', 'style-src-attr', 'script-src-elem', ...violated.filter((directive) => directive === 'script-src-attr')]),
    );
    assert.notEqual(await page.title(), 'taken over');
    assert.ok(!incidents.some((incident) => incident.startsWith('dialog')));
    await page.context().close();
  });

  it('colours follow the reader’s choice', async () => {
    const colourOf = async (colorScheme: 'light' | 'dark') => {
      const { page } = await open('nightly', { colorScheme });
      const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.context().close();
      return colour;
    };
    assert.deepEqual([await colourOf('light'), await colourOf('dark')], ['rgb(246, 247, 249)', 'rgb(17, 21, 27)']);
  });

  it('is used with the keyboard alone', async () => {
    const { page } = await open('nightly');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'To the report');
    await page.locator('details.row > summary').first().focus();
    await page.keyboard.press('Enter');
    assert.ok(
      await page
        .locator('details.row')
        .first()
        .evaluate((details) => (details as unknown as { open: boolean }).open),
    );
    assert.ok(await page.locator('details.row pre').first().isVisible());
    await page.context().close();
  });

  for (const { file, options } of PICTURES) {
    const skip = process.env.UPDATE_GOLDEN === '1' ? false : 'UPDATE_GOLDEN=1 makes it anew';
    it(`the README shows it: ${file}`, { skip }, async () => {
      const { page } = await open('nightly', options);
      const path = join(projectRoot, 'docs', 'images', file);
      await page.screenshot({ path });
      assert.ok(statSync(path).size <= PICTURE_BYTES, `${statSync(path).size} bytes`);
      await page.context().close();
    });
  }
});

const KEPT = /^\d{4}-\d\d-|^(failed|dearest|slowest|random|ok|live|upload|validating|in progress|finalizing|collecting)$/;
const KINDS = /^(changed|answeredOnlyInB|answered|correct|exact)$/;
const ALL = HOSTILE.join('\n');

/** Every text of the page is hostile. */
function makeHostilePage(): string {
  const samples = HOSTILE.map((_, index) => makeSample(index + 1, index % 2 === 0 ? 'failed' : 'random'));
  // One cause: their names are what tells them apart.
  const causes = makeFacts().causes.slice(0, 1);
  const facts: ReportFacts = replaceTexts(makeFacts({ samples, causes }), (text) => (KEPT.test(text) ? text : ALL));
  const quality: QualityFacts = {
    field: ALL,
    gold: { name: ALL },
    rows: { evaluated: 2, answered: 2, correct: 1 },
    accuracy: 0.5,
    macroF1: 0.5,
    intervals: { accuracy: { low: 0.1, high: 0.9 } },
    perClass: { [ALL]: { support: 2, precision: 0.5, recall: 0.5, f1: 0.5 } },
    confusion: { [ALL]: { [ALL]: 1, other: 1 } },
    wrong: [{ row: 1, id: ALL, gold: ALL, answer: ALL, text: ALL }],
  };
  const texts = facts.samples.map((sample, index) => ({ facts: sample, text: makeText(HOSTILE[index] ?? '', sample.why === 'failed') }));
  const comparison = makeComparison({ transitions: { [ALL]: { [ALL]: 3, other: 2 } } });
  return renderReport(facts, texts, { quality, comparison: replaceTexts(comparison, (text) => (KINDS.test(text) ? text : ALL)) });
}

/** As large as a page gets: 300 rows that have much to say. */
function makeLargePage(): string {
  const rows = Array.from({ length: 300 }, (_, row) => ({
    facts: makeSample(row + 1, row < 200 ? 'failed' : row < 220 ? 'dearest' : 'random'),
    text: makeText('<b>much</b> to say, "quoted"; '.repeat(300), row < 200),
  }));
  return renderReport(makeFacts({ samples: rows.map(({ facts }) => facts) }), rows, { comparison: makeComparison() });
}
