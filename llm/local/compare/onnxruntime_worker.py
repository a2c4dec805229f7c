"""The other side of compare: onnxruntime on the CPU.

    onnxruntime_worker.py FOLDER THREADS MODEL.onnx

exports the model of FOLDER to MODEL.onnx if that does not exist, and then, for each
line "TEXTS TOKENS RUNS" on standard input, embeds that many texts that often and
writes the seconds of wall time and of processor time that it took, and those of the
best run.
"""

import os
import sys
import time

import numpy as np
import onnxruntime


def export(folder, path):
    import torch
    import transformers

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

        def forward(self, ids, mask, types):
            return self.bert(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    ids = torch.ones((2, 16), dtype=torch.int64)
    axes = {name: {0: "texts", 1: "tokens"} for name in ("ids", "mask", "types")}
    torch.onnx.export(States(), (ids, ids, ids * 0), path, input_names=list(axes), output_names=["states"],
                      dynamic_axes=axes, opset_version=17, dynamo=False)


def main():
    folder, threads, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if not os.path.exists(path):
        export(folder, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    print("onnxruntime", onnxruntime.__version__, flush=True)
    for line in sys.stdin:
        texts, tokens, runs = map(int, line.split())
        ids = (np.arange(texts * tokens, dtype=np.int64) * 7919 % 20000 + 1000).reshape(texts, tokens)
        inputs = {"ids": ids, "mask": np.ones_like(ids), "types": np.zeros_like(ids)}
        inputs = {i.name: inputs[i.name] for i in session.get_inputs()}
        wall, cpu = time.perf_counter(), time.process_time()
        best = float("inf")
        for _ in range(runs):
            call = time.perf_counter()
            states = session.run(None, inputs)[0]
            vectors = states.mean(axis=1)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            best = min(best, time.perf_counter() - call)
        print(time.perf_counter() - wall, time.process_time() - cpu, best, flush=True)


if __name__ == "__main__":
    main()
