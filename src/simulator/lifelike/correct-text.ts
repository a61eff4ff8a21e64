/** Common typos, each with its correction; enough for a plausible correction. */
const SLIPS: readonly (readonly [RegExp, string])[] = [
  [/\b(she|he|it) don't\b/gi, "$1 doesn't"],
  [/\b(they|we|you) was\b/gi, '$1 were'],
  [/\ba (?=[aeio](?!ne\b|u))/g, 'an '],
  [/\brecie(v\w+)\b/gi, 'recei$1'],
  [/\b(s)hip(ed|ing)\b/gi, '$1hipp$2'],
  [/\bdefinately\b/gi, 'definitely'],
  [/\bseperat(\w+)\b/gi, 'separat$1'],
  [/\boccured\b/gi, 'occurred'],
  [/\buntill\b/gi, 'until'],
  [/\bwich\b/gi, 'which'],
  [/\bteh\b/gi, 'the'],
  [/\balot\b/gi, 'a lot'],
  [/\b(have|has|had) send\b/gi, '$1 sent'],
  [/\b(would|could|should) of\b/gi, '$1 have'],
  [/\b(have|has) went\b/gi, '$1 gone'],
  [/\bless people\b/gi, 'fewer people'],
  [/\bbetween you and i\b/gi, 'between you and me'],
  [/\btheir going\b/gi, "they're going"],
  [/\b(to|in|at) there (?=house|home|own|office|car)/gi, '$1 their '],
  [/\byou're (?=order|account|house|own|name|invoice)/gi, 'your '],
  [/\b(more|less|fewer|better|rather|other|people came) then\b/gi, '$1 than'],
  [/\bi\b(?!\.)/g, 'I'],
  [/\bdont\b/g, "don't"],
  [/(?<=, )dass (war|ist|wäre)\b/g, 'das $1'],
  [/\b(besser|größer|schneller|mehr) wie\b/gi, '$1 als'],
  [/\bseid (gestern|heute|montag|wochen)\b/gi, 'seit $1'],
  [/\beinzigste/gi, 'einzige'],
  [/\bstandart/gi, 'Standard'],
  [/\bgeschickt gehabt\b/gi, 'geschickt'],
  [/\bles (\w+s) a\b/gi, 'les $1 ont'],
  [/\byo fue\b/gi, 'yo fui'],
  [/\b(dos|tres|cuatro) pan\b/gi, '$1 panes'],
];

/** A text without the most common typos, and each change as `wrong → right`. */
export function correctText(text: string): { readonly corrected: string; readonly changes: readonly string[] } {
  const changes: string[] = [];
  let corrected = text;
  for (const [slip, right] of SLIPS) {
    corrected = corrected.replace(slip, (...match: unknown[]) => {
      const wrong = String(match[0]);
      const plain = right.replace(/\$(\d)/g, (_, group: string) => String(match[Number(group)] ?? ''));
      const made = /^\p{Lu}/u.test(wrong) ? `${plain[0]?.toUpperCase()}${plain.slice(1)}` : plain;
      if (made !== wrong) changes.push(`${wrong.trim()} → ${made.trim()}`);
      return made;
    });
  }
  return { corrected, changes };
}
