// The HTTP interface: JSON calls, uploads with progress, streamed answers. A 401
// asks for a key and tries again.

import * as key from "./key.js";
import { chunks, events } from "./sse.js";

// Failure is an answer that is not 2xx, or none at all (status 0).
export class Failure extends Error {
  constructor(status, body, retryAfter) {
    super(explain(status, body, retryAfter));
    this.status = status;
    this.code = body?.error ?? "";
    this.detail = body?.detail ?? null;
  }

  // missing says that this server does not have the function.
  get missing() {
    return this.status === 404 && /nothing at this path/.test(this.message) || this.status === 405 || this.status === 501;
  }
}

function explain(status, body, retryAfter) {
  const said = body?.message || (status ? `the server answered ${status}` : "the server cannot be reached");
  const wait = status === 429 && retryAfter ? `; try again in ${retryAfter} s` : "";
  // A message that begins with a file name or a field keeps it as it is.
  const sentence = /^[a-z]+ /.test(said) ? said[0].toUpperCase() + said.slice(1) : said;
  return `${sentence}${wait}${sentence.endsWith(".") && !wait ? "" : "."}`;
}

// request sends JSON and returns the response of a success.
async function request(method, path, body, { signal, accept = "application/json" } = {}) {
  for (;;) {
    const headers = { Accept: accept };
    const sent = key.current();
    if (sent) {
      headers["X-API-Key"] = sent;
    }
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    let response;
    try {
      response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), credentials: "omit" });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Failure(0);
    }
    if (response.ok) {
      return response;
    }
    const failure = new Failure(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));
    if (!(await askAgain(failure, sent))) {
      throw failure;
    }
  }
}

// askAgain asks for a key after a 401, unless another one was entered meanwhile.
async function askAgain(failure, sent) {
  return failure.status === 401 && (key.current() !== sent ||
    key.ask(sent ? "The server refused this key. Enter another one." : "The server wants a key."));
}

export const get = async (path, options) => (await request("GET", path, undefined, options)).json();
export const post = async (path, body, options) => (await request("POST", path, body, options)).json();
export const remove = async (path) => (await request("DELETE", path)).json();

// stream sends a question and yields [event, data] as they come. A server that
// does not stream gives one "done".
export async function* stream(path, body, { signal } = {}) {
  const response = await request("POST", path, body, { signal, accept: "text/event-stream, application/json" });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    yield ["done", await response.json()];
    return;
  }
  for await (const { event, data } of events(chunks(response.body))) {
    const parsed = JSON.parse(data);
    if (event === "error") {
      throw new Failure(parsed.status ?? 500, parsed);
    }
    yield [event, parsed];
  }
}

// upload sends a form; progress is told the share that was sent, 0 to 1.
export async function upload(path, form, progress) {
  for (;;) {
    const sent = key.current();
    try {
      return await sendForm(path, form, sent, progress);
    } catch (failure) {
      if (!(await askAgain(failure, sent))) {
        throw failure;
      }
    }
  }
}

function sendForm(path, form, sent, progress) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest(); // fetch does not tell how much was sent
    xhr.open("POST", path);
    xhr.responseType = "json";
    if (sent) {
      xhr.setRequestHeader("X-API-Key", sent);
    }
    xhr.upload.addEventListener("progress", (e) => e.lengthComputable && progress(e.loaded / e.total));
    xhr.addEventListener("load", () => xhr.status >= 200 && xhr.status < 300 ? resolve(xhr.response)
      : reject(new Failure(xhr.status, xhr.response, xhr.getResponseHeader("Retry-After"))));
    xhr.addEventListener("error", () => reject(new Failure(0)));
    xhr.send(form);
  });
}

// operation makes the part of a body that names an operation from "POST /orders",
// or from an operation id.
export function operationOf(text) {
  const [first, ...rest] = text.trim().split(/\s+/);
  return rest.length > 0 ? { method: first.toUpperCase(), path: rest.join(" ") } : { operation_id: first };
}
