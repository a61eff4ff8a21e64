/** The report's one style sheet. Colours are named once for light and once for dark; nothing is loaded. */
export const STYLE = `
:root{color-scheme:light dark;
--page:#f6f7f9;--card:#fff;--line:#e1e5ea;--faint:#eef1f4;--text:#1b2430;--soft:#5b6776;
--ok:#1f8a5b;--reused:#6fb796;--dup:#b4dcc8;--bad:#cf3f4f;--skip:#c98a1b;--wait:#8a94a3;
--good:#17724a;--warn:#8a5a00;--wrong:#b92d3d;
--main:#2f63d6;--second:#8c5bd0;--third:#1b93a8;--limit:#cf3f4f;--note:#fff5dc;--noteline:#ecd9a0;--shade:#1b243040;
--g1:#e3f4ea;--g2:#c5e8d4;--g3:#9fd8b9;--g4:#74c69c;--b1:#fce8ea;--b2:#f8cdd2;--b3:#f2a9b1;--b4:#ea8590}
@media screen and (prefers-color-scheme:dark){:root{
--page:#11151b;--card:#191f27;--line:#2c3542;--faint:#232b36;--text:#e7ebf0;--soft:#9aa6b5;
--ok:#46c08a;--reused:#2f8560;--dup:#1f5741;--bad:#f0717f;--skip:#e2ad4a;--wait:#7d8896;
--good:#46c08a;--warn:#e2ad4a;--wrong:#f58a96;
--main:#7aa2ff;--second:#b592ee;--third:#53c3d6;--limit:#f0717f;--note:#2c2614;--noteline:#574a1f;--shade:#e7ebf050;
--g1:#16281f;--g2:#1a3a2a;--g3:#1d4e37;--g4:#1f6545;--b1:#2d1b20;--b2:#43222a;--b3:#5d2a35;--b4:#7a3340}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:52px}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main,header.top,nav ul{max-width:1080px;margin:0 auto;padding:0 20px}
header.top{padding-top:28px}
h1{font-size:1.65rem;line-height:1.2;margin:0;letter-spacing:-.01em}
h2{font-size:1.1rem;margin:0 0 12px;letter-spacing:-.005em}
h3{font-size:.95rem;margin:18px 0 8px}
h3:first-child{margin-top:0}
summary h3{display:inline;font:inherit}
p{margin:0 0 10px}
a{color:var(--main)}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--main);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-999px}
.skip:focus{left:12px;top:8px;background:var(--card);padding:6px 12px;z-index:2}
.soft{color:var(--soft)}
.small{font-size:.85rem}
.mono,code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.82rem}
.lead{color:var(--soft);margin:6px 0 0}
.meta{display:flex;flex-wrap:wrap;gap:4px 18px;margin:12px 0 0;padding:0;list-style:none;color:var(--soft);font-size:.88rem}
.meta b{color:var(--text);font-weight:600}
.head{display:flex;flex-wrap:wrap;gap:10px 16px;align-items:center}
.head>*{min-width:0}
.badge{display:inline-block;padding:3px 12px;border-radius:99px;font-weight:600;font-size:.9rem;border:1px solid currentColor}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--wrong)}
.note{background:var(--note);border:1px solid var(--noteline);border-radius:10px;padding:9px 14px;margin:16px 0 0}
nav{position:sticky;top:0;z-index:1;margin:16px 0 0;background:var(--page);border-bottom:1px solid var(--line);font-size:.88rem;overflow-x:auto;scrollbar-width:thin}
nav ul{display:flex;gap:15px;list-style:none;white-space:nowrap}
nav a{display:block;padding:8px 0}
.asks{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,230px),1fr));gap:12px;margin:18px 0 0}
.ask{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:13px 16px;min-width:0}
.ask h2{color:var(--soft);font-size:.82rem;font-weight:400;margin:0}
.ask .value{font-size:1.25rem;font-weight:650;letter-spacing:-.02em;line-height:1.3;margin:0 0 2px;font-variant-numeric:tabular-nums}
.ask .say{font-size:.85rem}
.ask ul{margin:0;padding-left:18px}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px 22px;margin:16px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:18px 0 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:14px 16px;min-width:0}
.tile .name{color:var(--soft);font-size:.82rem}
.tile .value{font-size:1.25rem;font-weight:650;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums}
.tile .say{color:var(--soft);font-size:.82rem}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:8px 32px}
.two>div,.flow>div{min-width:0}
.flow{columns:380px 2;column-gap:32px}
.flow>div{break-inside:avoid;padding-bottom:14px}
.flow>div:only-child{column-span:all}
@media (min-width:800px){.two.wide{grid-template-columns:minmax(0,5fr) minmax(0,3fr)}}
.scroll{overflow-x:auto;max-width:100%;background:linear-gradient(90deg,var(--card) 40%,transparent) left/40px 100%,
linear-gradient(-90deg,var(--card) 40%,transparent) right/40px 100%,
linear-gradient(180deg,var(--card) 40%,transparent) top/100% 40px,
linear-gradient(0deg,var(--card) 40%,transparent) bottom/100% 40px,
linear-gradient(90deg,var(--shade),transparent) left/12px 100%,
linear-gradient(-90deg,var(--shade),transparent) right/12px 100%,
linear-gradient(180deg,var(--shade),transparent) top/100% 12px,
linear-gradient(0deg,var(--shade),transparent) bottom/100% 12px;
background-repeat:no-repeat;background-attachment:local,local,local,local,scroll,scroll,scroll,scroll}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:6px}
th,td{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid var(--faint);vertical-align:top;overflow-wrap:break-word;max-width:22em}
th{font-weight:600;color:var(--soft);font-size:.8rem}
tbody th{color:var(--text);font-size:.88rem;min-width:5em}
th .soft{font-weight:400}
tbody th.sub{font-weight:400;padding-left:14px}
tr:last-child>*{border-bottom:0}
.n{text-align:right;white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
.pair{table-layout:fixed}
.pair .n{white-space:normal}
tr.sum>th,tr.sum>.n{font-weight:650}
.pay tr{display:grid;grid-template-columns:minmax(0,1fr) auto;border-bottom:1px solid var(--faint);padding:5px 0}
.pay tr:last-child{border-bottom:0}
.pay tr>*{border:0;padding:0;max-width:none}
.pay td:last-child{grid-column:1/-1;font-size:.82rem}
.keep th,.keep td{white-space:nowrap}
.keep tbody th{font-weight:400}
svg{display:block;width:100%;height:150px}
svg *{vector-effect:non-scaling-stroke}
.stack svg{height:18px;border-radius:6px}
.meter svg{height:8px;border-radius:4px;margin:6px 0 4px}
.line svg{height:16px;border-radius:3px}
td.bar svg,td .bar svg{height:9px;border-radius:3px;margin-top:6px}
.bar{min-width:60px}
td .bar{max-width:150px;margin-left:auto}
td.bar{width:50%}
.matrix td,.matrix thead th{padding:6px 8px}
.g1{background:var(--g1)}.g2{background:var(--g2)}.g3{background:var(--g3)}.g4{background:var(--g4)}
.b1{background:var(--b1)}.b2{background:var(--b2)}.b3{background:var(--b3)}.b4{background:var(--b4)}
.axis span:first-child,.axis span:last-child{white-space:nowrap}
.axis{display:flex;justify-content:space-between;gap:10px;color:var(--soft);font-size:.8rem;border-top:1px solid var(--line);padding-top:4px;font-variant-numeric:tabular-nums}
.lines{display:grid;grid-template-columns:fit-content(40%) minmax(80px,1fr) max-content;gap:6px 14px;align-items:center;font-size:.85rem}
.f-ok{fill:var(--ok)}.f-reused{fill:var(--reused)}.f-dup{fill:var(--dup)}.f-bad{fill:var(--bad)}.f-skip{fill:var(--skip)}.f-wait{fill:var(--wait)}
.f-main{fill:var(--main)}.f-second{fill:var(--second)}.f-third{fill:var(--third)}.f-faint{fill:var(--faint)}.f-line{fill:var(--line)}
.s-main{stroke:var(--main);fill:none;stroke-width:2}.s-limit{stroke:var(--limit);stroke-width:1.5;stroke-dasharray:5 4}.s-mark{stroke:var(--text);stroke-width:1.5;stroke-dasharray:2 3}
.area{fill:var(--main);opacity:.16}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:10px 0 0;padding:0;font-size:.86rem}
.key li,.meta li{min-width:0}
p svg,.key svg{display:inline-block;width:10px;height:10px;margin-right:6px;border-radius:2px}
.equation{font-size:.95rem;margin:0 0 12px;font-variant-numeric:tabular-nums}
figure{margin:0 0 6px}
figcaption{color:var(--soft);font-size:.85rem;margin-bottom:6px}
code.cmd,pre{background:var(--faint);border-radius:8px}
code.cmd{padding:2px 7px;display:inline-block;max-width:100%}
code.cmd span{display:inline-block;max-width:100%}
pre{padding:10px 12px;margin:4px 0 8px;white-space:pre-wrap;max-height:26em;overflow:auto}
details{margin:4px 0 0}
summary{cursor:pointer;color:var(--soft);font-size:.86rem;padding:2px 0}
details[open]>summary{margin-bottom:4px}
.row{border-top:1px solid var(--line);padding:13px 0 11px}
.row:first-of-type{border-top:0}
.cause{border-top:1px solid var(--line);padding:14px 0 10px}
.cause:first-of-type{border-top:0;padding-top:0}
details.row,.brief{margin:0;padding:6px 0;border-top:1px solid var(--faint)}
.brief,details.row>summary{color:var(--text);display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
.row:target{background:var(--note);box-shadow:0 0 0 8px var(--note);border-radius:2px}
.row h4{display:flex;flex-wrap:wrap;gap:2px 10px;margin:0 0 5px;font-size:.9rem;align-items:baseline}
.row h4 span{min-width:0}
.row h4 .soft{font-weight:400;font-size:.82rem}
dl.answer{display:grid;grid-template-columns:fit-content(38%) minmax(0,1fr);gap:2px 14px;margin:0 0 4px;font-size:.92rem}
dl.answer dt{color:var(--soft)}
dl.answer dd,.plain{max-height:10em;overflow-y:auto}
dl.answer dd{margin:0;white-space:pre-wrap}
.plain{white-space:pre-wrap;margin:0 0 4px;font-size:.92rem}
.role{color:var(--soft);font-size:.76rem;margin:6px 0 0}
footer{max-width:1080px;margin:0 auto;padding:4px 20px 36px;color:var(--soft);font-size:.84rem}
@media (min-width:601px) and (max-width:1040px){.asks{grid-template-columns:1fr 1fr}}
@media (max-width:600px){
main,header.top,footer{padding-left:13px;padding-right:13px}
section{padding:13px 14px;border-radius:12px;margin:11px 0}
.scroll{max-height:430px}
header.top{padding-top:16px}
.asks{gap:9px;margin-top:13px}
.ask{padding:9px 13px}
.tiles{grid-template-columns:1fr 1fr;gap:9px}
.tile{padding:11px 12px}
.tile .value{font-size:1.22rem}
dl.answer{grid-template-columns:fit-content(50%) minmax(0,1fr)}
dl.facts{grid-template-columns:fit-content(34%) minmax(0,1fr)}
dl.answer dd,.plain{max-height:5em}
dl.facts dd{max-height:none}
svg{height:95px}
details.row,.brief{padding:4px 0;font-size:.85rem;line-height:1.4}
th,td{max-width:15em;padding-right:8px}
.keep tr{display:grid;grid-template-columns:repeat(4,minmax(0,1fr)) minmax(0,2fr);border-bottom:1px solid var(--faint);padding:2px 0;line-height:1.35}
.keep tr:last-child{border-bottom:0}
.keep tr>*{border:0;padding:0;max-width:none}
.keep tr>:first-child{grid-column:span 4}
.keep tr>:nth-child(2){text-align:right;white-space:normal}
.keep thead tr>:nth-child(-n+2){display:none}
.scroll:has(>.pair){max-height:none}
td.bar{width:30%}
.lines{grid-template-columns:minmax(0,1fr)}
.lines .n{text-align:left}}
@media print{
:root{color-scheme:light}
body{background:#fff;font-size:12px}
nav,.skip{display:none}
section{border:0;padding:0}
.tile,.ask,.cause,tr,figure,h2,h3{break-inside:avoid}
h2,h3{break-after:avoid}
.scroll,pre,dl.answer dd,.plain{overflow:visible;max-height:none}
details.row>summary{display:block}
details:not([open])>summary::after{content:" (folded: open it before printing)"}}
`;
