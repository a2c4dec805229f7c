package wordpiece

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var pieces = []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "order", "##s", "un", "##able", "##a", "a", "e", "c", "##afe",
	"!", ".", ";", "日", "i", "σ", "b", "[", "]", "mask", "A", "É", "##B"}

func vocabulary(t testing.TB, o Options) *Tokenizer {
	t.Helper()
	tok, err := FromVocabulary([]byte(strings.Join(pieces, "\n")), o)
	require.NoError(t, err)
	return tok
}

// names are the pieces of ids.
func names(ids []int32) string {
	var s []string
	for _, id := range ids {
		s = append(s, pieces[id])
	}
	return strings.Join(s, " ")
}

func TestEncode(t *testing.T) {
	lower := vocabulary(t, Options{Lower: true, Chinese: true})
	cased := vocabulary(t, Options{})
	for _, c := range []struct {
		tokenizer  *Tokenizer
		text, want string
	}{
		{lower, "", "[CLS] [SEP]"},
		{lower, " \t\n\u00a0\u3000", "[CLS] [SEP]"},
		{lower, "The ORDERS", "[CLS] the order ##s [SEP]"},
		{lower, "unable", "[CLS] un ##able [SEP]"},
		{lower, "unablx", "[CLS] [UNK] [SEP]"},
		{lower, "una", "[CLS] un ##a [SEP]"},
		{lower, "café", "[CLS] c ##afe [SEP]"},
		{lower, "cafe\u0301", "[CLS] c ##afe [SEP]"},
		{lower, "the!!.", "[CLS] the ! ! . [SEP]"},
		{lower, "日日a日", "[CLS] 日 日 a 日 [SEP]"},
		{lower, "İ", "[CLS] i [SEP]"},
		{lower, "Σ", "[CLS] σ [SEP]"},
		{lower, "a\u037eb", "[CLS] a ; b [SEP]"}, // the Greek question mark decomposes to a semicolon
		{lower, "t\u200bh\u00ade\x00", "[CLS] the [SEP]"},
		{lower, "the\ufffd \xff\xfea", "[CLS] the a [SEP]"},
		{lower, "a[MASK]b[mask]", "[CLS] a [MASK] b [ mask ] [SEP]"},
		{lower, "[SEP][SEP] a [CL", "[CLS] [SEP] [SEP] a [ [UNK] [SEP]"},
		{cased, "A a É é", "[CLS] A a É [UNK] [SEP]"},
		{cased, "AB aB", "[CLS] A ##B a ##B [SEP]"},
		{cased, "日日", "[CLS] [UNK] [SEP]"},
		{lower, strings.Repeat("a", 100), "[CLS] a" + strings.Repeat(" ##a", 99) + " [SEP]"},
		{lower, strings.Repeat("a", 101), "[CLS] [UNK] [SEP]"},
		{lower, "un" + strings.Repeat("\u0301", 500) + "able", "[CLS] un ##able [SEP]"},
	} {
		require.Equal(t, c.want, names(c.tokenizer.Encode(c.text, 1000)), "%q", c.text)
	}
}

func TestLimit(t *testing.T) {
	tok := vocabulary(t, Options{Lower: true})
	require.Equal(t, 2, tok.Frame())
	for limit, want := range map[int]string{0: "[CLS] [SEP]", 2: "[CLS] [SEP]", 3: "[CLS] the [SEP]", 4: "[CLS] the un [SEP]", 5: "[CLS] the un ##able [SEP]", 6: "[CLS] the un ##able [MASK] [SEP]", 90: "[CLS] the un ##able [MASK] [SEP]"} {
		require.Equal(t, want, names(tok.Encode("the unable[MASK]", limit)), "%d", limit)
	}
	require.Equal(t, "the un", names(tok.Pieces("the unable", 2)))
	require.Empty(t, tok.Pieces("the", 0))
}

// template is a tokenizer.json, with a change to make.
const template = `{"added_tokens":[{"id":3,"content":"<s>"},{"id":2,"content":"<s>>","single_word":true}],
	"normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
	"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"B","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"E","type_id":0}}],"special_tokens":{"B":{"ids":[3,3]},"E":{"ids":[2]}}},
	"model":{"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"~","max_input_chars_per_word":4,"vocab":{"?":0,"a":1,"~b":4}}}`

