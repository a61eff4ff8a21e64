import type { GetComputedStyle, PageDocument, PageElement, PageText } from './page-types.ts';

declare const document: PageDocument;
declare const getComputedStyle: GetComputedStyle;

/* Functions that run inside the page: each stands alone, and gives back what is wrong. */

/** Opens what lies behind a click. */
export function openEverything(): void {
  for (const details of document.querySelectorAll('details')) (details as unknown as { open: boolean }).open = true;
}

/** Elements and attributes that could do something. */
export function findActiveContent(): readonly string[] {
  const active = [...document.querySelectorAll('script,iframe,object,embed,img,form,input,link,base,audio,video')].map(
    ({ outerHTML }) => outerHTML,
  );
  const handlers = [...document.querySelectorAll('*')].flatMap((element) =>
    [...element.attributes].filter(({ name }) => /^on|^style$/.test(name)).map(({ name }) => `${element.tagName} has ${name}`),
  );
  const links = [...document.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? '');
  return [
    ...active,
    ...handlers,
    ...links.filter((target) => !target.startsWith('#') || document.getElementById(target.slice(1)) === null),
  ];
}

/** What a screen reader would stumble over. */
export function findUnreadable(): readonly string[] {
  const problems: string[] = [];
  for (const chart of document.querySelectorAll('svg')) {
    if (chart.getAttribute('aria-hidden') !== 'true' && (chart.getAttribute('role') !== 'img' || !chart.getAttribute('aria-label')))
      problems.push(`a chart without a name: ${chart.outerHTML.slice(0, 80)}`);
  }
  for (const cell of document.querySelectorAll('th'))
    if (!cell.hasAttribute('scope')) problems.push(`a heading without scope: ${cell.textContent}`);
  for (const section of document.querySelectorAll('section')) {
    const name = section.getAttribute('aria-labelledby');
    if (name === null || document.getElementById(name)?.textContent?.trim() === '') problems.push('a section without a name');
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids.filter((id, place) => ids.indexOf(id) !== place)) problems.push(`two elements have the id ${id}`);
  const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map(({ tagName }) => Number(tagName[1]));
  for (const [place, level] of levels.entries())
    if (level > (levels[place - 1] ?? 0) + 1) problems.push(`a heading of level ${level} after ${levels[place - 1]}`);
  for (const region of document.querySelectorAll('.scroll'))
    if (region.getAttribute('tabindex') !== '0' || !region.getAttribute('aria-label'))
      problems.push('a region that scrolls but cannot be reached');
  return problems;
}

/** Text whose contrast with what lies behind it is below 4.5 (WCAG 2.2, AA). */
export function findFaintText(): readonly string[] {
  const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = channels(colour).map((value) =>
      value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: PageElement | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return (channels(backgroundColor)[3] ?? 1) === 0 ? behind(element.parentElement) : backgroundColor;
  };
  const TEXT_NODE = 3;
  const faint = new Set<string>();
  for (const element of document.body.querySelectorAll('*')) {
    const says = [...element.childNodes].some((node) => node.nodeType === TEXT_NODE && node.textContent?.trim() !== '');
    if (!says || element.closest('svg') !== null) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.add(`${contrast.toFixed(2)}: ${element.className} ${element.textContent?.trim().slice(0, 40)}`);
  }
  return [...faint];
}

/**
 * Words broken by letters though a line has room for them. A word is up to thirty letters and digits; what stands between two blanks and is
 * wider than a line has to be broken somewhere. Chinese, Japanese and Thai have no blanks between words and are broken anywhere, and so are
 * hashes, ids and what else is set in the font of code.
 */
export function findBrokenWords(): readonly string[] {
  const TEXT_NODE = 3;
  const PADDING = 40;
  const broken = new Set<string>();
  const range = document.createRange();
  const measure = (node: PageText, from: number, to: number) => {
    range.setStart(node, from);
    range.setEnd(node, to);
    const parts = [...range.getClientRects()];
    return { lines: new Set(parts.map(({ top }) => Math.round(top))).size, width: parts.reduce((sum, part) => sum + part.width, 0) };
  };
  for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('svg,pre,code,.mono') !== null) continue;
    const roomy = (element.closest('section,.ask,.tile,header,nav,footer') ?? document.body).clientWidth - PADDING;
    for (const node of element.childNodes) {
      if (node.nodeType !== TEXT_NODE) continue;
      for (const { 0: chunk, index: start } of (node.textContent ?? '').matchAll(/\S+/gu)) {
        const whole = measure(node, start, start + chunk.length);
        if (whole.lines < 2 || whole.width >= roomy) continue;
        for (const { 0: word, index } of chunk.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
          if (word.length > 30 || /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u.test(word)) continue;
          if (measure(node, start + index, start + index + word.length).lines > 1)
            broken.add(`${element.tagName} ${element.className}: ${word}`);
        }
      }
    }
  }
  return [...broken];
}
