// The page in a real Chromium, against the built server. Each test also holds that
// the console has no error and no violation of the policy.
//
//   npm ci --ignore-scripts && npm run browser   (in examples/server/web)
//
// SCREENSHOTS=folder writes those of the documentation.

import test, { after, afterEach, before, beforeEach } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build, cleanUp, standIn, start } from "./server.js";

const browserPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
const playwright = await import("playwright-core").catch(() => null);
const skip = !browserPath ? "no Chromium: apt-get install chromium" : !playwright ? "no playwright-core: npm ci --ignore-scripts" : false;
const check = (name, run) => test(name, { skip, timeout: 120_000 }, run);
const shots = process.env.SCREENSHOTS;
const hasMermaid = existsSync(join(import.meta.dirname, "../assets/mermaid.min.js"));

let binary, server, browser, context, page, stood, complaints, expected;

before(async () => {
  if (skip) {
    return;
  }
  binary = build();
  server = await start(binary);
  browser = await playwright.chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  cleanUp();
});

beforeEach(async () => {
  if (skip) {
    return;
  }
  context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  context.setDefaultTimeout(15_000);
  stood = await standIn(context);
  page = await context.newPage();
  complaints = [];
  expected = /^$/;
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
});

afterEach(async (t) => {
  if (skip) {
    return;
  }
  // Requests that are still under way must end before what stands in for their answers.
  await page.goto("about:blank");
  await context.unrouteAll({ behavior: "ignoreErrors" });
  await context.close();
  if (stood.size > 0) {
    t.diagnostic?.(`stood in for ${[...stood].join(", ")}`);
  }
  assert.deepEqual(complaints.filter((c) => !expected.test(c)), [], "console");
});

const open = (view = "chat") => page.goto(`${server.url}/#/${view}`);
const ask = async (text) => {
  await page.getByLabel("Your question").fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("#messages[aria-busy=false] .assistant").last().waitFor();
};
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
const shot = async (name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });

check("chat: answer, citation, panel, marks", async () => {
  await open();
  await ask("How do I place an order?");
  const answer = page.locator(".assistant").last();
  await answer.locator(".citation").first().waitFor();
  await answer.locator(".text .mark.good").first().waitFor();
  assert.match(await answer.locator(".checks").innerText(), /in the specification/);
  assert.match(await page.locator("#announcer").innerText(), /Answer complete/);
  await answer.locator(".citation").first().click();
  await page.locator("#panel[open] .text").waitFor();
  await page.locator("#panel .text").getByText("orders").first().waitFor();
  if (shots) {
    await page.setViewportSize({ width: 1080, height: 640 });
    await shot("web-chat");
  }
  await page.keyboard.press("Escape");
  await page.locator("#panel:not([open])").waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => document.activeElement.className), "link citation", "the focus returns");
});

check("chat: the conversation is kept, and a new one begins", async () => {
  await open();
  await ask("How do I cancel an order?");
  await page.reload();
  await page.locator(".user", { hasText: "cancel an order" }).waitFor();
  await page.locator(".assistant .text").first().waitFor();
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.locator(".welcome").waitFor();
  assert.equal(await page.locator(".user").count(), 0);
  await page.getByRole("combobox", { name: "Conversation" }).selectOption({ index: 1 });
  await page.locator(".user", { hasText: "cancel an order" }).waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.locator(".welcome").waitFor();
});

