import type { WordList } from './word-list.ts';

export const GERMAN: WordList = {
  money: `rechnung* -rechnung rechnungen gutschrift* zahlung* zahl zahlen zahle bezahl* gezahlt überweis* abgebucht abbuchung* abgezogen belastet betrag beträge geld euro cent kosten
    kostet gebühr* -gebühr preis preise preiserhöhung* steuer* umsatzsteuer* mehrwertsteuer* mwst lastschrift* mahnung* mahnen rabatt* gutschein* abo abonnement* beleg* quittung* kreditkart*
    kontoauszug* erstatt* zurückerstatt* rückerstattung* guthaben iban teurer billiger berechnet tarif* raten* skonto zahlungs* paypal buchhaltung doppelt_abgebucht`,
  defect: `fehler* -fehler fehlermeldung* abstürz* absturz* stürzt abgestürzt kaputt defekt* funktioniert_nicht geht_nicht lädt_nicht läuft_nicht nicht_mehr hängt hängen friert
    eingefroren leere leeren leerer leeres verschwund* verschwind* fehlt fehlen fehlte falsch* falsche bricht gebrochen zerbrochen reagiert_nicht öffnet_nicht speichert_nicht startet_nicht
    doppelt_angezeigt weißer_bildschirm schwarzer_bildschirm ausgefallen ausfall* störung* seit_dem_update seit_gestern seit_heute problem* absturz klemmt wackel* wackeln undicht tropft rost* rostet
    verbogen riss reißt gerissen lösen_sich löst_sich beschädigt* zerkratzt* abgefallen verbogene langsam* zeichensalat lässt_sich_nicht kommt_nicht abgebrochen abbruch verrutsch* ausgeleiert
    zeigt_den_falschen zeigt_falsche stürzte ungültig* server technisch* bug`,
  wish: `wäre_es_möglich wäre_schön wäre_hilfreich wäre_toll wäre_praktisch wäre_gut hilfreich,_wenn schön,_wenn toll,_wenn praktisch,_wenn wünsch* wunsch vorschlag* vorschlagen anregung* funktion
    hinzufüg* ergänz* einbauen ermöglich* unterstütz* option dunkelmodus könnten_sie könnte_man könntet_ihr bitte_eine bitte_einen bitte_ein würde_gern würden_gern hätte_gern
    hätten_gern gerne_eine schnittstelle* anbieten erweiter* verbesserungs* idee ideen einführen neue_funktion wir_bräuchten es_fehlt_eine_möglichkeit die_möglichkeit einstellbar`,
  question: `wie wo wann welche welcher welches wer was frage* fragen gibt_es kann_ich können_sie_mir auskunft wissen erklären warum`,
  praise: `danke dank vielen_dank dankbar lob weiter_so herzlichen_glückwunsch großes_lob`,
  delivery: `liefer* -lieferung geliefert paket* päckchen versand* verschick* sendung* angekommen zugestellt zustell* spediteur* spedition zoll bote lager sendungsnummer`,
  return: `zurückgeschickt zurückschick* rücksend* retour* umtausch* kündig* widerruf* stornier* storno erstatt* garantie* gewährleistung* ersatz zurückgeben`,
  account: `konto kontos passwort* anmeld* einlogg* login benutzer* zugang* zugriff* profil* gesperrt ausgesperrt registrier* berechtigung*`,
  security: `sicherheit* datenschutz* gehackt betrug* phishing gestohlen missbrauch* verdächtig* dsgvo`,
  urgent: `dringend* eilig eilt sofort umgehend schnellstmöglich notfall* frist* bis_morgen bis_montag bis_dienstag bis_mittwoch bis_donnerstag bis_freitag heute_noch spätestens so_bald_wie_möglich stillstand`,
  task: `bitte brauchen brauche benötig* schicken_sie senden_sie senden schicken bestätig* prüfen veranlass* zusenden bereitstellen stellen_wir müssen muss melden_sie nachfrag* frage_dort vormerk* vorgemerkt`,
  meeting: `termin* treffen besprechung* kalender schulung* sitzung verabred* mittagessen verschieben`,
  legal: `vertrag* verträge anwalt* anwält* gericht* recht rechtlich* klage haftung* gesetz* behörde* agb`,
  spam: `gewonnen gewinn gewinner lotterie glückwunsch klicken_sie hier_klicken kostenlos* gratis erbschaft bankdaten kredit_ohne schnell_reich nur_heute sonderangebot jetzt_bestellen rezeptfrei`,
  health: `arzt ärzt* krankenhaus krank* schmerz* gesundheit* medikament* allergi* symptom*`,
  sport: `sport* spieltag mannschaft* fußball* tor tore liga trainer* turnier* meisterschaft* olymp*`,
  politics: `politik* regierung* minister* bundestag parlament* wahl wahlen partei* präsident* kanzler*`,
  science: `wissenschaft* forsch* studie* experiment* physik* biolog*`,
  culture: `kinofilm* musik* konzert* roman romane theater* museum ausstellung* festival* schauspiel*`,
  great: `super hervorragend* ausgezeichnet* perfekt* wunderbar* fantastisch* großartig* genial* toll tolle toller tolles klasse spitze traumhaft* begeister* liebe lieben beste besten bester bestes
    jederzeit_wieder sofort_wieder absolut_empfehl* hammer einwandfrei* tadellos* erstklassig*`,
  good: `gut gute guter gutes guten bequem* angenehm* schön* praktisch* leise scharf schnell* empfehl* zufrieden* freu* leicht einfach durchdacht* stabil* robust* hochwertig* regendicht wasserdicht dicht
    klar klare weich* sauber* nett freundlich* hilfsbereit* zuverlässig* gefällt gefallen hält warm frisch* lecker schmeckt_gut angenehme wunderbar passt sitzt ausgewogen* ewig präzise lohnt gelungen*
    handlich* pünktlich* reibungslos* problemlos* überzeug* hübsch* elegant* wertig* kinderleicht übersichtlich* erledigt genau_richtig`,
  fair: `okay ok ganz_in_ordnung in_ordnung durchschnittlich* mittelmäßig* geht_so so_lala akzeptabel* durchschnitt solide neutral nichts_besonderes befriedigend* teils für_den_preis zweckmäßig*`,
  bad: `schlecht* enttäusch* ärger* unbequem* unpraktisch* laut lauter zu_kurz zu_lang zu_klein zu_groß zu_hell zu_dunkel zu_dünn zu_eng zu_weit zu_teuer zu_fest zu_weich verbrannt stinkt riecht geruch fehlte leider
    billig nervt nervig* schwach schwer_zu langsam* umständlich* unzuverlässig* unfreundlich* dünn kratzt kratzig rutscht drückt verspät* zu_spät nie mehr_erwartet
    schade reklam* mangel* mängel zurückgeschickt trocknet sauer bitter fade zäh geht_nach unscharf blass_gewordenen dreckig schmutzig* verfärb* hakt hakelig quietsch* knarz* schief stumpf nachgelassen nicht_arbeiten negativ*`,
  awful: `schrecklich* furchtbar* katastroph* miserabel* unbrauchbar* nie_wieder finger_weg schrott müll frechheit unverschämt* grauenhaft* entsetzlich* wertlos* abzocke schlimmste* unmöglich`,
  not: `nicht kein keine keinen keiner keinem nie niemals ohne kaum nichts weder`,
  but: `aber jedoch allerdings leider nur trotzdem obwohl doch dafür`,
  very: `sehr wirklich extrem absolut total so zu äußerst richtig viel`,
  slightly: `etwas ein_bisschen ein_wenig ziemlich leicht_zu fast`,
};
