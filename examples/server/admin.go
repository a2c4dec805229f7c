package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// While a server runs, it holds the lock of its data file, so that the commands
// that copy or fill it go through the server: by a Unix socket in the data
// directory. Whoever may use the socket may read the directory; it asks for no
// key, and no port is opened.

// socketName is the socket in the data directory.
const socketName = "admin.sock"

// dataset is the documents of the data directory, with the store below them.
type dataset struct {
	store  vectorstore.VectorStore
	corpus *retriever.Corpus
	name   string // of the collection
}

// serveAdmin answers at the socket until stop is called. Where there can be no
// socket the server runs without one, and says so.
func serveAdmin(dir string, l dataset, log *slog.Logger) (stop func()) {
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("no admin socket", "error", err)
		return func() {}
	}
	listener, err := net.Listen("unix", path)
	if err == nil {
		err = os.Chmod(path, 0o600) // the directory keeps others out already
	}
	if err != nil {
		log.Warn("no admin socket: backup, export and import need the server stopped", "error", err)
		return func() {}
	}
	server := &http.Server{Handler: adminHandler(l), ReadHeaderTimeout: headerTimeout}
	go server.Serve(listener)
	return func() { server.Close() }
}

func adminHandler(l dataset) http.Handler {
	mux := http.NewServeMux()
	// What fails after the first byte is known by its missing end: the checksums of
	// a backup, the last line of an export. The connection is cut.
	stream := func(write func(context.Context, io.Writer) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := write(r.Context(), w); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	}
	mux.HandleFunc("GET /backup", stream(l.backup))
	mux.HandleFunc("GET /export", stream(l.export))
	mux.HandleFunc("POST /import", func(w http.ResponseWriter, r *http.Request) {
		n, err := l.importFrom(r.Context(), r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		fmt.Fprint(w, n)
	})
	return mux
}

// admin makes a request at the socket of the server that has the data directory
// open. errNoServer says that there is none.
func admin(ctx context.Context, dir, method, path string, body io.Reader) (io.ReadCloser, error) {
	socket := filepath.Join(dir, socketName)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	r, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(r)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, errNoServer
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		defer resp.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return nil, fmt.Errorf("the server refuses: %s", said)
	}
	return resp.Body, nil
}

var errNoServer = errors.New("no server has the data directory open")

// openLocal opens the data directory itself. The caller closes the corpus.
func openLocal(ctx context.Context, in invocation, cfg config, mayMake bool) (dataset, error) {
	if cfg.VectorStore != storeChromem {
		return dataset{}, errors.New("this is for VECTOR_STORE=chromem: use the snapshots of Qdrant")
	}
	if _, err := os.Stat(filepath.Join(cfg.DataDir, cfg.Collection+".db")); err != nil && !mayMake {
		return dataset{}, fmt.Errorf("there are no documents in CHROMA_PERSIST_DIR: %w", err)
	}
	log := slog.New(slog.DiscardHandler)
	models, err := newModels(cfg.Models, log, modelClient())
	if err != nil {
		return dataset{}, err
	}
	store, _, err := openStore(ctx, cfg, models.embedder, log)
	if err != nil {
		return dataset{}, err
	}
	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: models.embedder, Logger: log})
	if err != nil {
		return dataset{}, errors.Join(err, store.Close())
	}
	return dataset{store, corpus, cfg.Collection}, nil
}