// A stream that the test itself feeds: the page cannot tell it from a server's.
async function feed(events, { hang = false } = {}) {
  await page.addInitScript(({ events, hang }) => {
    const real = window.fetch;
    window.fetch = (path, options) => {
      if (path !== "/chat") {
        return real(path, options);
      }
      const encoder = new TextEncoder();
      const body = new ReadableStream({ async start(controller) {
        options.signal.addEventListener("abort", () => {
          window.aborted = true;
          controller.error(new DOMException("stopped", "AbortError"));
        });
        for (const [event, data] of events) {
          await new Promise((r) => setTimeout(r, 30));
          controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
        }
        hang || controller.close();
      } });
      return Promise.resolve(new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
    };
  }, { events, hang });
}

check("chat: every verdict, code and its problems, and hostile text", async () => {
  const response = ["Use `GET /orders` [1], not `DELETE /order`, `PUT /orders`, `GET /old`, `GET /{x}` or `GET https://other.example/a`.",
    "<img src=x onerror=alert(1)> [x](javascript:alert(1)) [good](https://example.com/) <script>alert(2)</script>",
    "![i](https://evil.example/leak.png)"].join("\n\n");
  const endpoints = [["GET /orders", "ok"], ["DELETE /order", "unknown_path", ["DELETE /orders/{order_id}"]], ["PUT /orders", "wrong_method", ["GET /orders"]],
    ["GET /old", "deprecated"], ["GET /{x}", "ambiguous"], ["GET https://other.example/a", "not_checked"]]
    .map(([mention, status, nearest = []]) => ({ mention, status, nearest, operation: status === "ok" ? mention : "", api: "" }));
  const done = { response, sources: [{ citation: 1, title: "GET /orders", document_id: "none" }], grounded: true,
    verification: { endpoints, code: [{ index: 0, language: "python", request: "POST /orders", operation: "POST /orders", problems: ["missing_body_field:/address"] }] },
    code: [{ language: "python", source: "print('<b>')", operation_id: "x", verified: false, problems: ["missing_auth"] }] };
  await feed([["sources", done.sources], ["delta", { text: response.slice(0, 20) }], ["delta", { text: response.slice(20) }], ["done", done]]);
  await open();
  await ask("anything");
  const answer = page.locator(".assistant").last();
  assert.equal(await answer.locator(".text .mark").count(), 6);
  const text = await answer.innerText();
  for (const words of ["no such path in the specification", "Nearest: DELETE /orders/{order_id}", "wrong method", "deprecated", "ambiguous", "not checked",
    "missing body field /address", "Not verified: missing auth"]) {
    assert.ok(text.includes(words), words);
  }
  assert.equal(await answer.locator("img, script").count(), 0);
  assert.deepEqual(await answer.locator("a").evaluateAll((all) => all.map((a) => [a.href, a.rel])),
    [["https://example.com/", "noopener noreferrer nofollow"], ["https://evil.example/leak.png", "noopener noreferrer nofollow"]]);
  await answer.getByRole("button", { name: "Copy" }).click();
  assert.equal(await clipboard(), "print('<b>')");
});

check("chat: stop ends the stream", async () => {
  await feed([["delta", { text: "The first words" }]], { hang: true });
  await open();
  await page.getByLabel("Your question").fill("a question");
  await page.keyboard.press("Enter");
  await page.locator(".assistant", { hasText: "The first words" }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.locator(".assistant", { hasText: "Stopped." }).waitFor();
  assert.equal(await page.evaluate(() => window.aborted), true);
});

check("chat: an error event is shown", async () => {
  await feed([["delta", { text: "Half" }], ["error", { error: "upstream_failed", message: "the language model failed" }]]);
  await open();
  await ask("a question");
  await page.getByRole("alert").filter({ hasText: "The language model failed" }).waitFor();
});

check("search: results, mode, facets that filter", async () => {
  await open("search");
  await page.getByLabel("Search the documents").fill("order");
  await page.keyboard.press("Enter");
  await page.locator("#results li").first().waitFor();
  const facet = page.locator("#facets button", { hasText: "GET (" });
  await facet.click();
  await page.locator("#facets button[aria-pressed=true]", { hasText: "GET" }).waitFor();
  for (const title of await page.locator("#results h2 button").allInnerTexts()) {
    assert.match(title, /^GET /);
  }
  await shot("web-search");
  await page.locator("#facets button[aria-pressed=true]").click();
  await page.locator("#facets button[aria-pressed=true]").waitFor({ state: "detached" });
  await page.getByLabel("Mode").selectOption("lexical");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.locator("#search-status", { hasText: "lexical" }).waitFor();
  await page.locator("#results h2 button").first().click();
  await page.locator("#panel[open]").getByText("Metadata").waitFor();
});

const api = (title) => `openapi: 3.0.0\ninfo: {title: ${title}, version: "1"}\npaths:\n  /things:\n    get:\n      summary: List things\n      responses: {200: {$ref: 'https://example.com/x'}}\n`;

check("sources: upload by choice and by dropping, warnings, errors with their place, removal", async () => {
  expected = /status of 422/;
  await open("sources");
  await page.getByLabel("Files to upload").setInputFiles([
    { name: "things.yaml", mimeType: "text/yaml", buffer: Buffer.from(api("Things")) },
    { name: "bad.json", mimeType: "application/json", buffer: Buffer.from('{\n  "openapi": 3,,\n}') }]);
  const good = page.locator("#uploads > li", { hasText: "things.yaml" });
  await good.getByText("stored", { exact: true }).waitFor();
  assert.match(await good.innerText(), /openapi, \d+ documents? \(\d+ new/);
  assert.match(await good.innerText(), /leads out of the upload/);
  const bad = page.locator("#uploads > li", { hasText: "bad.json" });
  await bad.getByRole("alert").waitFor();
  assert.match(await bad.innerText(), /nothing was stored\s+bad\.json:2:\d+: /);

  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["# Notes\ntext"], "notes.md", { type: "text/markdown" }));
    return data;
  });
  await page.locator("#upload").dispatchEvent("drop", { dataTransfer: dropped });
  await page.locator("#uploads > li", { hasText: "notes.md" }).getByText("stored", { exact: true }).waitFor();

  const removal = page.waitForRequest((r) => r.method() === "DELETE" && r.url().includes("/sources/"));
  await page.getByRole("button", { name: "Remove" }).first().click();
  await page.getByRole("button", { name: "Really remove?" }).click();
  await removal;
  await page.locator("#sources-title:focus").waitFor(); // the list is there again
  assert.match(await page.locator("#announcer").textContent(), /removed$/);
});

