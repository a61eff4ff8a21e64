import { createChooser } from './choose-by-name.ts';
import type { Row } from './find-row.ts';

const EMAIL = /[\w.+-]+@[\w-]+\.[\w.-]*\w/;
const COUNTRY = /\b(?:Germany|France|Japan|China|Spain|Italy|Austria|Switzerland|Poland|India|Canada|Latvia|UK|USA)\b/;

const FINDERS = createChooser<(row: Row) => string | null>([
  [/e_?mail/, ({ text, headers }) => first(EMAIL, text) ?? first(EMAIL, [...headers.values()].join(' '))],
  [/url|link|website/, ({ text }) => first(/https?:\/\/\S+|\bwww\.\S+/, text)],
  [/phone|fax|mobile/, ({ text }) => first(/\+?\d[\d ()/-]{6,}\d/, text)],
  [/iban/, ({ text }) => first(/\b[A-Z]{2}\d{2}(?: ?[\dA-Z]{4}){3,7}\b/, text)],
  [
    /(?:^|_)(?:vat|ust|tax_?(?:id|number))/,
    ({ text }) => first(/(?<=(?:VAT|USt-IdNr\.?|TVA|登録番号|税号)[ :]*)[A-Z]{2,3} ?[\d ]{6,}\d/, text),
  ],
  [/(?:^|_)(?:date|deadline|due|day)(?:_|$)|_(?:on|at)$/, ({ text }) => findDate(text)],
  [/currency/, ({ text }) => findCurrency(text)],
  [/country/, ({ text }) => first(COUNTRY, text)],
  [/vendor|supplier|seller|company|merchant|organi[sz]ation|firm/, ({ text }) => findCompany(text)],
  [/(?:^|_)(?:name|customer|author|sender|person|contact|client)(?:_|$)/, ({ text }) => findPerson(text) ?? findCompany(text)],
  [/(?:^|_)(?:number|no|id|order|invoice|reference|ticket|sku|code)(?:_|$)/, ({ text }) => findNumber(text)],
]);

/** A text's value for a field of that name; null if there is nothing of the kind in it, undefined for an unknown name. */
export function findField(name: string, row: Row): string | null | undefined {
  return FINDERS(name)?.(row);
}

const MONTHS: readonly RegExp[] = [
  /jan|янв/i,
  /feb|fév|фев/i,
  /mar|mär|мар/i,
  /apr|avr|апр/i,
  /may|mai|ма[йя]/i,
  /jun|juin|июн/i,
  /jul|juil|июл/i,
  /aug|aoû|авг/i,
  /sep|сен/i,
  /oct|okt|окт/i,
  /nov|ноя/i,
  /dec|dez|déc|дек/i,
];
const MONTH =
  'jan|feb|fév|mar|mär|apr|avr|may|mai|jun|juin|jul|juil|aug|aoû|sep|oct|okt|nov|dec|dez|déc|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек';
const DAY_FIRST = new RegExp(`(\\d{1,2})(?:st|nd|rd|th|\\.)?\\s+((?:${MONTH})\\p{L}*)\\.?,?\\s+(\\d{4})`, 'iu');
const MONTH_FIRST = new RegExp(`((?:${MONTH})\\p{L}*)\\.?\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(\\d{4})`, 'iu');

/** The first date with a year, as YYYY-MM-DD. */
export function findDate(text: string): string | null {
  const iso = /\b(\d{4})[-/](\d{1,2})[-/](\d{1,2})\b/.exec(text) ?? /(\d{4})年(\d{1,2})月(\d{1,2})日/.exec(text);
  if (iso !== null) return render(iso[1], iso[2], iso[3]);
  const points = /\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b/.exec(text);
  if (points !== null) return render(points[3], points[2], points[1]);
  const named = DAY_FIRST.exec(text);
  if (named !== null) return render(named[3], String(monthOf(named[2])), named[1]);
  const american = MONTH_FIRST.exec(text);
  return american === null ? null : render(american[3], String(monthOf(american[1])), american[2]);
}

function monthOf(name = ''): number {
  return MONTHS.findIndex((month) => month.test(name)) + 1;
}

