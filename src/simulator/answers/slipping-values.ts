import { hashFraction } from '../hash.ts';
import type { AnswerManner } from './answer-types.ts';
import { fitNumber, type ValueMaker } from './value-maker.ts';

/** Whether an answer is not the best: by its content for a worse model, by the occasion for noise. */
export function slips({ noise, degrade }: AnswerManner, drawSeed: string, occasion: string): boolean {
  if (degrade > 0 && hashFraction(drawSeed, 'degrade') < degrade) return true;
  // Two answers differ when one of the two slips: 2 p (1 - p) is the noise.
  return noise > 0 && hashFraction(drawSeed, 'noise', occasion) < (1 - Math.sqrt(1 - 2 * noise)) / 2;
}

/** Changes the maker's values visibly: the next best choice, the opposite, a misread digit, missing words. */
export function createSlippingValues(maker: ValueMaker): ValueMaker {
  return {
    ...maker,
    choose(values, field) {
      const best = maker.choose(values, field);
      const others = values.filter((value) => value !== best && value !== null);
      return others.length === 0 ? best : maker.choose(others, field);
    },
    sentiment: () => (maker.sentiment() === 'neutral' ? 'positive' : 'neutral'),
    text: (field) => misread(maker.text(field)),
    number(field, bounds) {
      const best = maker.number(field, bounds);
      const { minimum = best - 10, maximum = best + 10 } = bounds;
      const step = Math.max(0.25 * (maximum - minimum), bounds.multipleOf ?? (bounds.isInteger ? 1 : 0));
      return fitNumber(best > (minimum + maximum) / 2 ? best - step : best + step, bounds);
    },
    boolean: (field) => !maker.boolean(field),
  };
}

function misread(text: string): string {
  const digit = /\d(?=\D*$)/.exec(text);
  if (digit !== null) return `${text.slice(0, digit.index)}${digit[0] === '0' ? 1 : Number(digit[0]) - 1}${text.slice(digit.index + 1)}`;
  const words = text.split(' ');
  return words.length > 1
    ? words.slice(0, Math.ceil(words.length * 0.6)).join(' ')
    : [...text].slice(0, Math.ceil(text.length * 0.8)).join('');
}
