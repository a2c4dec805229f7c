package local

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/api-assistant/api-assistant/llm/local/internal/bert"
	"github.com/api-assistant/api-assistant/llm/local/internal/weights"
)

func (f *folder) loadTransformer(m *Model, o Options, c config) error {
	name := filepath.Join(f.main, "config.json")
	switch c.Type {
	case "bert":
	case "":
		return f.damaged(name, errors.New("it is missing, or has no model_type"))
	default:
		return f.unsupported(name, fmt.Errorf("model_type %q; bert and model2vec are known", c.Type))
	}
	pool, err := f.pooling()
	if err != nil {
		return err
	}
	t := &transformer{pooling: pool}
	err = f.weights(func(set *weights.Set) error {
		t.encoder, err = bert.Load(set, c.Config)
		return err
	})
	if err != nil {
		return err
	}
	if size := m.tokenizer.Size(); size > c.Vocabulary {
		return f.damaged(name, fmt.Errorf("the tokenizer has ids up to %d, the network up to %d", size-1, c.Vocabulary-1))
	}
	m.network = t
	m.name = fmt.Sprintf("bert-%dx%d", c.Layers, c.Hidden)
	if m.maxTokens, err = f.maxTokens(o, c.Positions); err != nil {
		return err
	}
	if m.maxTokens <= m.tokenizer.Frame() {
		return fmt.Errorf("local: a limit of %d tokens leaves none for the text", m.maxTokens)
	}
	return nil
}

// pooling reads the pooling's configuration. Without one, it is the mean, as
// sentence-transformers has it.
func (f *folder) pooling() (pooling, error) {
	name := filepath.Join(f.pool, "config.json")
	var c struct {
		First  bool   `json:"pooling_mode_cls_token"`
		Mean   bool   `json:"pooling_mode_mean_tokens"`
		Root   bool   `json:"pooling_mode_mean_sqrt_len_tokens"`
		Max    bool   `json:"pooling_mode_max_tokens"`
		Weight bool   `json:"pooling_mode_weightedmean_tokens"`
		Last   bool   `json:"pooling_mode_lasttoken"`
		Mode   string `json:"pooling_mode"` // newer folders
		Prompt *bool  `json:"include_prompt"`
	}
	if err := f.optional(name, &c); err != nil {
		return 0, err
	}
	if c.Prompt != nil && !*c.Prompt {
		return 0, f.unsupported(name, errors.New("the prompt's tokens are to be left out"))
	}
	var chosen []pooling
	for _, mode := range []struct {
		on   bool
		name string
		pooling
	}{{c.First, "cls", poolFirst}, {c.Mean, "mean", poolMean}, {c.Root, "mean_sqrt_len_tokens", poolMean}, {c.Max, "max", poolMax}} {
		// The two means differ in length only.
		if mode.on || c.Mode == mode.name {
			chosen = append(chosen, mode.pooling)
		}
	}
	switch {
	case c.Weight || c.Last || len(chosen) > 1:
		return 0, f.unsupported(name, errors.New("one of mean, first and maximum is known, and no combination"))
	case len(chosen) == 0 && c.Mode != "":
		return 0, f.unsupported(name, fmt.Errorf("pooling_mode %q", c.Mode))
	case len(chosen) == 0:
		return poolMean, nil
	}
	return chosen[0], nil
}

// maxTokens is what the options say, or the folder, or the network's positions.
func (f *folder) maxTokens(o Options, positions int) (int, error) {
	if o.MaxTokens > positions {
		return 0, fmt.Errorf("local: %d tokens; the model takes %d", o.MaxTokens, positions)
	}
	var c struct {
		Max *int `json:"max_seq_length"`
	}
	if err := f.optional(filepath.Join(f.main, "sentence_bert_config.json"), &c); err != nil {
		return 0, err
	}
	limit := positions
	if c.Max != nil {
		limit = min(limit, *c.Max)
	}
	if limit = cmp.Or(o.MaxTokens, limit); limit < 1 {
		return 0, f.damaged("sentence_bert_config.json", fmt.Errorf("max_seq_length is %d", limit))
	}
	return limit, nil
}

// staticTokens is where model2vec cuts texts off by default.
const staticTokens = 512

func (f *folder) loadStatic(m *Model, o Options, c config) error {
	var s *static
	err := f.weights(func(set *weights.Set) (err error) {
		s, err = loadStatic(set)
		return err
	})
	if err != nil {
		return err
	}
	if size := m.tokenizer.Size(); size > s.tokens() {
		return f.damaged(f.main, fmt.Errorf("the tokenizer has ids up to %d, the table has vectors up to %d", size-1, s.tokens()-1))
	}
	m.network = s
	m.maxTokens = cmp.Or(o.MaxTokens, max(c.Max, 0), staticTokens)
	m.name = fmt.Sprintf("static-%d", s.width)
	return nil
}
