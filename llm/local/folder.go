package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/api-assistant/api-assistant/llm/local/internal/bert"
	"github.com/api-assistant/api-assistant/llm/local/internal/weights"
	"github.com/api-assistant/api-assistant/llm/local/internal/wordpiece"
)

const (
	maxConfig    = 1 << 20  // bytes of a config file
	maxTokenizer = 64 << 20 // bytes of a tokenizer
)

// folder is a model on disk.
type folder struct {
	root string
	// main is where the network and the tokenizer are, pool the pooling; both are
	// paths inside root.
	main, pool string
	static     bool // the network is a table of vectors
	hash       hash.Hash
}

// openFolder finds the parts of a model.
func openFolder(dir string) (*folder, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a folder")
	}
	if err != nil {
		return nil, &Error{File: dir, Cause: err}
	}
	f := &folder{root: dir, pool: "1_Pooling", hash: sha256.New()}
	var modules []struct {
		Type string `json:"type"`
		Path string `json:"path"`
	}
	if err := f.config("modules.json", &modules); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for i, m := range modules {
		if m.Path != "" && !filepath.IsLocal(m.Path) {
			return nil, f.damaged("modules.json", fmt.Errorf("the path %q leaves the folder", m.Path))
		}
		switch name := m.Type[strings.LastIndexByte(m.Type, '.')+1:]; name {
		case "Transformer":
			f.main = m.Path
		case "StaticEmbedding":
			f.main, f.static = m.Path, true
		case "Pooling":
			f.pool = m.Path
		case "Normalize": // done in any case
		default:
			return nil, f.unsupported("modules.json", fmt.Errorf("module %d is a %q", i, name))
		}
	}
	return f, nil
}

func (f *folder) damaged(name string, err error) error {
	return &Error{File: filepath.Join(f.root, name), Kind: ErrFormat, Cause: err}
}

func (f *folder) unsupported(name string, err error) error {
	return &Error{File: filepath.Join(f.root, name), Kind: ErrUnsupported, Cause: err}
}

// wrong is one of the two, depending on the error.
func (f *folder) wrong(name string, err error) error {
	for _, kind := range []error{bert.ErrUnsupported, weights.ErrUnsupported, wordpiece.ErrUnsupported} {
		if errors.Is(err, kind) {
			return f.unsupported(name, err)
		}
	}
	return f.damaged(name, err)
}

// read returns a small file, and takes it into the hash.
func (f *folder) read(name string, limit int64) ([]byte, error) {
	path := filepath.Join(f.root, name)
	file, err := os.Open(path)
	if err != nil {
		return nil, &Error{File: path, Cause: err}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, &Error{File: path, Cause: err}
	}
	if int64(len(data)) > limit {
		return nil, f.damaged(name, fmt.Errorf("it is larger than %d bytes", limit))
	}
	fmt.Fprintf(f.hash, "%s %d\n", filepath.Base(name), len(data))
	f.hash.Write(data)
	return data, nil
}

// config decodes a JSON file.
func (f *folder) config(name string, into any) error {
	data, err := f.read(name, maxConfig)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return f.damaged(name, err)
	}
	return nil
}

// optional is config for a file that need not be there.
func (f *folder) optional(name string, into any) error {
	if err := f.config(name, into); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// load reads the model.
func (f *folder) load(o Options) (*Model, error) {
	m := &Model{}
	var err error
	if m.prefix, err = f.prompt(); err != nil {
		return nil, err
	}
	if m.tokenizer, err = f.tokenizer(); err != nil {
		return nil, err
	}
	var c config
	if err := f.optional(filepath.Join(f.main, "config.json"), &c); err != nil {
		return nil, err
	}
	if f.static || c.Type == "model2vec" || c.Type == "" && c.Table != "" {
		err = f.loadStatic(m, o, c)
	} else {
		err = f.loadTransformer(m, o, c)
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(f.hash, "tokens %d prefix %q", m.maxTokens, o.Prefix)
	m.name += "/" + hex.EncodeToString(f.hash.Sum(nil)[:8])
	return m, nil
}

// config is a config.json.
type config struct {
	bert.Config
	Type string `json:"model_type"`
	// What model2vec writes.
	Table string `json:"embedding_dtype"`
	Max   int    `json:"max_length"`
}

// prompt is the text that the folder wants before each text.
func (f *folder) prompt() (string, error) {
	var c struct {
		Prompts map[string]string `json:"prompts"`
		Default *string           `json:"default_prompt_name"`
	}
	if err := f.optional("config_sentence_transformers.json", &c); err != nil {
		return "", err
	}
	if c.Default == nil {
		return "", nil
	}
	return c.Prompts[*c.Default], nil
}

func (f *folder) tokenizer() (*wordpiece.Tokenizer, error) {
	dirs := []string{f.main}
	if f.main != "" {
		dirs = append(dirs, "")
	}
	for _, dir := range dirs {
		name := filepath.Join(dir, "tokenizer.json")
		data, err := f.read(name, maxTokenizer)
		if err == nil {
			t, err := wordpiece.FromJSON(data)
			if err != nil {
				return nil, f.wrong(name, err)
			}
			return t, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	name := filepath.Join(f.main, "vocab.txt")
	data, err := f.read(name, maxTokenizer)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{File: f.root, Cause: fmt.Errorf("neither tokenizer.json nor vocab.txt: %w", fs.ErrNotExist)}
	}
	if err != nil {
		return nil, err
	}
	c := struct {
		Lower   bool  `json:"do_lower_case"`
		Strip   *bool `json:"strip_accents"`
		Chinese bool  `json:"tokenize_chinese_chars"`
	}{Lower: true, Chinese: true}
	if err := f.optional(filepath.Join(f.main, "tokenizer_config.json"), &c); err != nil {
		return nil, err
	}
	t, err := wordpiece.FromVocabulary(data, wordpiece.Options{Lower: c.Lower, Strip: c.Strip, Chinese: c.Chinese})
	if err != nil {
		return nil, f.wrong(name, err)
	}
	return t, nil
}

// weightFiles are where the weights may be, in the order of preference.
var weightFiles = []struct {
	name string
	read func(io.ReaderAt, int64) (*weights.Set, error)
}{
	{"model.safetensors", weights.Safetensors},
	{"model.onnx", weights.ONNX},
	{"onnx/model.onnx", weights.ONNX},
}

// weights passes the tensors of the folder to load and takes their file into the
// hash at the same time.
func (f *folder) weights(load func(*weights.Set) error) error {
	for _, w := range weightFiles {
		name := filepath.Join(f.main, filepath.FromSlash(w.name))
		file, err := os.Open(filepath.Join(f.root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return &Error{File: filepath.Join(f.root, name), Cause: err}
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return &Error{File: file.Name(), Cause: err}
		}
		hashed := make(chan error, 1)
		go func() {
			_, err := io.Copy(f.hash, io.NewSectionReader(file, 0, info.Size()))
			hashed <- err
		}()
		set, err := w.read(file, info.Size())
		if err == nil {
			err = load(set)
		}
		if hashErr := <-hashed; err == nil && hashErr != nil {
			return &Error{File: file.Name(), Cause: hashErr}
		}
		if err != nil {
			return f.wrong(name, err)
		}
		return nil
	}
	return &Error{File: filepath.Join(f.root, f.main), Cause: fmt.Errorf("neither model.safetensors nor model.onnx: %w", fs.ErrNotExist)}
}
