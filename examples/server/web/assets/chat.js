// The conversation: questions, streamed answers, citations, checks, and sessions
// that keep it on the server.

import { get, post, remove, stream, Failure } from "./api.js";
import { byId, h, button, note, codeBlock, announce, plural } from "./dom.js";
import { render } from "./markdown.js";
import { openDocument } from "./panel.js";
import { markMentions, summary, problemsText, told } from "./verification.js";

const sessionKey = "session";
const sessionMinutes = 7 * 24 * 60;

let session = null; // its id; null before the first question
let sessions = true; // whether this server keeps conversations
let history = []; // the conversation, for servers that do not
let running = null; // the AbortController of the answer that is coming in

export function start() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  byId("message").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  byId("stop").addEventListener("click", () => running?.abort());
  byId("conversation-new").addEventListener("click", () => {
    running?.abort();
    remember(null);
    showHistory([]);
    byId("message").focus();
    announce("New conversation");
  });
  byId("conversation-delete").addEventListener("click", forget);
  byId("conversation").addEventListener("change", (event) => restore(event.target.value));
  showHistory([]);
}

// enter shows the conversation of the last visit.
export async function enter() {
  if (!session && sessions) {
    await restore(stored());
  }
}

const stored = () => {
  try {
    return localStorage.getItem(sessionKey);
  } catch {
    return null;
  }
};

function remember(id) {
  session = id;
  history = [];
  byId("conversation-delete").hidden = !id;
  try {
    id ? localStorage.setItem(sessionKey, id) : localStorage.removeItem(sessionKey);
  } catch {
    // Then it lasts as long as the page.
  }
  listSessions();
}

async function listSessions() {
  const found = sessions ? await get("/sessions?status_filter=active").catch(() => null) : null;
  const list = (found?.sessions ?? []).slice(0, 50);
  byId("conversation-label").hidden = list.length === 0;
  const title = (s) => s.conversation_history?.find((m) => m.role === "user")?.content.slice(0, 50) || `empty, ${new Date(s.created_at).toLocaleString()}`;
  byId("conversation").replaceChildren(h("option", { value: "" }, "new"), ...list.map((s) => h("option", { value: s.session_id }, title(s))));
  byId("conversation").value = list.some((s) => s.session_id === session) ? session : "";
}

async function restore(id) {
  running?.abort();
  if (!id) {
    remember(null);
    showHistory([]);
    return;
  }
  try {
    const found = await get(`/sessions/${encodeURIComponent(id)}`);
    remember(found.status === "expired" ? null : id);
    showHistory(found.conversation_history);
  } catch {
    remember(null);
    showHistory([]);
  }
}

async function forget() {
  running?.abort();
  await remove(`/sessions/${encodeURIComponent(session)}`).catch(() => {});
  remember(null);
  showHistory([]);
  announce("Conversation deleted");
}

function showHistory(messages) {
  byId("messages").replaceChildren(...(messages.length > 0 ? messages.map((m) => {
    const view = m.role === "user" ? question(m.content) : answerView();
    if (m.role !== "user") {
      view.finish({ response: m.content, sources: m.metadata?.sources ?? [], verification: m.metadata?.verification });
    }
    return view.element ?? view;
  }) : [welcome()]));
}

const welcome = () => h("div", { class: "welcome" }, h("p", {}, "Ask about the APIs that are stored. Answers cite their documents, and every endpoint in them is checked against the specification."),
  h("p", { class: "row" }, ["How do I place an order?", "How do I authenticate?", "Which endpoints are deprecated?"].map((q) => button(q, () => {
    byId("message").value = q;
    submit();
  }))));

const question = (text) => h("article", { class: "message user", "aria-label": "You" }, h("p", {}, text));

async function submit() {
  const form = byId("composer");
  const text = byId("message").value.trim();
  if (!text || running) {
    return;
  }
  byId("messages").querySelector(".welcome")?.remove();
  const answer = answerView();
  byId("messages").append(question(text), answer.element);
  byId("message").value = "";
  busy(new AbortController());
  answer.element.scrollIntoView({ block: "nearest" });
  try {
    const body = { message: text, stream: true, agent_type: form.elements.agent_type.value, language: form.elements.language.value || undefined };
    const reply = await ask(body, answer, running.signal);
    answer.finish(reply);
    history.push({ role: "user", content: text }, { role: "assistant", content: reply.response });
    announce(`Answer complete, ${plural(reply.sources?.length ?? 0, "source")}. ${told(reply.verification)}`);
    listSessions();
  } catch (error) {
    answer.fail(error);
    byId("message").value ||= error.name === "AbortError" ? "" : text;
  } finally {
    busy(null);
  }
}

