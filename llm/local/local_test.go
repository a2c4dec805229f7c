package local_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm/local"
)

// texts of every length up to the limit of the tiny model, and beyond.
func texts() []string {
	all := []string{"", "   ", "the order", "Ordérs! 日 zzz /list", "[MASK] list [SEP]", strings.Repeat("order ", 100)}
	for n := range 32 {
		all = append(all, strings.Repeat("list the orders ", n/3)+strings.Repeat("x ", n%3))
	}
	return all
}

// near compares with the plain forward pass.
func near(t *testing.T, m *tiny, model *local.Model, delta float64) {
	t.Helper()
	vectors, err := model.Embed(t.Context(), texts())
	require.NoError(t, err)
	for i, text := range texts() {
		want := m.vector(model.Tokens(text))
		require.Len(t, vectors[i], len(want))
		for j := range want {
			require.InDelta(t, want[j], vectors[i][j], delta, "text %q, value %d", text, j)
		}
	}
}

func TestForward(t *testing.T) {
	for _, c := range []struct {
		name                         string
		hidden, heads, inner, layers int
		activation, pooling          string
	}{
		{"whole panels", 64, 2, 128, 2, "gelu", "pooling_mode_mean_tokens"},
		{"first token", 48, 3, 96, 1, "gelu", "pooling_mode_cls_token"},
		{"narrow heads", 20, 2, 33, 2, "gelu", "pooling_mode_mean_sqrt_len_tokens"},
		{"odd everything", 21, 3, 17, 2, "gelu_new", "pooling_mode_max_tokens"},
		{"relu, deep products", 36, 1, 500, 1, "relu", "pooling_mode_mean_tokens"},
		{"many layers", 32, 4, 64, 6, "gelu", "pooling_mode_mean_tokens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newTiny(7, c.hidden, c.heads, c.inner, c.layers)
			m.activation, m.pooling = c.activation, c.pooling
			model, err := local.Open(m.write(t, "F32"), local.Options{})
			require.NoError(t, err)
			require.Equal(t, c.hidden, model.Dimensions())
			require.Equal(t, 30, model.MaxTokens())
			near(t, m, model, 2e-5)
		})
	}
}

// Weights of 16 bits are those numbers, computed with in 32.
func TestTypesOfWeights(t *testing.T) {
	for _, dtype := range []string{"F64", "F16", "BF16"} {
		t.Run(dtype, func(t *testing.T) {
			m := newTiny(3, 32, 2, 64, 2)
			dir := m.write(t, dtype)
			for _, tensor := range m.tensors {
				for i, v := range tensor.values {
					switch dtype {
					case "F16":
						tensor.values[i] = math.Float64frombits(math.Float64bits(v) &^ (1<<42 - 1))
						if math.Abs(v) < 1.0/(1<<14) {
							tensor.values[i] = 0
						}
					case "BF16":
						tensor.values[i] = float64(math.Float32frombits(math.Float32bits(float32(v)) &^ 0xFFFF))
					}
				}
			}
			model, err := local.Open(dir, local.Options{})
			require.NoError(t, err)
			near(t, m, model, 2e-5)
		})
	}
}

// The bits of a vector depend on nothing but the text.
func TestIndependence(t *testing.T) {
	independence(t, newTiny(5, 40, 4, 80, 3).write(t, "F32"), texts())
}

func TestIndependenceReal(t *testing.T) {
	dir := modelDir(t)
	all := readReference(t).Texts
	independence(t, dir, append(all[20:50:50], all[150:160]...))
}

func independence(t *testing.T, dir string, texts []string) {
	t.Helper()
	one, err := local.Open(dir, local.Options{Workers: 1})
	require.NoError(t, err)
	many, err := local.Open(dir, local.Options{Workers: 5})
	require.NoError(t, err)
	require.Equal(t, one.Name(), many.Name())
	var alone [][]float32
	for _, text := range texts {
		v, err := one.Embed(t.Context(), []string{text})
		require.NoError(t, err)
		alone = append(alone, v...)
	}
	for _, m := range []*local.Model{one, many} {
		together, err := m.Embed(t.Context(), texts)
		require.NoError(t, err)
		require.Equal(t, alone, together)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			got, err := many.Embed(t.Context(), texts[i:])
			if err != nil || fmt.Sprint(got) != fmt.Sprint(alone[i:]) {
				t.Errorf("concurrent call %d: other vectors, or %v", i, err)
			}
		})
	}
	wait.Wait()
}

