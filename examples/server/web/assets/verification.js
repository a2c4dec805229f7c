// Shows what the server found when it checked an answer against the specification:
// a mark beside each endpoint, and a list with the reasons.

import { h, button, plural } from "./dom.js";
import { openOperation } from "./panel.js";

// A mark is a sign and words, never a colour alone.
const verdicts = {
  ok: ["✓", "in the specification", "good"],
  unknown_path: ["✗", "no such path in the specification", "bad"],
  wrong_method: ["✗", "wrong method", "bad"],
  deprecated: ["!", "deprecated", "doubt"],
  ambiguous: ["?", "ambiguous", "doubt"],
  not_checked: ["–", "not checked", "none"],
};

const verdictOf = (status) => verdicts[status] ?? ["–", status.replaceAll("_", " "), "none"];

export function mark(check) {
  const [sign, words, kind] = verdictOf(check.status);
  const more = check.nearest?.length ? `; nearest: ${check.nearest.join(", ")}` : "";
  return h("span", { class: `mark ${kind}`, title: words + more }, h("span", { "aria-hidden": "true" }, sign), h("span", { class: "unseen" }, ` (${words}${more})`));
}

// markMentions puts a mark behind each endpoint that the text of root mentions.
// Code blocks stay as they are, to be copied.
export function markMentions(root, checks) {
  const places = root.querySelectorAll("p, li, td, th, h3, h4, h5, h6");
  for (const check of checks.slice(0, 100)) {
    const mention = check.mention.replace(/[`*]/g, "");
    for (const place of places) {
      markIn(place, mention, check);
    }
  }
}

const pathCharacter = /[\w/{}-]/;

function markIn(place, mention, check) {
  const nodes = texts(place);
  const text = nodes.map((n) => n.data).join("");
  let from = 0;
  for (let at; (at = text.indexOf(mention, from)) >= 0; from = at + mention.length) {
    const end = at + mention.length;
    if (pathCharacter.test(text[end] ?? "") || /\w/.test(text[at - 1] ?? "")) {
      continue; // a part of a longer one
    }
    insertAt(nodes, end, mark(check));
    return; // a mark in each place is enough
  }
}

// texts are the text nodes of a place that are not in code blocks, marks or nested places.
function texts(place) {
  const own = (node) => node.parentElement.closest("p, li, td, th, h3, h4, h5, h6") === place && !node.parentElement.closest("pre, button, .mark, figure");
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT, (n) => own(n) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP);
  const found = [];
  while (walker.nextNode()) {
    found.push(walker.currentNode);
  }
  return found;
}

// insertAt puts a node behind the first end characters of the nodes; behind an
// inline element that ends there.
function insertAt(nodes, end, inserted) {
  for (const node of nodes) {
    if (end > node.length) {
      end -= node.length;
      continue;
    }
    if (end < node.length) {
      node.splitText(end);
      node.after(inserted);
      return;
    }
    let last = node;
    while (/^(CODE|STRONG|EM|A)$/.test(last.parentNode.nodeName) && last === last.parentNode.lastChild) {
      last = last.parentNode;
    }
    last.after(inserted);
    return;
  }
}

// summary lists the endpoints and the problems in code; null if there is nothing to say.
export function summary(verification) {
  const endpoints = verification?.endpoints ?? [];
  const code = (verification?.code ?? []).filter((c) => c.problems?.length > 0);
  if (endpoints.length === 0 && code.length === 0) {
    return null;
  }
  return h("section", { class: "checks", "aria-label": "Checked against the specification" },
    endpoints.length > 0 && h("h3", {}, `${plural(endpoints.length, "endpoint")} checked`),
    endpoints.length > 0 && h("ul", { class: "plain" }, endpoints.map(endpointLine)),
    code.length > 0 && h("h3", {}, "Problems in the code"),
    code.length > 0 && h("ul", {}, code.map((c) => h("li", {}, `${c.request || "a request"} (${c.language || "code"}): `, problemsText(c.problems)))));
}

function endpointLine(check) {
  const [, words] = verdictOf(check.status);
  const name = check.operation || (check.status === "ok" ? check.mention.replace(/[`*]/g, "") : "");
  return h("li", {}, mark(check), " ",
    name ? operationButton(name, check) : h("code", {}, check.mention.replace(/[`*]/g, "")),
    ` ${words}${check.api ? `, ${check.api}` : ""}`,
    check.nearest?.length ? [". Nearest: ", ...check.nearest.flatMap((n, i) => [i ? ", " : "", operationButton(n, {})])] : null);
}

const operationButton = (endpoint, check) => button(endpoint, () => openOperation({ endpoint, operationID: check.operation_id, api: check.api }), { class: "link" });

// problemsText reads codes like "missing_body_field:/name" and objects with a message.
export const problemsText = (problems) => problems.map((p) => {
  if (typeof p !== "string") {
    return p.message ?? p.kind ?? "";
  }
  const [kind, ...where] = p.split(":");
  return [kind.replaceAll("_", " "), ...where].join(" ");
}).join("; ");

// told is the verdict in one sentence, to be announced.
export function told(verification) {
  const all = verification?.endpoints ?? [];
  const wrong = all.filter((e) => e.status === "unknown_path" || e.status === "wrong_method").length;
  return all.length === 0 ? "" : `${plural(all.length, "endpoint")} checked, ${wrong ? `${wrong} not in the specification` : "none unknown"}.`;
}