func TestJSON(t *testing.T) {
	tok, err := FromJSON([]byte(template))
	require.NoError(t, err)
	require.Equal(t, 5, tok.Size())
	require.Equal(t, []int32{3, 3, 1, 4, 4, 0, 3, 1, 2}, tok.Encode("aBb abbbb<s>a", 100))
	require.Equal(t, []int32{1, 2, 1}, tok.Pieces("a <s>> a", 100))
	require.Equal(t, []int32{1, 3, 0, 1}, tok.Pieces("a<s>>a", 100), "not a single word")
	for change, says := range map[[2]string]string{
		{"BertPreTokenizer", "Whitespace"}:                       "pre-tokenizer",
		{`"BertNormalizer"`, `"NFC"`}:                            `"NFC"`,
		{"WordPiece", "BPE"}:                                     `"BPE"`,
		{`"TemplateProcessing"`, `"ByteLevel"`}:                  "post-processor",
		{`"ids":[2]`, `"ids":[7]`}:                               "the id 7",
		{`{"Sequence":{"id":"A","type_id":0}},`, ``}:             "0 times",
		{`"id":3`, `"id":-3`}:                                    "out of range",
		{`"~b":4`, `"~b":99999999`}:                              "out of range",
		{`"?":0,`, ``}:                                           `no "?"`,
		{`"content":"<s>"`, `"content":"<s>","normalized":true`}: "normalized",
		{`"vocab":{`, `"vocab":[`}:                               "invalid",
	} {
		_, err := FromJSON([]byte(strings.Replace(template, change[0], change[1], 1)))
		require.ErrorContains(t, err, says, "%v", change)
	}
}

func TestBertProcessing(t *testing.T) {
	tok, err := FromJSON([]byte(`{"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["s",1],"cls":["c",2]},"model":{"unk_token":"u","vocab":{"u":0,"s":1,"c":2,"É":3}}}`))
	require.NoError(t, err)
	require.Equal(t, []int32{2, 3, 0, 1}, tok.Encode("É é", 9))
}

func TestVocabulary(t *testing.T) {
	tok, err := FromVocabulary([]byte("[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\na\r\nb\r\n"), Options{})
	require.NoError(t, err)
	require.Equal(t, []int32{1, 4, 5, 2}, tok.Encode("a b", 9), "a line counts, and the last of two")
	_, err = FromVocabulary([]byte(strings.Repeat("x", 1<<17)), Options{})
	require.ErrorContains(t, err, "line 1")
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "The orders!", "a[MASK]b", "café cafe\u0301", "日本a", "\xff\x00\u200b", strings.Repeat("a", 101)} {
		f.Add(s, 10)
	}
	tok := vocabulary(f, Options{Lower: true, Chinese: true})
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 2), 1000)
		ids := tok.Encode(text, limit)
		if len(ids) < 2 || len(ids) > limit || ids[0] != 2 || ids[len(ids)-1] != 3 {
			t.Fatalf("%d ids of %d: %v", len(ids), limit, ids)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= tok.Size() {
				t.Fatalf("id %d of %d", id, tok.Size())
			}
		}
		// Cutting off is all that a limit does.
		all := tok.Encode(text, 10*utf8.RuneCountInString(text)+10)
		if got, want := fmt.Sprint(ids[:len(ids)-1]), fmt.Sprint(all[:min(limit, len(all))-1]); got != want {
			t.Fatalf("%s, without the limit %s", got, want)
		}
	})
}

func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(template), "aBb <s> ab")
	f.Add([]byte(`{"model":{"type":"WordPiece","vocab":{"[UNK]":0}},"pre_tokenizer":{"type":"BertPreTokenizer"}}`), "x")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := FromJSON(data)
		if err != nil {
			return
		}
		for _, id := range tok.Encode(text, 100) {
			if id < 0 || int(id) >= tok.Size() {
				t.Fatalf("id %d of %d", id, tok.Size())
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tok := vocabulary(b, Options{Lower: true, Chinese: true})
	text := strings.Repeat("The unable orders! ", 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		tok.Encode(text, 1000)
	}
}