func TestUnitLength(t *testing.T) {
	m, err := local.Open(newTiny(5, 40, 4, 80, 3).write(t, "F32"), local.Options{})
	require.NoError(t, err)
	vectors, err := m.Embed(t.Context(), texts())
	require.NoError(t, err)
	for _, v := range vectors {
		require.InDelta(t, 1, dot(v, v), 1e-6)
	}
	none, err := m.Embed(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestVectorsAreTheCallers(t *testing.T) {
	m, err := local.Open(newTiny(5, 40, 4, 80, 3).write(t, "F32"), local.Options{})
	require.NoError(t, err)
	first, err := m.Embed(t.Context(), []string{"order", "list"})
	require.NoError(t, err)
	before := append([]float32(nil), first[1]...)
	_ = append(first[0], 9) // must not reach into the next
	require.Equal(t, before, first[1])
	first[0][0] = 9
	second, err := m.Embed(t.Context(), []string{"order"})
	require.NoError(t, err)
	require.NotEqual(t, first[0], second[0])
}

func TestCancel(t *testing.T) {
	m, err := local.Open(newTiny(5, 64, 4, 512, 12).write(t, "F32"), local.Options{Workers: 2})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Embed(ctx, []string{"order"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = m.Embed(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)

	cause := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	time.AfterFunc(5*time.Millisecond, func() { stop(cause) })
	many := make([]string, 20_000)
	for i := range many {
		many[i] = strings.Repeat("order ", 28)
	}
	_, err = m.Embed(ctx, many)
	require.ErrorIs(t, err, context.Canceled)
	// The workers are free again.
	_, err = m.Embed(t.Context(), texts())
	require.NoError(t, err)
}

func TestMaxTokens(t *testing.T) {
	dir := newTiny(5, 40, 4, 80, 1).write(t, "F32")
	m, err := local.Open(dir, local.Options{MaxTokens: 5})
	require.NoError(t, err)
	require.Equal(t, 5, m.MaxTokens())
	cut := m.Tokens("the orders list the")
	require.Len(t, cut, 5)
	whole, err := local.Open(dir, local.Options{})
	require.NoError(t, err)
	full := whole.Tokens("the orders list the")
	require.Equal(t, full[:4], cut[:4])
	require.Equal(t, full[len(full)-1], cut[4], "[SEP] stays")
	require.NotEqual(t, whole.Name(), m.Name())
	for _, o := range []local.Options{{MaxTokens: 41}, {MaxTokens: 2}, {MaxTokens: -1}, {Workers: -1}} {
		_, err := local.Open(dir, o)
		require.Error(t, err, "%+v", o)
	}
}

func TestPrefix(t *testing.T) {
	dir := newTiny(5, 40, 4, 80, 1).write(t, "F32")
	plain, err := local.Open(dir, local.Options{})
	require.NoError(t, err)
	question := plain.WithPrefix("list: ")
	require.Equal(t, plain.Tokens("list: order"), question.Tokens("order"))
	require.NotEqual(t, plain.Name(), question.Name())
	require.Equal(t, plain.Tokens("order"), plain.Tokens("order"))

	write(t, dir, "config_sentence_transformers.json", []byte(`{"prompts":{"query":"list: ","passage":"the "},"default_prompt_name":"passage"}`))
	prompted, err := local.Open(dir, local.Options{})
	require.NoError(t, err)
	require.Equal(t, plain.Tokens("the order"), prompted.Tokens("order"))
	named, err := local.Open(dir, local.Options{Prefix: "list: ", Name: "mine"})
	require.NoError(t, err)
	require.Equal(t, question.Tokens("order"), named.Tokens("order"))
	require.Equal(t, "mine", named.Name())
}

// The name follows the contents of the folder, not its place.
func TestName(t *testing.T) {
	open := func(dir string) string {
		m, err := local.Open(dir, local.Options{})
		require.NoError(t, err)
		return m.Name()
	}
	a := newTiny(5, 40, 4, 80, 1)
	require.Equal(t, open(a.write(t, "F32")), open(a.write(t, "F32")))
	a.tensors["embeddings.LayerNorm.bias"].values[0]++
	require.NotEqual(t, open(newTiny(5, 40, 4, 80, 1).write(t, "F32")), open(a.write(t, "F32")))
	require.Contains(t, open(a.write(t, "F32")), "bert-1x40/")
}

// Weights that are no numbers give an error, not a vector.
func TestNotFinite(t *testing.T) {
	m := newTiny(5, 40, 4, 80, 1)
	m.tensors["encoder.layer.0.output.dense.bias"].values[3] = math.NaN()
	model, err := local.Open(m.write(t, "F32"), local.Options{})
	require.NoError(t, err)
	_, err = model.Embed(t.Context(), []string{"order"})
	require.ErrorIs(t, err, local.ErrNotFinite)
}