function busy(controller) {
  running = controller;
  byId("messages").setAttribute("aria-busy", String(Boolean(controller))); // read out when it is whole
  byId("send").hidden = Boolean(controller);
  byId("stop").hidden = !controller;
  if (controller) {
    announce("Answering");
  }
}

// ask sends a question in the session, and in a new one where it has ended.
async function ask(body, answer, signal) {
  await openSession(signal);
  try {
    return await receive(body, answer, signal);
  } catch (error) {
    if (!session || !(error instanceof Failure) || (error.status !== 404 && error.status !== 409)) {
      throw error;
    }
    remember(null);
    answer.say("The conversation had ended; this starts a new one.");
    await openSession(signal);
    return receive(body, answer, signal);
  }
}

async function openSession(signal) {
  if (session || !sessions) {
    return;
  }
  try {
    remember((await post("/sessions", { ttl_minutes: sessionMinutes }, { signal })).session.session_id);
  } catch (error) {
    if (!error.missing) {
      throw error;
    }
    sessions = false;
  }
}

async function receive(body, answer, signal) {
  const memory = session ? { session_id: session } : { conversation_history: history.slice(-20) };
  for await (const [event, data] of stream("/chat", { ...body, ...memory }, { signal })) {
    if (event === "sources") {
      answer.sources = Array.isArray(data) ? data : data.sources ?? [];
    } else if (event === "delta") {
      answer.add(data.text);
    } else if (event === "done") {
      return data;
    }
  }
  throw new Error("The answer ended early.");
}

const paintEvery = 80; // ms

// answerView is one answer, from its first word to its checks.
function answerView() {
  const text = h("div", { class: "text" }, h("p", { class: "waiting" }, "…"));
  const below = h("div");
  const element = h("article", { class: "message assistant", "aria-label": "Assistant" }, text, below);
  let received = "";
  let timer = 0;
  const view = {
    element,
    sources: [],
    add(delta) {
      received += delta;
      timer ||= setTimeout(paint, paintEvery);
    },
    say: (words) => element.prepend(note(words)),
    finish(reply) {
      clearTimeout(timer);
      view.sources = reply.sources ?? view.sources;
      received = reply.response;
      paint();
      markMentions(text, reply.verification?.endpoints ?? []);
      below.replaceChildren(...[reply.grounded === false && note("No document supports this answer.", "doubt"),
        sourceList(view.sources), summary(reply.verification), ...(reply.code ?? []).map(snippet)].filter(Boolean));
    },
    fail(error) {
      clearTimeout(timer);
      received ? paint() : text.replaceChildren();
      below.append(error.name === "AbortError" ? note("Stopped.") : note(error.message, "bad"));
    },
  };
  function paint() {
    timer = 0;
    const messages = byId("messages");
    const atEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80;
    text.replaceChildren(render(received, { citation: (n) => citation(view.sources.find((s) => s.citation === n)) }));
    if (atEnd && running) {
      messages.scrollTop = messages.scrollHeight;
    }
  }
  return view;
}

const open = (source) => openDocument(source.document_id, source.title);

const citation = (source) => source ? button(`[${source.citation}]`, () => open(source), { class: "link citation", "aria-label": `Source ${source.citation}: ${source.title}` }) : null;

const sourceList = (sources) => sources.length > 0 && h("section", { "aria-label": "Sources of this answer" }, h("h3", {}, "Sources"),
  h("ol", { class: "plain" }, sources.map((s) => h("li", {}, `[${s.citation}] `, s.document_id ? button(s.title || s.document_id, () => open(s), { class: "link" }) : s.title, s.api_name ? `, ${s.api_name}` : ""))));

export const snippet = (s) => h("section", { class: "snippet", "aria-label": `Code in ${s.language}` },
  codeBlock(s.source, s.language),
  s.verified ? note("✓ The request passes the specification's own check.", "good")
    : note(`! Not verified${s.problems?.length ? `: ${problemsText(s.problems)}` : ""}.`, "doubt"));