check("code: ten languages, copied", async () => {
  await open("code");
  await page.locator("#code").getByLabel("Operation").fill("POST /orders");
  const languages = await page.locator("#code select option").evaluateAll((all) => all.map((o) => o.value));
  assert.equal(languages.length, 10);
  for (const language of languages) {
    await page.locator("#code select").selectOption(language);
    await page.getByRole("button", { name: "Generate" }).click();
    await page.locator("#code-output figcaption", { hasText: language }).waitFor();
  }
  await page.locator("#code-output").getByRole("button", { name: "Copy" }).click();
  assert.equal(await clipboard(), await page.locator("#code-output pre").textContent());
});

check("diagrams: all kinds, as text and drawn", async () => {
  await open("diagrams");
  const form = page.locator("#diagram-form");
  for (const kind of ["sequence", "overview", "auth-flow", "er"]) {
    await form.locator("[name=kind]").selectOption(kind);
    if (kind === "sequence") {
      await form.getByLabel("Operation").fill("POST /orders");
    }
    if (kind === "er") {
      await form.locator("[name=schema_content]").fill("type Query { a: A } type A { b: B } type B { c: Int }");
    }
    await page.evaluate(() => document.getElementById("diagram-output").replaceChildren());
    await form.getByRole("button", { name: "Draw" }).click();
    await page.locator("#diagram-output figure.code").waitFor({ state: "attached" });
    if (hasMermaid) {
      await page.locator("iframe.diagram[data-drawn]").waitFor();
      await page.frameLocator("iframe.diagram").locator("svg").waitFor();
      assert.equal(await page.locator("iframe.diagram").evaluate((f) => f.contentDocument), null, "the frame has no origin of ours");
    }
    if (kind === "sequence") {
      await shot("web-diagram");
    }
  }
});

check("gaps: listed and filtered", async () => {
  await open("gaps");
  await page.locator("#gaps-output tbody tr").first().waitFor();
  const all = await page.locator("#gaps-output tbody tr").count();
  await page.getByLabel("Severity").selectOption({ index: 1 });
  assert.ok(await page.locator("#gaps-output tbody tr").count() <= all);
  assert.match(await page.locator("#gaps-status").innerText(), /Score \d+ of 100/);
});

