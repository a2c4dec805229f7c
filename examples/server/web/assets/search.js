// Search with filters. The facets count all matches, and each is a filter.

import { post } from "./api.js";
import { byId, h, button, note, plural } from "./dom.js";
import { openDocument } from "./panel.js";

const facets = { method: "Method", api_title: "API", tags: "Tag", content_type: "Kind of document" };

const chosen = new Map(); // field to value
let latest = 0; // the newest search counts

export function start() {
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
}

export function enter() {
  byId("query").focus();
}

function filter() {
  const leaves = [...chosen].map(([field, value]) => ({ field, operator: "eq", value }));
  return leaves.length > 1 ? { operator: "and", filters: leaves } : leaves[0];
}

async function run() {
  const form = byId("search-form").elements;
  const query = form.query.value.trim();
  if (!query) {
    return;
  }
  const mine = ++latest;
  byId("search-status").textContent = "Searching …";
  const common = { query, filter: filter() };
  try {
    const [found, counted] = await Promise.all([
      post("/search", { ...common, mode: form.mode.value, n_results: Number(form.n_results.value) }),
      post("/search/faceted", { ...common, n_results: 1, facet_fields: Object.keys(facets), top_facet_values: 10 })
        .catch((error) => error.missing ? null : Promise.reject(error)),
    ]);
    if (mine === latest) {
      showResults(found);
      showFacets(counted?.facets);
    }
  } catch (error) {
    if (mine === latest) {
      byId("search-status").replaceChildren(note(error.message, "bad"));
      byId("results").replaceChildren();
    }
  }
}

function showResults(found) {
  byId("search-status").textContent = `${plural(found.results.length, "result")}, ${found.mode}${found.warning ? `. ${found.warning}` : ""}`;
  byId("results").replaceChildren(...found.results.map((r) => {
    const meta = r.metadata;
    const title = meta.title || meta.endpoint || r.id;
    return h("li", {},
      h("h2", {}, button(title, () => openDocument(r.id, title), { class: "link" }), meta.deprecated === true && h("span", { class: "mark doubt" }, " deprecated")),
      h("p", { class: "hint" }, [meta.api_title, meta.content_type, meta.source_file, `score ${r.score.toFixed(2)}`].filter(Boolean).join(" · ")),
      h("p", { class: "excerpt" }, r.content.slice(0, 300)));
  }));
}

function showFacets(counted) {
  const groups = Object.entries(facets).map(([field, name]) => {
    const values = (counted?.[field]?.values ?? []).filter((v) => v.value !== null);
    const own = chosen.get(field);
    if (own !== undefined && !values.some((v) => v.value === own)) {
      values.unshift({ value: own, count: 0 });
    }
    return values.length > 0 && h("fieldset", {}, h("legend", {}, name), values.map((v) => facet(field, v)));
  }).filter(Boolean);
  byId("facets").replaceChildren(...(counted ? groups : [h("p", { class: "hint" }, "This server counts no facets."), ...groups]));
}

function facet(field, { value, count }) {
  const pressed = chosen.get(field) === value;
  return button(`${pressed ? "✓ " : ""}${value} (${count})`, async () => {
    pressed ? chosen.delete(field) : chosen.set(field, value);
    await run();
    byId("facets").querySelector(`[data-field="${field}"]`)?.focus();
  }, { "aria-pressed": String(pressed), "data-field": field });
}
