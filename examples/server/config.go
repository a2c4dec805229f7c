package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
	"github.com/redis/go-redis/v9"
)

// config is what the environment says. Every field has the name of its variable.
type config struct {
	AppName  string `env:"APP_NAME" envDefault:"API Integration Assistant"`
	Debug    bool   `env:"DEBUG" envDefault:"false"`
	LogLevel string `env:"LOG_LEVEL" envDefault:"INFO"`
	Host     string `env:"HOST" envDefault:"127.0.0.1"`
	Port     int    `env:"PORT" envDefault:"8000"`

	DataDir    string `env:"CHROMA_PERSIST_DIR" envDefault:"./data/chroma_db"`
	Collection string `env:"CHROMA_COLLECTION_NAME" envDefault:"api_docs"`
	LoadSample bool   `env:"LOAD_SAMPLE" envDefault:"true"`

	VectorStore string `env:"VECTOR_STORE" envDefault:"chromem"` // or qdrant
	QdrantURL   string `env:"QDRANT_URL"`
	QdrantKey   string `env:"QDRANT_API_KEY"`

	MaxUploadMB       int      `env:"MAX_UPLOAD_SIZE_MB" envDefault:"10"`
	AllowedExtensions []string `env:"ALLOWED_EXTENSIONS" envDefault:"json,yaml,yml,md,txt,graphql,gql,markdown,html,csv,pdf,docx"`

	SecretKey      string   `env:"SECRET_KEY"`
	RequireAuth    bool     `env:"REQUIRE_AUTH" envDefault:"false"`
	APIKeys        []string `env:"API_KEYS"`
	AllowedOrigins []string `env:"ALLOWED_ORIGINS" envDefault:"http://localhost:3000,http://localhost:3001"`
	RatePerMinute  int      `env:"RATE_LIMIT_PER_MINUTE" envDefault:"60"`
	RateBurst      int      `env:"RATE_LIMIT_BURST" envDefault:"20"`
	TrustedProxies []string `env:"TRUSTED_PROXIES"`
	RedisURL       string   `env:"REDIS_URL"` // shares the limits between replicas
	SessionStore   string   `env:"SESSION_STORE" envDefault:"file"`

	TLSDomains  []string `env:"TLS_DOMAINS"`
	TLSCacheDir string   `env:"TLS_CACHE_DIR" envDefault:"./data/tls"`
	TLSCertFile string   `env:"TLS_CERT_FILE"`
	TLSKeyFile  string   `env:"TLS_KEY_FILE"`

	// DrainDelay is how many seconds /ready says 503 before the server stops
	// accepting: the time that a load balancer takes to notice.
	DrainDelay int `env:"DRAIN_DELAY_SECONDS" envDefault:"0"`

	Models modelConfig
	Web    webConfig
}

// loadConfig reads the environment, then the file .env for what the environment
// does not set. It reports all mistakes at once, and never a secret's value.
func loadConfig(environ []string, dotenv string) (config, error) {
	values, err := readDotenv(dotenv)
	if err != nil {
		return config{}, err
	}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		values[strings.ToUpper(name)] = value
	}
	for name, value := range values {
		if values[name] = uncomment(value); values[name] == "" {
			delete(values, name) // set to nothing is not set
		}
	}
	var c config
	err = env.ParseWithOptions(&c, env.Options{Environment: values, FuncMap: map[reflect.Type]env.ParserFunc{
		reflect.TypeFor[bool](): parseBool,
	}})
	c = c.normalize()
	return c, errors.Join(mistakes(err), c.check())
}

