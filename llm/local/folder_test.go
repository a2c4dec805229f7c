package local_test

import (
	"encoding/binary"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm/local"
)

func TestHostileFolders(t *testing.T) {
	replace := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, dir, name, []byte(content)) }
	}
	config := func(key string, value any) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			c := newTiny(1, 32, 2, 64, 2).config()
			c[key] = value
			write(t, dir, "config.json", toJSON(t, c))
		}
	}
	weights := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
			require.NoError(t, err)
			write(t, dir, "model.safetensors", change(data))
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, name))) }
	}
	tensors := func(change func(map[string]matrix)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			m := newTiny(1, 32, 2, 64, 2)
			change(m.tensors)
			write(t, dir, "model.safetensors", safetensors(t, m.tensors, "F32"))
		}
	}
	long := func(n uint64) func([]byte) []byte {
		return func(data []byte) []byte {
			binary.LittleEndian.PutUint64(data, n)
			return data
		}
	}
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		kind   error
		says   string
	}{
		"no weights":             {remove("model.safetensors"), fs.ErrNotExist, "neither model.safetensors nor model.onnx"},
		"no tokenizer":           {remove("vocab.txt"), fs.ErrNotExist, "neither tokenizer.json nor vocab.txt"},
		"no config":              {remove("config.json"), local.ErrFormat, "config.json"},
		"config cut off":         {replace("config.json", `{"model_type":`), local.ErrFormat, "config.json"},
		"config of wrong types":  {replace("config.json", `{"model_type":"bert","hidden_size":"32"}`), local.ErrFormat, "hidden_size"},
		"config too large":       {replace("config.json", string(make([]byte, 1<<20+1))), local.ErrFormat, "larger than"},
		"another architecture":   {config("model_type", "xlm-roberta"), local.ErrUnsupported, "xlm-roberta"},
		"another activation":     {config("hidden_act", "silu"), local.ErrUnsupported, "silu"},
		"relative positions":     {config("position_embedding_type", "relative_key"), local.ErrUnsupported, "relative_key"},
		"no heads":               {config("num_attention_heads", 0), local.ErrFormat, "num_attention_heads is 0"},
		"heads that do not fit":  {config("num_attention_heads", 5), local.ErrFormat, "no multiple"},
		"huge layers":            {config("num_hidden_layers", 1<<40), local.ErrFormat, "num_hidden_layers"},
		"negative size":          {config("hidden_size", -32), local.ErrFormat, "hidden_size is -32"},
		"other hidden size":      {config("hidden_size", 64), local.ErrFormat, "has the shape [66 32]; the configuration wants [66 64]"},
		"more layers than there": {config("num_hidden_layers", 3), local.ErrFormat, "encoder.layer.2.attention.self.query.weight"},
		"more words than rows":   {config("vocab_size", 1000), local.ErrFormat, "word_embeddings"},
		"epsilon":                {config("layer_norm_eps", -1), local.ErrFormat, "layer_norm_eps"},
		"larger tokenizer": {func(t *testing.T, dir string) {
			f, err := os.OpenFile(filepath.Join(dir, "vocab.txt"), os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString("more\n")
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}, local.ErrFormat, "ids up to 66, the network up to 65"},
		"no unknown token":   {replace("vocab.txt", "a\nb\n"), local.ErrFormat, "[UNK]"},
		"no separator":       {replace("vocab.txt", "[UNK]\n[CLS]\n"), local.ErrFormat, "[SEP]"},
		"empty vocabulary":   {replace("vocab.txt", ""), local.ErrFormat, "[UNK]"},
		"tokenizer of a GPT": {replace("tokenizer.json", `{"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}`), local.ErrUnsupported, "BPE"},
		"unigram tokenizer":  {replace("tokenizer.json", `{"model":{"type":"Unigram","vocab":[["a",0.1]]}}`), local.ErrUnsupported, "Unigram"},
		"tokenizer cut off":  {replace("tokenizer.json", `{"model":{"type":"WordPiece","voc`), local.ErrFormat, "tokenizer.json"},
		"negative id":        {replace("tokenizer.json", `{"pre_tokenizer":{"type":"BertPreTokenizer"},"model":{"type":"WordPiece","vocab":{"[UNK]":-1}}}`), local.ErrFormat, "out of range"},
		"module":             {replace("modules.json", `[{"type":"sentence_transformers.models.Dense","path":"2_Dense"}]`), local.ErrUnsupported, "Dense"},
		"module outside":     {replace("modules.json", `[{"type":"sentence_transformers.models.Transformer","path":"../../etc"}]`), local.ErrFormat, "leaves the folder"},
		"pooling":            {replace("1_Pooling/config.json", `{"pooling_mode_lasttoken":true}`), local.ErrUnsupported, "1_Pooling"},
		"two poolings":       {replace("1_Pooling/config.json", `{"pooling_mode_mean_tokens":true,"pooling_mode_max_tokens":true}`), local.ErrUnsupported, "combination"},
		"no tokens":          {replace("sentence_bert_config.json", `{"max_seq_length":-1}`), local.ErrFormat, "max_seq_length"},
		"empty weights":      {weights(func([]byte) []byte { return nil }), local.ErrFormat, "unexpected EOF"},
		"header length":      {weights(long(math.MaxUint64)), local.ErrFormat, "the header says"},
		"header length 2^63": {weights(long(1 << 63)), local.ErrFormat, "the header says"},
		"header to the end":  {weights(func(b []byte) []byte { return long(uint64(len(b) - 8))(b) }), local.ErrFormat, "header"},
		"header of zero":     {weights(long(0)), local.ErrFormat, "header"},
		"cut in the header":  {weights(func(b []byte) []byte { return b[:20] }), local.ErrFormat, "the header says"},
		"cut in the data":    {weights(func(b []byte) []byte { return b[:len(b)-1] }), local.ErrFormat, "cut off"},
		"a missing tensor":   {tensors(func(m map[string]matrix) { delete(m, "encoder.layer.1.output.dense.bias") }), local.ErrFormat, `no tensor "encoder.layer.1.output.dense.bias"`},
		"no tensors":         {tensors(func(m map[string]matrix) { clear(m) }), local.ErrFormat, "no tensor"},
		"a tensor transposed": {tensors(func(m map[string]matrix) {
			m["encoder.layer.0.output.dense.weight"] = matrix{[]int{64, 32}, make([]float64, 64*32)}
		}), local.ErrFormat, "has the shape [64 32]"},
		"overlong shape": {func(t *testing.T, dir string) {
			header := `{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}`
			data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
			write(t, dir, "model.safetensors", append(append(data, header...), 0, 0, 0, 0))
		}, local.ErrFormat, "too large"},
		"offsets backwards": {func(t *testing.T, dir string) {
			header := `{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`
			data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
			write(t, dir, "model.safetensors", append(append(data, header...), 0, 0, 0, 0))
		}, local.ErrFormat, "no range"},
		"no ONNX": {func(t *testing.T, dir string) {
			remove("model.safetensors")(t, dir)
			write(t, dir, "model.onnx", []byte("version https://git-lfs.github.com/spec/v1\n"))
		}, local.ErrFormat, "model.onnx"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newTiny(1, 32, 2, 64, 2).write(t, "F32")
			_, err := local.Open(dir, local.Options{})
			require.NoError(t, err)
			c.change(t, dir)
			_, err = local.Open(dir, local.Options{})
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
			var typed *local.Error
			require.ErrorAs(t, err, &typed)
			require.Contains(t, typed.File, dir)
		})
	}
}

