"""Measures bm25s with its numba backend on documents and queries from a JSON
file, one thread. Prints JSON. Called by the Go program beside it.

    pip install bm25s numba
"""
import json
import re
import sys
import time

import bm25s

with open(sys.argv[1]) as f:
    data = json.load(f)
word = re.compile(r"\w\w+")


def tokens(text):
    return word.findall(text.lower())


retriever = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numba")
retriever.index([tokens(t) for t in data["Texts"]], show_progress=False)
queries = data["Queries"]
k = min(data["Top"], len(data["Texts"]))


def run(batch):
    return retriever.retrieve([tokens(q) for q in batch], k=k, n_threads=1, show_progress=False)


best = []
for query in queries[:100]:  # also compiles
    docs, scores = run([query]) if tokens(query) else ([[]], [[]])
    best.append([int(d) for d, s in zip(docs[0], scores[0]) if s > 0])
# All queries in one call, which suits bm25s best: one call a query is slower.
queries = [q for q in queries if tokens(q)]
start, done = time.perf_counter(), 0
while time.perf_counter() - start < 3:
    run(queries)
    done += len(queries)
json.dump({"per_second": done / (time.perf_counter() - start), "best": best}, sys.stdout)