function render(year = '', month = '', day = ''): string {
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

const CURRENCIES: readonly (readonly [RegExp, string])[] = [
  [/€|\bEUR\b|\beuros?\b|евро|欧元|ユーロ/i, 'EUR'],
  [/£|\bGBP\b|\bpounds?\b/i, 'GBP'],
  [/\$|\bUSD\b|\bdollars?\b|доллар|美元/i, 'USD'],
  [/\bCHF\b/, 'CHF'],
  [/₽|\bRUB\b|руб/i, 'RUB'],
  [/円|\bJPY\b/, 'JPY'],
  [/元|\bCNY\b|\bRMB\b/, 'CNY'],
];

function findCurrency(text: string): string | null {
  return CURRENCIES.find(([sign]) => sign.test(text))?.[1] ?? null;
}

const COMPANY =
  /株式会社[\p{L}]{1,12}|[\p{L}]{1,12}(?:株式会社|有限公司)|[\p{Lu}][\p{L}&.-]*(?: [\p{Lu}&][\p{L}&.-]*){0,3} (?:Ltd|Inc|GmbH|AG|LLC|SARL|Corp)\b\.?|(?:ООО|ОАО|ИП) «?[\p{L} -]{2,24}»?/u;

/** A name with the legal form of a company in it, else the start of the text, up to the first comma or full stop. */
function findCompany(text: string): string | null {
  const named = first(COMPANY, text);
  if (named !== null) return named;
  const opening = /^[^\n,.:;。，]{3,40}(?=[\n,.])/.exec(text)?.[0].trim();
  return opening !== undefined &&
    /^[\p{Lu}\p{Lo}]/u.test(opening) &&
    opening.split(' ').length <= 5 &&
    opening.split(' ').every((word) => !/^\p{Ll}/u.test(word)) &&
    !/^(?:thank|hello|hi |dear|reminder|i |we |our |your |the )/i.test(opening)
    ? opening
    : null;
}

function findPerson(text: string): string | null {
  return (
    first(/(?<=(?:Mr|Mrs|Ms|Dr|Herr|Frau|Herrn|regards,?|Best,|Grüße,?|Gruß,?)\.?\s)[\p{Lu}][\p{L}-]+(?: [\p{Lu}][\p{L}-]+)?/u, text) ??
    first(
      /^(?!(?:Reminder|Note|Total|Subject|Invoice|Account|Table|Order)\b)[\p{Lu}][\p{L}-]+(?: [\p{Lu}][\p{L}-]+)?(?=(?: ?\([^)]{1,20}\))?[:：])/mu,
      text,
    )
  );
}

/** A number after a word such as invoice or order, else the first with at least three digits. */
function findNumber(text: string): string | null {
  return (
    first(
      /(?<=(?:invoice|facture|rechnung|order|bestellung|auftrag|ticket|no|nr|№|account|statement|заказ\p{L}*|счет|счёт|No)[.:]?\s(?:no\.?\s|nr\.?\s|№\s?)?)#?[A-Z]{0,3}-?\d[\d-]*\d?/iu,
      text,
    ) ?? first(/\b[A-Z]{1,3}-?\d{3,}\b|\b\d{4,}\b/, text)
  );
}

/** An amount of money: digits with marks between thousands and before the cents. */
const AMOUNT = /-?\d{1,3}(?:[.,' \u00a0]\d{3})*(?:[.,]\d{2})?(?!\d)|-?\d+(?:[.,]\d{2})?/;
const MONEY = new RegExp(
  `(${AMOUNT.source})\\s*(?:€|EUR|USD|GBP|CHF|£|\\$|円|元|руб\\p{L}*|₽|euros?|dollars?)|[€£$¥]\\s?(${AMOUNT.source})`,
  'giu',
);
const TOTAL = new RegExp(
  `(?:total|amount due|gesamt\\p{L}*|summe|zu zahlen|итого|всего|合計|合计|总计|总额|ttc)[^\\d\\n-]{0,16}(${AMOUNT.source})`,
  'iu',
);

/** The amount to be paid: the amount after a word for the total, else the largest; null without any. */
export function findTotal(text: string): number | null {
  const named = TOTAL.exec(text)?.[1];
  if (named !== undefined) return readAmount(named);
  const amounts = findAmounts(text);
  return amounts.length === 0 ? null : Math.max(...amounts);
}

function findAmounts(text: string): readonly number[] {
  return [...text.matchAll(MONEY)].map((match) => readAmount(match[1] ?? match[2] ?? '0'));
}

function readAmount(text: string): number {
  const cents = /[.,](\d{2})$/.exec(text);
  const whole = (cents === null ? text : text.slice(0, -3)).replace(/[^\d-]/g, '');
  return Number(`${whole}.${cents?.[1] ?? '0'}`);
}

/** A line of a list with an amount of money. */
export interface Position {
  readonly text: string;
  readonly amount: number;
}

/** The parts of a text with a thing and its price, without totals and taxes. */
export function findPositions(text: string): readonly Position[] {
  return text.split(/\n|;|(?<=\d)\. /).flatMap((line) => {
    if (/total|amount due|gesamt|summe|net\b|netto|vat|mwst|ust|итого|合計|消費税|invoice|rechnung/i.test(line)) return [];
    const amounts = [...line.matchAll(new RegExp(AMOUNT.source, 'g'))].filter(
      ({ 0: amount }) => /[.,]\d{2}$/.test(amount) || /円|元/.test(line),
    );
    const last = amounts.at(-1);
    const name =
      last === undefined
        ? ''
        : line
            .slice(0, amounts[0]?.index)
            .replace(/[\s:=,à-]+$/, '')
            .trim();
    return last === undefined || !/\p{L}{2}/u.test(name) ? [] : [{ text: name, amount: readAmount(last[0]) }];
  });
}

function first(pattern: RegExp, text: string | undefined): string | null {
  return text === undefined ? null : (pattern.exec(text)?.[0].trim() ?? null);
}
