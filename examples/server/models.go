package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/local"
	"github.com/api-assistant/api-assistant/llm/offline"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// modelConfig says which models answer and embed.
type modelConfig struct {
	LLMProvider        string `env:"LLM_PROVIDER" envDefault:"offline"`
	OllamaBaseURL      string `env:"OLLAMA_BASE_URL" envDefault:"http://localhost:11434"`
	OllamaModel        string `env:"OLLAMA_MODEL" envDefault:"deepseek-coder:6.7b"`
	GroqAPIKey         string `env:"GROQ_API_KEY"`
	GroqReasoningModel string `env:"GROQ_REASONING_MODEL" envDefault:"llama-3.3-70b-versatile"`
	GroqCodeModel      string `env:"GROQ_CODE_MODEL" envDefault:"llama-3.3-70b-versatile"`
	GroqGeneralModel   string `env:"GROQ_GENERAL_MODEL" envDefault:"llama-3.3-70b-versatile"`
	OpenAIAPIKey       string `env:"OPENAI_API_KEY"`
	OpenAIBaseURL      string `env:"OPENAI_BASE_URL"`
	OpenAIModel        string `env:"OPENAI_MODEL"`
	// LLMPerMinute is nil if it is not set: then it depends on the provider.
	LLMPerMinute *int `env:"LLM_REQUESTS_PER_MINUTE"`

	EmbeddingProvider string `env:"EMBEDDING_PROVIDER" envDefault:"offline"`
	EmbeddingModel    string `env:"EMBEDDING_MODEL"`
	EmbeddingModelDir string `env:"EMBEDDING_MODEL_DIR" envDefault:"./models"`
	EmbeddingBaseURL  string `env:"EMBEDDING_BASE_URL"`
}

// models are what answers and embeds.
type models struct {
	llm      llm.LLM
	embedder llm.Embedder
	// vectorWeight is what vectors weigh in a hybrid search: nothing, if the
	// embedder measures spelling only.
	vectorWeight float64
}

// meaningWeight is for embedders that know meaning (docs/retrieval.md).
const meaningWeight = 0.3

// groqPerMinute is the limit of Groq's free tier.
const groqPerMinute = 30

// Patience with models. A person waits for the answer, so a provider that wants
// a longer pause than maxPause is an error at once. Ollama may have to load the
// model first.
const (
	hostedPatience = 25 * time.Second
	localPatience  = 2 * time.Minute
	maxPause       = 20 * time.Second
	maxAnswerTime  = 5 * time.Minute
)

// newModels builds the models, and reports all mistakes at once by the names of
// the variables, without secrets. client makes the requests.
func newModels(cfg modelConfig, log *slog.Logger, client *http.Client) (models, error) {
	answers, err := cfg.newLLM(log, client)
	embedder, embedderErr := cfg.newEmbedder(log, client)
	m := models{llm: answers, embedder: embedder, vectorWeight: meaningWeight}
	if strings.EqualFold(cfg.EmbeddingProvider, "offline") {
		m.vectorWeight = 0
	}
	return m, errors.Join(err, embedderErr)
}

// modelClient is the HTTP client for models. It uses the proxy of the
// environment.
func modelClient() *http.Client {
	transport := openai.Transport()
	transport.Proxy = http.ProxyFromEnvironment
	return &http.Client{Transport: transport}
}

// newLLM builds the model that LLM_PROVIDER names, by role.
func (c modelConfig) newLLM(log *slog.Logger, client *http.Client) (llm.LLM, error) {
	if strings.EqualFold(c.LLMProvider, "offline") {
		return llm.Log(log).LLM(offline.New()), c.checkRate()
	}
	from, err := c.provider()
	if err = errors.Join(err, c.checkRate()); err != nil {
		return nil, err
	}
	from.endpoint.HTTPClient = client
	route, limit := llm.Route{}, llm.NewRateLimit(llm.RateLimitConfig{PerMinute: c.perMinute(), MaxWait: maxPause})
	for role, name := range from.models {
		model, err := openai.New(openai.Config{Endpoint: from.endpoint, Model: name,
			Timeout: llm.Timeout{FirstToken: from.patience, BetweenTokens: hostedPatience}})
		if err != nil {
			return nil, err
		}
		route[role] = llm.Chain(model, llm.Retry{Max: maxPause, On: worthRetrying}.LLM, limit.LLM)
	}
	return llm.Chain(route, llm.Log(log).LLM, llm.Timeout{FirstToken: -1, BetweenTokens: -1, Total: maxAnswerTime}.LLM), nil
}

