import fc from 'fast-check';

const SURROGATES = 0x800;
const FIRST_SURROGATE = 0xd800;
const LAST_CODE_POINT = 0x10ffff;

const codePoint = fc.nat(LAST_CODE_POINT - SURROGATES).map(
  (index) => String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES),
  (text) => {
    const point = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (point === undefined || text !== String.fromCodePoint(point)) throw new Error('not one code point');
    if (point < FIRST_SURROGATE) return point;
    if (point < FIRST_SURROGATE + SURROGATES) throw new Error('a surrogate');
    return point - SURROGATES;
  },
);

/**
 * Texts of any characters of Unicode: the same as `fc.string({ unit: 'binary' })`, which first lists all of Unicode and takes 1.5 s and 130 MB for
 * it in every process.
 */
export function anyText(constraints: fc.StringSharedConstraints = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: codePoint });
}
