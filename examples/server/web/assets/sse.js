// Reads server-sent events from a response to a POST, for which EventSource is not
// made.

// events yields {event, data} from an iterable of byte chunks, data as text.
// Chunks may end anywhere, inside a character too.
export async function* events(chunks) {
  const decoder = new TextDecoder();
  let rest = "";
  let message = fresh();
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be the first half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (message.data.length > 0) {
          yield { event: message.event || "message", data: message.data.join("\n") };
        }
        message = fresh();
      } else {
        field(message, line);
      }
    }
  }
}

const fresh = () => ({ event: "", data: [] });

function field(message, line) {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (name === "event") {
    message.event = value;
  } else if (name === "data") {
    message.data.push(value);
  }
}

// chunks makes the body of a response iterable, which not every browser does itself.
export async function* chunks(body) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
