#include "report/page.hpp"

#include <fmt/format.h>

#include "report/markup.hpp"

namespace gpukeeper::report {
namespace {

// Colours of series: Okabe and Ito's, which colour-blind people tell apart; text keeps 4.5 : 1 on its ground.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--ground:#fff;--card:#f6f7f9;--ink:#16191d;--soft:#535b66;--rule:#d5dae1;
--c0:#0072b2;--c1:#e69f00;--c2:#009e73;--c3:#cc79a7;--c4:#56b4e9;--c5:#d55e00;--c6:#7a6bbf;--c7:#8a7a00;
--grey:#b3bac4;--good:#00714f;--notice:#8a5a00;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ground:#111418;--card:#1a1f25;--ink:#e8ebef;--soft:#a4adb9;--rule:#343b45;
--c0:#4aa8e0;--c1:#e9ae2c;--c2:#2fbf93;--c3:#dd94bd;--c4:#86cbf2;--c5:#f08a43;--c6:#a99be6;--c7:#cbbb3a;
--grey:#59626e;--good:#4fd3a5;--notice:#f0b95a;--bad:#ff8a80}}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#333;--rule:#999;--c0:#0072b2;--c1:#e69f00;
--c2:#009e73;--c3:#cc79a7;--c4:#56b4e9;--c5:#d55e00;--c6:#7a6bbf;--c7:#8a7a00;--grey:#b3bac4;--good:#00714f;
--notice:#8a5a00;--bad:#b3261e}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{max-width:none;padding:0}.part{break-inside:avoid}details>*{display:block}h2{break-after:avoid}}
@page{margin:14mm}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:24px;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:36px 0 8px}h3{font-size:16px;margin:0 0 6px}.card h2{margin:0 0 8px}
p{margin:6px 0}.soft{color:var(--soft)}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.label{display:inline-block;border:2px solid var(--notice);color:var(--notice);border-radius:4px;padding:0 8px;
font-weight:600;font-size:14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 14px}
.tile b{display:block;font-size:22px;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px;display:block}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:16px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:14px;margin:12px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:8px 0;font-size:14px}
th,td{text-align:left;padding:5px 10px;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--soft);font-weight:600;font-size:13px}td:first-child{overflow-wrap:anywhere;min-width:7em}
th.number{white-space:normal}.whole{white-space:nowrap}
ul{padding:0;margin:8px 0;list-style:none}li{padding:4px 0 4px 84px;text-indent:-84px;overflow-wrap:anywhere}
li b{display:inline-block;width:84px;text-indent:0}
.good{color:var(--good)}.notice{color:var(--notice)}.bad{color:var(--bad)}
details{margin:8px 0}summary{cursor:pointer;color:var(--soft)}
.chart{display:block;width:100%;height:auto;margin:6px 0}
@media screen and (max-width:640px){.part{overflow-x:auto}.part>.chart{min-width:640px}}
.chart text{fill:var(--soft);font-size:12px}.chart .strong{fill:var(--ink);font-weight:600}
.axis{stroke:var(--soft);stroke-width:1}.grid{stroke:var(--rule);stroke-width:1}
.limit{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:5 3}
.curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.band{fill-opacity:.3}
.hint{fill:transparent}.hint:hover{fill:var(--ink);fill-opacity:.08}
.heat{fill:var(--c0)}.absent{fill:none;stroke:var(--grey);stroke-width:.7;stroke-dasharray:2 2}
.trough{fill:var(--rule)}.fill{fill:var(--c0)}.fill.good{fill:var(--good)}.fill.notice{fill:var(--c1)}.fill.bad{fill:var(--bad)}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}.c5{fill:var(--c5)}
.c6{fill:var(--c6)}.c7{fill:var(--c7)}.grey{fill:var(--grey)}
.l0{stroke:var(--c0)}.l1{stroke:var(--c1)}.l2{stroke:var(--c2)}.l3{stroke:var(--c3)}.l4{stroke:var(--c4)}
.l5{stroke:var(--c5)}.l6{stroke:var(--c6)}.l7{stroke:var(--c7)}
.share{display:inline-block;height:9px;background:var(--c0);border-radius:2px;vertical-align:middle}
.share svg{display:block}
)css";

}  // namespace

std::string_view page_policy() {
  return "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      page_policy(), escaped(title), kStyle, body);
}

}  // namespace gpukeeper::report
