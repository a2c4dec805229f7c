// Uploads with progress, and the list of what is stored.

import { get, remove, upload } from "./api.js";
import { byId, h, button, note, announce, plural } from "./dom.js";

export function start() {
  const form = byId("upload");
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("files").addEventListener("change", (event) => {
    sendAll([...event.target.files]);
    event.target.value = "";
  });
  // A file that misses the field must not replace the page.
  for (const type of ["dragover", "drop"]) {
    document.addEventListener(type, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
  }
  form.addEventListener("dragover", () => form.classList.add("over"));
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    form.classList.remove("over");
    sendAll([...event.dataTransfer.files]);
  });
}

// One request is stored wholly or not at all, so files that have nothing to do
// with each other go one by one.
async function sendAll(files) {
  const form = byId("upload").elements;
  const groups = form.together.checked ? [files] : files.map((f) => [f]);
  for (const group of groups.filter((g) => g.length > 0)) {
    await send(group, form.format.value, form.document_mode.value);
  }
  await enter();
}

async function send(files, format, mode) {
  const names = files.map((f) => f.name).join(", ");
  const bar = h("progress", { max: "1", value: "0", "aria-label": `Upload of ${names}` });
  const state = h("span", {}, "sending");
  const entry = h("li", {}, h("p", {}, h("strong", {}, names), " ", bar, " ", state));
  byId("uploads").prepend(entry);
  const body = new FormData();
  if (format) {
    body.append("format", format);
  }
  if (mode) {
    body.append("document_mode", mode);
  }
  files.forEach((f) => body.append("files", f));
  try {
    const reply = await upload("/documents/upload", body, (share) => {
      bar.value = share;
      state.textContent = share < 1 ? `${Math.round(share * 100)} %` : "reading";
    });
    state.textContent = "stored";
    entry.append(...(reply.files ?? []).map(report));
    announce(`${names} stored`);
  } catch (error) {
    state.textContent = "refused, nothing was stored";
    entry.append(note(withPlace(error), "bad"));
  }
  bar.remove();
}

function report(f) {
  const warnings = f.warnings ?? [];
  return h("div", {}, h("p", {}, `${f.name}: ${f.format}, ${plural(f.documents, "document")} (${f.new} new, ${f.updated} changed, ${f.unchanged} unchanged, ${f.removed} removed)`),
    warnings.length > 0 && h("details", { open: warnings.length < 6 }, h("summary", {}, plural(warnings.length, "warning")), h("ul", {}, warnings.map((w) => h("li", {}, w)))));
}

// withPlace adds the place of a mistake where the message does not say it.
function withPlace(error) {
  const { file, line, column, pointer } = error.detail ?? {};
  const place = [line && !/\bline\b|:\d/.test(error.message) && `line ${line}${column ? `, column ${column}` : ""}`,
    pointer && !error.message.includes(pointer) && `at ${pointer}`].filter(Boolean);
  return [file && !error.message.includes(file) && file, error.message, ...place].filter(Boolean).join(" ");
}

// enter lists the sources.
export async function enter() {
  const status = byId("sources-status");
  try {
    const { sources } = await get("/sources");
    status.textContent = sources.length > 0 ? plural(sources.length, "source") : "Nothing is stored yet.";
    byId("source-list").replaceChildren(sources.length > 0 ? table(sources) : "");
  } catch (error) {
    byId("source-list").replaceChildren();
    status.textContent = error.missing ? "This server does not list its sources." : error.message;
  }
}

const table = (sources) => h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Sources" }, h("table", {},
  h("thead", {}, h("tr", {}, ["Name", "Format", "Documents", "Remove"].map((t) => h("th", { scope: "col" }, t)))),
  h("tbody", {}, sources.map((s) => h("tr", {}, h("th", { scope: "row" }, s.name), h("td", {}, s.format), h("td", {}, String(s.documents)), h("td", {}, remover(s.name)))))));

// remover asks for a second press, since there is no way back.
function remover(name) {
  let sure = false;
  const b = button("Remove", async () => {
    if (!sure) {
      sure = true;
      b.textContent = "Really remove?";
      return;
    }
    try {
      await remove(`/sources/${encodeURIComponent(name)}`);
      announce(`${name} removed`);
    } catch (error) {
      byId("uploads").prepend(h("li", {}, note(error.message, "bad")));
    }
    await enter();
    byId("sources-title").focus();
  }, { "aria-description": name, blur: () => {
    sure = false;
    b.textContent = "Remove";
  } });
  return b;
}
