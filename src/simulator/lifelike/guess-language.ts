const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/[\u3040-\u30ff]/, 'ja'],
  [/[\u3400-\u9fff]/, 'zh'],
  [/[\u0400-\u04ff]/, 'ru'],
  [/[\uac00-\ud7af]/, 'ko'],
  [/[\u0600-\u06ff]/, 'ar'],
  [/[\u1200-\u137f]/, 'am'],
  [/ß|\b(?:und|nicht|ist|der|die|das|ein|eine|mit|für|wir|ich|auch)\b/i, 'de'],
  [/[¿¡ñ]|\b(?:el|los|las|que|por|una|muy|pero|yo)\b/i, 'es'],
  [/[çœ]|\b(?:les|des|une|est|pas|pour|avec|nous|vous|tout)\b/i, 'fr'],
];

const NAMES: Readonly<Record<string, string>> = {
  ja: 'Japanese',
  zh: 'Chinese',
  ru: 'Russian',
  ko: 'Korean',
  ar: 'Arabic',
  am: 'Amharic',
  de: 'German',
  es: 'Spanish',
  fr: 'French',
  en: 'English',
};

/** The most likely language of a text (ISO 639-1), from its script and short words; `en` without any evidence. */
export function guessLanguage(text: string): string {
  return SCRIPTS.find(([sign]) => sign.test(text))?.[1] ?? 'en';
}

/** The English name of a language. */
export function nameLanguage(code: string): string {
  return NAMES[code] ?? code;
}