check("key: asked for once, kept for the tab, forgotten", async () => {
  expected = /status of 401/;
  const key = `api-key-${"k3Y".repeat(14)}`;
  const locked = await start(binary, { REQUIRE_AUTH: "true", API_KEYS: key, SECRET_KEY: "5ecret".repeat(8) });
  try {
    await page.goto(`${locked.url}/#/search`);
    await page.getByLabel("Search the documents").fill("order");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "API key" });
    await dialog.getByLabel("Key", { exact: true }).fill("wrong-key");
    await dialog.getByRole("button", { name: "Use this key" }).click();
    await dialog.getByText("refused this key").waitFor();
    await dialog.getByLabel("Key", { exact: true }).fill(key);
    await page.keyboard.press("Enter");
    await page.locator("#results li").first().waitFor();
    assert.equal(await page.evaluate(() => localStorage.getItem("api-key")), null, "on the device only if wanted");
    await page.reload();
    await page.getByLabel("Search the documents").fill("order");
    await page.keyboard.press("Enter");
    await page.locator("#results li").first().waitFor();
    assert.ok(!await dialog.isVisible(), "not asked again");
    await page.getByRole("button", { name: "API key" }).click();
    await page.getByRole("button", { name: "Forget the key" }).click();
    assert.equal(await page.evaluate(() => sessionStorage.getItem("api-key")), null);
  } finally {
    await locked.stop();
  }
});

check("an older server: what it lacks is said, the rest works", async () => {
  expected = /status of (404|405)/;
  await context.unrouteAll();
  const gone = { status: 404, json: { error: "not_found", message: "there is nothing at this path", detail: null, request_id: "x" } };
  await context.route(/\/(sources|sessions|search\/faceted|generate|diagrams|operations|gaps)(\/|\?|$)/, (route) => route.fulfill(gone));
  await open();
  await ask("How do I place an order?");
  await page.locator(".assistant .citation").first().waitFor();
  await page.goto(`${server.url}/#/search`);
  await page.getByLabel("Search the documents").fill("order");
  await page.keyboard.press("Enter");
  await page.locator("#results li").first().waitFor();
  await page.getByText("This server counts no facets.").waitFor();
  await page.goto(`${server.url}/#/gaps`);
  await page.getByText("This server looks for no gaps.").waitFor();
  await page.goto(`${server.url}/#/sources`);
  await page.getByText("This server does not list its sources.").waitFor();
});

check("keyboard alone", async () => {
  await open();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("/");
  await page.locator("#query:focus").waitFor();
  await page.keyboard.type("order");
  await page.keyboard.press("Enter");
  await page.locator("#results li").first().waitFor();
  for (let i = 0; i < 60 && !await page.evaluate(() => document.activeElement.closest("#results")); i++) {
    await page.keyboard.press("Tab");
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", "the focus is seen");
  }
  await page.keyboard.press("Enter");
  await page.locator("#panel[open] .text").waitFor();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement.closest("#results"));
});

check("dark, light, and a small screen", async () => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await open();
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  assert.notEqual(light, dark);
  await page.getByRole("button", { name: "Theme: automatic" }).click();
  assert.equal(await ground(), light, "the choice stands above the system");
  await page.getByRole("button", { name: "Theme: light" }).click();
  await page.emulateMedia({ colorScheme: "light" });
  await page.reload();
  assert.equal(await ground(), dark, "and is kept");
  await page.setViewportSize({ width: 360, height: 740 });
  for (const view of ["chat", "search", "sources", "code", "diagrams", "gaps"]) {
    await page.goto(`${server.url}/#/${view}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view} is not wider than the screen`);
  }
  await page.goto(`${server.url}/#/chat`);
  await ask("How do I place an order?");
  await page.evaluate(() => scrollTo(0, 0));
  await shot("web-narrow-dark");
});

check("accessibility by axe-core: nothing serious, in both themes", async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await open();
  await ask("How do I place an order?");
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    for (const view of ["chat", "search", "sources", "code", "diagrams", "gaps"]) {
      await page.goto(`${server.url}/#/${view}`);
      if (view === "search") {
        await page.getByLabel("Search the documents").fill("order");
        await page.keyboard.press("Enter");
        await page.locator("#results h2 button").first().click();
        await page.locator("#panel[open] .text").waitFor();
      }
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const grave = violations.filter((v) => ["serious", "critical"].includes(v.impact))
        .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 150)).join(" | ")}`);
      assert.deepEqual(grave, [], `${view}, ${theme}`);
      await page.keyboard.press("Escape");
    }
  }
});
