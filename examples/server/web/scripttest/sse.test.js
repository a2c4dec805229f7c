import test from "node:test";
import assert from "node:assert/strict";
import { events } from "../assets/sse.js";

async function read(bytes, size) {
  const cut = async function* () {
    for (let at = 0; at < bytes.length; at += size) {
      yield bytes.subarray(at, at + size);
    }
  };
  const found = [];
  for await (const e of events(cut())) {
    found.push([e.event, e.data]);
  }
  return found;
}

test("events are the same however the bytes are cut", async () => {
  const text = ": comment\n\nevent: delta\ndata: {\"text\":\"für €\"}\n\nevent: done\r\ndata: a\r\ndata:b\r\n\r\ndata: x\rid: 1\r\rdata: unfinished";
  const want = [["delta", '{"text":"für €"}'], ["done", "a\nb"], ["message", "x"]];
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    assert.deepEqual(await read(bytes, size), want, `pieces of ${size} bytes`);
  }
});