// provider is where models are.
type provider struct {
	endpoint openai.Endpoint
	models   map[llm.Role]string
	patience time.Duration // until the first token
}

// provider returns the one that LLM_PROVIDER names.
func (c modelConfig) provider() (provider, error) {
	switch strings.ToLower(c.LLMProvider) {
	case "ollama":
		return provider{openai.Ollama(c.OllamaBaseURL), map[llm.Role]string{llm.RoleGeneral: c.OllamaModel}, localPatience},
			checkURL("OLLAMA_BASE_URL", c.OllamaBaseURL, "")
	case "groq":
		return provider{openai.Groq(c.GroqAPIKey), map[llm.Role]string{
			llm.RoleGeneral: c.GroqGeneralModel, llm.RoleCode: c.GroqCodeModel, llm.RoleReasoning: c.GroqReasoningModel,
		}, hostedPatience}, checkKey("GROQ_API_KEY", c.GroqAPIKey, true)
	case "openai":
		err := c.checkOpenAI()
		if c.OpenAIModel == "" {
			err = errors.Join(err, errors.New("OPENAI_MODEL must name the model when LLM_PROVIDER is openai"))
		}
		return provider{c.openAI(c.OpenAIBaseURL), map[llm.Role]string{llm.RoleGeneral: c.OpenAIModel}, hostedPatience}, err
	}
	return provider{}, errors.New("LLM_PROVIDER must be offline, ollama, groq or openai")
}

// worthRetrying leaves out what has cost the patience of a person already.
func worthRetrying(err error) bool {
	return llm.Temporary(err) && !errors.Is(err, llm.ErrTimeout)
}

// miniLM is the embedding model where none is named, and as settings name it.
const miniLM = "all-MiniLM-L6-v2"

// newEmbedder builds the embedder that EMBEDDING_PROVIDER names.
func (c modelConfig) newEmbedder(log *slog.Logger, client *http.Client) (llm.Embedder, error) {
	var (
		endpoint openai.Endpoint
		wrong    error
		name     string
		patience = hostedPatience
	)
	switch strings.ToLower(c.EmbeddingProvider) {
	case "offline":
		return offline.NewEmbedder(0), nil
	case "ollama":
		address := cmp.Or(c.EmbeddingBaseURL, c.OllamaBaseURL)
		endpoint, wrong = openai.Ollama(address), checkURL(either(c.EmbeddingBaseURL, "EMBEDDING_BASE_URL", "OLLAMA_BASE_URL"), address, "")
		name, patience = c.EmbeddingModel, localPatience
		if name == "" || strings.EqualFold(name, miniLM) {
			name = "all-minilm" // Ollama's name for it
		}
	case "local":
		m, err := local.Open(c.modelFolder(), local.Options{})
		if err != nil {
			return nil, fmt.Errorf("EMBEDDING_PROVIDER=local needs the folder of a sentence-transformers model in EMBEDDING_MODEL_DIR: %w", err)
		}
		return m, nil
	case "openai":
		endpoint, wrong = c.openAIEmbeddings()
		name = c.EmbeddingModel
		if name == "" {
			name = either(cmp.Or(c.EmbeddingBaseURL, c.OpenAIBaseURL), miniLM, "text-embedding-3-small")
		}
	default:
		wrong = errors.New("EMBEDDING_PROVIDER must be offline, local, ollama or openai")
	}
	if wrong != nil {
		return nil, wrong
	}
	endpoint.HTTPClient = client
	e, err := openai.NewEmbedder(openai.EmbedderConfig{Endpoint: endpoint, Model: name, Timeout: llm.Timeout{FirstToken: patience}})
	if err != nil {
		return nil, err
	}
	// Searches go on without vectors while the embedder is down: the breaker keeps
	// them from waiting for it.
	return llm.ChainEmbedder(e, llm.Log(log).Embedder, llm.NewBreaker(llm.BreakerConfig{Failures: 3, Pause: 15 * time.Second}).Embedder,
		llm.Retry{Attempts: 2, Max: maxPause, On: worthRetrying}.Embedder), nil
}

