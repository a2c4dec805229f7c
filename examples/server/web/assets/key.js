// The API key: entered once, kept for the tab or, if the user wants, on the device.

import { byId } from "./dom.js";

const name = "api-key";
const stores = () => [sessionStorage, localStorage];

let held = load();
let asking = null; // the promise of the open dialog

export const current = () => held;

function load() {
  try {
    return stores().map((s) => s.getItem(name)).find(Boolean) ?? "";
  } catch {
    return ""; // the browser keeps nothing
  }
}

function save(key, keep) {
  held = key;
  try {
    stores().forEach((s) => s.removeItem(name));
    if (key) {
      (keep ? localStorage : sessionStorage).setItem(name, key);
    }
  } catch {
    // Then it lasts as long as the page.
  }
}

// ask opens the dialog and resolves to whether a key was entered. Requests that
// are refused at the same time share one dialog.
export function ask(reason) {
  asking ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    byId("key").value = "";
    byId("key-reason").textContent = reason;
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      asking = null;
      resolve(dialog.returnValue === "entered");
    }, { once: true });
    dialog.showModal();
    byId("key").focus();
  });
  return asking;
}

export function start() {
  const dialog = byId("key-dialog");
  byId("key-button").addEventListener("click", () => ask(held ? "A key is set. Enter another one, or forget it." : "Requests are sent without a key."));
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const key = byId("key").value.trim();
    if (!key || /[^\x21-\x7e]/.test(key)) {
      byId("key-reason").textContent = "A key has only letters, digits and signs, no spaces.";
      byId("key").focus();
      return;
    }
    save(key, byId("key-keep").checked);
    dialog.close("entered");
  });
  byId("key-forget").addEventListener("click", () => {
    save("", false);
    dialog.close();
  });
  byId("key-cancel").addEventListener("click", () => dialog.close());
}