// uncomment strips a comment behind a value: container runtimes pass the lines
// of an env file on as they are.
func uncomment(value string) string {
	for i := range len(value) {
		if value[i] == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

// parseBool accepts the usual words for yes and no.
func parseBool(s string) (any, error) {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "on", "y", "t":
		return true, nil
	case "false", "0", "no", "off", "n", "f":
		return false, nil
	}
	return nil, errors.New("neither true nor false")
}

// readDotenv reads a .env file, if there is one. The names are case-insensitive.
func readDotenv(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parsed, err := godotenv.Parse(io.LimitReader(f, 1<<20))
	if err != nil {
		// The parser quotes the line that it cannot read, which may be a secret.
		return nil, fmt.Errorf("%s is malformed: write one NAME=value in a line, comments behind #", path)
	}
	values := make(map[string]string, len(parsed))
	for name, value := range parsed {
		values[strings.ToUpper(name)] = value
	}
	return values, nil
}

// mistakes makes env's errors readable: one sentence each, naming the variable
// and what it must be, without its value.
func mistakes(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	var out []error
	for _, e := range all.Errors {
		var parse env.ParseError
		if errors.As(e, &parse) {
			out = append(out, fmt.Errorf("%s must be of type %s", variable(parse.Name), strings.TrimPrefix(parse.Type.String(), "*")))
			continue
		}
		out = append(out, e)
	}
	return errors.Join(out...)
}

// variable returns the variable behind a field of config.
func variable(field string) string {
	for _, of := range []reflect.Type{reflect.TypeFor[config](), reflect.TypeFor[modelConfig]()} {
		if f, ok := of.FieldByName(field); ok {
			return f.Tag.Get("env")
		}
	}
	return field
}

// normalize trims lists and brings case into order.
func (c config) normalize() config {
	for _, list := range []*[]string{&c.AllowedExtensions, &c.APIKeys, &c.AllowedOrigins, &c.TrustedProxies, &c.TLSDomains} {
		var kept []string
		for _, v := range *list {
			if v = strings.TrimSpace(v); v != "" {
				kept = append(kept, v)
			}
		}
		*list = kept
	}
	for _, choice := range []*string{&c.VectorStore, &c.SessionStore, &c.Web.Provider} {
		*choice = strings.ToLower(*choice)
	}
	for i, e := range c.AllowedExtensions {
		c.AllowedExtensions[i] = strings.ToLower(strings.TrimPrefix(e, "."))
	}
	return c
}

// check looks for settings that cannot work. What package auth can judge
// (keys, secret, origins, proxies) it judges when the chain is built.
func (c config) check() error {
	errs := []error{c.Web.check()}
	bound := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s is %d, it must be %d to %d", name, v, low, high))
		}
	}
	bound("PORT", c.Port, 0, 65535)
	bound("MAX_UPLOAD_SIZE_MB", c.MaxUploadMB, 1, 1024)
	bound("RATE_LIMIT_PER_MINUTE", c.RatePerMinute, 0, 1_000_000)
	bound("RATE_LIMIT_BURST", c.RateBurst, 1, 1_000_000)
	bound("DRAIN_DELAY_SECONDS", c.DrainDelay, 0, 300)
	switch {
	case len(c.TLSDomains) > 0 && c.TLSCertFile+c.TLSKeyFile != "":
		errs = append(errs, errors.New("TLS_DOMAINS gets certificates by itself: set either it, or TLS_CERT_FILE and TLS_KEY_FILE"))
	case (c.TLSCertFile == "") != (c.TLSKeyFile == ""):
		errs = append(errs, errors.New("TLS_CERT_FILE and TLS_KEY_FILE need each other"))
	}
	switch {
	case c.SessionStore != sessionsMemory && c.SessionStore != sessionsFile && c.SessionStore != sessionsRedis:
		errs = append(errs, errors.New("SESSION_STORE must be memory, file or redis"))
	case c.SessionStore == sessionsRedis && c.RedisURL == "":
		errs = append(errs, errors.New("SESSION_STORE=redis needs REDIS_URL"))
	}
	if c.RedisURL != "" {
		if _, err := redis.ParseURL(c.RedisURL); err != nil {
			errs = append(errs, errRedisURL)
		}
	}
	switch {
	case c.VectorStore != storeChromem && c.VectorStore != storeQdrant:
		errs = append(errs, errors.New("VECTOR_STORE must be chromem or qdrant"))
	case c.VectorStore == storeQdrant && c.QdrantURL == "":
		errs = append(errs, errors.New("VECTOR_STORE=qdrant needs QDRANT_URL, http://localhost:6334 say"))
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel())); err != nil {
		errs = append(errs, errors.New("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR"))
	}
	return errors.Join(errs...)
}

// errRedisURL does not quote the address, which may hold a password.
var errRedisURL = errors.New("REDIS_URL must be an address like redis://:password@host:6379/0")

// logLevel is LOG_LEVEL in slog's words; Python's WARNING and CRITICAL are
// understood too.
func (c config) logLevel() string {
	switch level := strings.ToUpper(c.LogLevel); {
	case c.Debug:
		return "DEBUG"
	case level == "WARNING":
		return "WARN"
	case level == "CRITICAL":
		return "ERROR"
	default:
		return level
	}
}