// modelFolder is the folder of the model that is run in process: in
// EMBEDDING_MODEL_DIR, by the name of the model, or that directory itself.
func (c modelConfig) modelFolder() string {
	if _, err := os.Stat(filepath.Join(c.EmbeddingModelDir, "config.json")); err == nil {
		return c.EmbeddingModelDir
	}
	return filepath.Join(c.EmbeddingModelDir, filepath.Base(cmp.Or(c.EmbeddingModel, miniLM)))
}

// either picks by whether s is set.
func either(s, set, unset string) string {
	if s != "" {
		return set
	}
	return unset
}

// openAI is the endpoint at an address, empty for OpenAI's own.
func (c modelConfig) openAI(address string) openai.Endpoint {
	e := openai.OpenAI(c.OpenAIAPIKey)
	e.BaseURL = cmp.Or(address, e.BaseURL)
	return e
}

func (c modelConfig) checkOpenAI() error {
	return errors.Join(checkURL("OPENAI_BASE_URL", c.OpenAIBaseURL, c.OpenAIAPIKey),
		checkKey("OPENAI_API_KEY", c.OpenAIAPIKey, c.OpenAIBaseURL == ""))
}

// openAIEmbeddings is the endpoint for embeddings. When OPENAI_BASE_URL is in
// use for answers, the key belongs to that server, and another one does not get
// it.
func (c modelConfig) openAIEmbeddings() (openai.Endpoint, error) {
	answers := strings.EqualFold(c.LLMProvider, "openai")
	switch {
	case c.EmbeddingBaseURL == "" && answers:
		return c.openAI(c.OpenAIBaseURL), nil // newLLM has checked it
	case c.EmbeddingBaseURL == "":
		return c.openAI(c.OpenAIBaseURL), c.checkOpenAI()
	}
	e := c.openAI(c.EmbeddingBaseURL)
	if answers && host(c.EmbeddingBaseURL) != host(c.openAI(c.OpenAIBaseURL).BaseURL) {
		e.APIKey = ""
	}
	return e, errors.Join(checkURL("EMBEDDING_BASE_URL", c.EmbeddingBaseURL, e.APIKey), checkKey("OPENAI_API_KEY", e.APIKey, false))
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// perMinute is how many requests the model may get; 0 is no limit.
func (c modelConfig) perMinute() int {
	switch {
	case c.LLMPerMinute != nil:
		return *c.LLMPerMinute
	case strings.EqualFold(c.LLMProvider, "groq"):
		return groqPerMinute
	}
	return 0
}

func (c modelConfig) checkRate() error {
	if n := c.perMinute(); n < 0 || n > 1_000_000 {
		return fmt.Errorf("LLM_REQUESTS_PER_MINUTE is %d, it must be 0 (no limit) to 1000000", n)
	}
	return nil
}

// checkURL checks an address, empty for the default. A key must not cross the
// internet in the clear.
func checkURL(name, address, key string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Errorf("%s must be an address like https://host/v1", name)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s must have no user, query or fragment", name)
	case u.Scheme == "http" && key != "" && isPublic(u.Hostname()):
		return fmt.Errorf("%s must begin with https://: the API key would cross the internet in the clear", name)
	}
	return nil
}

// isPublic reports whether a host is out on the internet, as far as its name
// tells: names without a dot, and of private networks, are not.
func isPublic(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast()
	}
	name := "." + strings.ToLower(strings.TrimSuffix(host, "."))
	for _, private := range []string{".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test"} {
		if strings.HasSuffix(name, private) {
			return false
		}
	}
	return strings.Contains(name[1:], ".")
}

// checkKey checks the key of a provider.
func checkKey(name, key string, required bool) error {
	lower := strings.ToLower(key)
	switch {
	case key == "" && required:
		return fmt.Errorf("%s must be set", name)
	case strings.HasPrefix(lower, "<"), strings.Contains(lower, "your-"), strings.Contains(lower, "your_"), strings.HasPrefix(lower, "change"), strings.Contains(lower, "placeholder"):
		return fmt.Errorf("%s is a placeholder; put in the key itself", name)
	}
	for _, c := range []byte(key) {
		if c < '!' || c > '~' {
			return fmt.Errorf("%s has a character that no key has", name)
		}
	}
	return nil
}
