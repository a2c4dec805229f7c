package openai

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sashabaranov/go-openai"
)

// Endpoint is a server that speaks the protocol, and the credentials for it. It
// prints without them.
type Endpoint struct {
	// Provider names the server in errors, and in the names of embedders. Empty
	// means "openai".
	Provider string
	// BaseURL is the address up to and including the version, "http://host:8000/v1"
	// say: http or https, without user, query or fragment. Empty means OpenAI's.
	BaseURL string
	// APIKey is sent as a bearer token. Empty: none is sent.
	APIKey string `json:"-"`
	// Header is sent with each request, in addition. Its values are treated as
	// secrets.
	Header http.Header `json:"-"`
	// HTTPClient is used for the requests. nil means one that all endpoints share,
	// with the Transport of this package. Redirects are not followed in any case. A
	// Timeout of the client would cut long answers.
	HTTPClient *http.Client `json:"-"`
}

// Addresses of the presets.
const (
	openAIURL = "https://api.openai.com/v1"
	groqURL   = "https://api.groq.com/openai/v1"
	ollamaURL = "http://localhost:11434"
)

// OpenAI is OpenAI's own endpoint.
func OpenAI(apiKey string) Endpoint {
	return Endpoint{Provider: "openai", BaseURL: openAIURL, APIKey: apiKey}
}

// Groq is Groq's endpoint. It has no embeddings. The free tier allows 30 requests
// a minute: see llm.RateLimit.
func Groq(apiKey string) Endpoint {
	return Endpoint{Provider: "groq", BaseURL: groqURL, APIKey: apiKey}
}

// Ollama is an Ollama server, with or without /v1 in the address; empty means
// http://localhost:11434. It needs no key. The first request to a model loads
// it, which may take a minute, and a prompt longer than the server's num_ctx is
// cut there without notice.
func Ollama(address string) Endpoint {
	address = strings.TrimSuffix(strings.TrimRight(cmp.Or(address, ollamaURL), "/"), "/v1")
	return Endpoint{Provider: "ollama", BaseURL: address + "/v1"}
}

// public is the endpoint without its credentials, for keeping.
func (e Endpoint) public() Endpoint {
	e.APIKey, e.Header = "", nil
	return e
}

// String describes the endpoint without its credentials.
func (e Endpoint) String() string {
	return fmt.Sprintf("%s at %s", e.provider(), describe(e.baseURL()))
}

// GoString is String.
func (e Endpoint) GoString() string { return e.String() }

// Format is String, for every verb.
func (e Endpoint) Format(f fmt.State, _ rune) { io.WriteString(f, e.String()) }

// LogValue is String.
func (e Endpoint) LogValue() slog.Value { return slog.StringValue(e.String()) }

// describe shows an address without what may be secret in it.
func describe(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (e Endpoint) provider() string { return cmp.Or(e.Provider, "openai") }
func (e Endpoint) baseURL() string  { return strings.TrimRight(cmp.Or(e.BaseURL, openAIURL), "/") }

// isOpenAI reports whether the endpoint is OpenAI's own.
func (e Endpoint) isOpenAI() bool {
	u, err := url.Parse(e.baseURL())
	return err == nil && u.Hostname() == "api.openai.com"
}

// check looks for mistakes, and shows no secret.
func (e Endpoint) check() error {
	var wrong []error
	switch u, err := url.Parse(e.baseURL()); {
	case err != nil:
		wrong = append(wrong, errors.New("the base URL cannot be read"))
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		wrong = append(wrong, fmt.Errorf("the base URL %s must look like https://host/v1", describe(e.baseURL())))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		wrong = append(wrong, fmt.Errorf("the base URL %s must have no user, query or fragment; keys belong into APIKey", describe(e.baseURL())))
	}
	for _, c := range []byte(e.APIKey) {
		if c <= ' ' || c > '~' {
			wrong = append(wrong, errors.New("the API key has a space, a line break or another character that no key has"))
			break
		}
	}
	return errors.Join(wrong...)
}

// connect returns a client of a checked endpoint. maxBody bounds an answer in
// one piece, in bytes.
func (e Endpoint) connect(maxBody int) (*wire, *openai.Client) {
	shared := cmp.Or(e.HTTPClient, defaultClient())
	client := *shared
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w := &wire{provider: e.provider(), client: &client, header: e.Header.Clone(), hide: hider(e), maxBody: int64(maxBody)}
	cfg := openai.DefaultConfig(e.APIKey)
	cfg.BaseURL, cfg.HTTPClient = e.baseURL(), w
	cfg.EmptyMessagesLimit = math.MaxUint // the wire hands on no empty ones
	return w, openai.NewClientWithConfig(cfg)
}

// defaultClient is what endpoints without a client share.
var defaultClient = sync.OnceValue(func() *http.Client { return &http.Client{Transport: Transport()} })

// Transport returns a new transport with limits that suit models: connecting
// and the TLS handshake are bounded in time, the headers of an answer in size;
// the answer is not, since a model may think for long (llm.Timeout bounds that).
// No proxy is used.
func Transport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a compressed stream comes in lumps
	}
}
