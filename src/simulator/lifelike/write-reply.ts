import type { Sense } from '../lexicon/word-list.ts';

type Occasion = 'praise' | 'wish' | 'money' | 'defect' | 'any';

const REPLIES: Readonly<Record<string, Readonly<Record<Occasion, string>>>> = {
  en: {
    praise: 'Thank you for the kind words! I have passed them on to the team.',
    wish: 'Thank you for the idea. I have passed it on to those who plan our next versions and will tell you when there is news.',
    money: 'Thank you for your message. I am having the amount checked and will come back to you with [date].',
    defect: 'I am sorry for the trouble. We are looking into the cause and will write again as soon as we know more.',
    any: 'Thank you for your message. I have taken care of it and will confirm with [date].',
  },
  de: {
    praise: 'Vielen Dank für die freundlichen Worte! Ich gebe sie gern an das Team weiter.',
    wish: 'Vielen Dank für die Anregung. Ich habe sie an die Produktplanung weitergegeben und melde mich, sobald es Neues gibt.',
    money: 'Vielen Dank für Ihre Nachricht. Ich lasse den Betrag prüfen und melde mich bis [Datum].',
    defect: 'Das tut uns leid. Wir suchen die Ursache und melden uns, sobald wir mehr wissen.',
    any: 'Vielen Dank für Ihre Nachricht. Ich kümmere mich darum und bestätige es bis [Datum].',
  },
  ru: {
    praise: 'Спасибо за тёплые слова! Передам их коллегам.',
    wish: 'Спасибо за предложение. Мы передали его разработчикам и сообщим, когда появятся новости.',
    money: 'Спасибо за обращение. Мы проверим платёж и ответим до [дата].',
    defect: 'Приносим извинения. Мы ищем причину и напишем, как только узнаем больше.',
    any: 'Спасибо за обращение. Мы займёмся этим и подтвердим до [дата].',
  },
  ja: {
    praise: 'お褒めの言葉をありがとうございます。担当者に申し伝えます。',
    wish: 'ご提案ありがとうございます。開発部門に共有し、進展があればご連絡いたします。',
    money: 'お問い合わせありがとうございます。金額を確認のうえ、[日付]までにご連絡いたします。',
    defect: 'ご不便をおかけし申し訳ございません。原因を調査し、分かり次第ご連絡いたします。',
    any: 'お問い合わせありがとうございます。対応のうえ、[日付]までにご連絡いたします。',
  },
  zh: {
    praise: '感谢您的肯定，我会转达给团队。',
    wish: '感谢您的建议，已转给产品部门，有进展会通知您。',
    money: '感谢您的来信，我们正在核对金额，将在[日期]前回复您。',
    defect: '给您带来不便，非常抱歉。我们正在查找原因，有结果会马上告知。',
    any: '感谢您的来信，我们会处理，并在[日期]前确认。',
  },
};

/** A polite reply in one of five languages, English for all others, about the main subject of the text. Unknown facts are in brackets. */
export function writeReply(language: string, subjects: ReadonlyMap<Sense, number>): string {
  const occasions = ['money', 'defect', 'wish', 'praise'] as const;
  let occasion: Occasion = 'any';
  for (const other of occasions) if ((subjects.get(other) ?? 0) > (subjects.get(occasion as Sense) ?? 0)) occasion = other;
  return (REPLIES[language] ?? REPLIES.en)?.[occasion] ?? '';
}
