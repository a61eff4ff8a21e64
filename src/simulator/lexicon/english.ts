import type { WordList } from './word-list.ts';

export const ENGLISH: WordList = {
  money: `bill bills billed billing invoice* charge charges charged charging payment* pay paid paying pays refund* price* pricing cost costs fee fees
    subscription* receipt* tax vat coupon* voucher* discount* credit* debit* bank card money dollar* euro* pound* amount* statement overdue overcharg*
    salary payroll expense* budget cheaper expensive yearly monthly renewal* deposit* instal* chargeback* financ* paypal transfer* renews balance`,
  defect: `bug bugs buggy crash* error* fail fails failed failing failure* broke broken breaks breaking blank freez* froze frozen stuck hang hangs disappear* vanish*
    missing lost corrupt* wrong incorrect* invalid glitch* outage is_down server_down loads_forever not_load not_work* n't_work* stopped_working no_longer duplicate* expired
    unresponsive unable cannot_open nothing_happens garbled empty late_by leak* crack* snapped tore torn bent rust* scratch* jam jams jammed faulty defect* damage*
    dead flicker* overheat* timeout time_out times_out timed_out slow* lag lags laggy malfunction* 404 500 loading_forever since_the_update since_yesterday
    technical incident* fault* troubleshoot* n't_load n't_open n't_save n't_sync n't_start n't_turn came_loose fell_off fell_apart stopped ignores wobbl* peel* shows_up_twice shown_twice`,
  wish: `feature* add adding wish wishes would_be_nice would_be_great would_be_helpful would_be_useful would_help would_love would_like_to_see could_you_add can_you_add
    let_us let_me allow* support_for option_to option_for ability_to suggestion* suggest* idea* request* improvement* enhance* dark_mode dark_theme shortcut* integrat*
    it_would would_have please_make please_support please_offer any_plans roadmap asks asks_for i_wish_i_could missing_feature needs_a should_be_able
    be_able_to_choose make_it_possible customi* asking_for could_there_be`,
  question: `how where when which who what question* inquir* enquir* ask is_there do_you are_you can_i how_to how_do wondering wonder information clarify explain`,
  praise: `thank* thanks kudos grateful appreciat* compliment* congratulat* well_done great_job love_the shout_out keep_it_up praise`,
  delivery: `deliver* ship ships shipped shipping shipment* parcel* package* courier* tracking arriv* dispatch* warehouse customs postal postage logistic*`,
  return: `return returns returned returning refund* cancel* exchange* replace* send_it_back sent_it_back money_back terminate* unsubscrib* warranty guarantee`,
  account: `account* login log_in logged_in sign_in signin password* username* profile* locked_out authenticat* two-factor verification reset access permission* credential* user`,
  security: `security hack* breach* phishing fraud* scam* stolen malware virus* privacy gdpr leak_of vulnerab* unauthor* suspicious`,
  urgent: `urgent* asap immediately right_away emergenc* critical deadline* at_once as_soon_as_possible hurry needed_today within_24 before_the by_tomorrow by_monday
    by_tuesday by_wednesday by_thursday by_friday by_noon outage waiting otherwise_we server_down priority`,
  task: `please could_you can_you need needs must send sent_by will_send will_follow follow_up confirm* upload* attach* provide* prepare* schedule* contact* reply update_the shall_we let_me_know
    we_will i_will remind* forward* install* check_the`,
  meeting: `meeting* appointment* calendar schedul* agenda training* reschedul* tuesday wednesday thursday friday lunch call conference`,
  legal: `law laws lawyer* legal contract* court* liabil* clause* sue sued authority complian* regulat* attorney* exempt* terms`,
  spam: `spam winner you_have_won have_won won prize* lottery jackpot claim_your to_claim bank_details gift_card* click_here click_the_link click_below advertis* unasked viagra pills
    prescription casino crypto bitcoin inherit* dear_friend free_gift limited_offer order_now act_now today_only special_offer guaranteed_income page_one search_engines rank*
    earn_money make_money cheap_meds 100%_free no_fee weight_loss loan loans free_entry urgent_transfer wire_transfer verify_your_account account_suspended
    pay_you_back send_me_the_codes otherwise_it fraud phishing junk text_stop txt cash congratulations winning claim !!!`,
  health: `health* doctor* hospital* medic* patient* symptom* disease* pain ill sick* allerg* injur* vaccine* therapy`,
  sport: `sport* match matches goal* team league championship coach player* tournament olympic* football soccer tennis basketball race stadium`,
  politics: `politic* government* president* minister* parliament election* vote* party senate policy diplomat* war treaty`,
  science: `scien* research* study studies experiment* physic* biolog* astronom* quantum laborator* theorem algorithm* dataset*`,
  culture: `film* movie* music* concert* novel* theatre theater museum* exhibition* actor* actress* album* festival* painting*`,
  great: `excellent amazing awesome fantastic wonderful perfect* superb outstanding brilliant best love loved loves delight* gorgeous flawless incredible terrific exactly_what
    highly_recommend favourite favorite stunning impress* thrilled exceptional unbeatable a_joy a_dream great positive :) ❤ 👍 😍 😊`,
  good: `good nice well happy i_like we_like liked likes comfort* comfy recommend* beautiful* enjoy* easy easily clear clearly clean smooth* sturdy quiet quick quickly fast sharp warm soft light helpful friendly
    reliab* durable worth pleased pleasant satisf* glad fits fun clever useful handy solid_build sturdily bargain elegant accurate bright charming crisp fresh neat polite
    precise responsive robust safe simple stable stylish tasty delicious works_well does_what without_a_problem never_fails no_complaints exceeded stayed_dry
    stays_dry stays_put keeps lasts long-lasting cosy cozy intuitive generous honest impressed`,
  fair: `okay ok average fine decent acceptable nothing_special so-so mediocre fair adequate passable neutral middling alright does_the_job nothing_more for_the_price unremarkable ordinary usual mixed`,
  bad: `bad poor poorly slow* cheap cheaply flimsy annoy* disappoint* uncomfortable difficult hard_to unclear dull dim noisy loud smell smells smelly odd stiff heavy tight too_small too_big too_large too_short too_long too_bright too_dark
    too_tight too_loud problem* issue* complain* wrong late never confus* messy sticky thin weak useless_app unreliable unfriendly rude dirty stain* sad angry upset unhappy regret
    unfortunately frustrat* lacks lacking fails returned sent_it_back refund* missing sinks loses ruined delay* pricey overpriced bland bitter burnt stale soggy creaks creaky squeak*
    rattl* tear tears silent less_so negative ignored broke empty ended_up useless pinch* squeeze* fades faded blurry hurts hurt`,
  awful: `terribl* awful* horribl* worst hate hated hates useless garbage junk trash rubbish disgust* dreadful appalling unacceptable scam waste nightmare furious rip-off ripoff pathetic
    unusable avoid never_again do_not_buy don't_buy 👎 😡 :(`,
  not: `not no never n't cannot without hardly barely neither nor nothing stopped less`,
  but: `but however although though yet except unfortunately only`,
  very: `very really extremely so too absolutely totally incredibly remarkably much !!`,
  slightly: `a_bit slightly somewhat a_little rather fairly almost`,
};
