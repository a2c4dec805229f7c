package wordpiece

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
)

// FromJSON reads a tokenizer.json. Other kinds of tokenizers than BERT's are
// ErrUnsupported. Its truncation and padding are left to the caller.
func FromJSON(data []byte) (*Tokenizer, error) {
	var file struct {
		AddedTokens   []addedToken    `json:"added_tokens"`
		Normalizer    json.RawMessage `json:"normalizer"`
		PreTokenizer  *kind           `json:"pre_tokenizer"`
		PostProcessor json.RawMessage `json:"post_processor"`
		Model         struct {
			kind
			Unknown    string           `json:"unk_token"`
			Mark       *string          `json:"continuing_subword_prefix"`
			MaxWord    *int             `json:"max_input_chars_per_word"`
			Vocabulary map[string]int32 `json:"vocab"`
		} `json:"model"`
	}
	// The kind comes first: the models of other kinds have other forms.
	var head struct {
		Model kind `json:"model"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	// Old files leave the type out.
	if t := head.Model.Type; t != "WordPiece" && t != "" {
		return nil, fmt.Errorf("%w: the model is %q, not WordPiece", ErrUnsupported, t)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.PreTokenizer == nil || file.PreTokenizer.Type != "BertPreTokenizer" {
		return nil, fmt.Errorf("%w: the pre-tokenizer is not BertPreTokenizer", ErrUnsupported)
	}
	for _, t := range file.AddedTokens {
		if t.Normalized {
			return nil, fmt.Errorf("%w: the added token %q is looked for in normalized text", ErrUnsupported, t.Content)
		}
	}
	s := settings{vocabulary: file.Model.Vocabulary, mark: "##", unknown: file.Model.Unknown, maxWord: 100, added: file.AddedTokens}
	if s.unknown == "" {
		s.unknown = "[UNK]"
	}
	if file.Model.Mark != nil {
		s.mark = *file.Model.Mark
	}
	if file.Model.MaxWord != nil {
		s.maxWord = *file.Model.MaxWord
	}
	var err error
	if s.normalizer, err = readNormalizer(file.Normalizer); err != nil {
		return nil, err
	}
	t, err := build(s)
	if err != nil {
		return nil, err
	}
	t.prefix, t.suffix, err = readPostProcessor(file.PostProcessor, t.size)
	return t, err
}

type kind struct {
	Type string `json:"type"`
}

func isNull(data json.RawMessage) bool { return len(data) == 0 || string(data) == "null" }

func readNormalizer(data json.RawMessage) (normalizer, error) {
	var n struct {
		kind
		Clean   *bool `json:"clean_text"`
		Chinese *bool `json:"handle_chinese_chars"`
		Strip   *bool `json:"strip_accents"`
		Lower   *bool `json:"lowercase"`
	}
	if isNull(data) {
		return normalizer{}, nil
	}
	if err := json.Unmarshal(data, &n); err != nil {
		return normalizer{}, fmt.Errorf("normalizer: %w", err)
	}
	if n.Type != "BertNormalizer" {
		return normalizer{}, fmt.Errorf("%w: the normalizer is %q, not BertNormalizer", ErrUnsupported, n.Type)
	}
	lower := or(n.Lower, true)
	return normalizer{clean: or(n.Clean, true), chinese: or(n.Chinese, true), strip: or(n.Strip, lower), lower: lower}, nil
}

func or(value *bool, otherwise bool) bool {
	if value == nil {
		return otherwise
	}
	return *value
}

// readPostProcessor returns the ids before and after a text.
func readPostProcessor(data json.RawMessage, size int) (prefix, suffix []int32, err error) {
	if isNull(data) {
		return nil, nil, nil
	}
	var p struct {
		kind
		Single []struct {
			Special *struct {
				ID string `json:"id"`
			} `json:"SpecialToken"`
			Sequence *struct{} `json:"Sequence"`
		} `json:"single"`
		Tokens map[string]struct {
			IDs []int32 `json:"ids"`
		} `json:"special_tokens"`
		CLS, SEP idPair
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, nil, fmt.Errorf("post-processor: %w", err)
	}
	switch p.Type {
	case "BertProcessing":
		prefix, suffix = []int32{p.CLS.id}, []int32{p.SEP.id}
	case "TemplateProcessing":
		into, texts := &prefix, 0
		for _, item := range p.Single {
			switch {
			case item.Sequence != nil:
				into = &suffix
				texts++
			case item.Special != nil:
				*into = append(*into, p.Tokens[item.Special.ID].IDs...)
			}
		}
		if texts != 1 {
			return nil, nil, fmt.Errorf("post-processor: the template has the text %d times, not once", texts)
		}
	default:
		return nil, nil, fmt.Errorf("%w: the post-processor is %q", ErrUnsupported, p.Type)
	}
	for _, ids := range [][]int32{prefix, suffix} {
		for _, id := range ids {
			if id < 0 || int(id) >= size {
				return nil, nil, fmt.Errorf("post-processor: the id %d is not in the vocabulary of %d", id, size)
			}
		}
	}
	return prefix, suffix, nil
}

// idPair is a token with its id, in JSON a list: ["[CLS]", 101].
type idPair struct{ id int32 }

func (p *idPair) UnmarshalJSON(data []byte) error {
	var name string
	return json.Unmarshal(data, &[]any{&name, &p.id})
}

// Options are what a vocab.txt does not say; tokenizer_config.json does.
type Options struct {
	Lower   bool  // lower the case
	Strip   *bool // drop accents; nil: as Lower
	Chinese bool  // Chinese characters are words of their own
}

// FromVocabulary reads a vocab.txt: a piece on each line, its id the number of
// the line from 0.
func FromVocabulary(data []byte, o Options) (*Tokenizer, error) {
	s := settings{
		vocabulary: make(map[string]int32),
		mark:       "##",
		unknown:    "[UNK]",
		maxWord:    100,
		normalizer: normalizer{clean: true, chinese: o.Chinese, strip: or(o.Strip, o.Lower), lower: o.Lower},
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	id := int32(0)
	for ; lines.Scan() && id < maxID; id++ {
		s.vocabulary[lines.Text()] = id
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", id+1, err)
	}
	if id == maxID {
		return nil, fmt.Errorf("more than %d lines", maxID)
	}
	for _, special := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if id, ok := s.vocabulary[special]; ok {
			s.added = append(s.added, addedToken{ID: id, Content: special})
		}
	}
	t, err := build(s)
	if err != nil {
		return nil, err
	}
	for _, end := range []struct {
		token string
		into  *[]int32
	}{{"[CLS]", &t.prefix}, {"[SEP]", &t.suffix}} {
		id, ok := s.vocabulary[end.token]
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no %s", end.token)
		}
		*end.into = []int32{id}
	}
	return t, nil
}
