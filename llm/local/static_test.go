package local_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm/local"
)

// table is a random matrix of a row for each word.
func table(rows, width int) matrix {
	m := newTiny(4, width, 1, 1, 1).tensors["embeddings.word_embeddings.weight"]
	return matrix{[]int{rows, width}, m.values[:rows*width]}
}

func tokenizerJSON(t *testing.T, special bool) []byte {
	vocabulary := make(map[string]int)
	for i, w := range words() {
		vocabulary[w] = i
	}
	file := map[string]any{
		"added_tokens":  []any{map[string]any{"id": 4, "content": "[MASK]", "special": true}},
		"normalizer":    map[string]any{"type": "BertNormalizer", "lowercase": true},
		"pre_tokenizer": map[string]any{"type": "BertPreTokenizer"},
		"model":         map[string]any{"type": "WordPiece", "unk_token": "[UNK]", "vocab": vocabulary},
	}
	if special {
		file["post_processor"] = map[string]any{"type": "BertProcessing", "cls": []any{"[CLS]", 2}, "sep": []any{"[SEP]", 3}}
	}
	return toJSON(t, file)
}

func TestStatic(t *testing.T) {
	const width = 20
	rows := len(words())
	mapping, share := matrix{[]int{rows}, nil}, matrix{[]int{rows}, nil}
	for i := range rows {
		mapping.values = append(mapping.values, float64((i*7)%10))
		share.values = append(share.values, 0.25*float64(1+i%5))
	}
	for name, c := range map[string]struct {
		tensors map[string]matrix
		modules string
		at      string // where the files are
	}{
		"model2vec":                          {map[string]matrix{"embeddings": table(rows, width)}, "", ""},
		"model2vec with weights and mapping": {map[string]matrix{"embeddings": table(10, width), "weights": share, "mapping": mapping}, "", ""},
		"sentence-transformers": {map[string]matrix{"embedding.weight": table(rows, width)},
			`[{"path":"0_StaticEmbedding","type":"sentence_transformers.models.StaticEmbedding"},{"path":"1","type":"sentence_transformers.models.Normalize"}]`, "0_StaticEmbedding/"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.at+"model.safetensors", safetensors(t, c.tensors, "F32"))
			write(t, dir, c.at+"tokenizer.json", tokenizerJSON(t, false))
			if c.modules == "" {
				write(t, dir, "config.json", []byte(`{"model_type":"model2vec","normalize":true,"hidden_dim":20}`))
			} else {
				write(t, dir, "modules.json", []byte(c.modules))
			}
			m, err := local.Open(dir, local.Options{})
			require.NoError(t, err)
			require.Equal(t, width, m.Dimensions())
			for _, text := range []string{"the order", "list", strings.Repeat("orders! ", 3000)} {
				ids := m.Tokens(text)
				require.LessOrEqual(t, len(ids), m.MaxTokens())
				got, err := m.Embed(t.Context(), []string{text})
				require.NoError(t, err)
				want, square := make([]float64, width), 0.0
				for _, id := range ids {
					row, weight := int(id), 1.0
					if c.tensors["mapping"].shape != nil {
						row, weight = int(mapping.values[id]), share.values[id]
					}
					for j := range want {
						for _, table := range []string{"embeddings", "embedding.weight"} {
							if m := c.tensors[table]; m.shape != nil {
								want[j] += weight * m.values[row*width+j]
							}
						}
					}
				}
				for _, v := range want {
					square += v * v
				}
				for j, v := range want {
					require.InDelta(t, v/math.Sqrt(square), got[0][j], 1e-5)
				}
			}
		})
	}
}

// model2vec leaves unknown words out; a text of nothing else has a vector all the
// same.
func TestStaticUnknown(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "model.safetensors", safetensors(t, map[string]matrix{"embeddings": table(len(words()), 20)}, "F32"))
	write(t, dir, "tokenizer.json", tokenizerJSON(t, true))
	write(t, dir, "config.json", []byte(`{"normalize":false,"max_length":100,"embedding_dtype":"float32"}`)) // newer folders
	m, err := local.Open(dir, local.Options{})
	require.NoError(t, err)
	require.Equal(t, m.Tokens("order"), m.Tokens("字 order §"))
	require.Empty(t, m.Tokens("字"))
	require.Len(t, m.Tokens(strings.Repeat("order ", 200)), 100)
	v, err := m.Embed(t.Context(), []string{"", "字"})
	require.NoError(t, err)
	require.Equal(t, v[0], v[1])
	require.InDelta(t, 1, dot(v[0], v[0]), 1e-6)
}

func TestHostileStatic(t *testing.T) {
	rows := len(words())
	short := matrix{[]int{3}, []float64{1, 2, 3}}
	far := matrix{[]int{rows}, make([]float64, rows)}
	far.values[5] = float64(rows)
	for name, c := range map[string]struct {
		tensors map[string]matrix
		says    string
	}{
		"no table":        {map[string]matrix{"other": table(rows, 20)}, "no table of vectors"},
		"small table":     {map[string]matrix{"embeddings": table(10, 20)}, "the table has vectors up to 9"},
		"short weights":   {map[string]matrix{"embeddings": table(rows, 20), "weights": short}, "up to 2"},
		"mapping too far": {map[string]matrix{"embeddings": table(rows, 20), "mapping": far}, "the mapping of token 5"},
		"no matrix":       {map[string]matrix{"embeddings": far}, "no table of vectors"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "model.safetensors", safetensors(t, c.tensors, "F32"))
			write(t, dir, "tokenizer.json", tokenizerJSON(t, true))
			write(t, dir, "config.json", []byte(`{"model_type":"model2vec"}`))
			_, err := local.Open(dir, local.Options{})
			require.ErrorIs(t, err, local.ErrFormat)
			require.ErrorContains(t, err, c.says)
		})
	}
}
