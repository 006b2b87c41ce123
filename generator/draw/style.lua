-- SPDX-License-Identifier: MIT
-- Style: colours and type of the drawings. All on white paper of its own, so that a drawing reads
-- the same on a light and on a dark page.

return [[
.upweave text { font-family: sans-serif; fill: #1f2733; }
.upweave .title { font-size: 20px; font-weight: bold; }
.upweave .head { font-size: 15px; font-weight: bold; }
.upweave .soft { font-size: 13px; fill: #5b6573; }
.upweave .note { font-size: 11px; fill: #5b6573; }
.upweave .end { text-anchor: end; }
.upweave .side { font-size: 12px; fill: #5b6573; text-anchor: end; }
.upweave .number { font-size: 11px; text-anchor: middle; }
.upweave .tiny { font-size: 9px; text-anchor: middle; }
.upweave .faint { fill: #9aa3ae; }
.upweave .formula { font-family: monospace; font-size: 12px; }
.upweave .rule { font-size: 12px; }
.upweave .chosen { font-weight: bold; }
.upweave .paper { fill: #ffffff; }
.upweave .divider { stroke: #d5dae1; }
.upweave .input { fill: #eef1f5; stroke: #8f9aa8; }
.upweave .ghost { fill: #ffffff; stroke: #b4bcc7; stroke-dasharray: 3 3; }
.upweave .output { fill-opacity: 0.2; }
.upweave .clipped { fill-opacity: 0.1; stroke-dasharray: 4 2; }
.upweave .output.chosen { fill: #0072b2; stroke: #0072b2; }
.upweave .output.plain { fill: #8f9aa8; stroke: #8f9aa8; }
.upweave .filled { fill: url(#upweave-hatch); stroke: #6b7280; }
.upweave .point { fill: #4b5563; }
.upweave .break { fill: #8f9aa8; }
.upweave .reads { stroke: #8f9aa8; stroke-dasharray: 1 3; }
.upweave .tap { stroke-linecap: round; }
.upweave .negative { stroke: #cc3a2b; stroke-dasharray: 5 3; stroke-linecap: butt; }
.upweave .lost { stroke: #9aa3ae; stroke-width: 1.2; stroke-dasharray: 2 3; }
.upweave .reach { fill-opacity: 0.08; }
.upweave .meeting { stroke: #1f2733; stroke-width: 0.8; }
.upweave .base { stroke: #c3cad3; }
.upweave .minus { fill: #cc3a2b; }
.upweave .pixel { fill: #0072b2; stroke: #8f9aa8; }
.upweave .pixel.minus { fill: #cc3a2b; }
]]
