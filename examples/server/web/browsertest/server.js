// Starts the built server, and answers for what this build of it does not have
// yet, exactly after the contract, so that the page is tested as a whole.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "web-"));

export function build() {
  const binary = join(folder, "server");
  execFileSync("go", ["build", "-o", binary, ".."], { cwd: join(import.meta.dirname, ".."), stdio: "inherit" });
  return binary;
}

export const cleanUp = () => rmSync(folder, { recursive: true, force: true });

// start resolves to {url, stop} once the server listens.
export function start(binary, environ = {}) {
  const data = mkdtempSync(join(folder, "data-"));
  const child = spawn(binary, [], { cwd: data, env: { PATH: process.env.PATH, HOME: data, HOST: "127.0.0.1", PORT: "0", CHROMA_PERSIST_DIR: join(data, "db"), RATE_LIMIT_PER_MINUTE: "0", ...environ } });
  let said = "";
  return new Promise((resolve, reject) => {
    const listen = (chunk) => {
      said += chunk;
      const url = /on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (url) {
        resolve({ url, stop: () => new Promise((done) => child.once("exit", done).kill()) });
      }
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
}

const pay = "POST /orders/{order_id}/payment";

// contract holds examples of answers, by method and path.
const contract = {
  "GET /sources": () => ({ sources: [{ name: "bookshop.yaml", format: "openapi", documents: 18 }], total: 1 }),
  "DELETE /sources/": () => ({ success: true, message: "removed 18 documents" }),
  "POST /search/faceted": ({ filter, query }) => ({ results: [], total: 4, query, facets: {
    method: { field: "method", total_docs: 4, values: filter ? [{ value: "GET", count: 3, percentage: 100 }] : [{ value: "GET", count: 3, percentage: 75 }, { value: "POST", count: 1, percentage: 25 }] },
    api_title: { field: "api_title", total_docs: 4, values: [{ value: "Bookshop", count: 4, percentage: 100 }] } } }),
  "POST /generate": ({ language, method, path }) => ({ language, source: `# ${language}: ${method} ${path}\ncall()\n`, operation_id: "x", endpoint: `${method} ${path}`, api: "Bookshop", verified: true, problems: [] }),
  "POST /diagrams/sequence": () => ({ diagram_type: "sequence", title: "Place an order", mermaid_code: "sequenceDiagram\n  Client->>Server: POST /orders\n  Server-->>Client: 201" }),
  "POST /diagrams/auth-flow": () => ({ diagram_type: "flowchart", title: "OAuth 2", mermaid_code: "flowchart TD\n  A[Client] --> B[Token]" }),
  "POST /diagrams/er": () => ({ diagram_type: "er", title: "Types", mermaid_code: "erDiagram\n  A ||--o{ B : has" }),
  "POST /diagrams/overview": ({ api_title }) => ({ diagram_type: "flowchart", title: api_title, mermaid_code: "flowchart LR\n  A --> B" }),
  "GET /operations": () => ({ operations: [{ method: "POST", path: "/orders", summary: "Place an order", api: "Bookshop", tags: ["orders"] }], total: 1 }),
  "GET /gaps": () => ({ score: 81, operations: 15, gaps: [{ severity: "high", kind: "no_description", endpoint: pay, api: "Bookshop", place: "/paths", message: "has no description" }, { severity: "low", kind: "no_example", endpoint: pay, api: "Bookshop", place: "/paths", message: "has no example" }] }),
};

// standIn answers from the contract what the server answers with 404 or 405. It
// returns the list of what it stood in for.
export async function standIn(context) {
  const stood = new Set();
  const sessions = new Map();
  await context.route(/\/(sources|sessions|search\/faceted|generate|diagrams|operations|gaps)(\/|\?|$)/, async (route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    const real = await route.fetch();
    if (real.status() !== 405 && !(real.status() === 404 && /nothing at this path/.test(await real.text()))) {
      return route.fulfill({ response: real });
    }
    const name = Object.keys(contract).find((k) => `${request.method()} ${pathname}`.startsWith(k));
    stood.add(name ?? `${request.method()} ${pathname.split("/").slice(0, 2).join("/")}`);
    const body = pathname.startsWith("/sessions") ? session(sessions, request.method(), pathname) : contract[name](request.postDataJSON() ?? {});
    return body ? route.fulfill({ status: 200, json: body }) : route.fulfill({ response: real });
  });
  // The conversation of a session is written by /chat.
  await context.route(/\/chat$/, async (route) => {
    const sent = route.request().postDataJSON();
    const held = sessions.get(sent.session_id);
    if (!held) {
      return route.continue();
    }
    const real = await route.fetch();
    const reply = await real.json();
    held.conversation_history.push({ role: "user", content: sent.message, metadata: {} }, { role: "assistant", content: reply.response, metadata: {} });
    return route.fulfill({ response: real, json: reply });
  });
  return stood;
}

function session(held, method, path) {
  const id = path.split("/")[2];
  if (method === "POST") {
    const made = { session_id: crypto.randomUUID(), status: "active", created_at: new Date().toISOString(), conversation_history: [] };
    held.set(made.session_id, made);
    return { session: made };
  }
  if (method === "DELETE") {
    return { success: held.delete(id) };
  }
  return id ? held.get(id) : { sessions: [...held.values()].reverse(), total: held.size };
}
