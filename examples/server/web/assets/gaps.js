// What the stored API descriptions leave unsaid.

import { get } from "./api.js";
import { byId, h, button, plural } from "./dom.js";
import { fillAPIs } from "./code.js";
import { openOperation } from "./panel.js";

let report = { gaps: [] };

export function start() {
  byId("gaps-api").addEventListener("change", load);
  byId("gaps-severity").addEventListener("change", show);
}

export async function enter() {
  await Promise.all([fillAPIs(byId("gaps-api")), load()]);
}

async function load() {
  const api = byId("gaps-api").value;
  try {
    report = await get(`/gaps${api ? `?api=${encodeURIComponent(api)}` : ""}`);
    const severities = [...new Set((report.gaps ?? []).map((g) => g.severity))];
    byId("gaps-severity").replaceChildren(h("option", { value: "" }, "all"), ...severities.map((s) => h("option", {}, s)));
    show();
  } catch (error) {
    byId("gaps-output").replaceChildren();
    byId("gaps-status").textContent = error.missing ? "This server looks for no gaps." : error.message;
  }
}

function show() {
  const severity = byId("gaps-severity").value;
  const gaps = (report.gaps ?? []).filter((g) => !severity || g.severity === severity);
  const score = report.score === undefined ? "" : `Score ${Math.round(report.score)} of 100, `;
  byId("gaps-status").textContent = `${score}${plural(gaps.length, "gap")}${report.operations === undefined ? "" : ` in ${plural(report.operations, "operation")}`}.`;
  byId("gaps-output").replaceChildren(gaps.length > 0 ? table(gaps.slice(0, 500)) : "");
}

const table = (gaps) => h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Gaps" }, h("table", {},
  h("thead", {}, h("tr", {}, ["Severity", "Operation", "What is missing", "Place"].map((t) => h("th", { scope: "col" }, t)))),
  h("tbody", {}, gaps.map((g) => h("tr", {}, h("td", {}, g.severity),
    h("td", {}, g.endpoint ? button(g.endpoint, () => openOperation({ endpoint: g.endpoint, api: g.api }), { class: "link" }) : g.api ?? ""),
    h("td", {}, g.message ?? g.kind), h("td", {}, g.place ? h("code", {}, g.place) : ""))))));
