import { formatCount, formatThings } from '../format-numbers.ts';
import { clipHtml, type Html, html, NOTHING, renderCommand } from './html.ts';

const ID_BYTES = 160;
const TEXT_BYTES = 700;

/** A row of `eval` or `diff`: its place, what is the matter with it, and what was said. */
export function renderJudgedRow(
  { row, id }: { readonly row: number | null; readonly id: string | null },
  what: string,
  said: readonly (readonly [name: string, text: string])[],
): Html {
  const name = row === null ? 'No longer in the table' : `Row ${formatCount(row)}`;
  const shownId = id === null || id === String(row) ? NOTHING : html`<span dir="auto">${clipHtml(id, ID_BYTES)}</span>`;
  const lines = said.map(([name, text]) => html`<dt>${name}</dt><dd dir="auto">${clipHtml(text, TEXT_BYTES)}</dd>`);
  return html`<article class="row"><h4><span>${name}</span>${shownId}<span class="soft">${what}</span></h4><dl class="answer">${lines}</dl></article>
`;
}

/** How many of all such rows are shown, and the command whose table has all. */
export function describePart(shown: number, all: number, command: string): Html {
  return all > shown
    ? html`the first ${shown} of ${formatCount(all)}; ${renderCommand(command)} writes all`
    : html`${formatThings(all, 'row')}`;
}
