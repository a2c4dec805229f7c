// Command server is the reference server: the assistant over HTTP, with keys,
// CORS, rate limits, logs and a clean shutdown.
//
//	go run ./examples/server
//
// `server help` lists the other commands. It needs nothing beside it. Settings come from the environment and from a file
// .env; config.go lists them.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/api-assistant/api-assistant/examples/server/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := dispatch(ctx, invocation{args: os.Args[1:], environ: os.Environ(), dotenv: ".env", out: os.Stdout, log: os.Stderr})
	stop()
	os.Exit(code)
}

// run serves until ctx ends, then drains. What a person should read goes to out,
// the log to logTo.
func run(ctx context.Context, environ []string, dotenv string, out, logTo io.Writer) error {
	cfg, wrong := loadConfig(environ, dotenv)
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.logLevel())) // checked by loadConfig
	log := slog.New(slog.NewJSONHandler(logTo, &slog.HandlerOptions{Level: level}))
	measured := newMetrics()
	protect, err := newProtection(cfg, log, measured)
	wrong = errors.Join(wrong, err)
	secure, err := cfg.tlsConfig()
	wrong = errors.Join(wrong, err)
	models, err := newModels(cfg.Models, log, modelClient())
	if wrong = errors.Join(wrong, err); wrong != nil {
		return fmt.Errorf("the configuration cannot be used:\n%w", wrong)
	}
	service, err := openService(ctx, cfg, models, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := service.Close(); err != nil {
			log.Error("closing the store failed", "error", err)
		}
	}()
	sessions, err := openSessions(cfg)
	if err != nil {
		return err
	}
	defer func() {
		if err := sessions.Close(); err != nil {
			log.Error("closing the sessions failed", "error", err)
		}
	}()
	if cfg.VectorStore == storeChromem {
		defer serveAdmin(cfg.DataDir, service.data, log)()
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return err
	}
	scheme := "http"
	if secure != nil {
		scheme, listener = "https", tls.NewListener(listener, secure)
	}
	measured.watch(service.Corpus())
	greet(out, cfg, service, scheme+"://"+listener.Addr().String())
	var draining atomic.Bool
	handler := routes(web.Mount(service.handler(cfg, log, sessions, measured)), measured.handler(), &draining)
	return serve(ctx, listener, protect(handler), log, &draining, time.Duration(cfg.DrainDelay)*time.Second)
}

// routes adds to the handler of the assistant what is the server's own: /metrics,
// and /ready while it drains. No ServeMux, which would redirect unclean paths.
func routes(next, metrics http.Handler, draining *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case read && r.URL.Path == "/metrics":
			metrics.ServeHTTP(w, r)
		case read && r.URL.Path == "/ready" && draining.Load():
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"status":"draining","checks":{}}`+"\n")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Time limits of connections.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 40 * time.Second // a whole request
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 20 * time.Second
	maxHeader     = 64 << 10
)

// serve answers requests until ctx ends. Then /ready says so for a while; after it
// serve accepts no more, and waits for the requests that are under way.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger, draining *atomic.Bool, delay time.Duration) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("draining")
	draining.Store(true)
	time.Sleep(delay)
	drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("some requests did not end within %s: %w", drainTimeout, err), server.Close())
	}
	log.Info("stopped")
	return nil
}

// greet says what is served and how to try it.
func greet(out io.Writer, cfg config, s *service, address string) {
	fmt.Fprintf(out, "%s on %s, data in %s\n", cfg.AppName, address, cfg.place())
	if s.loadedSample > 0 {
		fmt.Fprintf(out, "The store was new: loaded the sample API, %d documents (LOAD_SAMPLE=false starts empty).\n", s.loadedSample)
	}
	key := ""
	if cfg.RequireAuth {
		key = ` -H "X-API-Key: $API_KEY"`
	}
	fmt.Fprintf(out, `Try:
  curl -s%[2]s %[1]s/search -H 'Content-Type: application/json' -d '{"query": "place an order"}'
  curl -s%[2]s %[1]s/chat -H 'Content-Type: application/json' -d '{"message": "How do I place an order?"}'
  curl -s%[2]s %[1]s/documents/upload -F files=@openapi.yaml
`, address, key)
}
