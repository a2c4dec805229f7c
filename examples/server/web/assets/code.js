// Code for an operation, and the lists of operations, APIs and languages that the
// forms offer.

import { get, post, operationOf } from "./api.js";
import { byId, h, note } from "./dom.js";
import { snippet } from "./chat.js";

const languages = { curl: "curl", python: "Python", javascript: "JavaScript", typescript: "TypeScript", go: "Go", java: "Java", csharp: "C#", php: "PHP", ruby: "Ruby", rust: "Rust" };

export function start() {
  for (const select of document.querySelectorAll("[data-languages]")) {
    select.append(...(select.dataset.languages ? [h("option", { value: "" }, "any")] : []),
      ...Object.entries(languages).map(([value, name]) => h("option", { value }, name)));
  }
  byId("code-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target.elements;
    const out = byId("code-output");
    out.replaceChildren(await post("/generate", { ...operationOf(form.operation.value), language: form.language.value })
      .then(snippet, (error) => note(error.missing ? "This server does not generate code." : error.message, "bad")));
  });
}

// enter fills the lists; without them, operations are typed.
export async function enter() {
  for (const o of await operations()) {
    const name = o.endpoint ?? `${o.method} ${o.path}`;
    if (![...byId("operations").options].some((option) => option.value === name)) {
      byId("operations").append(h("option", { value: name }, o.summary ?? ""));
    }
  }
}

// operations are those of one API, or of all.
export async function operations(api = "") {
  const found = await get(`/operations${api ? `?api=${encodeURIComponent(api)}` : ""}`).catch(() => []);
  return Array.isArray(found) ? found : found.operations ?? [];
}

// fillAPIs offers the titles of the APIs in a select.
export async function fillAPIs(select) {
  const titles = new Set((await operations()).map((o) => o.api).filter(Boolean));
  const kept = select.value;
  select.replaceChildren(...(select.dataset.apis || titles.size === 0 ? [h("option", { value: "" }, "all")] : []), ...[...titles].map((t) => h("option", {}, t)));
  select.value = titles.has(kept) ? kept : select.options[0].value;
}