func TestNoFolder(t *testing.T) {
	dir := t.TempDir()
	_, err := local.Open(filepath.Join(dir, "none"), local.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	write(t, dir, "file", nil)
	_, err = local.Open(filepath.Join(dir, "file"), local.Options{})
	require.ErrorContains(t, err, "not a folder")
	_, err = local.Open(dir, local.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Folders of sentence-transformers may keep the network in a folder of its own,
// and name its tensors "bert.…".
func TestModules(t *testing.T) {
	m := newTiny(2, 32, 2, 64, 1)
	for name, tensor := range maps.Clone(m.tensors) {
		delete(m.tensors, name)
		m.tensors["bert."+name] = tensor
	}
	flat := m.write(t, "F32")
	dir := t.TempDir()
	for _, name := range []string{"config.json", "vocab.txt", "sentence_bert_config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(flat, name))
		require.NoError(t, err)
		write(t, dir, "0_Transformer/"+name, data)
	}
	write(t, dir, "pool/config.json", []byte(`{"pooling_mode":"cls"}`))
	write(t, dir, "modules.json", []byte(`[
		{"idx":0,"name":"0","path":"0_Transformer","type":"sentence_transformers.models.Transformer"},
		{"idx":1,"name":"1","path":"pool","type":"sentence_transformers.models.Pooling"},
		{"idx":2,"name":"2","path":"norm","type":"sentence_transformers.models.Normalize"}]`))
	model, err := local.Open(dir, local.Options{})
	require.NoError(t, err)
	m = newTiny(2, 32, 2, 64, 1)
	m.pooling = "pooling_mode_cls_token"
	near(t, m, model, 2e-5)
}
